package gate

import (
	"fmt"
	"math"
	"sort"
	"strconv"
	"strings"
)

// counts says what both arms answered: "7 of 152 requests failed on the candidate (4.6%), 3 of
// 2,914 on stable (0.1%)", the shares only where asked for.
func counts(w Window, shares bool) string {
	c, s := w.Candidate, w.Stable
	if c.Requests == 0 { // and yet a verdict: a record edited by hand
		return "No candidate request was counted"
	}
	text := fmt.Sprintf("%s of %s failed on the candidate", Grouped(c.Bad), amount(c.Requests, "request"))
	if shares && c.Bad > 0 {
		text += " (" + percent(c.share()) + ")"
	}
	if s.Requests == 0 {
		return text + ", none was counted on stable"
	}
	text += fmt.Sprintf(", %s of %s on stable", Grouped(s.Bad), Grouped(s.Requests))
	if shares && s.Bad > 0 {
		text += " (" + percent(s.share()) + ")"
	}
	return text
}

// claim says what a pass of the margin shows.
func claim(m Margin) string {
	times := strconv.FormatFloat(m.Ratio, 'g', 6, 64)
	floor := strconv.FormatFloat(100*m.Floor, 'g', 6, 64)
	return fmt.Sprintf("less than %s times worse, or under %s%%", times, floor)
}

// share is the part of the arm's answers that is bad, 0 where it has none.
func (a Arm) share() float64 {
	if a.Requests == 0 {
		return 0
	}
	return float64(a.Bad) / float64(a.Requests)
}

// percent writes a share with two digits that mean something; one that is not quite all is not
// rounded to 100%.
func percent(share float64) string {
	p := 100 * share
	switch {
	case p > 99.9 && p < 100:
		return "over 99.9%"
	case p >= 99.5 && p < 100:
		return strconv.FormatFloat(p, 'f', 1, 64) + "%"
	case p >= 10:
		return strconv.FormatFloat(p, 'f', 0, 64) + "%"
	case p >= 0.1:
		return strings.TrimSuffix(strconv.FormatFloat(p, 'f', 1, 64), ".0") + "%"
	case p >= 0.001:
		return strconv.FormatFloat(p, 'g', 1, 64) + "%"
	}
	return "under 0.001%"
}

// Share writes a share, 0 to 1, in percent with the digits by which bounds that stand beside each other differ.
func Share(share float64) string {
	p := 100 * share
	switch {
	case p == 0 || p == 100:
		return fmt.Sprintf("%.0f%%", p)
	case p < 10:
		return fmt.Sprintf("%.2f%%", p)
	}
	return fmt.Sprintf("%.1f%%", p)
}

// odds writes an e-value, rounded down: what is just not enough does not look as if it were.
func odds(e float64) string {
	switch {
	case e > 1e6:
		return "over a million to 1"
	case e >= 10:
		return whole(e) + " to 1"
	case e >= 0.1:
		return strconv.FormatFloat(math.Floor(e*10)/10, 'f', 1, 64) + " to 1"
	}
	return "under 0.1 to 1"
}

// whole writes a number that is at least 1 without its fraction.
func whole(x float64) string {
	if x > 1e15 {
		return strconv.FormatFloat(x, 'g', 3, 64)
	}
	return Grouped(uint64(x))
}

// amount writes how many of something there are.
func amount(n uint64, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return Grouped(n) + " " + noun + "s"
}

// Grouped writes a number for people: 1,234,567.
func Grouped(n uint64) string {
	text := strconv.FormatUint(n, 10)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

// goodNeeded returns about how many more requests, all of them good, a candidate that
// waits needs to pass, if the comparison with stable says no more than it does now.
func goodNeeded(v Verdict) (uint64, bool) {
	const limit = 1 << 30
	a := v.Seen.Candidate
	now := number(logAbs(a, v.Margin.Floor))
	want := math.Log(now + 2*(v.PassNeeded-v.Pass)) // the two halves of the bet
	n := sort.Search(limit, func(n int) bool {
		return logAbs(a.plus(Arm{Requests: uint64(n)}), v.Margin.Floor) >= want
	})
	if n == 0 || n == limit {
		return 0, false
	}
	return rough(uint64(n)), true
}

// rough rounds up to a number that does not look more exact than an estimate is.
func rough(n uint64) uint64 {
	unit := uint64(1)
	switch {
	case n > 10 && n <= 100:
		unit = 5
	default:
		for n/unit > 100 {
			unit *= 10
		}
	}
	return (n + unit - 1) / unit * unit
}
