package report

import (
	"math"
	"time"
)

// Evidence is how evidence of harm grows and shrinks over many rollouts, on a logarithmic scale.
type Evidence struct {
	Title  string
	Needed float64 // to roll back; more than 1
	Lines  []Course
}

// A Course is one rollout's. Alarm is the logarithm of the evidence over that of what is needed: 0 is none, 1 is
// enough.
type Course struct {
	At    []time.Duration
	Alarm []float64
	Bad   bool // the candidate does harm
}

// least is the lowest alarm that is drawn: a hundredth, where a hundred is needed.
const least = -1.0

// SVG draws the courses.
func (e Evidence) SVG() []byte {
	const tall = 260.0
	p := page(e.Title, tall+150)
	x := pageMargin
	for _, l := range []struct {
		class, text string
		wide        float64
	}{{"harmless", "the candidate is no different", 210}, {"harmful", "the candidate does harm", 0}} {
		p.printf(`<line class="%s" x1="%.0f" y1="50" x2="%.0f" y2="50"/>`, l.class, x, x+22)
		p.printf(`<text class="dim" x="%.0f" y="54">%s</text>`, x+30, l.text)
		x += 30 + l.wide
	}
	f := frame{left: pageMargin + axisWide + 12, top: 84, width: pageWide - 2*pageMargin - axisWide - 22, height: tall, seconds: 60}
	for _, l := range e.Lines {
		for _, at := range l.At {
			f.seconds = max(f.seconds, at.Seconds())
		}
	}
	y := func(alarm float64) float64 { return f.y(100 * (min(1, max(least, alarm)) - least) / (1 - least)) }
	for _, part := range []float64{-1, -0.5, 0, 0.5, 1} {
		p.printf(`<line class="grid" x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f"/>`, f.left, y(part), f.left+f.width, y(part))
		p.printf(`<text class="dim" x="%.1f" y="%.1f" text-anchor="end">%.4g to 1</text>`, f.left-8, y(part)+4, math.Pow(max(e.Needed, 1), part))
	}
	p.printf(`<line class="limit" x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f"/>`, f.left, y(1), f.left+f.width, y(1))
	p.printf(`<text class="bad" x="%.1f" y="%.1f" text-anchor="end">here it is rolled back</text>`, f.left+f.width, y(1)-7)
	for _, bad := range []bool{false, true} {
		for _, l := range e.Lines {
			if l.Bad == bad {
				p.course(l, f, y)
			}
		}
	}
	p.minutes(f)
	p.printf("</svg>")
	return []byte(p.b.String())
}

func (p *picture) course(l Course, f frame, y func(alarm float64) float64) {
	class := "harmless"
	if l.Bad {
		class = "harmful"
	}
	xs, ys := []float64{f.x(0)}, []float64{y(0)}
	for i := 0; i < len(l.At) && i < len(l.Alarm); i++ {
		xs, ys = append(xs, f.x(l.At[i].Seconds())), append(ys, y(l.Alarm[i]))
	}
	p.printf(`<path class="%s" d="%s"/>`, class, polyline(xs, ys))
	if n := min(len(l.At), len(l.Alarm)); n > 0 && l.Alarm[n-1] >= 1 {
		p.printf(`<circle class="bad" cx="%.1f" cy="%.1f" r="2.6"/>`, f.x(l.At[n-1].Seconds()), y(1))
	}
}
