package main

import (
	"context"
	"fmt"
	"time"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/gate"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/report"
)

// refuseBroken tries version 3, which fails where a value is missing.
func (d *demo) refuseBroken(ctx context.Context) error {
	t, err := d.refuse(ctx, "3", "errors", func(*traffic) []report.Span { return nil })
	if err != nil {
		return err
	}
	seen := d.users.Counts()
	if v := seen.Versions["3"]; v.Failed == 0 || seen.Failed != v.Failed {
		return fmt.Errorf("users saw %d failures, %d of them from version 3, which should be some and all", seen.Failed, v.Failed)
	}
	d.refused = append(d.refused, t)
	return nil
}

// refuseSlow tries version 4, which is right and takes its time.
func (d *demo) refuseSlow(ctx context.Context) error {
	t, err := d.refuse(ctx, "4", "latency", func(t *traffic) []report.Span {
		slow, usual := t.medians()
		return []report.Span{plain(fmt.Sprintf("  It failed nobody, and took %s in the middle; version 2 took %s.", brief(slow), brief(usual)))}
	})
	if err != nil {
		return err
	}
	if v := d.users.Counts().Versions["4"]; v.Failed > 0 || v.Accuracy() < 0.9 {
		return fmt.Errorf("version 4 was to be slow and right, and users saw %d failures and %s right", v.Failed, percent(v.Accuracy()))
	}
	d.refused = append(d.refused, t)
	return nil
}

// refuse tries a version that is not to be promoted. The apply must fail, and for the right reason.
func (d *demo) refuse(ctx context.Context, version, gate string, more func(*traffic) []report.Span) (*traffic, error) {
	t := d.watch(version)
	d.typed("apply -var model_version=" + version)
	began := d.elapsed()
	got, err := d.apply(ctx, version, d.live(version))
	if err != nil {
		return nil, err
	}
	d.watched.Store(nil)
	record, err := d.rollout(ctx)
	if err != nil {
		return nil, err
	}
	said, named := got.find("error", fmt.Sprintf("rolled back by gate %q", gate))
	if got.exit != 1 || !named {
		return nil, fmt.Errorf("the apply of version %s ended with exit code %d, want 1 and an error that names the gate %s:\n%s", version, got.exit, gate, got.text())
	}
	if f := record.Failure; record.Phase != "rolled back" || record.Weight != 0 || f == nil || f.Kind != "gate" || f.Gate != gate || !f.Rejected {
		return nil, fmt.Errorf("the rollout of version %s is %q at %d%% with failure %+v, want it rolled back by gate %s", version, record.Phase, record.Weight, f, gate)
	}
	before := d.users.Counts()
	after, err := d.watchUsers(ctx, 2*time.Second)
	if err != nil {
		return nil, err
	}
	if v := after.Versions["2"]; v.Requests != after.Requests || after.Failed > 0 {
		return nil, fmt.Errorf("after the rollback not all is answered by version 2: %+v", after)
	}
	d.steps(record)
	v := before.Versions[version]
	d.say(bad("  Rolled back"), plain(fmt.Sprintf(" %.1f s after version %s got its first request. Terraform exits with code 1:", v.Last.Sub(v.First).Seconds(), version)))
	d.quote(said, bad, 0, 2)
	if line := more(t); line != nil {
		d.say(line...)
	}
	d.chart(fmt.Sprintf("v%s's traffic, rolled back", version), record, false, began)
	return t, nil
}

// sumUp ends the traffic and says what users saw of all this.
func (d *demo) sumUp() error {
	c := d.users.Stop()
	broken, slow := c.Versions["3"], c.Versions["4"]
	if c.Failed != broken.Failed || c.Requests == 0 {
		return fmt.Errorf("users saw %d failures, of which only %d came from version 3; the last was %s", c.Failed, broken.Failed, c.Problem)
	}
	d.say()
	d.say(strong(gate.Grouped(c.Failed)+" of "+gate.Grouped(c.Requests)+" requests failed"), plain(fmt.Sprintf(", all among the %s that version 3 was given. %s were slow: version 4's.",
		gate.Grouped(broken.Requests), gate.Grouped(slow.Requests))))
	return nil
}

// brief writes a duration in milliseconds as people say it.
func brief(d time.Duration) string {
	return fmt.Sprintf("%.3g ms", float64(d)/float64(time.Millisecond))
}
