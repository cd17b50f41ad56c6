package failpoint_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// The variable is the one thing that no compiler leaves out of a program that reads it.
func TestAReleaseHoldsNothingOfIt(t *testing.T) {
	t.Parallel()
	for tags, want := range map[string]bool{"": false, "failpoints": true} {
		program := filepath.Join(t.TempDir(), "tidegate")
		cmd := exec.Command("go", "build", "-tags", tags, "-o", program, ".")
		cmd.Dir = filepath.Join("..", "..")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("build with tags %q: %v\n%s", tags, err, out)
		}
		code, err := os.ReadFile(program)
		if err != nil {
			t.Fatal(err)
		}
		for _, word := range []string{"TIDEGATE_ENGINE_FAILPOINTS", "store.written", "failpoint.due"} {
			if got := bytes.Contains(code, []byte(word)); got != want {
				t.Errorf("with tags %q the program holds %s: %t", tags, word, got)
			}
		}
	}
}
