package provider

import (
	"strings"
	"testing"
)

func TestAPlanTellsWhatAnOwnWorkflowGivesAwayAndRefusesWhatOthersWouldRun(t *testing.T) {
	y := newYard(t)
	flow := func(script string) string {
		return hosted(byCommit, `
  workflow_yaml = <<-E
    on: [push, pull_request_target]
    jobs:
      test:
        runs-on: ubuntu-latest
        steps:
          - uses: actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1
          - run: `+script+`
  E
`)
	}
	y.config(flow("make test"))
	y.plan().changes().says("The workflow gives away more than it needs at line", "persist-credentials: false", "permissions that the repository's settings give", "pull_request_target starts this workflow")
	y.config(flow("echo $${{ github.event.release.name }}"))
	y.plan().fails().says("The workflow is not right at line 10, column 19", "whoever chooses github.event.release.name chooses what is run", "| ")
}

func TestAPlanWarnsOfIdentitiesThatOthersCouldUse(t *testing.T) {
	y := newYard(t)
	hcl := hosted(byCommit, testStage, `
  deploy {
    name        = "prod"
    root        = "infra"
    environment = "production"
    aws {
      role_arn = "arn:aws:iam::123456789012:role/deploy"
      region   = "eu-west-1"
    }
  }
  environment {
    name      = "production"
    reviewers = ["octocat"]
  }
`)
	y.hub.User("octocat")
	y.config(hcl)
	y.plan().changes().says("Who plans can do all that reviewers are to approve", "Set plan_role_arn to one that only reads")
	y.config(strings.Replace(hcl, "region ", "plan_role_arn = \"arn:aws:iam::123456789012:role/plan\"\n      region ", 1))
	y.plan().changes().neverSays("Who plans can do all").says("role/plan", `lock: "false"`)
	y.config(strings.Replace(hcl, "reviewers = [\"octocat\"]", "", 1))
	y.plan().changes().says("Every branch gets what the environment guards", "the identity of deploy prod")
}
