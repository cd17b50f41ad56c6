package simulate

import (
	"cmp"
	"fmt"
	"io"
	"math"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/gate"
)

// A Result is what the rules of a scenario came to.
type Result struct {
	Title   string    `json:"title"`
	Horizon Duration  `json:"horizon"`
	Runs    int       `json:"runs"`
	Seed    uint64    `json:"seed"`
	Rules   []Summary `json:"rules"`
}

// A Summary is all runs of one rule.
type Summary struct {
	Rule         string `json:"rule"`
	Runs         int    `json:"runs"`
	Promoted     Share  `json:"promoted"`
	RolledBack   Share  `json:"rolled_back"`
	Inconclusive Share  `json:"inconclusive"`
	// Minutes and Exposed are medians and means over all runs, however they ended; Caught is the mean of
	// the candidate's requests until a rollback, over those that had one.
	Minutes float64 `json:"minutes"`
	Exposed float64 `json:"exposed"`
	Caught  float64 `json:"caught"`
	// Users and Failed are means until the horizon: requests that the candidate answered, and requests
	// that failed on either arm.
	Users  float64 `json:"users"`
	Failed float64 `json:"failed"`
	// Outcomes has a line for each run.
	Outcomes []Outcome `json:"-"`
}

// A Share is a part of the runs, with its 95% interval.
type Share struct {
	Share float64 `json:"share"`
	Low   float64 `json:"low"`
	High  float64 `json:"high"`
}

func result(s Scenario, o Options, rules []Rule, outcomes [][]Outcome) Result {
	r := Result{Title: s.Title, Horizon: s.Horizon, Runs: o.Runs, Seed: o.Seed}
	for i, rule := range rules {
		r.Rules = append(r.Rules, summarize(rule.Name(), outcomes[i]))
	}
	return r
}

func summarize(rule string, outcomes []Outcome) Summary {
	s := Summary{Rule: rule, Runs: len(outcomes), Outcomes: outcomes}
	ends := map[End]int{}
	var minutes []float64
	n := float64(len(outcomes))
	for _, o := range outcomes {
		ends[o.End]++
		minutes = append(minutes, o.At.Minutes())
		s.Exposed += float64(o.Exposed) / n
		s.Users += float64(o.Users) / n
		s.Failed += float64(o.Failed) / n
		if o.End == RolledBack {
			s.Caught += float64(o.Exposed)
		}
	}
	if back := ends[RolledBack]; back > 0 {
		s.Caught /= float64(back)
	}
	s.Minutes = percentile(minutes, 0.5)
	s.Promoted = Wilson(ends[Promoted], len(outcomes))
	s.RolledBack = Wilson(ends[RolledBack], len(outcomes))
	s.Inconclusive = Wilson(ends[Inconclusive], len(outcomes))
	return s
}

// Wilson is the share of k of n with its 95% interval.
// Source: E. B. Wilson, Probable inference, the law of succession, and statistical inference (1927).
func Wilson(k, n int) Share {
	const z = 1.959964
	p, m := float64(k)/float64(n), float64(n)
	middle := (p + z*z/(2*m)) / (1 + z*z/m)
	half := z * math.Sqrt(p*(1-p)/m+z*z/(4*m*m)) / (1 + z*z/m)
	s := Share{p, max(0, middle-half), min(1, middle+half)}
	if k == 0 {
		s.Low = 0 // but for rounding
	}
	if k == n {
		s.High = 1
	}
	return s
}

// Rule returns the summary of a rule.
func (r Result) Rule(name string) (Summary, bool) {
	i := slices.IndexFunc(r.Rules, func(s Summary) bool { return s.Rule == name })
	if i < 0 {
		return Summary{}, false
	}
	return r.Rules[i], true
}

// Typical is the run in which the first rule took its median time: one to look at, which is neither the
// luckiest nor the worst.
func (r Result) Typical() int {
	if len(r.Rules) == 0 {
		return 0
	}
	runs := make([]int, r.Runs)
	for i := range runs {
		runs[i] = i
	}
	outcomes := r.Rules[0].Outcomes
	slices.SortStableFunc(runs, func(a, b int) int { return cmp.Compare(outcomes[a].At, outcomes[b].At) })
	return runs[len(runs)/2]
}

// Table writes the result for people.
func (r Result) Table(out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	p := func(format string, args ...any) { _, _ = fmt.Fprintf(w, format, args...) } // Flush returns what goes wrong
	p("rule\tpromoted\trolled back\t95%%\tinconclusive\tminutes\texposed\tcandidate's in %s\tfailed\t\n", brief(time.Duration(r.Horizon)))
	for _, s := range r.Rules {
		p("%s\t%s\t%s\t%s\t%s\t%.1f\t%s\t%s\t%s\t\n", s.Rule, percent(s.Promoted.Share), percent(s.RolledBack.Share),
			percent(s.RolledBack.Low)+" to "+percent(s.RolledBack.High), percent(s.Inconclusive.Share),
			s.Minutes, mean(s.Exposed), mean(s.Users), mean(s.Failed))
	}
	return w.Flush()
}

// percent writes a share: 0%, 0.2%, 12%, 100%; what is not quite all or nothing does not look so.
func percent(share float64) string {
	p := 100 * share
	switch {
	case p == 0 || p == 100:
		return fmt.Sprintf("%.0f%%", p)
	case p < 10 || p > 99:
		return fmt.Sprintf("%.1f%%", min(99.9, max(0.1, p)))
	}
	return fmt.Sprintf("%.0f%%", p)
}

// mean writes an average of whole numbers.
func mean(x float64) string { return gate.Grouped(uint64(math.RoundToEven(x))) }

// brief writes a whole number of minutes or hours.
func brief(d time.Duration) string {
	if d%time.Hour == 0 {
		return fmt.Sprintf("%d h", d/time.Hour)
	}
	return fmt.Sprintf("%.0f min", d.Minutes())
}
