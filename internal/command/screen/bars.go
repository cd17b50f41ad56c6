package screen

import (
	"math"
	"strings"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/gate"
)

// bar fills a share of cells.
func (p Painter) bar(share float64, cells int, full tone) string {
	n := int(math.Round(min(max(share, 0), 1) * float64(cells)))
	if n == 0 && share > 0 {
		n = 1 // a little is not nothing
	}
	if n == cells && share < 1 {
		n-- // nor is nearly all everything
	}
	return p.paint(full, strings.Repeat("█", n)) + p.paint(dim, strings.Repeat("░", cells-n))
}

// toward is how far evidence is from 1, which is none, to what is needed: by its logarithm, as evidence
// multiplies.
func toward(value, needed float64) float64 {
	if !(value > 1) || !(needed > 1) {
		return 0
	}
	return min(1, math.Log(value)/math.Log(needed))
}

// interval draws a share with its bounds on a scale from 0 to most.
func (p Painter) interval(i gate.Interval, most float64, cells int, t tone) string {
	at := func(share float64) int {
		if !(most > 0) || !(share > 0) {
			return 0
		}
		return min(int(share/most*float64(cells-1)+.5), cells-1)
	}
	low, high, mid := at(i.Low), at(i.High), at(i.Estimate)
	var b strings.Builder
	for c := range cells {
		switch {
		case c == mid:
			b.WriteString(p.paint(t, "●"))
		case c >= low && c <= high:
			b.WriteString(p.paint(t, "━"))
		default:
			b.WriteString(p.paint(dim, "·"))
		}
	}
	return b.String()
}
