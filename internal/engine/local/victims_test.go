package local_test

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/endpoint"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/rollout"
)

// A strike is what happens to a model server in the middle of a rollout.
type strike struct {
	phase  rollout.Phase
	step   int
	victim string         // file of its model
	signal syscall.Signal // SIGSTOP leaves a server that accepts connections and never answers
	want   func(rollout.Record) bool
}

const (
	stableFile, candidateFile = "penguins.json", "next.json"

	// Some clients ask some hundred times a second, and a hung server soon has them all wait.
	askers = 8
	slowly = 50 * time.Millisecond
)

func promoted(r rollout.Record) bool { return r.Phase == rollout.Promoted }

func byGate(r rollout.Record) bool { return r.Failure != nil && r.Failure.Kind == rollout.KindGate }

func notServing(r rollout.Record) bool {
	return r.Failure != nil && r.Failure.Kind == rollout.KindCandidate
}

// either: what one death costs the candidate's users is little, and may be too much all the same.
func either(r rollout.Record) bool { return promoted(r) || byGate(r) }

func (s strike) String() string {
	return fmt.Sprintf("%s-%d %s of %s", s.phase, s.step, s.signal, s.victim)
}

// Whatever becomes of a model server in whichever phase: the rollout ends as it must, no more traffic goes to the
// candidate than was approved, and in the end all users are answered.
func TestModelServersMayDieOrHangInAnyPhase(t *testing.T) {
	t.Parallel()
	kill, hang := syscall.SIGKILL, syscall.SIGSTOP
	var all sync.WaitGroup
	atOnce := make(chan struct{}, 9) // they wait more than they work
	for _, s := range []strike{
		{rollout.Preparing, 0, stableFile, kill, promoted},
		{rollout.Preparing, 0, stableFile, hang, promoted},
		{rollout.Preparing, 0, candidateFile, kill, promoted},
		{rollout.Preparing, 0, candidateFile, hang, notServing},
		{rollout.Observing, 0, stableFile, kill, promoted},
		{rollout.Observing, 0, stableFile, hang, promoted},
		{rollout.Observing, 0, candidateFile, kill, either},
		{rollout.Observing, 0, candidateFile, hang, byGate},
		{rollout.Observing, 1, stableFile, kill, promoted},
		{rollout.Observing, 1, stableFile, hang, promoted},
		{rollout.Observing, 1, candidateFile, kill, either},
		{rollout.Observing, 1, candidateFile, hang, byGate},
		{rollout.Holding, 0, stableFile, kill, promoted},
		{rollout.Holding, 0, stableFile, hang, promoted},
		{rollout.Holding, 0, candidateFile, kill, either},
		{rollout.Holding, 0, candidateFile, hang, either}, // it may be replaced before anybody asks again
		{rollout.Promoted, 0, candidateFile, kill, promoted},
		{rollout.Promoted, 0, candidateFile, hang, promoted},
	} {
		all.Go(func() {
			atOnce <- struct{}{}
			t.Run(s.String(), s.test)
			<-atOnce
		})
	}
	all.Wait()
}

func (s strike) test(t *testing.T) {
	l := newLab(t)
	p := easyPolicy()
	stable, candidate := model{Name: "v1", Slow: slowly}, model{Name: "v2", Slow: slowly}
	patience := time.Minute
	switch hangs := s.signal == syscall.SIGSTOP && s.victim == candidateFile; {
	case hangs && s.phase == rollout.Preparing:
		patience = 10 * time.Second
		fallthrough
	case s.phase == rollout.Preparing:
		candidate.Delay = 3 * time.Second
	case hangs && s.step == 0: // the gate decides, not who is faster
		p.Limits.StepMinimum = rollout.Duration(30 * time.Second)
	case hangs:
		p.Limits.Bake = rollout.Duration(30 * time.Second)
	}
	st := l.trial(p, stable, candidate, patience)
	users := startTraffic(t, st.URL, askers)
	ended := l.drive(t)
	l.reaches(s.phase, s.step, func() {
		if s.phase == rollout.Holding {
			users.stop()
		}
	})
	struck := l.strike(s.victim, s.signal)
	if s.phase == rollout.Holding {
		startTraffic(t, st.URL, askers)
	}
	r := <-ended
	if !s.want(r) {
		t.Errorf("the rollout ended as %s, %+v\n%s", r.Phase, r.Failure, history(r))
	}
	want := "v1"
	if promoted(r) {
		want = "v2"
	}
	answersAlone(t, st.URL, want)
	eventually(t, "what was struck is gone", func() bool { return !alive(struck) })
}

// easyPolicy decides in seconds, on little.
func easyPolicy() rollout.Policy {
	p := quickPolicy()
	p.Steps = []rollout.Step{{Weight: 25, Ratio: 1000, Floor: 0.5}, {Weight: 50, Ratio: 1000, Floor: 0.5}}
	p.Limits.StepMinimum, p.Limits.Bake = rollout.Duration(3*time.Second), rollout.Duration(3*time.Second)
	p.Limits.Blind = rollout.Duration(20 * time.Second) // a fifth of it holds
	return p
}

// trial is an endpoint in rollout, which nobody drives yet.
func (l *lab) trial(p rollout.Policy, stable, candidate model, patience time.Duration) endpoint.Status {
	l.t.Helper()
	l.cluster()
	l.put(stableFile, stable)
	s := l.spec("penguins", stableFile)
	s.Rollout.Policy = p.JSON()
	s.Routing.Timeout, s.Runtime.StartTimeout = time.Second, patience
	st, err := l.endpoints().Create(l.ctx(), s, "maker")
	if err != nil {
		l.t.Fatal(err)
	}
	l.put(candidateFile, candidate)
	s.Model.URI = "file://" + candidateFile
	if _, err := l.endpoints().Update(l.ctx(), s); err != nil {
		l.t.Fatal(err)
	}
	return st
}

// drive runs the rollout to its end.
func (l *lab) drive(t *testing.T) <-chan rollout.Record {
	ended := make(chan rollout.Record, 1)
	o := quick
	o.Progress = func(r rollout.Record) {
		if r.Weight > r.Approved {
			t.Errorf("weight %d, and %d is approved", r.Weight, r.Approved)
		}
	}
	ctx := l.ctx()
	go func() {
		r, err := rollout.Run(ctx, l.endpoints(), id, o)
		var back *rollout.RolledBackError
		if err != nil && !errors.As(err, &back) {
			t.Errorf("the runner ended with %v", err)
		}
		ended <- r
	}()
	return ended
}

// reaches waits for a phase and step. Holding comes of silence, which begins at the first step.
func (l *lab) reaches(phase rollout.Phase, step int, silence func()) {
	l.t.Helper()
	for ctx := l.ctx(); ; time.Sleep(10 * time.Millisecond) {
		r, _, err := l.endpoints().Load(ctx, id)
		if err != nil {
			l.t.Fatalf("%s at step %d never came: %v", phase, step, err)
		}
		if r.Phase == phase && r.Step >= step {
			return
		}
		if r.Phase == rollout.Observing {
			silence()
		}
	}
}

// strike sends a signal to the server of a model.
func (l *lab) strike(file string, signal syscall.Signal) (pid int) {
	l.t.Helper()
	eventually(l.t, "the server of "+file+" runs", func() bool {
		for _, p := range l.servers() {
			b, err := os.ReadFile(filepath.Join("/proc", itoa(p), "cmdline"))
			if err == nil && strings.Contains(string(b), file) {
				pid = p
			}
		}
		return pid != 0
	})
	if err := syscall.Kill(pid, signal); err != nil {
		l.t.Fatal(err)
	}
	return pid
}

// answersAlone waits until a model answers all requests.
func answersAlone(t *testing.T, url, name string) {
	t.Helper()
	good := 0
	eventually(t, name+" answers alone", func() bool {
		a, code, err := ask(url)
		if err != nil || code != http.StatusOK || a.Model != name {
			good = 0
			return false
		}
		good++
		return good == 20
	})
}

func history(r rollout.Record) string {
	var b strings.Builder
	for _, e := range r.History {
		fmt.Fprintf(&b, "%s %d%% %s\n", e.At.Format(time.TimeOnly), e.Weight, e.Sentence)
	}
	return b.String()
}

func TestCandidateThatIsSlowToStartIsWaitedForWithoutTraffic(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	st := l.trial(easyPolicy(), model{Name: "v1", Slow: slowly}, model{Name: "v2", Slow: slowly, Delay: 5 * time.Second}, time.Minute)
	users := startTraffic(t, st.URL, askers)
	r := <-l.drive(t)
	if waited := r.Opened.Sub(r.Began); !promoted(r) || waited < 5*time.Second {
		t.Errorf("the rollout ended as %s, %+v; the first step began after %s\n%s", r.Phase, r.Failure, waited, history(r))
	}
	users.noneDropped(t)
}

func TestCandidateThatIsTooSlowToStartIsRejectedWithoutTraffic(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	st := l.trial(easyPolicy(), model{Name: "v1", Slow: slowly}, model{Name: "v2", Never: true}, 5*time.Second)
	users := startTraffic(t, st.URL, askers)
	r := <-l.drive(t)
	if !notServing(r) || !r.Failure.Rejected || !r.Opened.IsZero() {
		t.Errorf("the rollout ended as %s, %+v\n%s", r.Phase, r.Failure, history(r))
	}
	if users.saw(answer{Model: "v2"}) {
		t.Error("somebody met the candidate")
	}
	users.noneDropped(t)
	answersAlone(t, st.URL, "v1")
}

// Stable's users get no answer then. That is no reason to give the candidate what nobody approved.
func TestStableThatIsSlowToComeBackLeavesTheCandidateItsShare(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	p := easyPolicy()
	p.Limits.StepMinimum = rollout.Duration(8 * time.Second)
	st := l.trial(p, model{Name: "v1", Delay: 3 * time.Second}, model{Name: "v2"}, time.Minute)
	users := startTraffic(t, st.URL, 1)
	ended := l.drive(t)
	l.reaches(rollout.Observing, 0, func() {})
	users.stop()
	l.strike(stableFile, syscall.SIGKILL)
	var asked, candidate float64
	for until := time.Now().Add(2 * time.Second); time.Now().Before(until); asked++ {
		if a, _, err := ask(st.URL); err == nil && a.Model == "v2" {
			candidate++
		}
		time.Sleep(5 * time.Millisecond) // a user's pace
	}
	if share := candidate / asked; share < 0.1 || share > 0.4 {
		t.Errorf("%.0f of %.0f requests went to the candidate, and 25%% is approved", candidate, asked)
	}
	startTraffic(t, st.URL, 1)
	if r := <-ended; !promoted(r) {
		t.Errorf("the rollout ended as %s, %+v\n%s", r.Phase, r.Failure, history(r))
	}
}
