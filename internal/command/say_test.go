package command_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/rollout"
)

func awaits(r rollout.Record) bool { return r.Phase == rollout.AwaitingApproval && r.Approval == nil }

// withApproval waits for a person before it leaves its first step.
func withApproval(p *rollout.Policy) { p.Steps[0].Approval = true }

func TestRolloutWaitsForAPersonWhoSaysWhatIsApproved(t *testing.T) {
	t.Parallel()
	l := newLab(t, withApproval)
	l.traffic()
	candidate := l.stage(model{Name: "v2"})
	if _, errs := l.command(4, "approve", "penguins"); !strings.Contains(errs, "Nothing waits for an approval: the rollout is preparing at 0%") {
		t.Errorf("approved before anything waits: %s", errs)
	}
	out, _ := l.command(3, "promote", "penguins", "--no-wait", "--json")
	if r, _ := lastLine(t, out); r.Outcome != "waiting" || r.ExitCode != 3 || r.Rollout.Phase != "awaiting approval" || !strings.Contains(r.Message, "tidegate approve "+id) {
		t.Errorf("%+v", r)
	}
	out, _ = l.command(3, "status", "penguins")
	contains(t, out, "awaiting approval, step 1 of 2", "Waits for an approval since ", "▶ 25% approval")
	for flag, want := range map[string]string{
		"--weight=50":       "the rollout waits at 25%, and --weight says 50",
		"--step=2":          "the rollout waits at step 1, and --step says 2",
		"--candidate=00000": "and --candidate says 00000",
	} {
		_, errs := l.command(4, "approve", "penguins", flag)
		contains(t, errs, "Nothing was approved", want)
	}
	if r := l.record(); !awaits(r) {
		t.Errorf("a guard let it pass: %s, %+v", r.Phase, r.Approval)
	}
	out, _ = l.command(0, "approve", "penguins", "--weight", "25", "--step", "1", "--candidate", candidate[:16], "--by", "Ada", "--json")
	r, _ := lastLine(t, out)
	if r.Outcome != "approved" || !strings.Contains(r.Message, "Nobody drives the rollout: `tidegate promote") {
		t.Errorf("%+v", r)
	}
	if a := l.record().Approval; a == nil || a.By != "Ada" || !strings.Contains(a.How, "says with --by; user id ") {
		t.Errorf("recorded as %+v", a)
	}
	_, errs := l.command(4, "approve", "penguins")
	contains(t, errs, "approved it already")
	out, _ = l.command(0, "promote", "penguins")
	contains(t, out, "50% → 100%", "Promoted: ")
}

func TestRunnerThatWaitsGoesOnWithTheApproval(t *testing.T) {
	t.Parallel()
	l := newLab(t, withApproval)
	l.traffic()
	l.stage(model{Name: "v2"})
	p := l.start("promote", "penguins")
	l.until("it waits", awaits)
	out, _ := l.command(0, "approve", "penguins")
	contains(t, out, "Approved going on from 25% of traffic", "by its operating system", "drives the rollout and goes on")
	if code := p.code(); code != 0 {
		t.Errorf("promote: %d", code)
	}
	contains(t, p.out.String(), "approves going on from 25%.", "Promoted: ")
}

func TestPersonTakesACandidateOffThatSomebodyElseDrives(t *testing.T) {
	t.Parallel()
	l := newLab(t, slowly)
	l.traffic()
	l.stage(model{Name: "v2"})
	p := l.start("promote", "penguins")
	l.until("the candidate has traffic", exposed)
	out, _ := l.command(0, "rollback", "penguins", "--reason", "wrong species\x1b[2J")
	contains(t, out, "Rolled back: ", "is rejected")
	if code := p.code(); code != 2 {
		t.Errorf("promote: %d", code)
	}
	contains(t, p.out.String(), "rolled back with the candidate at 25% of traffic: wrong species", "Not promoted")
	if strings.Contains(p.out.String(), "\x1b") {
		t.Errorf("a reason reaches the terminal as it is: %q", p.out.String())
	}
	out, _ = l.command(2, "status", "penguins", "--json")
	var st struct {
		ExitCode int `json:"exit_code"`
		Rollout  struct {
			Failure rollout.Failure `json:"failure"`
		} `json:"rollout"`
	}
	if err := json.Unmarshal([]byte(out), &st); err != nil || st.ExitCode != 2 || st.Rollout.Failure.Kind != rollout.KindOperator || !st.Rollout.Failure.Rejected {
		t.Errorf("%v: %s", err, out)
	}
	_, errs := l.command(4, "rollback", "penguins")
	contains(t, errs, "The last rollout is over: rolled back.")
	_, errs = l.command(4, "cancel", "penguins")
	contains(t, errs, "The last rollout is over")
}

func TestCancelledCandidateMayBeStagedAgain(t *testing.T) {
	t.Parallel()
	l := newLab(t, nil)
	l.stage(model{Name: "v2"})
	out, _ := l.command(0, "cancel", "penguins", "--reason", "not today")
	contains(t, out, "Cancelled: ", "not rejected")
	r := l.record()
	if r.Failure == nil || r.Failure.Kind != rollout.KindCancelled || r.Failure.Rejected || !strings.Contains(r.Failure.Reason, "by its operating system): not today") {
		t.Errorf("%+v", r.Failure)
	}
	l.stage(model{Name: "v2"})
	if r := l.record(); r.Phase != rollout.Preparing {
		t.Errorf("%s", r.Phase)
	}
}

func TestRollbackAfterPromotionGoesBackWhileThePreviousRevisionIsKept(t *testing.T) {
	t.Parallel()
	l := newLab(t, nil)
	l.traffic()
	l.stage(model{Name: "v2"})
	l.command(0, "promote", "penguins")
	out, _ := l.command(0, "status", "penguins")
	contains(t, out, "is kept until", "tidegate rollback")
	l.command(0, "rollback", "penguins", "--reason", "users complain")
	r := l.record()
	if r.Phase != rollout.RolledBack || !r.Failure.Rejected || !strings.Contains(r.Failure.Reason, "after its promotion: users complain") {
		t.Errorf("%s, %+v", r.Phase, r.Failure)
	}
	if st, err := l.engine.Endpoints().Get(l.last, id, false); err != nil || st.Stable.Digest != r.Stable || st.Previous != nil {
		t.Errorf("%v, %+v: want %s to serve again", err, st, r.Stable)
	}
}

func TestWatchTellsEveryChangeAndEndsWithTheRollout(t *testing.T) {
	t.Parallel()
	l := newLab(t, nil)
	l.traffic()
	l.stage(model{Name: "v2"})
	watch, asJSON := l.start("status", "--watch"), l.start("status", "penguins", "--watch", "--json")
	watch.out.shows(t, " 0% ")
	asJSON.out.shows(t, `"staged":true`)
	l.command(0, "promote", "penguins")
	for _, w := range []*running{watch, asJSON} {
		if code := w.code(); code != 0 {
			t.Errorf("%v: exit code %d: %s", w.Args, code, w.out.String())
		}
	}
	contains(t, watch.out.String(), "50% → 100%")
	weights := map[int]bool{}
	for line := range strings.Lines(asJSON.out.String()) {
		var st struct {
			Schema  int    `json:"schema"`
			ID      string `json:"id"`
			Rollout struct {
				Weight int `json:"weight"`
			} `json:"rollout"`
		}
		if err := json.Unmarshal([]byte(line), &st); err != nil || st.Schema != 1 || st.ID != id {
			t.Fatalf("%v: %s", err, line)
		}
		weights[st.Rollout.Weight] = true
	}
	if !weights[0] || !weights[25] || !weights[50] || !weights[100] {
		t.Errorf("weights seen: %v", weights)
	}
}
