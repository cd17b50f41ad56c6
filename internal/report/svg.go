package report

import (
	"encoding/xml"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"
)

// Measures of the picture in pixels. A character's place is computed from cell, never left to
// the font, so that columns stand under each other whichever monospaced font there is.
const (
	cell       = 7.83 // a character at 13 px
	lineHeight = 19.0
	margin     = 22.0
	titleBar   = 36.0
	chartGap   = 28.0
	chartTall  = 168.0 // with its title and axis
)

// playing is how long the picture takes to tell its story; then it stands still.
const playing = 14 * time.Second

// SVG draws the story. Without animations, or for who asked for less motion, it shows the end.
func (s Story) SVG() []byte {
	columns, end := 80, time.Duration(0)
	for _, l := range s.Lines {
		columns = max(columns, utf8.RuneCountInString(l.Text()))
		end = max(end, l.At)
	}
	width := 2*margin + float64(columns)*cell
	terminal := titleBar + margin/2 + float64(len(s.Lines))*lineHeight + margin/2
	height := terminal
	if len(s.Charts) > 0 {
		height += chartTall
	}
	p := &picture{end: end}
	p.printf(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %.0f %.0f" width="%.0f" height="%.0f" role="img" aria-label="%s">`,
		width, height, width, height, escape(s.Title))
	p.printf("<style>%s</style>", css)
	p.printf(`<rect class="window" x="0.5" y="0.5" width="%.0f" height="%.0f" rx="10"/>`, width-1, height-1)
	for i, color := range []string{"#ff5f57", "#febc2e", "#28c840"} {
		p.printf(`<circle cx="%d" cy="18" r="6" fill="%s"/>`, 22+20*i, color)
	}
	p.printf(`<text class="dim" x="%.1f" y="22.5" text-anchor="middle">%s</text>`, width/2, escape(s.Title))
	for i, l := range s.Lines {
		p.line(l, titleBar+margin/2+float64(i)*lineHeight+14)
	}
	p.charts(s.Charts, terminal, width)
	p.printf("</svg>")
	return []byte(p.b.String())
}

// css uses GitHub's dark palette on a background of its own: it reads the same on a light page.
const css = `
text{font:13px ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;fill:#d1d9e0;white-space:pre}
.window{fill:#0d1117;stroke:#3d444d}
.strong{font-weight:700;fill:#f0f6fc}
.dim{fill:#9198a1}
.command{font-weight:700;fill:#79c0ff}
.good{fill:#56d364}
.bad{fill:#ff7b72}
.small{font-size:11px}
.axis{stroke:#3d444d;stroke-width:1}
.grid{stroke:#21262d;stroke-width:1}
.curve{fill:none;stroke-width:2.5;stroke-linejoin:round;stroke-dasharray:1}
.curve.good{stroke:#3fb950}
.curve.bad{stroke:#f85149}
.area.good{fill:#3fb95026}
.area.bad{fill:#f8514940}
@media (prefers-reduced-motion:no-preference){
.say{animation:say .25s backwards}
.curve{animation-name:draw;animation-timing-function:linear;animation-fill-mode:backwards}
@keyframes say{from{opacity:0}}
@keyframes draw{from{stroke-dashoffset:1}to{stroke-dashoffset:0}}
}
`

type picture struct {
	b   strings.Builder
	end time.Duration // of the story
}

func (p *picture) printf(format string, args ...any) {
	fmt.Fprintf(&p.b, format+"\n", args...)
}

// when returns the second of the picture's own time at which something happened.
func (p *picture) when(at time.Duration) float64 {
	if p.end <= 0 {
		return 0
	}
	return playing.Seconds() * float64(at) / float64(p.end)
}

func (p *picture) line(l Line, y float64) {
	if strings.TrimSpace(l.Text()) == "" {
		return
	}
	fmt.Fprintf(&p.b, `<text class="say" style="animation-delay:%.2fs" y="%.1f">`, p.when(l.At), y)
	column := 0
	for _, s := range l.Spans {
		// A span of its own for each word group keeps the columns after runs of blanks in place.
		for _, part := range parts(s.Text) {
			if strings.TrimSpace(part) != "" {
				fmt.Fprintf(&p.b, `<tspan x="%.1f"%s>%s</tspan>`, margin+float64(column)*cell, class(s.Style), escape(part))
			}
			column += utf8.RuneCountInString(part)
		}
	}
	p.b.WriteString("</text>\n")
}

// parts cuts text where two or more blanks end.
func parts(text string) []string {
	var cut []string
	start := 0
	for i := 2; i < len(text); i++ {
		if text[i] != ' ' && text[i-1] == ' ' && text[i-2] == ' ' {
			cut = append(cut, text[start:i])
			start = i
		}
	}
	return append(cut, text[start:])
}

func class(s Style) string {
	if s == Plain {
		return ""
	}
	return ` class="` + string(s) + `"`
}

// escape makes text safe in XML. Control characters, which XML cannot hold, become U+FFFD.
func escape(text string) string {
	var b strings.Builder
	if err := xml.EscapeText(&b, []byte(text)); err != nil {
		return "" // a Builder does not fail
	}
	return b.String()
}
