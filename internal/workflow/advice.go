package workflow

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// Advice says what a workflow does that is allowed, and more than most need. A rendered one does nothing of it, unless by
// what users add. It is for a workflow that Lint has nothing against.
func Advice(text string) (found []Finding) {
	root, err := parse(text)
	if err != nil {
		return nil
	}
	say := func(at *yaml.Node, kind, message string) {
		found = append(found, Finding{Line: at.Line, Column: at.Column, Kind: kind, Message: message})
	}
	top := lookup(root, "permissions")
	eachJob(root, func(id, job *yaml.Node) {
		own := lookup(job, "permissions")
		switch {
		case top == nil && own == nil:
			say(id, "permissions", "job "+id.Value+" has the permissions that the repository's settings give, which may be to write everything: write permissions: {} at the top, and in each job what it needs")
		case own != nil && own.Value == "write-all" || own == nil && top.Value == "write-all":
			say(id, "permissions", "job "+id.Value+" may write everything: name what it needs")
		}
		if secrets := lookup(job, "secrets"); secrets != nil && secrets.Value == "inherit" {
			say(secrets, "secrets", "the called workflow gets all secrets: name those that it needs")
		}
		for _, step := range items(lookup(job, "steps")) {
			uses := lookup(step, "uses")
			if uses == nil || !strings.EqualFold(parseUses(uses.Value).name, "actions/checkout") {
				continue
			}
			if keeps := lookup(lookup(step, "with"), "persist-credentials"); keeps == nil || keeps.Value != "false" {
				say(uses, "credentials", "the checkout leaves its token for all steps that follow, and for artifacts: write persist-credentials: false, unless a step pushes")
			}
		}
	})
	for _, event := range []string{"pull_request_target", "workflow_run"} {
		if triggered(root, event) {
			say(lookup(root, "on"), "trigger", event+" starts this workflow, with secrets and a token that writes, for whoever opens a pull request: see that nothing of theirs is run, or use pull_request")
		}
	}
	slices.SortStableFunc(found, func(a, b Finding) int { return a.Line - b.Line })
	return found
}
