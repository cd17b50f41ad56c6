package page

import (
	"fmt"
	"math"
	"strconv"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/gate"
)

type (
	gateView struct {
		Name, Sentence string
		Badge          badge
		What           string // Rates are of
		Rates          []rateView
		Meters         []meterView
		Margin         string
	}
	// rateView is a share and its interval, drawn on a scale that both arms have in common.
	rateView struct {
		Role, Value, Range string
		From, Width, At    string // 0..100
	}
	meterView struct {
		Name, Value, Needed, Kind string
		Width                     string // 0..100, on a logarithmic scale
	}
)

func viewGate(v gate.Verdict) gateView {
	kind := "calm"
	switch v.Outcome {
	case gate.Pass:
		kind = "good"
	case gate.Fail:
		kind = "bad"
	case gate.Wait:
	}
	g := gateView{Name: v.Gate, Sentence: v.Sentence, Badge: badge{string(v.Outcome), kind}}
	if v.Gate == "split" {
		g.Meters = []meterView{meter("Evidence of a wrong split", v.Harm, v.HarmNeeded, "harm")}
		return g
	}
	g.What, g.Rates = "Bad answers", viewRates(v.Rates)
	if v.Edge > 0 {
		g.What = "Answers that began later than " + latency(v.Edge)
	}
	g.Meters = []meterView{
		meter("Evidence of harm", v.Harm, v.HarmNeeded, "harm"),
		meter("Evidence of health", v.Pass, v.PassNeeded, "pass"),
	}
	g.Margin = margin(v)
	return g
}

// margin says what the evidence of health is evidence of.
func margin(v gate.Verdict) string {
	m := v.Margin
	switch {
	case m.Ratio <= 0:
		return ""
	case v.Edge > 0:
		return fmt.Sprintf("Healthy means: at every latency, less than %g times the odds of a later answer than on the stable revision, or fewer than %s later. The bar is the latency that is farthest from it.", m.Ratio, gate.Share(m.Floor))
	}
	return fmt.Sprintf("Healthy means: less than %g times the stable revision's odds of a bad answer, or below %s.", m.Ratio, gate.Share(m.Floor))
}

// viewRates returns nothing where nothing was seen on either arm.
func viewRates(r gate.Rates) []rateView {
	most := math.Max(r.Candidate.High, r.Stable.High)
	if !(most > 0) {
		return nil
	}
	place := func(share float64) string { return strconv.FormatFloat(100*share/most, 'f', 1, 64) }
	one := func(role string, i gate.Interval) rateView {
		return rateView{
			Role: role, Value: gate.Share(i.Estimate),
			Range: gate.Share(i.Low) + " to " + gate.Share(i.High),
			From:  place(i.Low), Width: place(math.Max(0, i.High-i.Low)), At: place(i.Estimate),
		}
	}
	return []rateView{one("candidate", r.Candidate), one("stable", r.Stable)}
}

// together is the evidence of harm on which the rollout is decided, where several gates have some. A gate's bound is its
// part of the whole's, so that their shares of what each needs add up.
func together(verdicts []gate.Verdict) *meterView {
	var have, all float64
	n := 0
	for _, v := range verdicts {
		if v.Gate == "split" || !(v.HarmNeeded > 0) {
			continue
		}
		n++
		have += v.Harm / v.HarmNeeded
		all += 1 / v.HarmNeeded
	}
	if n < 2 {
		return nil
	}
	m := meter("All gates' evidence of harm", have/all, 1/all, "harm")
	return &m
}

// meter places evidence between 1, which is none, and what is needed: by its logarithm, as
// evidence multiplies.
func meter(name string, value, needed float64, kind string) meterView {
	width := 0.0
	if value > 1 && needed > 1 {
		width = 100 * min(1, math.Log(value)/math.Log(needed))
	}
	return meterView{name, evidence(value), evidence(needed), kind, fmt.Sprintf("%.1f", width)}
}

// latency writes a duration in seconds as people do.
func latency(seconds float64) string {
	if seconds < 1 {
		return strconv.FormatFloat(1000*seconds, 'g', 4, 64) + " ms"
	}
	return strconv.FormatFloat(seconds, 'g', 4, 64) + " s"
}
