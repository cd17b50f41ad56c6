package simulate

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/rollout"
)

// People approve at once: what is left of them is a window at each step.
func TestApprovalsNeitherHangNorDistort(t *testing.T) {
	t.Parallel()
	p := rollout.DefaultPolicy()
	without := json.RawMessage(p.JSON())
	for i := range p.Steps {
		p.Steps[i].Approval = true
	}
	with := json.RawMessage(p.JSON())
	s := Default()
	s.Horizon = minutes(60)
	s.Traffic.RequestsPerSecond, s.Errors.Share, s.Candidate.ErrorsTimes = 1000, .01, 1
	s.Rules = []RuleSpec{{Name: "tidegate", Tidegate: without}, {Name: "asking", Tidegate: with}}
	r := run(t, s, 30)
	minutes := func(i int) float64 { return meanMinutes(r.Rules[i], Promoted) }
	if r.Rules[1].Promoted != r.Rules[0].Promoted || r.Rules[0].Promoted.Share < .9 {
		t.Errorf("promoted %+v with approvals, %+v without", r.Rules[1].Promoted, r.Rules[0].Promoted)
	}
	more := minutes(1) - minutes(0)
	t.Logf("%.2f minutes with approvals, %.2f without", minutes(1), minutes(0))
	if more < 0 || more > 1 {
		t.Errorf("%.2f minutes more", more)
	}
	if !strings.Contains(string(with), `"approval":true`) {
		t.Error("nobody was asked")
	}
}
