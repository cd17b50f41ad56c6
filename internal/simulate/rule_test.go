package simulate

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

// minute is one minute of traffic on the candidate, with stable beside it.
func minute(requests, bad uint64) Seen {
	return Seen{Lasting: time.Minute, Candidate: Arm{Requests: requests, Bad: bad}, Stable: Arm{Requests: 10_000, Bad: 100}}
}

// weights feeds a trial and returns its weight before each window, and how it ended.
func weights(t Trial, windows ...Seen) (seen []int, end End, why string) {
	for _, w := range windows {
		seen = append(seen, t.Weight())
		t.See(w)
		if end, why = t.End(); end != "" {
			break
		}
	}
	return seen, end, why
}

func repeat(w Seen, n int) []Seen {
	var all []Seen
	for range n {
		all = append(all, w)
	}
	return all
}

func then(parts ...[]Seen) []Seen {
	var all []Seen
	for _, p := range parts {
		all = append(all, p...)
	}
	return all
}

func TestOtherToolsDecideAsTheirDocumentsSay(t *testing.T) {
	t.Parallel()
	fine, bad, none := minute(1000, 5), minute(1000, 60), minute(0, 0)
	slow := fine
	slow.Candidate.Latency = Latency{Duration(400 * time.Millisecond), 0.5}.draw(1000)
	for name, c := range map[string]struct {
		rule    string
		windows []Seen
		ends    int // windows until the end
		end     End
		weight  int // at the end
		why     string
	}{
		// 5, 10, ... 50: ten checks, of which the last promotes.
		"flagger promotes after ten good checks":         {"flagger", repeat(fine, 20), 10, Promoted, 50, "50% reached"},
		"flagger's failed checks halt and count":         {"flagger", then(repeat(bad, 3), repeat(fine, 20)), 13, Promoted, 50, ""},
		"flagger rolls back at the tick after the tenth": {"flagger", repeat(bad, 20), 11, RolledBack, 5, "success rate 94.00% < 99%"},
		"flagger needs traffic":                          {"flagger", repeat(none, 20), 11, RolledBack, 5, "no values found"},
		"flagger counts failures that are apart":         {"flagger-tutorial", then(repeat(bad, 2), repeat(fine, 2), repeat(bad, 3), repeat(fine, 9)), 8, RolledBack, 30, "5 failed checks"},
		"flagger's default allows no failure":            {"flagger-default", then(repeat(fine, 3), repeat(bad, 2)), 5, RolledBack, 40, "1 failed checks"},
		"flagger looks at latency":                       {"flagger", repeat(slow, 20), 11, RolledBack, 5, "request duration"},
		// 40 minutes of pauses; measurements from 40% on, every 5 minutes.
		"argo promotes after its pauses":             {"argo", repeat(fine, 60), 40, Promoted, 80, "all steps"},
		"argo fails at the fourth bad measurement":   {"argo", repeat(bad, 60), 25, RolledBack, 60, "4 measurements below 0.95"},
		"argo looks at 15 seconds of 5 minutes":      {"argo", then(repeat(fine, 11), repeat(bad, 3), repeat(fine, 46)), 40, Promoted, 80, ""},
		"argo aborts at the fifth missing in a row":  {"argo", repeat(none, 60), 30, RolledBack, 60, "5 measurements in a row had no data"},
		"argo's step asks once":                      {"argo-step", repeat(fine, 9), 5, Promoted, 20, ""},
		"argo's step fails at one bad measurement":   {"argo-step", repeat(bad, 9), 5, RolledBack, 20, "1 measurements below 0.95"},
		"argo's strict one fails at the first":       {"argo-strict", then(repeat(fine, 6), repeat(bad, 9)), 7, RolledBack, 10, "1 measurements below 0.98"},
		"kayenta judges at the end of its interval":  {"kayenta-30m", repeat(fine, 40), 30, Promoted, 10, "a score of 100"},
		"kayenta finds a shift":                      {"kayenta-30m", then(repeat(bad, 15), repeat(minute(1000, 50), 25)), 30, RolledBack, 10, "a score of 0"},
		"kayenta takes three hours as is advised":    {"kayenta", repeat(fine, 200), 180, Promoted, 10, "3h0m0s"},
		"kayenta fails at a judgement in between":    {"kayenta", then(repeat(bad, 30), repeat(minute(1000, 50), 200)), 60, RolledBack, 10, "1h0m0s"},
		"tidegate rolls back at the window it knows": {"tidegate", repeat(bad, 9), 1, RolledBack, 0, `The gate "errors" failed at 1% of traffic`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rule, err := Default().preset(c.rule)
			if err != nil {
				t.Fatal(err)
			}
			trial := rule.Start(rand.New(rand.NewPCG(1, 1)))
			seen, end, why := weights(trial, c.windows...)
			if len(seen) != c.ends || end != c.end || trial.Weight() != c.weight {
				t.Errorf("%s after %d windows at %d%%: %s\nwant %s after %d at %d%%\nweights %v", end, len(seen), trial.Weight(), why, c.end, c.ends, c.weight, seen)
			}
			if !strings.Contains(why, c.why) {
				t.Errorf("why: %s, want %q", why, c.why)
			}
		})
	}
}

// draw returns the expected histogram of n answers.
func (l Latency) draw(n float64) []uint64 {
	var counts []uint64
	for _, p := range l.classes(1) {
		counts = append(counts, uint64(n*p+0.5))
	}
	return counts
}

func TestWeightsClimbAsTheDocumentsSay(t *testing.T) {
	t.Parallel()
	for name, want := range map[string][]int{
		"argo":             {20, 20, 20, 20, 20, 20, 20, 20, 20, 20, 40, 40},
		"flagger":          {5, 10, 15, 20, 25, 30, 35, 40, 45, 50},
		"flagger-tutorial": {10, 20, 30, 40, 50},
		"flagger-default":  {10, 20, 30, 40, 50, 60, 70, 80, 90, 100},
	} {
		rule, err := Default().preset(name)
		if err != nil {
			t.Fatal(err)
		}
		seen, _, _ := weights(rule.Start(nil), repeat(minute(1000, 5), len(want))...)
		for i := range want {
			if seen[i] != want[i] {
				t.Errorf("%s: %v, want %v", name, seen, want)
				break
			}
		}
	}
}

func TestMannWhitneyKnowsAShiftFromNone(t *testing.T) {
	t.Parallel()
	up := func(by float64) []float64 {
		var v []float64
		for i := range 30 {
			v = append(v, float64(i)+by)
		}
		return v
	}
	for _, c := range []struct {
		shift float64
		want  bool
	}{{0, false}, {3, false}, {8, true}, {-8, false}, {100, true}} {
		if got := higher(up(c.shift), up(0)); got != c.want {
			t.Errorf("shift %g: %t", c.shift, got)
		}
	}
	if higher(nil, up(0)) || higher([]float64{1, 1}, []float64{1, 1}) {
		t.Error("no data, or ties only, are no shift")
	}
	// R: wilcox.test(c(4,5,6,7,8), c(1,2,3,4,5), correct=TRUE, exact=FALSE): W 23, z = (23-12.5-.5)/4.76.
	if z, ok := wilcoxon([]float64{4, 5, 6, 7, 8}, []float64{1, 2, 3, 4, 5}, 0); !ok || z < 2.09 || z > 2.12 {
		t.Errorf("z %g", z)
	}
	if got := hodgesLehmann([]float64{3, 4, 5}, []float64{1, 1, 2}); got != 3 {
		t.Errorf("shift %g, want 3", got)
	}
}

func TestOutliersAreThreeRangesAway(t *testing.T) {
	t.Parallel()
	if got := withoutOutliers([]float64{1, 2, 3, 4, 100}); len(got) != 4 {
		t.Errorf("%v", got)
	}
	if got := withoutOutliers([]float64{1, 2, 3, 4, 9}); len(got) != 5 {
		t.Errorf("%v", got)
	}
}

func TestQuantileIsPrometheuses(t *testing.T) {
	t.Parallel()
	counts := make([]uint64, len(edges)+1)
	counts[10], counts[11] = 50, 50
	want := edges[10] + (edges[11]-edges[10])*49/50
	if got := slowest(counts); got < want*0.9999 || got > want*1.0001 {
		t.Errorf("%g, want %g", got, want)
	}
	counts[len(edges)] = 1000
	if got := slowest(counts); got != edges[len(edges)-1] {
		t.Errorf("beyond the last edge: %g", got)
	}
}
