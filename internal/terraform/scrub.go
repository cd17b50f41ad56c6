package terraform

import "io"

// Mask stands where a secret was.
const Mask = "***"

// A Scrubber replaces exact values by Mask: raw, in base64 (standard and URL, at any offset), percent-encoded,
// escaped for JSON, and line by line. Values shorter than 8 bytes are left alone: they would hit half of every
// text. It may be used and added to from several goroutines.
type Scrubber struct{}

// NewScrubber returns a Scrubber of these values.
func NewScrubber(secrets ...string) *Scrubber { return nil }

// Add adds values.
func (s *Scrubber) Add(secrets ...string) {}

// String is text without secrets.
func (s *Scrubber) String(text string) string { return text }

// Writer scrubs what is written to it, also a secret that comes in pieces, and passes it on. What may be the beginning
// of a secret is held back until more is written or it is closed; closing does not close w.
func (s *Scrubber) Writer(w io.Writer) io.WriteCloser { return nil }

// SecretEnv are values of an environment whose names say that they are secret.
func SecretEnv(env []string) []string { return nil }
