package crashtest

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"reflect"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/rollout"
)

const (
	everything = "TIDEGATE_CRASH" // "all" takes every point, however long that is, and under -race the program has the detector too
	seeded     = "TIDEGATE_CRASH_SEED"
	only       = "TIDEGATE_CRASH_ONLY" // "chapter: point (n); ...": these deaths alone, as a failure names them

	atOnce  = 6                // lives
	triesOf = 3                // lives that a point may miss
	budget  = 60 * time.Second // after which no further life begins

	leastTaken = 50 // deaths, on a slow machine too
)

// undisturbed is the life by which all others are measured. It is lived once.
var undisturbed struct {
	sync.Once
	told
}

func undisturbedLife(t *testing.T) told {
	t.Helper()
	undisturbed.Do(func() {
		t.Run("undisturbed", func(t *testing.T) { undisturbed.told = newStage(t).live(nil, nil) })
	})
	if len(undisturbed.ends) != len(life) {
		t.Fatal("an undisturbed life fails: there is nothing to compare with")
	}
	return undisturbed.told
}

// Whatever process dies at whatever write or request, applying again ends as if nothing had happened.
func TestEveryDeathEndsAsIfNothingHad(t *testing.T) {
	possible(t)
	t.Parallel()
	normal := undisturbedLife(t)
	seed := seedOf(t)
	q := &queue{rand: rand.New(rand.NewPCG(seed, 0)), began: time.Now()}
	q.fill(normal)
	if names := os.Getenv(only); names != "" {
		q.keep(t, strings.Split(names, "; "))
	}
	total := len(q.waiting)
	var all sync.WaitGroup
	for range atOnce {
		all.Go(func() {
			for n, deaths := q.take(); deaths != nil; n, deaths = q.take() {
				t.Run(fmt.Sprintf("life-%d", n), func(t *testing.T) {
					s := newStage(t)
					l := s.live(deaths, nil)
					compare(t, normal, l)
					q.back(deaths, l, s)
				})
			}
		})
	}
	all.Wait()
	t.Logf("%d of %d deaths died in %s (%s=%d, the rest with %s=all); the slowest runner drove %s after its start, users waited %s; %d points were not reached again: %s",
		q.taken, total, time.Since(q.began).Round(time.Second), seeded, seed, everything, q.slowest.Round(time.Millisecond), q.outage.Round(time.Millisecond), len(q.missed), strings.Join(q.missed, "; "))
	if q.taken < leastTaken && total > leastTaken || 20*len(q.missed) > total {
		t.Errorf("%d deaths died and %d points were not reached again: the claim is emptier than it looks", q.taken, len(q.missed))
	}
}

// Nor does it matter when, and whether it is Terraform itself.
func TestKillsAtAnyTimeEndAsIfNothingHad(t *testing.T) {
	possible(t)
	t.Parallel()
	normal := undisturbedLife(t)
	seed := seedOf(t)
	var all sync.WaitGroup
	for i, victim := range []string{"terraform", "provider", "engine", "terraform", "provider", "engine"} {
		all.Go(func() {
			dice := rand.New(rand.NewPCG(seed, uint64(i)))
			t.Run(fmt.Sprintf("%s-%d", victim, i), func(t *testing.T) {
				s := newStage(t)
				l := s.live(nil, func(c chapter, terraform *exec.Cmd) {
					time.Sleep(time.Duration(dice.Float64() * float64(normal.took[c.name])))
					s.kill(victim, terraform.Process.Pid)
				})
				compare(t, normal, l)
			})
		})
	}
	all.Wait()
	t.Logf("seed %d", seed)
}

// Terraform that is killed cannot tell its provider. That ends the rollout as on_cancel says, and itself.
func TestProviderOfAKilledTerraformEndsItsRolloutAndItself(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	l := s.live(nil, func(c chapter, terraform *exec.Cmd) {
		if c.name != "promote" {
			return
		}
		s.watch.until(func(r rollout.Record) bool { return r.Weight > 0 })
		s.kill("terraform", terraform.Process.Pid)
		s.watch.until(func(r rollout.Record) bool { return r.Failure != nil && r.Failure.Kind == rollout.KindCancelled })
	})
	if got := l.ends["promote"]; got.Serves != "v2" || got.Plan != 0 {
		t.Errorf("the next apply ends as %s", show(got))
	}
}

// kill ends processes that the stage started; there may be none at this time.
func (s *stage) kill(victim string, terraform int) {
	for _, p := range s.running() {
		engine := strings.Contains(p.args, " engine run ")
		switch {
		case victim == "terraform" && p.pid == terraform, victim == "engine" && engine,
			victim == "provider" && p.parent == terraform && !engine:
			s.note("kill -9 of %d, %s", p.pid, p.args)
			_ = syscall.Kill(p.pid, syscall.SIGKILL) // it may have ended by itself
		}
	}
}

func seedOf(t *testing.T) uint64 {
	t.Helper()
	text := os.Getenv(seeded)
	if text == "" {
		return rand.Uint64()
	}
	var seed uint64
	if _, err := fmt.Sscan(text, &seed); err != nil {
		t.Fatalf("%s=%q: %v", seeded, text, err)
	}
	return seed
}

func compare(t *testing.T, want, got told) {
	t.Helper()
	for _, c := range life {
		if w, g := want.ends[c.name], got.ends[c.name]; !reflect.DeepEqual(w, g) {
			t.Errorf("chapter %q ends as\n%s\nwant\n%s", c.name, show(g), show(w))
		}
	}
}

func show(v any) string {
	b, err := json.MarshalIndent(v, "", " ")
	if err != nil {
		return err.Error()
	}
	return string(b)
}

// A queue is the deaths that are still to be died.
type queue struct {
	mu      sync.Mutex
	rand    *rand.Rand
	began   time.Time
	lives   int
	waiting []death
	taken   int
	missed  []string
	slowest time.Duration // from a runner's start until it drove
	outage  time.Duration // without a good answer for any user
}

// fill puts in every point that a life reached, by its first hit and by a later one, in an order that the seed tells:
// first hits first.
func (q *queue) fill(l told) {
	for _, c := range life {
		for point, n := range l.points[c.name] {
			q.waiting = append(q.waiting, death{c.name, point, 1, 0})
			if n > 1 {
				q.waiting = append(q.waiting, death{c.name, point, 2 + q.rand.IntN(n-1), 0})
			}
		}
	}
	slices.SortFunc(q.waiting, func(a, b death) int { return strings.Compare(a.String(), b.String()) }) // maps have no order
	q.rand.Shuffle(len(q.waiting), func(i, j int) { q.waiting[i], q.waiting[j] = q.waiting[j], q.waiting[i] })
	slices.SortStableFunc(q.waiting, func(a, b death) int { return min(a.nth, 2) - min(b.nth, 2) })
}

// most is how many deaths a chapter has in one life. Those with a rollout have the most points by far.
func most(chapter string) int {
	if chapter == "create" || chapter == "destroy" {
		return 2
	}
	return 3
}

// keep leaves what is named, each by its own number of hits.
func (q *queue) keep(t *testing.T, names []string) {
	t.Helper()
	q.waiting = nil
	for _, name := range names {
		var d death
		open := strings.LastIndex(name, " (")
		chapter, point, ok := strings.Cut(name[:max(0, open)], ": ")
		d.chapter, d.point = chapter, point
		if _, err := fmt.Sscanf(name[max(0, open):], " (%d)", &d.nth); err != nil || !ok {
			t.Fatalf("%s: %q: want \"chapter: point (n)\"", only, name)
		}
		q.waiting = append(q.waiting, d)
	}
}

// take returns some deaths for each chapter of the next life; nil where it is over.
func (q *queue) take() (number int, deaths map[string][]death) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if time.Since(q.began) > budget && os.Getenv(everything) != "all" {
		return 0, nil
	}
	var rest []death
	for _, d := range q.waiting {
		of := deaths[d.chapter]
		twice := slices.ContainsFunc(of, func(o death) bool { return o.point == d.point })
		if len(of) == most(d.chapter) || twice {
			rest = append(rest, d)
			continue
		}
		if deaths == nil {
			deaths = map[string][]death{}
		}
		deaths[d.chapter] = append(of, d)
	}
	q.waiting = rest
	q.lives++
	return q.lives, deaths
}

// back says which deaths came about. The others wait for another life: a death before them may have kept theirs away.
func (q *queue) back(deaths map[string][]death, l told, s *stage) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.slowest, q.outage = max(q.slowest, s.watch.slowest), max(q.outage, s.users.outage())
	for _, of := range deaths {
		for _, d := range of {
			d.tries++
			switch {
			case l.fired[d.chapter+": "+d.point]:
				q.taken++
			case d.tries == triesOf:
				q.missed = append(q.missed, d.String())
			default:
				d.nth = (d.nth + 1) / 2 // this life may have had fewer
				q.waiting = append(q.waiting, d)
			}
		}
	}
}
