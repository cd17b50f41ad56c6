//go:build !race

package local

// Raced says that the race detector is on.
const Raced = false
