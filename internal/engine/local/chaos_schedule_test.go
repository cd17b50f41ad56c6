package local

import (
	"context"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/cluster"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/endpoint"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/engine/local/content"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/rollout"
)

const chaosID = "local/here/penguins"

// chaosPolicy is decided within a minute, so that schedules are short.
func chaosPolicy() rollout.Policy {
	p := rollout.DefaultPolicy()
	p.Steps = []rollout.Step{{Weight: 25, Ratio: 20, Floor: 0.4}, {Weight: 50, Ratio: 10, Floor: 0.3}}
	p.SkipLeading, p.WarmUp, p.Gates.Latency = false, rollout.WarmUp{}, nil
	second := rollout.Duration(time.Second)
	p.Limits.StepMinimum, p.Limits.Bake = 2*second, 3*second
	p.Limits.Step, p.Limits.Total = 25*second, 45*second
	p.Limits.Blind, p.Limits.AbandonedAfter = 8*second, 10*second
	return p
}

// A kind of operation that a schedule makes.
type opKind uint8

const (
	opRun opKind = iota
	opKillRunner
	opPauseRunner
	opCancelRunner
	opKillDaemon
	opArmDaemon // to die at a point that comes
	opStartDaemon
	opStopDaemon
	opApply
	opOutage
	opSilence
	opSpoil  // the candidate's answers get bad, or good again
	opPerson // says something: approves, rejects, takes back, cancels
)

// opKinds is how many there are.
const opKinds = int(opPerson) + 1

// An op is something that happens to a machine, gap after the one before.
type op struct {
	gap  time.Duration
	kind opKind
	arg  uint16
}

func (o op) String() string {
	names := [opKinds]string{"run", "kill runner", "pause runner", "cancel runner", "kill daemon", "arm daemon", "start daemon",
		"stop daemon", "apply", "outage", "silence", "spoil", "person"}
	return fmt.Sprintf("%v %s %d", o.gap, names[o.kind], o.arg)
}

func (sc schedule) String() string {
	return fmt.Sprintf("seed %d, mishaps %g, candidates %v and %v, then %s", sc.seed, sc.loss, tempers[sc.kinds[0]], tempers[sc.kinds[1]], sc.ops)
}

// A schedule is all that decides what happens on a machine: of equal ones the course is the same, but for the order of
// goroutines that run in the same instant.
type schedule struct {
	seed   uint64
	loss   float64 // chance of each mishap of each message
	kinds  [2]int  // tempers of the second and the third revision
	ops    []op
	mutant mutant
}

var tempers = []temper{
	{ready: 700 * time.Millisecond},                         // good
	{ready: 700 * time.Millisecond, bad: 0.5},               // found wanting
	{ready: 1500 * time.Millisecond, dies: 9 * time.Second}, // dies now and then
	{ready: 300 * time.Millisecond, dies: time.Second},      // dies again and again
	{}, // never ready
	{ready: 900 * time.Millisecond, bad: 0.1},                      // takes some time to be found wanting
	{ready: 3 * time.Second},                                       // slow to start
	{ready: 700 * time.Millisecond, dies: 4500 * time.Millisecond}, // is gone before it is judged
}

// draw makes a schedule of a number.
func draw(seed uint64) schedule {
	rng := rand.New(rand.NewPCG(seed, 0x7469646567617465))
	s := schedule{seed: seed, loss: []float64{0, 0, 0.03, 0.15}[rng.IntN(4)]}
	for i := range s.kinds {
		if rng.IntN(2) == 1 {
			s.kinds[i] = rng.IntN(len(tempers))
		}
	}
	s.ops = append(s.ops, op{0, opApply, 0}, op{time.Duration(rng.IntN(1000)) * time.Millisecond, opRun, uint16(rng.Uint32())})
	for range 1 + rng.IntN(8) {
		s.ops = append(s.ops, op{drawGap(rng), opKind(rng.IntN(opKinds)), uint16(rng.Uint32())})
	}
	return s
}

func drawGap(rng *rand.Rand) time.Duration {
	return time.Duration(rng.ExpFloat64() * float64(2*time.Second)).Truncate(time.Millisecond)
}

// read makes a schedule of any bytes, for the fuzzer.
func parse(b []byte) schedule {
	var head [9]byte
	n := copy(head[:], b)
	b = b[n:]
	s := draw(binary.LittleEndian.Uint64(head[:8]))
	if len(b) < 4 {
		return s
	}
	s.ops = s.ops[:2]
	for ; len(b) >= 4 && len(s.ops) < 16; b = b[4:] {
		s.ops = append(s.ops, op{time.Duration(b[0]) * 50 * time.Millisecond, opKind(int(b[1]) % opKinds), binary.LittleEndian.Uint16(b[2:])})
	}
	return s
}

func (sc schedule) temper(lab *chaosLab, digest string) temper {
	for i, r := range lab.revisions[1:] {
		if r.Digest == digest {
			return tempers[sc.kinds[i]]
		}
	}
	return tempers[0]
}

// A chaosLab is what all machines share: nothing in it changes.
type chaosLab struct {
	disk      string // folder of the machines' disks
	root      string // of the models
	content   *content.Store
	revisions []endpoint.Revision // stable, and two to try
	template  []byte              // a store with an endpoint that serves the first
	policy    rollout.Policy
}

// newChaosLab makes one in a folder, which is best in memory: schedules write a lot.
func newChaosLab(t *testing.T, folder string) *chaosLab {
	t.Helper()
	lab := &chaosLab{disk: folder, root: filepath.Join(folder, "root"), policy: chaosPolicy()}
	if err := os.Mkdir(lab.root, 0o700); err != nil {
		t.Fatal(err)
	}
	var err error
	if lab.content, err = content.Open(filepath.Join(folder, "content")); err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		if err := os.WriteFile(filepath.Join(lab.root, modelFile(i)), fmt.Append(nil, "model ", i), 0o600); err != nil {
			t.Fatal(err)
		}
		s := lab.spec(i)
		r, err := endpoint.Capture(t.Context(), s)
		if err == nil {
			_, err = lab.content.Stage(t.Context(), s, r)
		}
		if err != nil {
			t.Fatal(err)
		}
		lab.revisions = append(lab.revisions, r)
	}
	synctest.Test(t, func(t *testing.T) {
		s := newSim(t, lab, schedule{})
		defer s.close()
		c := s.client("maker")
		_, err := c.spawn(s.dir)
		if err == nil {
			err = s.daemon().d.store.update(func(t *tx) error { return t.putCluster(cluster.Spec{Name: "here"}) })
		}
		if err == nil {
			_, err = endpoints{c.engine}.Create(t.Context(), lab.spec(0), "maker")
		}
		if err == nil {
			_, err = endpoints{c.engine}.Get(t.Context(), chaosID, true)
		}
		if err == nil {
			lab.template, err = os.ReadFile(s.dir.store())
		}
		if err != nil {
			t.Fatal(err)
		}
	})
	return lab
}

func modelFile(i int) string { return fmt.Sprintf("v%d.json", i+1) }

func (lab *chaosLab) spec(i int) endpoint.Spec {
	return endpoint.Spec{
		Cluster: "here", Name: "penguins", Root: lab.root, Replicas: 1,
		Model:   endpoint.Model{URI: "file://" + modelFile(i)},
		Runtime: endpoint.Runtime{Command: []string{"model-server", "{port}"}, Protocol: "v2", StartTimeout: 5 * time.Second},
		Rollout: endpoint.Rollout{Policy: lab.policy.JSON(), OnCancel: "rollback"},
	}
}

// An outcome is what came of a schedule.
type outcome struct {
	broken string // what does not hold
	story  string // transcript
	end    string // of the last rollout
	stored int    // documents
}

// play runs a schedule.
func (lab *chaosLab) play(t *testing.T, sc schedule) (o outcome) {
	synctest.Test(t, func(t *testing.T) {
		s := newSim(t, lab, sc)
		defer func() {
			s.close()
			o = outcome{broken: s.broken, stored: s.watch.stored}
			if o.broken != "" || *theSchedule != 0 {
				o.story = s.transcript()
			}
			if s.watch.doc != nil {
				o.end = ending(s.watch.doc.Record)
			}
		}()
		for _, op := range sc.ops {
			if s.wait(op.gap); s.failed() {
				return
			}
			s.do(op)
		}
		s.finish()
	})
	return o
}

func ending(r rollout.Record) string {
	if r.Failure != nil {
		return r.Failure.Kind
	}
	return string(r.Phase)
}

const tick = 500 * time.Millisecond

// wait lets time pass, with traffic.
func (s *sim) wait(d time.Duration) {
	rng := s.rng(2, uint64(time.Since(s.began)))
	for end := time.Now().Add(d); ; {
		synctest.Wait()
		s.look()
		left := time.Until(end)
		if left <= 0 || s.failed() {
			return
		}
		s.traffic(rng)
		time.Sleep(min(left, tick))
	}
}

// traffic is a burst of requests, at a moment in which nothing else happens.
func (s *sim) traffic(rng *rand.Rand) {
	s.mu.Lock()
	silent, spoilt := s.silent, s.bad
	p := s.current
	s.mu.Unlock()
	if silent || p == nil || p.front() == nil {
		return
	}
	stable := p.front().now().Stable.Revision
	p.front().ask(10+rng.IntN(50), rng, func(revision string) float64 {
		if revision == stable {
			return 0
		}
		return max(spoilt, s.schedule.temper(s.lab, revision).bad)
	})
}

// living returns a process that drives, or nil.
func (s *sim) living(arg uint16) *simClient {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []*simClient
	for _, c := range s.runners {
		if !c.dead && !c.done && strings.HasPrefix(c.name, "runner") {
			all = append(all, c)
		}
	}
	if len(all) == 0 {
		return nil
	}
	return all[int(arg)%len(all)]
}

// do makes an operation.
func (s *sim) do(o op) {
	c, p := s.living(o.arg), s.daemon()
	s.tell("-- %s", o)
	switch o.kind {
	case opRun:
		s.startRunner(o.arg)
	case opKillRunner:
		if c != nil {
			c.kill()
		}
	case opPauseRunner:
		if c != nil {
			s.mu.Lock()
			c.resume = time.Now().Add(time.Duration(o.arg%20000) * time.Millisecond)
			s.mu.Unlock()
		}
	case opCancelRunner:
		if c != nil {
			c.cancel(context.Canceled)
		}
	case opKillDaemon:
		s.killDaemon("by its schedule")
	case opArmDaemon:
		s.mu.Lock()
		s.deadAt, s.deadIn = point(o.arg)%points, 1+int(o.arg>>8)%6
		s.mu.Unlock()
	case opStartDaemon:
		if _, err := s.spawn(s.dir); err != nil {
			s.tell("no daemon: %v", err)
		}
	case opStopDaemon:
		if p != nil {
			p.stop()
		}
	case opApply:
		s.apply(o.arg)
	case opOutage:
		s.outage(time.Duration(o.arg%120) * time.Second)
	case opSilence:
		s.mu.Lock()
		s.silent = !s.silent
		s.mu.Unlock()
	case opSpoil:
		s.mu.Lock()
		s.bad = []float64{0, 0.3, 1}[o.arg%3]
		s.mu.Unlock()
	case opPerson:
		s.person(o.arg)
	}
}

// person is somebody at a command line.
func (s *sim) person(arg uint16) {
	c := s.client("person")
	e := []rollout.Event{
		rollout.Rejected{By: c.name, How: "by the test", At: time.Now()},
		rollout.Cancelled{Why: c.name, At: time.Now()},
		rollout.Approved{By: c.name, How: "by the test", At: time.Now()},
	}[arg%3]
	s.all.Go(func() {
		r, err := rollout.Tell(c.ctx, simStore{c, endpoints{c.engine}}, chaosID, e)
		s.tell("%s says %T: %s, %v", c.name, e, r.Phase, err)
	})
}

func (s *sim) killDaemon(why string) {
	s.commit.Lock()
	defer s.commit.Unlock()
	if p := s.daemon(); p != nil {
		p.kill(why)
	}
}

func (s *sim) startRunner(arg uint16) *simClient {
	c := s.client("runner")
	c.run(arg%4 == 0, []time.Duration{time.Second, 2500 * time.Millisecond, 1700 * time.Millisecond}[arg%3])
	return c
}

// apply is terraform's, from somebody who asks for one of the revisions.
func (s *sim) apply(arg uint16) {
	spec := s.lab.spec([]int{1, 1, 2, 0}[arg%4])
	if arg&0x300 == 0x300 {
		spec.Rollout.Retry = fmt.Sprint(arg)
	}
	c := s.client("terraform")
	s.all.Go(func() {
		_, err := endpoints{c.engine}.Update(c.ctx, spec)
		s.tell("%s applies %s: %v", c.name, spec.Model.URI, err)
	})
}

// outage is a machine that loses its power, and is switched on again later, without runners. Everybody's clock has
// moved on.
func (s *sim) outage(d time.Duration) {
	s.mu.Lock()
	clients := s.runners
	s.mu.Unlock()
	for _, c := range clients {
		c.kill()
	}
	s.killDaemon("by an outage")
	s.wait(d)
}

// finish ends all mischief: with one healthy runner left, or with none, the rollout ends.
func (s *sim) finish() {
	s.mu.Lock()
	s.lost, s.silent, s.deadIn = false, false, 0
	for _, c := range s.runners {
		c.resume = time.Time{}
	}
	clients := s.runners
	s.mu.Unlock()
	alone := s.schedule.seed%3 == 0
	s.tell("-- from now on nothing goes wrong, and there are %s", map[bool]string{true: "no runners", false: "runners"}[alone])
	if alone {
		for _, c := range clients {
			c.kill()
		}
	}
	if _, err := s.spawn(s.dir); err != nil {
		return
	}
	limits := s.lab.policy.Limits
	patience := time.Duration(limits.Total+limits.AbandonedAfter) + returnGrace + 30*time.Second
	for end := time.Now().Add(patience); !s.isOver() && !s.failed(); {
		if !alone && s.living(0) == nil {
			s.startRunner(1)
		}
		s.wait(time.Second)
		if time.Now().After(end) {
			s.fail("liveness: the rollout does not end")
		}
	}
	s.wait(2 * time.Second)
	s.honest()
}

// isOver reports whether no rollout is under way.
func (s *sim) isOver() bool {
	s.commit.Lock()
	defer s.commit.Unlock()
	return s.watch.doc != nil && s.watch.doc.Record.Phase.Final()
}

// honest checks that nothing rolled back was called a success.
func (s *sim) honest() {
	s.commit.Lock()
	defer s.commit.Unlock()
	r := s.watch.doc.Record
	s.mu.Lock()
	promised := s.promised[r.ID]
	s.mu.Unlock()
	if promised && r.Phase != rollout.Promoted && !taken(r) {
		s.fail("promise: a runner said promoted, and the record says %s", r.Phase)
	}
	if f := r.Failure; f != nil && f.Kind == rollout.KindGate && f.Gate != "errors" {
		s.fail("gate %q was not asked", f.Gate)
	}
}
