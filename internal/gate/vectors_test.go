package gate

import (
	"math"
	"testing"
)

// The numbers in this file are docs/guides/gates.md's, to the digits that it gives.

const sixDigits = 0.6e-6

func close6(t *testing.T, what string, got, want float64) {
	t.Helper()
	if !(math.Abs(got-want) <= sixDigits) {
		t.Errorf("%s: got %.7f, want %.6f", what, got, want)
	}
}

// window writes docs/guides/gates.md's order: n_c, x_c, n_s, x_s.
func window(nc, xc, ns, xs uint64) Window {
	return Window{Candidate: Arm{Requests: nc, Bad: xc}, Stable: Arm{Requests: ns, Bad: xs}}
}

func TestKernelVectors(t *testing.T) {
	windows := []Window{
		window(25, 1, 475, 4),
		window(25, 3, 475, 4),
		window(0, 0, 500, 5),
		window(250, 8, 250, 2),
		window(50, 50, 950, 10),
	}
	for tolerance, want := range map[float64][]float64{
		1:   {0.265984, 3.528589, 3.528589, 5.089213, 144.939498},
		1.1: {0.195603, 3.207169, 3.207169, 4.493009, 139.876207},
	} {
		g := Errors{Tolerance: tolerance}
		e := g.Start()
		for i, w := range windows {
			e = g.Observe(e, 0, w)
			close6(t, "ln E", logMean(e.Harm[0]), want[i])
		}
	}
}

func TestKernelSingleAlternative(t *testing.T) {
	close6(t, "ln L(2; 1)", logFactor(window(25, 3, 475, 4), 2, 1), 1.739714)
}

func TestHarmVector(t *testing.T) {
	g := Errors{Tolerance: 1.1, Steps: make([]Margin, 6)}
	e := g.Start()
	for i, o := range []struct {
		step int
		w    Window
	}{
		{0, window(25, 1, 475, 4)},
		{0, window(25, 3, 475, 4)},
		{1, window(250, 8, 250, 2)},
	} {
		e = g.Observe(e, o.step, o.w)
		close6(t, "ln E_harm", g.logHarm(&e), []float64{0.118694, 2.696671, 3.857016}[i])
	}
}

func TestAbsVectors(t *testing.T) {
	close6(t, "ln E_abs", logAbs(Arm{Requests: 5000, Bad: 0}, .001), 3.878581)
	close6(t, "ln E_abs", logAbs(Arm{Requests: 5000, Bad: 1}, .001), 2.150319)
	close6(t, "ln E_abs", logAbs(Arm{Requests: 1000, Bad: 12}, .01), -4.436129)
}

func TestPassVectors(t *testing.T) {
	windows := []Window{window(25, 0, 475, 4), window(250, 2, 250, 3), window(500, 0, 500, 0)}
	for m, want := range map[Margin][][3]float64{
		{4, .02}: {
			{.555179, .366274, .465181},
			{2.356811, 1.140711, 1.923243},
			{2.356811, 8.871878, 8.180211},
		},
		{1.5, .001}: {
			{.098635, .017936, .059099},
			{.402620, -2.076537, -.210041},
			{.402620, -1.792238, -.184929},
		},
	} {
		g := Errors{Tolerance: 1.1, Steps: []Margin{m}}
		e := g.Start()
		for i, w := range windows {
			e = g.Observe(e, 0, w)
			close6(t, "ln E_rel", e.Rel[0], want[i][0])
			close6(t, "ln E_abs", logAbs(e.Seen.Candidate, m.Floor), want[i][1])
			close6(t, "ln E_pass", logPass(&e, 0, m), want[i][2])
		}
	}
}
