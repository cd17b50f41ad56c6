//go:build race

package local

// Raced says that the race detector is on: all takes several times as long, and as much memory.
const Raced = true
