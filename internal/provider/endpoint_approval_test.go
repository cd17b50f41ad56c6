package provider

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/rollout"
)

// asking is hcl with a quick policy that wants an approval.
func asking(hcl string) string {
	return strings.Replace(hcl, "weight = 90", "weight   = 90\n    approval = true", 1)
}

const rolloutHCL = `
data "tidegate_rollout" "penguins" {
  endpoint = tidegate_model_endpoint.penguins.id
}`

func TestInlineEndpointRefusesAPolicyWithAnApproval(t *testing.T) {
	s := newStage(t)
	url := s.up()
	s.config(asking(penguins("v2")))
	want := []string{`Endpoint "penguins" cannot wait for an approval inline`, "rollout.policy has a step with approval = true",
		`Set rollout.run = "staged"`, "Or take approval = true out of the policy's steps"}
	s.plan().fails().says(want...)

	// Known only when it is applied, it is refused then.
	later := "resource \"terraform_data\" \"later\" {\n input = true\n}\n"
	s.config(strings.Replace(asking(penguins("v2")), "approval = true", "approval = terraform_data.later.output", 1), later)
	s.plan().changes()
	s.apply().fails().says(want...)
	s.holds("v1")
	serves(t, url, "v1")
}

func TestApprovalIsAwaitedWithoutADiff(t *testing.T) {
	s := newStage(t)
	url := s.upStaged(asking(slowStaged("v2")) + rolloutHCL)
	users := ask(t, url)
	job := s.promote()
	eventually(t, "an approval is awaited", func() bool { return s.record().Phase == rollout.AwaitingApproval })
	s.apply().ok().says("0 added, 0 changed, 0 destroyed")
	r := s.state("data.tidegate_rollout.penguins")
	if r["phase"] != "awaiting approval" || r["staged"] != true || r["approval"] != nil || !strings.HasPrefix(show(r["awaiting_since"]), `"20`) ||
		r["runner"] != "a promoting job" {
		t.Errorf("rollout %v", r)
	}
	s.tell(rollout.Approved{By: "alice", How: "user id 1000", At: time.Now()})
	job.succeeds()
	users.stop()
	s.apply().ok()
	r = s.state("data.tidegate_rollout.penguins")
	a, _ := r["approval"].(map[string]any)
	if r["phase"] != "promoted" || a["by"] != "alice" || a["how"] != "user id 1000" || r["awaiting_since"] != nil {
		t.Errorf("rollout %v", r)
	}
	serves(t, url, "v2")
	s.plan().ok()
}

// A rollout keeps the policy that it began with: apply may meet an approval all the same.
func TestApplyLeavesARolloutThatWaitsForAnApproval(t *testing.T) {
	s := newStage(t)
	url := s.upStaged(asking(slowStaged("v2")))
	users := ask(t, url)
	s.config(slow("v2"))
	s.apply().fails().says(`The rollout of endpoint "penguins" waits for an approval`, "a person's word before more than 90% of the traffic",
		`Run "tidegate approve local/here/penguins", then apply again`, "20m0s (limits.abandoned_after) after its last runner")
	s.tell(rollout.Approved{By: "alice", How: "user id 1000", At: time.Now()})
	s.apply().ok()
	users.stop()
	serves(t, url, "v2")
	s.plan().ok()
}

func TestRolloutThatNobodyApprovesShowsInThePlan(t *testing.T) {
	s := newStage(t)
	hcl := strings.Replace(asking(slowStaged("v2")), "limits {", "limits {\n    approval = \"1s\"", 1)
	url := s.upStaged(hcl)
	users := ask(t, url)
	var rolledBack *rollout.RolledBackError
	if err := s.promote().wait(); !errors.As(err, &rolledBack) || rolledBack.Record.Failure.Kind != rollout.KindUnapproved {
		t.Fatalf("%v: want it rolled back as unapproved", err)
	}
	users.stop()
	s.plan().changes().says("was rolled back because nobody approved it on 20", "It is not rejected: applying stages it again")
}
