package command_test

import (
	"encoding/json"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/rollout"
)

// A result is the last line of --json, as a script reads it.
type result struct {
	Type     string `json:"type"`
	Endpoint string `json:"endpoint"`
	Outcome  string `json:"outcome"`
	ExitCode int    `json:"exit_code"`
	Message  string `json:"message"`
	Rollout  struct {
		Phase  string `json:"phase"`
		Weight int    `json:"weight"`
	} `json:"rollout"`
}

func lastLine(t *testing.T, out string) (r result, before []string) {
	t.Helper()
	lines := strings.Split(strings.TrimSpace(out), "\n")
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &r); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return r, lines[:len(lines)-1]
}

func TestPromoteDrivesAStagedRolloutToItsEnd(t *testing.T) {
	t.Parallel()
	l := newLab(t, nil)
	if _, errs := l.command(4, "promote", "penguins"); !strings.Contains(errs, "never had a rollout") {
		t.Errorf("nothing was ever staged: %s", errs)
	}
	l.traffic()
	l.stage(model{Name: "v2"})
	if out, _ := l.command(3, "status", "penguins"); !strings.Contains(out, "staged") || !strings.Contains(out, "tidegate promote "+id) {
		t.Errorf("status of a staged rollout:\n%s", out)
	}
	out, _ := l.command(0, "promote", "penguins")
	contains(t, out, "drives the rollout.", " 0% → 25% 25% of traffic goes to the candidate", "25% → 50%", "50% → 100%", "Promoted: revision ")
	if strings.Contains(out, "\x1b") {
		t.Errorf("escape sequences without a terminal: %q", out)
	}
	out, _ = l.command(0, "promote", id)
	contains(t, out, "promoted already")
	out, _ = l.command(0, "status", id)
	contains(t, out, "✓ promotion", "History")
	l.stage(model{Name: "v3", Every: 2})
	out, _ = l.command(2, "promote", "penguins", "--json")
	r, before := lastLine(t, out)
	if r.Type != "result" || r.Endpoint != id || r.Outcome != "rolled_back" || r.ExitCode != 2 || r.Rollout.Phase != "rolled back" || !strings.Contains(r.Message, "The revision is rejected") {
		t.Errorf("%+v", r)
	}
	weights := map[int]bool{}
	for _, line := range before {
		var e struct {
			Type, Endpoint, Phase, Sentence string
			At                              time.Time
			Weight                          int
		}
		if err := json.Unmarshal([]byte(line), &e); err != nil || e.Type != "event" || e.Endpoint != id || e.At.IsZero() || e.Phase == "" || e.Sentence == "" {
			t.Errorf("%v: %s", err, line)
		}
		weights[e.Weight] = true
	}
	if !weights[25] || !weights[0] {
		t.Errorf("events at %v:\n%s", weights, out)
	}
	if _, errs := l.command(4, "promote", "penguins"); !strings.Contains(errs, "rollout.retry") {
		t.Errorf("promote after a rollback: %s", errs)
	}
	out, _ = l.command(2, "status", "penguins")
	contains(t, out, "✗ 25%", "Rejected", "errors  fail")
}

func TestSignalsEndPromoteAsItIsTold(t *testing.T) {
	t.Parallel()
	l := newLab(t, slowly)
	l.traffic()
	l.stage(model{Name: "v2"})
	stop := func(p *running, s syscall.Signal) string {
		t.Helper()
		l.until("it drives the candidate's traffic", func(r rollout.Record) bool { return r.Weight > 0 && p.drives(r) })
		began := time.Now()
		p.signal(s)
		code := p.code()
		if took := time.Since(began); took > 2*time.Second {
			t.Errorf("it took %s to end", took)
		}
		return map[int]string{2: "rolled back", 3: "frozen"}[code] + ": " + p.out.String()
	}
	contains(t, stop(l.start("promote", "penguins", "--on-cancel", "freeze"), syscall.SIGINT), "frozen: ", "Frozen at 25% of traffic", "told to stop by SIGINT")
	if r := l.record(); r.Phase != rollout.Observing || r.Weight != 25 || r.Runner != "" {
		t.Errorf("after a freeze: %s at %d%%, %q", r.Phase, r.Weight, r.Runner)
	}
	contains(t, stop(l.start("promote", "penguins", "--on-cancel", "freeze"), syscall.SIGHUP), "frozen: ", "told to stop by SIGHUP")
	contains(t, stop(l.start("promote", "penguins"), syscall.SIGTERM), "rolled back: ", "Not promoted", "told to stop by SIGTERM", "not rejected")
	if r := l.record(); r.Failure == nil || r.Failure.Kind != rollout.KindCancelled || r.Weight != 0 {
		t.Errorf("%+v", r.Failure)
	}
	out, _ := l.command(2, "status", "penguins")
	contains(t, out, "rolled back")
}

func TestTimeoutCarriesOnCancelOut(t *testing.T) {
	t.Parallel()
	l := newLab(t, slowly)
	l.traffic()
	l.stage(model{Name: "v2"})
	out, _ := l.command(3, "promote", "penguins", "--timeout", "2s", "--on-cancel", "freeze", "--json")
	if r, _ := lastLine(t, out); r.Outcome != "frozen" || r.ExitCode != 3 {
		t.Errorf("%+v", r)
	}
	// More than a busy machine needs to take the rollout over: before that there is nothing to carry out.
	out, _ = l.command(2, "promote", "penguins", "--timeout", "5s")
	contains(t, out, "timed out after")
}

func TestSecondRunnerIsToldWhoHoldsTheRollout(t *testing.T) {
	t.Parallel()
	l := newLab(t, slowly)
	l.traffic()
	l.stage(model{Name: "v2"})
	first := l.start("promote", "penguins", "--on-cancel", "freeze")
	l.until("the candidate has traffic", exposed)
	_, errs := l.command(4, "promote", "penguins")
	contains(t, errs, "is driven by tidegate promote, by ", " since ", "which last wrote at", "Nothing was changed")
	out, _ := l.command(4, "promote", "penguins", "--json")
	if r, before := lastLine(t, out); r.Outcome != "held" || r.ExitCode != 4 || len(before) != 0 {
		t.Errorf("%s", out)
	}
	// Killed, it holds the rollout no longer than its lease.
	first.signal(syscall.SIGKILL)
	first.code()
	next := l.start("promote", "penguins", "--on-cancel", "freeze")
	r := l.until("somebody takes over", func(r rollout.Record) bool { return r.Epoch == 2 })
	if !strings.Contains(r.History[len(r.History)-1].Sentence, "taking over from tidegate promote") {
		t.Errorf("%+v", r.History)
	}
	next.signal(syscall.SIGINT)
	if next.code() != 3 {
		t.Errorf("%s", next.out.String())
	}
}

func TestEngineClosesTheGateOfAKilledPromote(t *testing.T) {
	t.Parallel()
	l := newLab(t, func(p *rollout.Policy) {
		slowly(p)
		p.Limits.AbandonedAfter = rollout.Duration(10 * time.Second)
	})
	l.traffic()
	l.stage(model{Name: "v2"})
	p := l.start("promote", "penguins")
	l.until("the candidate has traffic", exposed)
	watch := l.start("status", "penguins", "--watch")
	p.signal(syscall.SIGKILL)
	if code := watch.code(); code != 2 {
		t.Errorf("status --watch: exit code %d", code)
	}
	contains(t, watch.out.String(), "25% → 0%", "Nobody drives the rollout: tidegate promote, by ")
	if r := l.record(); r.Failure.Kind != rollout.KindAbandoned || r.Weight != 0 {
		t.Errorf("%+v", r.Failure)
	}
}

func TestPromoteStartsAnEngineThatDoesNotRun(t *testing.T) {
	t.Parallel()
	l := newLab(t, func(p *rollout.Policy) { p.Limits.KeepPrevious = new(rollout.Duration) })
	l.stage(model{Name: "v2"})
	if _, err := l.engine.Stop(l.last); err != nil {
		t.Fatal(err)
	}
	out, _ := l.command(3, "status", "penguins")
	contains(t, out, "staged", "the engine is not running")
	out, _ = l.command(0, "status")
	contains(t, out, id, "staged")
	if st, err := l.engine.Status(l.last); err != nil || st.Running {
		t.Fatalf("status started the engine: %v, %+v", err, st)
	}
	l.traffic()
	out, _ = l.command(0, "promote", "penguins")
	contains(t, out, "Promoted: ")
	_, errs := l.command(4, "rollback", "penguins") // keep_previous is 0s
	contains(t, errs, "is not kept any more", "apply the older model")
}

func TestReaderThatLeavesDoesNotEndTheRunner(t *testing.T) {
	t.Parallel()
	l := newLab(t, nil)
	l.traffic()
	l.stage(model{Name: "v2"})
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	_ = read.Close() // nobody ever reads
	p := l.startTo(write, "promote", "penguins")
	_ = write.Close()
	if code := p.code(); code != 0 {
		t.Errorf("exit code %d: want the rollout promoted although nobody reads", code)
	}
	if r := l.record(); r.Phase != rollout.Promoted {
		t.Errorf("%s", r.Phase)
	}
}
