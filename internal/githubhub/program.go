package githubhub

import "testing"

// A program is the server's process, one for all tests of a test binary.
type program struct{ path, control string }

func start(t testing.TB) program {
	t.Helper()
	t.Skip("the server is not in this commit yet")
	return program{}
}
