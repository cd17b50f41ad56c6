package workflow_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rhysd/actionlint"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/workflow"
)

func TestATextOfOthersInAScriptIsAFindingAtItsPlace(t *testing.T) {
	t.Parallel()
	block := func(lines ...string) string {
		return steps(append([]string{"- run: |", "    echo begins"}, lines...)...)
	}
	for _, c := range []struct{ name, yaml, want string }{
		{"a title", steps("- run: echo ${{ github.event.issue.title }}"), "7:19 github.event.issue.title"},
		{"what actionlint does not know", steps("- run: echo ${{ github.event.release.name }}"), "7:19 github.event.release.name"},
		{"in capitals", steps("- run: echo ${{ GitHub.Event.Release.Name }}"), "7:19 github.event.release.name"},
		{"by index", steps("- run: echo ${{ github['event']['release'].name }}"), "7:19 github.event.release.name"},
		{"by a computed index", steps("- run: echo ${{ github.event[env.X] }}"), "7:19 github.event.*"},
		{"all of it", steps("- run: echo '${{ toJSON(github.event) }}'"), "7:20 github.event"},
		{"a branch", steps("- run: git switch ${{ github.head_ref }}"), "7:25 github.head_ref"},
		{"the name of a ref", steps("- run: echo ${{ github.ref_name }}"), "7:19 github.ref_name"},
		{"either", steps("- run: echo ${{ github.head_ref || github.sha }}"), "7:19 github.head_ref"},
		{"formatted", steps("- run: echo ${{ format('{0}', github.event.comment.body) }}"), "7:19 github.event.comment.body"},
		{"commits", steps("- run: echo ${{ join(github.event.commits.*.message) }}"), "7:19 github.event.commits.*.message"},
		{"in a block", block("    echo ${{ github.sha }} ${{ github.ref_name }}"), "9:34 github.ref_name"},
		{"the second of two alike", block("    a='${{ github.sha }}'", "    b=${{ github.ref_name }} # ${{ github.sha }}"), "10:13 github.ref_name"},
		{"twice", steps("- run: echo ${{ github.ref_name }} ${{ github.ref_name }}"), "7:19 github.ref_name, 7:42 github.ref_name"},
		{"a script of an action", steps("- uses: actions/github-script@"+someCommit, "  with:", "    script: console.log('${{ github.event.label.name }}')"), "9:32 github.event.label.name"},
		{"a fork's default branch", steps("- run: echo ${{ github.event.pull_request.head.repo.default_branch }}"), "7:19 github.event.pull_request.head.repo.default_branch"},
		{"a payload", steps("- run: echo ${{ github.event.client_payload.sha }}"), "7:19 github.event.client_payload.sha"},
		{"an alias", steps("- env: {A: &a 'echo ${{ github.ref_name }}'}", "  run: *a"), "7:27 github.ref_name"},
		{"an input", strings.Replace(steps("- run: echo ${{ inputs.name }}"), "on: push", "on: {workflow_dispatch: {inputs: {name: {type: string}}}}", 1), "7:19 inputs.name"},

		{"a number", steps("- run: echo ${{ github.event.pull_request.number }} ${{ github.sha }} ${{ github.run_id }} ${{ github.repository }}"), ""},
		{"the default branch", steps("- run: git switch ${{ github.event.repository.default_branch }}"), ""},
		{"a commit", steps("- run: git diff ${{ github.event.pull_request.head.sha }} ${{ github.event.before }}"), ""},
		{"a question", steps("- run: echo ${{ github.head_ref == 'main' }} ${{ contains(github.event.issue.title, 'x') }} ${{ !github.event.issue.title }}"), ""},
		{"in env", steps("- env: {TITLE: '${{ github.event.issue.title }}'}", "  run: echo \"$TITLE\""), ""},
	} {
		var got []string
		for _, l := range lint(t, c.yaml) {
			at, said, _ := strings.Cut(l, " ")
			_, what, is := strings.Cut(said, "injection: whoever chooses ")
			if !is {
				t.Errorf("%s: %s", c.name, l)
			}
			what, _, _ = strings.Cut(what, " ")
			got = append(got, at+" "+what)
		}
		if strings.Join(got, ", ") != c.want {
			t.Errorf("%s: %q, want %q\n%s", c.name, got, c.want, c.yaml)
		}
	}
}

func TestCodeOfPullRequestsDoesNotRunWithSecrets(t *testing.T) {
	t.Parallel()
	flow := func(on, ref string) string {
		return strings.Replace(steps("- uses: actions/checkout@"+checkoutCommit, "  with:", "    persist-credentials: false", "    ref: "+ref, "- run: make"), "on: push", "on: "+on, 1)
	}
	const head = "${{ github.event.pull_request.head.sha }}"
	for _, c := range []struct {
		on, ref string
		want    bool
	}{
		{"pull_request_target", head, true},
		{"[push, pull_request_target]", head, true},
		{"{pull_request_target: {types: [opened]}}", "refs/pull/${{ github.event.number }}/merge", true},
		{"{workflow_run: {workflows: [a]}}", "${{ github.event.workflow_run.head_branch }}", true},
		{"issue_comment", "pull/${{ github.event.issue.number }}/head", true},
		{"pull_request", head, false},
		{"pull_request_target", "main", false},
	} {
		found := lint(t, flow(c.on, c.ref))
		if c.want && (len(found) != 1 || !strings.HasPrefix(found[0], "10:16 injection: ")) || !c.want && len(found) > 0 {
			t.Errorf("on %s, ref %s: %q", c.on, c.ref, found)
		}
	}
}

func TestAdviceNamesWhatAWorkflowGivesAway(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, yaml string
		want       []string
	}{
		{"nothing", steps("- uses: actions/checkout@"+checkoutCommit, "  with: {persist-credentials: false}"), nil},
		{"a token that stays", steps("- uses: actions/checkout@" + checkoutCommit), []string{"7:15 credentials"}},
		{"a token that stays by a word", steps("- uses: actions/checkout@"+checkoutCommit, "  with: {persist-credentials: 'true'}"), []string{"7:15 credentials"}},
		{"the settings' permissions", strings.Replace(steps("- run: make"), "permissions: {}\n", "", 1), []string{"3:3 permissions"}},
		{"all permissions", strings.Replace(steps("- run: make"), "{}", "write-all", 1), []string{"4:3 permissions"}},
		{"permissions of the job", "on: push\njobs:\n  a:\n    permissions: {}\n    runs-on: ubuntu-latest\n    steps: [{run: make}]\n", nil},
		{"all secrets", "on: push\npermissions: {}\njobs:\n  a:\n    uses: ./.github/workflows/b.yml\n    secrets: inherit\n", []string{"6:14 secrets"}},
		{"strangers' events", strings.Replace(steps("- run: make"), "push", "[push, pull_request_target]", 1), []string{"1:5 trigger"}},
		{"no YAML", "on: [", nil},
	} {
		var got []string
		for _, f := range workflow.Advice(c.yaml) {
			got = append(got, fmt.Sprintf("%d:%d %s", f.Line, f.Column, f.Kind))
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: %s", c.name, diff)
		}
	}
	for name, s := range specs() {
		if found := workflow.Advice(render(t, s)); len(found) > 0 {
			t.Errorf("%s: %v", name, found)
		}
	}
}

// Findings of actionlint about such texts are left out, since ours are about all of them, and more.
func TestWhatActionlintKnowsOfInjectionsIsKnownHere(t *testing.T) {
	t.Parallel()
	n := 0
	var look func(path string, m *actionlint.UntrustedInputMap)
	look = func(path string, m *actionlint.UntrustedInputMap) {
		if path += "." + m.Name; path[0] == '.' {
			path = path[1:]
		}
		if len(m.Children) == 0 {
			n++
			if got := strings.Join(lint(t, steps("- run: echo ${{ "+path+" }}")), ""); !strings.Contains(got, "injection: whoever chooses "+path) {
				t.Errorf("%s: %q", path, got)
			}
		}
		for _, child := range m.Children {
			look(path, child)
		}
	}
	for _, root := range actionlint.BuiltinUntrustedInputs {
		look("", root)
	}
	if n < 10 {
		t.Errorf("actionlint knows %d", n)
	}
}
