package page

import (
	"fmt"
	"time"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/endpoint"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/rollout"
)

type (
	// A waitView is what a rollout waits for a person to do.
	waitView struct {
		Text     string
		Commands []commandView
	}
	commandView  struct{ Line, Does string }
	previousView struct {
		Revision digest
		Model    string // as the user wrote it
		Until    moment
		Command  string
	}
)

// staged reports whether the candidate waits for somebody to start a runner.
func staged(r rollout.Record) bool { return r.Phase == rollout.Preparing && r.Staged && r.Epoch == 0 }

// viewWait says what the rollout waits for, or nothing.
func viewWait(id string, r rollout.Record, zone *time.Location) *waitView {
	switch {
	case staged(r) && !r.Ready.IsZero():
		return &waitView{"Staged and ready since " + clock(r.Ready, zone) + ". It gets its traffic when somebody promotes it.",
			[]commandView{{"tidegate promote " + id, "drives the rollout"}, {"tidegate cancel " + id, "takes it off"}}}
	case r.Phase == rollout.AwaitingApproval && r.Approval == nil:
		return &waitView{fmt.Sprintf("The gates pass at %d%%. Going on needs an approval, since %s.", r.Weight, clock(r.AwaitingSince, zone)),
			[]commandView{{"tidegate approve " + id, "lets it go on"}, {"tidegate rollback " + id, "rejects it"}}}
	}
	return nil
}

// viewApproval says who let the step be left.
func viewApproval(a *rollout.Approval, zone *time.Location) string {
	if a == nil {
		return ""
	}
	how := ""
	if a.How != "" {
		how = " (" + a.How + ")"
	}
	return fmt.Sprintf("%s%s approved going on, at %s.", a.By, how, clock(a.At, zone))
}

func viewPrevious(id string, p *endpoint.Previous, zone *time.Location) *previousView {
	if p == nil {
		return nil
	}
	return &previousView{Revision: short(p.Revision.Digest), Model: p.Model.URI, Until: when(p.Until, zone), Command: "tidegate rollback " + id}
}

func clock(t time.Time, zone *time.Location) string { return t.In(zone).Format("2 Jan 15:04:05") }
