package report

import (
	"fmt"
	"math"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/gate"
)

// Bars compare numbers that differ by orders of magnitude, on a logarithmic scale.
type Bars struct {
	Title string
	Unit  string // below the scale
	Bars  []Bar
}

// A Bar is one number. What is below 1 is drawn as 1.
type Bar struct {
	Name  string
	Value float64
	Note  string // behind its end, "rolled back 100%"
	Good  bool   // colors the note
}

const (
	barTall = 22.0
	barGap  = 14.0
	nameBar = 150.0 // left of the bars
	noteBar = 250.0 // right of the longest
)

// SVG draws the bars.
func (b Bars) SVG() []byte {
	top := 52.0
	bottom := top + float64(len(b.Bars))*(barTall+barGap)
	p := page(b.Title, bottom+56)
	left, wide := pageMargin+nameBar, pageWide-2*pageMargin-nameBar-noteBar
	decades := 1.0
	for _, bar := range b.Bars {
		decades = max(decades, math.Ceil(math.Log10(max(1, bar.Value))-1e-9))
	}
	x := func(v float64) float64 { return left + wide*math.Log10(max(1, v))/decades }
	for d := 0.0; d <= decades; d++ {
		at := x(math.Pow(10, d))
		p.printf(`<line class="grid" x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f"/>`, at, top-6, at, bottom)
		p.printf(`<text class="dim" x="%.1f" y="%.1f" text-anchor="middle">%s</text>`, at, bottom+18, power(d))
	}
	p.printf(`<text class="dim" x="%.1f" y="%.1f" text-anchor="middle">%s</text>`, left+wide/2, bottom+40, escape(b.Unit))
	for i, bar := range b.Bars {
		y := top + float64(i)*(barTall+barGap)
		style := "bad"
		if bar.Good {
			style = "good"
		}
		p.printf(`<text class="name" x="%.1f" y="%.1f" text-anchor="end">%s</text>`, left-12, y+barTall/2+4.5, escape(bar.Name))
		p.printf(`<rect class="bar" x="%.1f" y="%.1f" width="%.1f" height="%.1f" rx="3"/>`, left, y, max(1.5, x(bar.Value)-left), barTall)
		p.printf(`<text x="%.1f" y="%.1f">%s <tspan class="%s" dx="6">%s</tspan></text>`,
			x(bar.Value)+8, y+barTall/2+4.5, gate.Grouped(uint64(math.RoundToEven(bar.Value))), style, escape(bar.Note))
	}
	p.printf("</svg>")
	return []byte(p.b.String())
}

// power writes a power of ten: 1, 100, 10k, 1M.
func power(decade float64) string {
	units := []string{"", "k", "M", "G", "T"}
	i := min(int(decade)/3, len(units)-1)
	return fmt.Sprintf("%.0f%s", math.Pow(10, decade-3*float64(i)), units[i])
}
