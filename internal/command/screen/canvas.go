package screen

import (
	"io"
	"strings"

	"github.com/charmbracelet/x/ansi"
)

// A Canvas is the end of a terminal's output, which is drawn again in place.
type Canvas struct {
	Out io.Writer
	// Size returns the terminal's columns and rows now.
	Size func() (columns, rows int)

	drawn []string // the lines below which the cursor stands
}

// Draw prints what stays, and below it a drawing in the place of the last one. Of a drawing that is higher
// than the terminal the end is cut: what has scrolled away could not be drawn again.
func (c *Canvas) Draw(stays []string, drawing string) error {
	columns, rows := c.Size()
	var b strings.Builder
	b.WriteString("\x1b[?2026h") // terminals that know it show the frame at once
	if n := height(c.drawn, columns); n > 0 {
		b.WriteString(strings.Repeat("\x1b[A", n) + "\r\x1b[J")
	}
	for _, line := range stays {
		b.WriteString(line + "\n")
	}
	lines := strings.Split(strings.TrimRight(drawing, "\n"), "\n")
	if drawing == "" {
		lines = nil
	}
	for len(lines) > 0 && height(lines, columns) >= max(rows, 2) {
		lines = lines[:len(lines)-1]
	}
	for _, line := range lines {
		b.WriteString(line + "\n")
	}
	b.WriteString("\x1b[?2026l")
	c.drawn = lines
	_, err := io.WriteString(c.Out, b.String())
	return err
}

// height is how many of the terminal's rows the lines take.
func height(lines []string, columns int) int {
	n := 0
	for _, line := range lines {
		n += 1 + max(ansi.StringWidth(line)-1, 0)/max(columns, 1)
	}
	return n
}
