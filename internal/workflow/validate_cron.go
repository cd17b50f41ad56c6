package workflow

import (
	"slices"
	"strings"
	"time"

	"github.com/robfig/cron/v3"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/pipeline"
)

// cron looks at a time that starts a workflow.
func (c *checker) cron(where at, s string) {
	const want = `want five fields, minute, hour, day of the month, month and day of the week, with single spaces between them, in UTC, such as "17 5 * * *"`
	fields := strings.Fields(s)
	if !c.line(where, s, 200) {
		return
	}
	if len(fields) != 5 || strings.Join(fields, " ") != s || strings.Contains(s, "?") || strings.Contains(s, "=") {
		c.bad(where, "This is no cron of GitHub", "%s has %q: %s.", where.name(), s, want)
		return
	}
	schedule, err := cron.ParseStandard(s)
	if err != nil {
		c.bad(where, "This is no cron", "%s has %q: %v: %s.", where.name(), s, err, want)
		return
	}
	// A fixed beginning, that the same text is always the same; a leap year is among the next five.
	last := schedule.Next(time.Date(2025, time.January, 1, 0, 0, 0, 0, time.UTC))
	if last.IsZero() {
		c.bad(where, "This cron never fires", "%s has %q: there is no such day. Want a day that some month has.", where.name(), s)
		return
	}
	for range 1500 { // a day of minutes
		next := schedule.Next(last)
		if next.IsZero() {
			return
		}
		if next.Sub(last) < 5*time.Minute {
			c.bad(where, "GitHub does not run that often", "%s has %q, which fires within %s: want at least 5 minutes in between.", where.name(), s, next.Sub(last))
			return
		}
		last = next
	}
}

func (c *checker) triggers() {
	t := c.s.Triggers
	c.patterns(at{"triggers", "push"}, t.Push)
	for i, s := range t.Schedule {
		where := at{"triggers", "schedule", i}
		c.cron(where, s)
		switch {
		case slices.Index(t.Schedule, s) < i:
			c.bad(where, "A time is named twice", "schedule has %q twice: leave one out.", s)
		case c.s.Monitor != nil && c.s.Monitor.Schedule == s:
			c.bad(where, "Two things have the same time",
				"schedule has %q, and so has monitor: by its time the workflow tells which it is to do. Move one by a minute.", s)
		}
	}
}

// monitor looks at what is looked at.
func (c *checker) monitor(m *pipeline.Monitor) {
	where := at{"monitor"}
	c.stage(where, m.Stage)
	c.script(where.in("run"), m.Run, false)
	c.cron(where.in("schedule"), m.Schedule)
	watched := 0
	for i, d := range c.s.Deploys {
		if d.ImageVariable == "" {
			watched++
			continue
		}
		c.warn(at{"deploy", i, "image_variable"}, "This deploy is not monitored",
			"deploy %q gets the digest of what was packaged by image_variable, and the monitor packages nothing: it cannot plan that root.", d.Name)
	}
	if watched == 0 && m.Run == "" {
		c.bad(where, "There is nothing to monitor", "monitor plans the roots of deploys that have no image_variable, and there are none: add such a deploy, or set run, a script.")
	}
}
