package screen

import (
	"fmt"
	"strings"

	"github.com/charmbracelet/x/ansi"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/rollout"
)

// Table draws a line for each endpoint, and below it what somebody should look at.
func (p Painter) Table(all []Endpoint) string {
	s := &sheet{Painter: p}
	rows := [][]string{{"ENDPOINT", "SERVES", "CANDIDATE", "WEIGHT", "ROLLOUT"}}
	tones := []tone{dim}
	for _, e := range all {
		where, t := Standing(e.Record)
		candidate, weight := "", ""
		if c := e.Status.Candidate; c != nil {
			candidate, weight = Short(c.Revision.Digest), fmt.Sprintf("%d%%", e.Record.Weight)
		}
		rows = append(rows, []string{Clean(e.ID), Short(e.Status.Stable.Digest), candidate, weight, where})
		tones = append(tones, t)
	}
	s.columns(rows, tones)
	for _, e := range all {
		if note := attention(e); note != "" {
			s.blank()
			s.text("", "", e.ID+": "+note)
		}
	}
	return s.String()
}

// columns aligns rows. Where they do not fit beside each other, the first column has a line of its own.
func (s *sheet) columns(rows [][]string, tones []tone) {
	widths := make([]int, len(rows[0]))
	total := 0
	for i := range widths {
		for _, row := range rows {
			widths[i] = max(widths[i], ansi.StringWidth(row[i]))
		}
		total += widths[i] + 2
	}
	broken := total-2 > s.width()
	for n, row := range rows {
		var line strings.Builder
		for i, cell := range row {
			pad := strings.Repeat(" ", widths[i]+2-ansi.StringWidth(cell))
			if i == 0 && broken {
				s.lines = append(s.lines, s.paint(tones[n], cell))
				line.WriteString("  ")
				continue
			}
			if n == 0 || i == len(row)-1 {
				cell = s.paint(tones[n], cell)
			}
			line.WriteString(cell + pad)
		}
		s.lines = append(s.lines, strings.TrimRight(line.String(), " "))
	}
}

// attention is what a person has to know of an endpoint, "" where that is nothing.
func attention(e Endpoint) string {
	r := e.Record
	switch {
	case e.Status.Problem != "":
		return e.Status.Problem
	case r.Failure != nil:
		return r.Failure.Reason
	case r.Hold != "":
		return "held: " + r.Hold
	case r.Phase == rollout.AwaitingApproval && r.Approval == nil:
		return "waits for an approval"
	case !r.Phase.Final() && r.Runner == "" && !r.Staged:
		return "nobody drives its rollout"
	}
	return ""
}
