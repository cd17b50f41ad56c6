package gate

import "math"

// TotalsEvidence measures, on stable's pods, how much more failures come in bursts than chance would have it.
type TotalsEvidence struct {
	Squares  float64 `json:"squares"`  // sum of (x - n p)^2 over pods and windows, p the window's share
	Expected float64 `json:"expected"` // what chance makes of it
	Bad      float64 `json:"bad"`      // stable's bad answers
	Pods     int     `json:"pods"`     // the fewest pods that a window had
}

// fewPods is the number of pods below which nothing can be said of bursts.
const fewPods = 4

// observePods adds a window of totals.
func (e *ErrorEvidence) observePods(w *Window) {
	pods := w.Stable.Pods
	if e.Totals == nil {
		e.Totals = &TotalsEvidence{Pods: len(pods)}
	}
	e.Totals.observe(pods)
}

func (t *TotalsEvidence) observe(pods []Arm) {
	t.Pods = min(t.Pods, len(pods))
	var n, x float64
	for i := range pods {
		a := pods[i].sound()
		if a.Requests >= absurd {
			return
		}
		n += float64(a.Requests)
		x += float64(a.Bad)
	}
	t.Bad += x
	if len(pods) < 2 || n == 0 || x == 0 {
		return
	}
	p := x / n
	for i := range pods {
		a := pods[i].sound()
		d := float64(a.Bad) - p*float64(a.Requests)
		t.Squares += d * d
	}
	t.Expected += (1 - 1/float64(len(pods))) * x
}

// caution is phi', the power's divisor. Until stable had enough bad answers to measure bursts it is at
// least 10.
func (t *TotalsEvidence) caution() float64 {
	phi := 1.0
	if t.Expected > 0 {
		phi = math.Max(1, t.Squares/t.Expected)
	}
	caution := 1 + 1.5*(phi-1)
	if t.Bad < 30*phi {
		caution = math.Max(caution, 10)
	}
	return caution
}

// shaped returns a copy.
func (t *TotalsEvidence) shaped() *TotalsEvidence {
	if t == nil {
		return nil
	}
	next := *t
	for _, n := range []*float64{&next.Squares, &next.Expected, &next.Bad} {
		*n = math.Max(0, finite(*n))
	}
	return &next
}
