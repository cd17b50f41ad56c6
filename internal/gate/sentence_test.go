package gate

import (
	"math"
	"testing"
)

func TestSentences(t *testing.T) {
	g := NewErrors([]int{2, 5, 50}) // margins of 5%, 50% and promotion
	for _, c := range []struct {
		step    int
		windows []Window
		want    Outcome
		say     string
	}{
		{0, nil, Wait,
			"No candidate request was counted yet."},
		{0, []Window{window(0, 0, 800, 3)}, Wait,
			"No candidate request was counted yet."},
		{0, []Window{window(1, 0, 0, 0)}, Wait,
			"0 of 1 request failed on the candidate, none was counted on stable: not enough to tell yet; about 95 more good candidate requests are needed."},
		{0, []Window{window(41, 0, 800, 0)}, Wait,
			"0 of 41 requests failed on the candidate, 0 of 800 on stable: not enough to tell yet; about 55 more good candidate requests are needed."},
		{0, []Window{window(92, 0, 800, 0)}, Wait,
			"0 of 92 requests failed on the candidate, 0 of 800 on stable: not enough to tell yet; about 1 more good candidate request is needed."},
		{2, []Window{window(41, 0, 800, 3)}, Wait,
			"0 of 41 requests failed on the candidate, 3 of 800 on stable: not enough to tell yet; at most about 4,700 more good candidate requests are needed."},
		{1, []Window{window(1, 1, 5, 0)}, Wait,
			"1 of 1 request failed on the candidate, 0 of 5 on stable: not enough to tell yet; the evidence that it is less than 2 times worse, or under 0.5%, is 0.4 to 1 (20 needed)."},
		{2, []Window{window(5012, 2, 49900, 50)}, Wait,
			"2 of 5,012 requests failed on the candidate, 50 of 49,900 on stable: not enough to tell yet; the evidence that it is less than 1.5 times worse, or under 0.1%, is 3.3 to 1 (20 needed)."},
		{2, []Window{window(5000, 60, 50000, 500)}, Wait,
			"60 of 5,000 requests failed on the candidate, 500 of 50,000 on stable: not enough to tell yet; the evidence that it is less than 1.5 times worse, or under 0.1%, is 0.8 to 1 (20 needed)."},
		{0, []Window{window(152, 4, 2914, 8)}, Wait,
			"4 of 152 requests failed on the candidate (2.6%), 8 of 2,914 on stable (0.3%): the candidate looks worse, but that is not certain yet; the evidence of harm is 16 to 1 (100 needed)."},
		{-1, []Window{window(152, 2, 2914, 30)}, Wait,
			"2 of 152 requests failed on the candidate, 30 of 2,914 on stable: not enough to tell yet; the evidence of harm is 0.7 to 1 (100 needed)."},
		{1, []Window{window(5012, 2, 4990, 3)}, Pass,
			"2 of 5,012 requests failed on the candidate, 3 of 4,990 on stable: less than 2 times worse, or under 0.5%."},
		{2, []Window{window(5312, 0, 4990, 3)}, Pass,
			"0 of 5,312 requests failed on the candidate, 3 of 4,990 on stable: less than 1.5 times worse, or under 0.1%."},
		{0, []Window{window(152, 5, 2914, 3)}, Fail,
			"5 of 152 requests failed on the candidate (3.3%), 3 of 2,914 on stable (0.1%): the candidate is worse, the evidence of harm is 1,559 to 1 (100 needed)."},
		{0, []Window{window(152, 152, 1234567, 3)}, Fail,
			"152 of 152 requests failed on the candidate (100%), 3 of 1,234,567 on stable (under 0.001%): the candidate is worse, the evidence of harm is over a million to 1 (100 needed)."},
		{0, []Window{window(10, 0, 2000, 1900), window(30, 20, 800, 0)}, Fail,
			"20 of 40 requests failed on the candidate (50%), 1,900 of 2,800 on stable (68%): compared window by window the candidate is worse, the evidence of harm is over a million to 1 (100 needed)."},
	} {
		e := observe(g, g.Start(), c.step, c.windows...)
		v := g.Judge(e, c.step)
		if v.Outcome != c.want || v.Sentence != c.say {
			t.Errorf("%+v:\n got %s: %s\nwant %s: %s", c.windows, v.Outcome, v.Sentence, c.want, c.say)
		}
	}
}

func TestSentenceNamesTheStepInWhichHarmBegan(t *testing.T) {
	g := NewErrors([]int{5, 50})
	e := g.Start()
	for range 200 {
		e = g.Observe(e, 0, window(1000, 10, 1000, 10))
	}
	for range 8 {
		e = g.Observe(e, 1, window(500, 25, 500, 5))
	}
	want := "2,200 of 204,000 requests failed on the candidate (1.1%), 2,040 of 204,000 on stable (1%): in step 2 of 2 the candidate is worse, the evidence of harm is over a million to 1 (100 needed)."
	if got := g.Judge(e, 1).Sentence; got != want {
		t.Errorf("\n got %s\nwant %s", got, want)
	}
}

func TestSentenceOfARecordEditedByHand(t *testing.T) {
	g := NewErrors([]int{5, 50})
	e := g.Start()
	for j := range e.Harm[0] {
		e.Harm[0][j] = math.Inf(1)
	}
	want := "No candidate request was counted: compared window by window the candidate is worse, the evidence of harm is over a million to 1 (100 needed)."
	if got := g.Judge(e, 0).Sentence; got != want {
		t.Errorf("\n got %s\nwant %s", got, want)
	}
}

func TestSharesKeepTwoDigitsThatMeanSomething(t *testing.T) {
	for share, want := range map[float64]string{
		0.000001: "under 0.001%",
		0.000432: "0.04%",
		0.0046:   "0.5%",
		0.01:     "1%",
		0.0463:   "4.6%",
		0.4567:   "46%",
		0.996:    "99.6%",
		0.99999:  "over 99.9%",
		1:        "100%",
	} {
		if got := percent(share); got != want {
			t.Errorf("%g: %s, want %s", share, got, want)
		}
	}
}

func TestNumbersAreGroupedForPeople(t *testing.T) {
	t.Parallel()
	for n, want := range map[uint64]string{0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567", math.MaxUint64: "18,446,744,073,709,551,615"} {
		if got := Grouped(n); got != want {
			t.Errorf("%d is written %q, want %q", n, got, want)
		}
	}
	for share, want := range map[float64]string{0: "0%", 0.00162: "0.16%", 0.375: "37.5%", 1: "100%"} {
		if got := Share(share); got != want {
			t.Errorf("%g is written %q, want %q", share, got, want)
		}
	}
}

func TestOddsAreRoundedDown(t *testing.T) {
	for e, want := range map[float64]string{
		0:               "under 0.1 to 1",
		0.19:            "0.1 to 1",
		9.99:            "9.9 to 1",
		99.99:           "99 to 1",
		12345.6:         "12,345 to 1",
		math.MaxFloat64: "over a million to 1",
	} {
		if got := odds(e); got != want {
			t.Errorf("%g: %s, want %s", e, got, want)
		}
	}
}

// The number of good requests that a wait asks for is enough, and hardly more than that.
func TestRequestsThatAreNeededAreEnough(t *testing.T) {
	for _, m := range []Margin{{10, .05}, {4, .02}, {3, .01}, {2, .005}, {1.5, .001}} {
		g := NewErrors([]int{50})
		g.Steps[0] = m
		for _, start := range []Window{window(3, 0, 5, 0), window(20, 0, 100, 2)} {
			e := g.Observe(g.Start(), 0, start)
			n, ok := goodNeeded(g.Judge(e, 0))
			if !ok {
				t.Fatalf("%+v: no answer", m)
			}
			if v := g.Judge(g.Observe(e, 0, window(n, 0, 0, 0)), 0); v.Outcome != Pass {
				t.Errorf("%+v: %d more were not enough: %+v", m, n, v)
			}
			if v := g.Judge(g.Observe(e, 0, window(n*8/10, 0, 0, 0)), 0); v.Outcome != Wait {
				t.Errorf("%+v: fewer than %d were enough: %+v", m, n, v)
			}
		}
	}
}
