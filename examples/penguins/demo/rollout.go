package main

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/report"
)

// A record is what the data source tidegate_rollout says of a rollout.
type record struct {
	Phase   string
	Weight  int
	Gates   []struct{ Name, Sentence string }
	Failure *struct {
		Kind, Gate, Reason string
		Rejected           bool
	}
	History []entry
}

type entry struct {
	At       time.Time
	Weight   int
	Sentence string
}

// rollout asks by Terraform, from a root of its own, as a pipeline would.
func (d *demo) rollout(ctx context.Context) (record, error) {
	status := filepath.Join(d.dir, "status")
	var outputs struct{ Rollout outputValue[record] }
	err := d.during(func() string { return "reading the rollout's record" }, func() error {
		got, err := d.tool.run(ctx, status, "apply", "-json", "-input=false", "-auto-approve")
		if err != nil {
			return err
		}
		if got.exit != 0 {
			return fmt.Errorf("read the rollout's record:\n%s", got.text())
		}
		return d.tool.outputs(ctx, status, &outputs)
	})
	return outputs.Rollout.Value, err
}

// took is the time from the candidate's staging to the end.
func (r record) took() time.Duration {
	if len(r.History) == 0 {
		return 0
	}
	return r.History[len(r.History)-1].At.Sub(r.History[0].At)
}

// changes returns the entries at which the weight changed, and the last.
func (r record) changes() []entry {
	var changed []entry
	for i, e := range r.History {
		if i == 0 || e.Weight != r.History[i-1].Weight || i == len(r.History)-1 {
			changed = append(changed, e)
		}
	}
	return changed
}

// steps tells how the weight rose, at the times at which it did, and on what evidence.
func (d *demo) steps(r record) {
	for _, e := range r.changes() {
		if e.Weight == 0 {
			continue
		}
		what := e.Sentence
		if _, evidence, ok := strings.Cut(what, ": "); ok {
			what = evidence
		}
		d.sayAt(e.At, plain(fmt.Sprintf("  %3d%%  ", e.Weight)), dim(what))
	}
}

// chart keeps the weights for the picture.
func (d *demo) chart(title string, r record, promoted bool, from time.Duration) {
	c := report.Chart{Title: title, Good: promoted, From: from, To: d.elapsed()}
	for _, e := range r.changes() {
		c.Points = append(c.Points, report.Point{At: e.At.Sub(r.History[0].At), Weight: e.Weight})
	}
	d.charts = append(d.charts, c)
}
