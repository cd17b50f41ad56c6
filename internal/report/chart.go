package report

import (
	"fmt"
	"math"
	"strings"
	"time"
)

// charts draws panels side by side below top. They share one time scale: a short trial looks short.
func (p *picture) charts(charts []Chart, top, width float64) {
	if len(charts) == 0 {
		return
	}
	longest := 5 * time.Second
	for _, c := range charts {
		for _, point := range c.Points {
			longest = max(longest, point.At)
		}
	}
	p.printf(`<line class="axis" x1="1" y1="%.1f" x2="%.1f" y2="%.1f"/>`, top, width-1, top)
	wide := (width - 2*margin - chartGap*float64(len(charts)-1)) / float64(len(charts))
	for i, c := range charts {
		f := frame{left: margin + float64(i)*(wide+chartGap) + 34, top: top + 44, width: wide - 34, height: 84, seconds: longest.Seconds()}
		p.panel(c, f)
	}
}

// A frame maps seconds and percent to pixels.
type frame struct{ left, top, width, height, seconds float64 }

func (f frame) x(seconds float64) float64 { return f.left + f.width*seconds/f.seconds }
func (f frame) y(percent float64) float64 { return f.top + f.height*(1-percent/100) }

func (p *picture) panel(c Chart, f frame) {
	style := Bad
	if c.Good {
		style = Good
	}
	p.printf(`<text class="%s" x="%.1f" y="%.1f">%s</text>`, style, f.left-34, f.top-18, escape(c.Title))
	for _, percent := range []float64{0, 50, 100} {
		p.printf(`<line class="grid" x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f"/>`, f.left, f.y(percent), f.left+f.width, f.y(percent))
		p.printf(`<text class="small dim" x="%.1f" y="%.1f" text-anchor="end">%.0f%%</text>`, f.left-6, f.y(percent)+4, percent)
	}
	for second := 0.0; second <= f.seconds; second += tick(f.seconds) {
		p.printf(`<line class="axis" x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f"/>`, f.x(second), f.y(0), f.x(second), f.y(0)+4)
		p.printf(`<text class="small dim" x="%.1f" y="%.1f" text-anchor="middle">%.0f s</text>`, f.x(second), f.y(0)+18, second)
	}
	if len(c.Points) == 0 {
		return
	}
	path, last := steps(c.Points, f)
	p.printf(`<path class="area %s say" style="animation-delay:%.2fs" d="%s L%.1f %.1f L%.1f %.1f Z"/>`, style,
		p.when(c.To), path, f.x(last), f.y(0), f.x(c.Points[0].At.Seconds()), f.y(0))
	p.printf(`<path class="curve %s" pathLength="1" style="animation-delay:%.2fs;animation-duration:%.2fs" d="%s"/>`, style,
		p.when(c.From), max(0.1, p.when(c.To)-p.when(c.From)), path)
	end := c.Points[len(c.Points)-1]
	p.printf(`<circle class="%s say" style="animation-delay:%.2fs" cx="%.1f" cy="%.1f" r="4"/>`, style,
		p.when(c.To), f.x(last), f.y(float64(end.Weight)))
}

// steps returns the path of the weights, and the second at which it ends.
func steps(points []Point, f frame) (path string, last float64) {
	var b strings.Builder
	for i, point := range points {
		last = point.At.Seconds()
		x, y := f.x(last), f.y(float64(point.Weight))
		if i == 0 {
			fmt.Fprintf(&b, "M%.1f %.1f", x, y)
			continue
		}
		fmt.Fprintf(&b, " H%.1f V%.1f", x, y)
	}
	return b.String(), last
}

// tick returns the seconds between marks: 1, 2 or 5 times a power of ten, at most 7 marks.
func tick(seconds float64) float64 {
	power := math.Pow(10, math.Floor(math.Log10(seconds/7)))
	for _, step := range []float64{1, 2, 5} {
		if seconds/(step*power) <= 7 {
			return step * power
		}
	}
	return 10 * power
}
