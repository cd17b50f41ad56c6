package command

import (
	"io"
	"os"
	"time"

	"golang.org/x/term"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/command/screen"
)

// isTerminal reports whether a person looks at out.
func isTerminal(out io.Writer) bool {
	f, ok := out.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// redraws reports whether out can be drawn again in place.
func redraws(out io.Writer) bool { return isTerminal(out) && os.Getenv("TERM") != "dumb" }

// painter draws for out: as wide as it is, in colors where a terminal has them and NO_COLOR does not forbid them.
func painter(out io.Writer) screen.Painter {
	p := screen.Painter{Now: time.Now(), Color: redraws(out) && os.Getenv("NO_COLOR") == ""}
	if isTerminal(out) {
		p.Width, _ = size(out)
	}
	return p
}

// size is the terminal's now. One that does not say is like a page of paper.
func size(out io.Writer) (columns, rows int) {
	if f, ok := out.(*os.File); ok {
		if columns, rows, err := term.GetSize(int(f.Fd())); err == nil && columns > 0 && rows > 0 {
			return columns, rows
		}
	}
	return 80, 24
}

func canvas(out io.Writer) *screen.Canvas {
	return &screen.Canvas{Out: out, Size: func() (int, int) { return size(out) }}
}
