package githubhub

import "testing"

// Tool returns the path of a program of one of the modules below internal that are for tests alone: "ocitest",
// "oras.land/oras/cmd/oras". It is built once. The test is skipped if what it is built of can not be fetched.
func Tool(t testing.TB, module, pkg string) string {
	t.Helper()
	root, err := projectRoot()
	if err != nil {
		t.Fatal(err)
	}
	path, err := build(root, module, pkg)
	skipWithoutModules(t, err)
	if err != nil {
		t.Fatal(err)
	}
	return path
}
