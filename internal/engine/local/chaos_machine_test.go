package local

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gofrs/flock"
	"github.com/prometheus/client_golang/prometheus"
	"go.etcd.io/bbolt"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/disk"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/engine/local/process"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/gate"
)

// A sim is a machine in one process and on a clock of its own, by testing/synctest: real daemons, clients and runners,
// with the real store, on a file system that survives them.
//
// Nobody can stop a goroutine. A process that is killed goes on as one whose effects nobody sees: its requests and
// answers are cut off, its store is no longer the machine's, users do not reach its router. What a daemon left behind
// is the bytes of its store at the instant of the kill, and they are what the next one opens.
type sim struct {
	t        testing.TB
	lab      *chaosLab
	schedule schedule
	dir      dataDir
	began    time.Time
	over     chan struct{} // closed when the schedule is: what is parked ends
	all      sync.WaitGroup

	commit sync.Mutex // held from before a commit to what is seen of it
	watch  watcher    // guarded by commit

	mu       sync.Mutex // of all below
	current  *simDaemon
	spawned  int
	daemons  []*simDaemon
	runners  []*simClient
	lost     bool // the network loses, repeats and delays
	deadAt   point
	deadIn   int // the kill comes at the how many-th such point; 0 is never
	bad      float64
	silent   bool
	broken   string // what does not hold
	story    []said
	promised map[string]bool // rollouts that a runner called promoted
}

// A point is where a daemon can be killed.
type point int

const (
	beforeCommit point = iota
	afterCommit
	beforeRequest
	afterRequest
	points
)

// A line of the transcript, written when somebody reads it.
type said struct {
	at     time.Duration
	format string
	args   []any
}

func (s *sim) tell(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.story = append(s.story, said{time.Since(s.began), format, args})
}

// fail notes the first thing that does not hold.
func (s *sim) fail(format string, args ...any) {
	s.tell("BROKEN: "+format, args...)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.broken == "" {
		s.broken = fmt.Sprintf(format, args...)
	}
}

func (s *sim) failed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.broken != ""
}

func (s *sim) transcript() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var b strings.Builder
	for _, l := range s.story {
		fmt.Fprintf(&b, "%9.3fs  %s\n", l.at.Seconds(), fmt.Sprintf(l.format, l.args...))
	}
	return b.String()
}

// A simDaemon is one life of the daemon.
type simDaemon struct {
	s       *sim
	number  int
	d       *daemon
	handler http.Handler
	lock    *flock.Flock
	dead    chan struct{}
	isDead  atomic.Bool
	exited  chan error
	fronts  []*simFront // guarded by s.mu
}

func (s *sim) daemon() *simDaemon {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.current
}

// spawn starts a daemon like Serve does, or fails as one that finds another at work.
func (s *sim) spawn(dir dataDir) (spawned, error) {
	exited := make(chan error, 1)
	lock, err := dir.hold(context.Background())
	if err != nil {
		exited <- err
		return spawned{process: &os.Process{Pid: -1}, exited: exited}, nil
	}
	s.mu.Lock()
	s.spawned++
	p := &simDaemon{s: s, number: s.spawned, lock: lock, dead: make(chan struct{}), exited: exited}
	s.mu.Unlock()
	if err := p.boot(dir); err != nil {
		s.fail("a daemon does not start: %v", err)
		exited <- err
		return spawned{}, errors.Join(err, lock.Unlock())
	}
	s.tell("daemon %d starts", p.number)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.current, s.daemons = p, append(s.daemons, p)
	return spawned{process: &os.Process{Pid: p.d.self.PID}, exited: exited}, nil
}

// simPID is beyond what any system gives to a process.
const simPID = 1 << 30

// boot is serve, but for the parts that are simulated.
func (p *simDaemon) boot(dir dataDir) error {
	// Synced or not is the same to a process that is killed: what a power cut leaves, others test.
	o := &bbolt.Options{Timeout: 5 * time.Second, NoSync: true, NoGrowSync: true, Logger: commits{p: p}}
	st, err := openWith(o, dir.store(), "test")
	if err != nil {
		return err
	}
	p.d = newDaemon(dir, slog.New(slog.DiscardHandler), st, p.s.lab.content, outside{listen: p.listen, start: p.start})
	p.s.commit.Lock()
	p.s.committed(p) // what it begins with
	p.s.commit.Unlock()
	for _, r := range p.s.lab.revisions {
		p.d.pin(r.Digest) // other machines use the same folder
	}
	p.d.self = info{PID: simPID + p.number, Version: "dev", API: apiVersion, Socket: string(dir), Started: p.d.started}
	if err := writeInfo(disk.OS, dir.info(), p.d.self); err != nil {
		return err
	}
	p.handler = p.d.handler()
	return p.d.restore()
}

func (p *simDaemon) listen(string, prometheus.Labels) (front, error) {
	f := &simFront{clients: gate.NewTracker(), totals: map[string]gate.Arm{}, deaf: p.s.schedule.mutant == deafRouter}
	p.s.mu.Lock()
	defer p.s.mu.Unlock()
	p.fronts = append(p.fronts, f)
	return f, nil
}

func (p *simDaemon) start(c process.Config, _ int, changed func()) serverGroup {
	t := p.s.schedule.temper(p.s.lab, c.Revision)
	return startSim(t, c, changed)
}

// front is where users ask, or nil.
func (p *simDaemon) front() *simFront {
	p.s.mu.Lock()
	defer p.s.mu.Unlock()
	if len(p.fronts) == 0 {
		return nil
	}
	return p.fronts[0]
}

// unit is the daemon's only one, or nil.
func (p *simDaemon) unit() *unit {
	p.d.mu.Lock()
	defer p.d.mu.Unlock()
	return p.d.units[chaosID]
}

// kill ends the daemon between two instructions. The caller holds s.commit.
func (p *simDaemon) kill(why string) {
	if p.isDead.Swap(true) {
		return
	}
	s := p.s
	b, err := os.ReadFile(s.dir.store())
	if err == nil && s.schedule.mutant == losesWrites && s.watch.before != nil {
		b = s.watch.before
	}
	if err == nil {
		err = os.Remove(s.dir.store())
	}
	if err == nil {
		err = os.WriteFile(s.dir.store(), b, 0o600)
	}
	err = errors.Join(err, p.lock.Unlock())
	s.tell("daemon %d is killed, %s", p.number, why)
	if err != nil {
		s.fail("the simulated disk: %v", err)
	}
	s.mu.Lock()
	if s.current == p {
		s.current = nil
	}
	s.mu.Unlock()
	close(p.dead)
	p.exited <- errors.New("signal: killed")
}

// at is called at each point: a schedule may have armed it.
func (p *simDaemon) at(at point) {
	s := p.s
	s.mu.Lock()
	hit := s.deadIn > 0 && s.deadAt == at && s.current == p
	if hit {
		s.deadIn--
		hit = s.deadIn == 0
	}
	s.mu.Unlock()
	if hit {
		p.kill([]string{"before a commit", "after a commit", "before a request", "after a request"}[at])
	}
}

// atRequest is at outside a commit.
func (p *simDaemon) atRequest(at point) {
	p.s.commit.Lock()
	defer p.s.commit.Unlock()
	p.at(at)
}

// stop is engine stop: what runs ends in order.
func (p *simDaemon) stop() {
	p.s.tell("daemon %d stops", p.number)
	p.d.stop()
	p.end()
	p.s.commit.Lock()
	defer p.s.commit.Unlock()
	if p.isDead.Swap(true) {
		return
	}
	_ = os.Remove(p.s.dir.info())
	_ = p.lock.Unlock()
	p.s.mu.Lock()
	p.s.current = nil
	p.s.mu.Unlock()
	close(p.dead)
	p.exited <- nil
}

// end ends the goroutines of a daemon, dead or alive.
func (p *simDaemon) end() {
	p.d.stop()
	p.d.working.Wait()
	p.d.closeUnits(context.Background())
	_ = p.d.store.close()
}

// commits hears of every transaction of a daemon's store: bbolt tells its logger, before and after.
type commits struct {
	bbolt.Logger
	p *simDaemon
}

func (c commits) Debugf(format string, _ ...any) {
	if !strings.HasPrefix(format, "Committing transaction") {
		return
	}
	if !strings.HasSuffix(format, "successfully") {
		c.p.s.commit.Lock()
		if !c.p.isDead.Load() {
			if c.p.s.schedule.mutant == losesWrites {
				c.p.s.watch.before, _ = os.ReadFile(c.p.s.dir.store())
			}
			c.p.at(beforeCommit)
		}
		return
	}
	defer c.p.s.commit.Unlock()
	if !c.p.isDead.Load() && c.p.d != nil {
		c.p.s.committed(c.p)
		c.p.at(afterCommit)
	}
}

func (c commits) Errorf(format string, args ...any) {
	if strings.HasPrefix(format, "Committing transaction failed") {
		c.p.s.commit.Unlock()
		c.p.s.fail("bbolt: "+format, args...)
	}
}

func (c commits) Warningf(string, ...any) {}
func (c commits) Infof(string, ...any)    {}

// newSim prepares a machine on which an endpoint serves and no daemon runs.
func newSim(t testing.TB, lab *chaosLab, sc schedule) *sim {
	dir, err := os.MkdirTemp(lab.disk, "m") //nolint:usetesting // in memory, and gone with the schedule
	if err != nil {
		t.Fatal(err)
	}
	s := &sim{t: t, lab: lab, schedule: sc, dir: dataDir(filepath.Join(dir, "d")), began: time.Now(), over: make(chan struct{}), lost: true}
	s.watch.owner, s.watch.cuts = map[string]string{}, map[cursor]gate.Window{}
	s.promised = map[string]bool{}
	err = s.dir.prepare()
	if err == nil && lab.template != nil {
		err = os.WriteFile(s.dir.store(), lab.template, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// close ends all goroutines, which a bubble wants to end before itself.
func (s *sim) close() {
	close(s.over)
	s.mu.Lock()
	clients := slices.Clone(s.runners)
	s.mu.Unlock()
	for _, r := range clients {
		r.cancel(nil)
	}
	s.all.Wait()
	s.mu.Lock()
	daemons := slices.Clone(s.daemons)
	s.mu.Unlock()
	for _, p := range daemons {
		p.end()
		_ = p.lock.Unlock()
	}
	if err := os.RemoveAll(filepath.Dir(string(s.dir))); err != nil && !errors.Is(err, fs.ErrNotExist) {
		s.t.Error(err)
	}
}

// rng gives each part of a schedule dice of its own, so that the others' throws do not depend on it.
func (s *sim) rng(part ...uint64) *rand.Rand {
	mix := s.schedule.seed
	for _, p := range part {
		mix = mix*0x9e3779b97f4a7c15 + p + 1
	}
	return rand.New(rand.NewPCG(s.schedule.seed, mix))
}
