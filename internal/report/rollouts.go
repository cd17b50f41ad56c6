package report

import (
	"fmt"
	"math"
	"strings"
	"time"
)

// A Rollout is what one rule did with a candidate: its weight over time, and how near it came to
// rolling it back.
type Rollout struct {
	Name    string // of the rule
	Outcome string // "rolled back after 5 min, 2,469 requests"
	Good    bool   // whether that was right
	Moments []Moment
	// After is the weight that users live with from the last moment on, percent.
	After int
}

// A Moment is the end of a window.
type Moment struct {
	At     time.Duration
	Weight int     // percent, in the window
	Alarm  float64 // 0 to 1, where 1 is a rollback
}

// Rollouts is a picture of several, one below the other on one scale of time.
type Rollouts struct {
	Title    string
	Horizon  time.Duration
	Rollouts []Rollout
}

// Measures of charts that stand on a page of their own, in pixels.
const (
	pageWide   = 880.0
	pageMargin = 24.0
	axisWide   = 52.0 // left of a plot, for its numbers
	rowTall    = 78.0
	rowGap     = 46.0 // above a plot, for its heading
	headTall   = 66.0 // title and legend
)

// chartCSS follows the reader's preference for light or dark, on a ground of its own.
const chartCSS = `
:root{--ground:#fff;--edge:#d1d9e0;--text:#1f2328;--dim:#59636e;--grid:#e4e8ec;--weight:#0969da;--alarm:#bc4c00;--good:#1a7f37;--bad:#cf222e}
@media (prefers-color-scheme:dark){:root{--ground:#0d1117;--edge:#3d444d;--text:#f0f6fc;--dim:#9198a1;--grid:#21262d;--weight:#58a6ff;--alarm:#f0883e;--good:#3fb950;--bad:#f85149}}
text{font:13px system-ui,-apple-system,"Segoe UI",Helvetica,Arial,sans-serif;fill:var(--text)}
.ground{fill:var(--ground);stroke:var(--edge)}
.title{font-size:16px;font-weight:600}
.name{font-weight:600}
.dim{fill:var(--dim);font-size:12px}
.good{fill:var(--good)}
.bad{fill:var(--bad)}
.grid{stroke:var(--grid)}
.axis{stroke:var(--edge)}
.area{fill:var(--weight);fill-opacity:.16}
.after{fill:var(--weight);fill-opacity:.07}
.weight{fill:none;stroke:var(--weight);stroke-width:2}
.later{stroke-dasharray:3 4}
.alarm{fill:none;stroke:var(--alarm);stroke-width:1.6;stroke-linejoin:round}
.harmless,.harmful{fill:none;stroke-width:1.2;stroke-linejoin:round;stroke-opacity:.55}
.harmless{stroke:var(--weight)}
.harmful{stroke:var(--bad)}
.limit{stroke:var(--bad);stroke-width:1.5;stroke-dasharray:6 4}
.bar{fill:var(--weight);fill-opacity:.75}
`

// page opens a chart of its own.
func page(title string, height float64) *picture {
	p := &picture{}
	p.printf(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %.0f %.0f" width="%.0f" height="%.0f" role="img" aria-label="%s">`,
		pageWide, height, pageWide, height, escape(title))
	p.printf("<style>%s</style>", chartCSS)
	p.printf(`<rect class="ground" x="0.5" y="0.5" width="%.0f" height="%.0f" rx="8"/>`, pageWide-1, height-1)
	p.printf(`<text class="title" x="%.0f" y="32">%s</text>`, pageMargin, escape(title))
	return p
}

// SVG draws the rollouts.
func (r Rollouts) SVG() []byte {
	height := headTall + float64(len(r.Rollouts))*(rowTall+rowGap) + 48
	p := page(r.Title, height)
	p.legend(54)
	end := max(r.Horizon, time.Minute)
	for i, one := range r.Rollouts {
		top := headTall + float64(i)*(rowTall+rowGap)
		f := frame{left: pageMargin + axisWide, top: top + rowGap, width: pageWide - 2*pageMargin - axisWide - 10, height: rowTall, seconds: end.Seconds()}
		p.rollout(one, f)
		if i == len(r.Rollouts)-1 {
			p.minutes(f)
		}
	}
	p.printf("</svg>")
	return []byte(p.b.String())
}

func (p *picture) legend(y float64) {
	x := pageMargin
	for _, l := range []struct {
		class, text string
		wide        float64
	}{{"weight", "share of users on the candidate", 220}, {"alarm", "how near a rollback is; at the top it happens", 0}} {
		p.printf(`<line class="%s" x1="%.0f" y1="%.0f" x2="%.0f" y2="%.0f"/>`, l.class, x, y-4, x+22, y-4)
		p.printf(`<text class="dim" x="%.0f" y="%.0f">%s</text>`, x+30, y, l.text)
		x += 30 + l.wide
	}
}

func (p *picture) rollout(r Rollout, f frame) {
	style := "bad"
	if r.Good {
		style = "good"
	}
	p.printf(`<text class="name" x="%.1f" y="%.1f">%s</text>`, f.left, f.top-12, escape(r.Name))
	p.printf(`<text class="%s" x="%.1f" y="%.1f" text-anchor="end">%s</text>`, style, f.left+f.width, f.top-12, escape(r.Outcome))
	for _, percent := range []float64{0, 50, 100} {
		p.printf(`<line class="grid" x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f"/>`, f.left, f.y(percent), f.left+f.width, f.y(percent))
		p.printf(`<text class="dim" x="%.1f" y="%.1f" text-anchor="end">%.0f%%</text>`, f.left-8, f.y(percent)+4, percent)
	}
	if len(r.Moments) == 0 {
		return
	}
	last := r.Moments[len(r.Moments)-1]
	path := weightPath(r.Moments, f)
	p.printf(`<path class="area" d="%s V%.1f H%.1f Z"/>`, path, f.y(0), f.x(0))
	p.printf(`<path class="weight" d="%s"/>`, path)
	end, after := f.x(last.At.Seconds()), f.y(float64(r.After))
	if r.After > 0 {
		p.printf(`<rect class="after" x="%.1f" y="%.1f" width="%.1f" height="%.1f"/>`, end, after, max(0, f.left+f.width-end), f.y(0)-after)
	}
	p.printf(`<path class="weight later" d="M%.1f %.1f V%.1f H%.1f"/>`, end, f.y(float64(last.Weight)), after, f.left+f.width)
	p.printf(`<path class="alarm" d="%s"/>`, alarmPath(r.Moments, f))
	p.printf(`<circle class="%s" cx="%.1f" cy="%.1f" r="4"/>`, style, end, after)
}

// weightPath is a line that jumps where the weight does. A weight holds for the window before its moment.
func weightPath(moments []Moment, f frame) string {
	var b strings.Builder
	fmt.Fprintf(&b, "M%.1f %.1f", f.x(0), f.y(float64(moments[0].Weight)))
	for i := 1; i < len(moments); i++ {
		if m := moments[i]; m.Weight != moments[i-1].Weight {
			fmt.Fprintf(&b, " H%.1f V%.1f", f.x(moments[i-1].At.Seconds()), f.y(float64(m.Weight)))
		}
	}
	fmt.Fprintf(&b, " H%.1f", f.x(moments[len(moments)-1].At.Seconds()))
	return b.String()
}

// alarmPath goes through the highest alarm of each pixel.
func alarmPath(moments []Moment, f frame) string {
	xs, ys := []float64{f.x(0)}, []float64{f.y(0)}
	for i := 0; i < len(moments); {
		x, most := int(f.x(moments[i].At.Seconds())), 0.0
		at := moments[i].At
		for ; i < len(moments) && int(f.x(moments[i].At.Seconds())) == x; i++ {
			at, most = moments[i].At, max(most, moments[i].Alarm)
		}
		xs, ys = append(xs, f.x(at.Seconds())), append(ys, f.y(100*min(1, max(0, most))))
	}
	return polyline(xs, ys)
}

// polyline goes through points; those amid others of the same height are left out.
func polyline(xs, ys []float64) string {
	const same = 0.05 // pixels
	var b strings.Builder
	for i := range xs {
		amid := i > 0 && i < len(xs)-1 && math.Abs(ys[i]-ys[i-1]) < same && math.Abs(ys[i]-ys[i+1]) < same
		switch {
		case i == 0:
			fmt.Fprintf(&b, "M%.1f %.1f", xs[i], ys[i])
		case !amid:
			fmt.Fprintf(&b, " L%.1f %.1f", xs[i], ys[i])
		}
	}
	return b.String()
}

// minutes writes the scale of time below the last row.
func (p *picture) minutes(f frame) {
	step := tick(f.seconds / 60)
	for m := 0.0; m <= f.seconds/60; m += step {
		p.printf(`<line class="axis" x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f"/>`, f.x(60*m), f.y(0), f.x(60*m), f.y(0)+5)
		p.printf(`<text class="dim" x="%.1f" y="%.1f" text-anchor="middle">%g min</text>`, f.x(60*m), f.y(0)+21, m)
	}
}
