package action

import (
	"fmt"
	"io"
	"strings"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/terraform"
)

var signs = map[terraform.Action]string{
	terraform.Delete: "-", terraform.Replace: "-/+", terraform.Update: "~", terraform.Create: "+",
	terraform.Forget: ".", terraform.Read: "<=", terraform.NoOp: " ",
}

// changes prints a plan for a terminal: what is sensitive is not in it.
func (s *Stage) changes(p terraform.Plan) {
	for _, c := range p.Changes {
		title := c.Address
		if c.Previous != "" {
			title = c.Previous + " -> " + c.Address
		}
		if c.Imported != "" {
			title += ", imported as " + c.Imported
		}
		s.line("%s %s", signs[c.Action], title)
		for _, note := range c.Note {
			s.line("      %s", note)
		}
		for _, a := range c.Attributes {
			s.line("      %s: %s -> %s%s", a.Path, shown(a.Before), shown(a.After), forces(a))
		}
	}
	for _, o := range p.Outputs {
		s.line("%s output %s: %s -> %s", signs[o.Action], o.Name, shown(o.Before), shown(o.After))
	}
}

// line prints a line in which nothing of others breaks it, or moves the cursor.
func (s *Stage) line(format string, args ...any) {
	_, _ = io.WriteString(s.log, oneLine(fmt.Sprintf(format, args...))+"\n")
}

// oneLine is text of others that breaks no line and moves no cursor.
func oneLine(text string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 {
			return '\uFFFD'
		}
		return r
	}, text)
}

// shown is a value in a line.
func shown(v terraform.Value) string {
	switch v.Kind {
	case terraform.Absent:
		return "null"
	case terraform.Unknown:
		return "(known after apply)"
	case terraform.Sensitive:
		return "(sensitive)"
	case terraform.Known:
	}
	const most = 120
	text := []rune(strings.ReplaceAll(v.Text, "\n", "\\n"))
	if len(text) > most {
		return string(text[:most]) + "..."
	}
	return string(text)
}

func forces(a terraform.Attribute) string {
	if a.Forces {
		return " (forces replacement)"
	}
	return ""
}
