package command

import (
	"fmt"
	"io"

	"github.com/tidegatehq/terraform-provider-tidegate/action"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/command/screen"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/endpoint"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/rollout"
)

// lines are those of new entries, as a terminal may be given them.
func lines(f *action.Follower, r rollout.Record) []string {
	all := f.Lines(r.History)
	for i, line := range all {
		all[i] = screen.Clean(line)
	}
	return all
}

// plain tells by lines.
func plain(out io.Writer) func(rollout.Record) error {
	var f action.Follower
	return func(r rollout.Record) error {
		for _, line := range lines(&f, r) {
			if _, err := fmt.Fprintln(out, line); err != nil {
				return err
			}
		}
		return nil
	}
}

// events tells by lines of JSON.
func events(out io.Writer, id string) func(rollout.Record) error {
	var f action.Follower
	return func(r rollout.Record) error {
		for _, h := range f.News(r.History) {
			if err := printJSON(out, eventView{"event", id, h.At, h.Phase, h.Weight, h.Sentence}, true); err != nil {
				return err
			}
		}
		return nil
	}
}

// live tells by lines that stay, and a drawing below them that is drawn again.
func live(out io.Writer, id string, st endpoint.Status) func(rollout.Record) error {
	var f action.Follower
	c := canvas(out)
	return func(r rollout.Record) error {
		drawing := ""
		if !r.Phase.Final() {
			drawing = painter(out).Progress(screen.Endpoint{ID: id, Status: st, Record: r})
		}
		return c.Draw(lines(&f, r), drawing)
	}
}
