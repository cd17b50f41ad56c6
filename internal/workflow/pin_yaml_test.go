package workflow_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/workflow"
)

var somePins = workflow.Pins{
	"actions/checkout":      {Commit: checkoutCommit, Version: "v7.0.1"},
	"acme/tools":            {Commit: someCommit, Version: "v2.0.0"},
	"acme/ci/.github/x.yml": {Commit: someCommit},
}

func TestPinningChangesNothingButRefs(t *testing.T) {
	t.Parallel()
	const pinned = "actions/checkout@" + checkoutCommit
	for _, c := range []struct{ name, uses, want string }{
		{"plain", "uses: actions/checkout@v4", "uses: " + pinned + " # v7.0.1"},
		{"in quotes", `uses:   "actions/checkout@v4"  `, `uses:   "` + pinned + `" # v7.0.1  `},
		{"in single quotes", `uses: 'actions/checkout@v4'`, `uses: '` + pinned + `' # v7.0.1`},
		{"with a comment", "uses: actions/checkout@v4   # the code", "uses: " + pinned + " # v7.0.1   # the code"},
		{"with its version", "uses: actions/checkout@v7.0.1 # v7.0.1, reviewed by ann", "uses: " + pinned + " # v7.0.1, reviewed by ann"},
		{"in braces", "{ uses: actions/checkout@v4 }", "{ uses: " + pinned + " } # v7.0.1"},
		{"in braces with more", "{ uses: actions/checkout@v4, name: x }", "{ uses: " + pinned + ", name: x }"},
		{"a text that goes on behind it", "{ uses: actions/checkout@v4, name: \"x\n          y\" }", "{ uses: " + pinned + ", name: \"x\n          y\" }"},
		{"an anchor and a tag", "uses: !!str &co actions/checkout@v4", "uses: !!str &co " + pinned + " # v7.0.1"},
		{"an alias", "uses: &co actions/checkout@v4\n      - uses: *co", "uses: &co " + pinned + " # v7.0.1\n      - uses: *co"},
		{"letters of more than a byte before it", "{ name: ünïcödé ☂, uses: actions/checkout@v4 }", "{ name: ünïcödé ☂, uses: " + pinned + " } # v7.0.1"},
		{"a folder of a repository", "uses: acme/tools/setup/go@main", "uses: acme/tools/setup/go@" + someCommit + " # v2.0.0"},
		{"a commit", "uses: actions/checkout@" + someCommit + " # v1", "uses: actions/checkout@" + someCommit + " # v1"},
		{"a local one", "uses: ./setup", "uses: ./setup"},
		{"an image", "uses: docker://alpine:3", "uses: docker://alpine:3"},
	} {
		before, want := "# a workflow\n"+steps("- "+c.uses)+"# end", "# a workflow\n"+steps("- "+c.want)+"# end"
		got, err := workflow.PinYAML(before, somePins)
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%s: %v\n%s", c.name, err, diff)
		}
		windows, err := workflow.PinYAML(strings.ReplaceAll(before, "\n", "\r\n"), somePins)
		if diff := cmp.Diff(strings.ReplaceAll(want, "\n", "\r\n"), windows); err != nil || diff != "" {
			t.Errorf("%s, with line ends of Windows: %v\n%s", c.name, err, diff)
		}
	}
}

func TestACalledWorkflowIsPinned(t *testing.T) {
	t.Parallel()
	const before = "on: push\njobs:\n  call:\n    uses: acme/ci/.github/x.yml@main\n    with: {uses: actions/checkout@v4}\n"
	got, err := workflow.PinYAML(before, somePins)
	want := strings.Replace(before, "x.yml@main", "x.yml@"+someCommit, 1)
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v\n%s", err, diff)
	}
}

func TestWhatCannotBePinnedNamesLineAndAction(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, yaml, want string }{
		{"no pin", steps("- run: 'true'", "- uses: acme/other@v1"), `line 8: action "acme/other@v1" has no commit to be pinned to: set pins = { "acme/other" = "v1.2.3" }`},
		{"no ref", steps("- uses: actions/checkout"), `line 7: uses "actions/checkout" is not OWNER/REPOSITORY@REF`},
		{"an expression", steps("- uses: actions/checkout@${{ env.X }}"), `line 7: uses "actions/checkout@${{ env.X }}" is not`},
		{"a list", steps("- uses: [actions/checkout@v4]"), "line 7: uses is not the name of an action"},
		{"escapes", steps(`- uses: "actions\u002fcheckout@v4"`), `line 7: action "actions/checkout@v4" cannot be pinned in place`},
		{"a block", steps("- uses: >-", "    actions/checkout@v4"), `line 7: action "actions/checkout@v4" cannot be pinned in place`},
		{"an alias of something else", "env: {A: &a actions/checkout@v4}\n" + steps("- uses: *a"), `line 8: "actions/checkout@v4" is an alias of something that is no action`},
		{"no YAML", "a: [", "did not find"},
		{"a bomb", bomb(9), "more than 100000 values"},
	} {
		if _, err := workflow.PinYAML(c.yaml, somePins); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %q", c.name, err, c.want)
		}
	}
}

func TestAVersionCannotEndItsComment(t *testing.T) {
	t.Parallel()
	pins := workflow.Pins{"actions/checkout": {Commit: checkoutCommit, Version: "v1\n      - run: evil"}}
	got, err := workflow.PinYAML(steps("- uses: actions/checkout@v4"), pins)
	if want := steps("- uses: actions/checkout@" + checkoutCommit); err != nil || got != want {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestPinningAVeryLongWorkflowTakesNoTime(t *testing.T) {
	t.Parallel()
	start := time.Now()
	got, err := workflow.PinYAML(steps(strings.Split(strings.Repeat("- uses: acme/tools@v1\n", 10_000), "\n")...), somePins)
	if err != nil || strings.Count(got, someCommit+" # v2.0.0") != 10_000 {
		t.Errorf("%d are pinned, %v", strings.Count(got, someCommit), err)
	}
	if took := time.Since(start); took > 20*time.Second {
		t.Errorf("took %v", took)
	}
}

func FuzzPinYAML(f *testing.F) {
	for _, seed := range []string{
		"", "uses: actions/checkout@v4", "{ uses: actions/checkout@v4 } # x", "uses: &a actions/checkout@v4\n      - uses: *a",
		"uses: 'actions/checkout@v4' #x", "uses: \"acme/tools/x@main\", name: \"a\n b\" }", "name: \u2028x\n        uses: acme/tools@v1",
	} {
		f.Add(seed, true)
	}
	f.Fuzz(func(t *testing.T, step string, inside bool) {
		before := step
		if inside {
			before = steps("- " + step)
		}
		pinned, err := workflow.PinYAML(before, somePins)
		if err != nil {
			return
		}
		if again, err := workflow.PinYAML(pinned, somePins); err != nil || again != pinned {
			t.Errorf("pinned twice: %v\n%s", err, cmp.Diff(pinned, again))
		}
		found, err := workflow.Lint("x.yml", pinned)
		if err != nil {
			t.Fatal(err)
		}
		for _, x := range found {
			if x.Kind == "pinned" && !strings.Contains(x.Message, "docker://") {
				t.Errorf("not pinned: %+v in %q", x, pinned)
			}
		}
	})
}
