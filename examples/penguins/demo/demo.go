package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/tidegatehq/terraform-provider-tidegate/examples/penguins/replay"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/report"
)

type options struct {
	dir    string  // below the project's folder
	rate   float64 // requests a second
	record string  // SVG file, "" for none
}

// A demo is one run of the story in a work folder of its own.
type demo struct {
	*teller
	options
	project string // the module's folder
	dir     string // the work folder, absolute
	tool    terraform
	users   *replay.Player // nil until somebody answers
	endpoint
	charts []report.Chart
}

// endpoint is what the first apply put out.
type endpoint struct{ url, page string }

func newDemo(o options, t *teller) (*demo, error) {
	project, err := projectFolder()
	if err != nil {
		return nil, err
	}
	// The folder is removed with all that is in it.
	if !filepath.IsLocal(o.dir) || filepath.Clean(o.dir) == "." {
		return nil, fmt.Errorf("work folder %q: want a path below %s", o.dir, project)
	}
	dir := filepath.Join(project, o.dir)
	tool, err := findTerraform(dir)
	if err != nil {
		return nil, err
	}
	return &demo{teller: t, options: o, project: project, dir: dir, tool: tool}, nil
}

// run tells the story: three versions, three applies, and what came of them.
func (d *demo) run(ctx context.Context) error {
	if err := d.clean(ctx); err != nil {
		return err
	}
	if err := d.prepare(ctx); err != nil {
		return err
	}
	d.start() // the picture need not show how a compiler works
	d.say(strong("A better model goes in, a broken one stays out"))
	if err := d.trainAll(ctx); err != nil {
		return err
	}
	if err := d.serveFirst(ctx); err != nil {
		return err
	}
	defer d.users.Stop()
	if err := d.promoteBetter(ctx); err != nil {
		return err
	}
	if err := d.refuseBroken(ctx); err != nil {
		return err
	}
	if err := d.planAgain(ctx); err != nil {
		return err
	}
	return d.sumUp()
}

// serveFirst brings version 1 up, and lets users in.
func (d *demo) serveFirst(ctx context.Context) error {
	d.typed("apply", "1")
	got, err := d.apply(ctx, "1", nil)
	if err != nil {
		return err
	}
	if got.exit != 0 {
		return fmt.Errorf("the first apply failed:\n%s", got.text())
	}
	outputs := struct{ URL, Page outputValue[string] }{}
	if err := d.tool.outputs(ctx, d.dir, &outputs); err != nil {
		return err
	}
	d.url, d.page = outputs.URL.Value, outputs.Page.Value
	d.users, err = replay.Start(context.WithoutCancel(ctx), replay.Config{URL: d.url, Model: "penguins", Rate: d.rate, Workers: 32, Seed: 1})
	if err != nil {
		return err
	}
	d.say(plain("  Weights and gates, live: "), command(d.page))
	// Users are there before anything is changed under them.
	seen, err := d.watchUsers(ctx, 2*time.Second)
	if err != nil {
		return err
	}
	if seen.Versions["1"].Requests == 0 || seen.Failed > 0 {
		return fmt.Errorf("version 1 does not serve well: %+v", seen)
	}
	d.say(plain("  The endpoint answers. Users send "), strong(count(uint64(float64(seen.Requests)/seen.Seconds))+" requests a second"),
		plain("; "+percent(seen.Accuracy())+" get the right species."))
	return nil
}

// promoteBetter rolls version 2 out.
func (d *demo) promoteBetter(ctx context.Context) error {
	before := d.users.Counts()
	d.typed("apply", "2")
	began := d.elapsed()
	got, err := d.apply(ctx, "2", d.live("2"))
	if err != nil {
		return err
	}
	if got.exit != 0 {
		return fmt.Errorf("version 2 was not promoted:\n%s", got.text())
	}
	record, err := d.rollout(ctx)
	if err != nil {
		return err
	}
	if record.Phase != "promoted" || record.Weight != 100 {
		return fmt.Errorf("after an apply without an error the rollout is %q at %d%%, want promoted at 100%%", record.Phase, record.Weight)
	}
	after, err := d.watchUsers(ctx, time.Second)
	if err != nil {
		return err
	}
	if v := after.Versions["2"]; v.Requests != after.Requests || after.Failed > 0 {
		return fmt.Errorf("after the promotion not all is answered by version 2: %+v", after)
	}
	seen := d.users.Counts().Since(before)
	if seen.Failed > 0 {
		return fmt.Errorf("%d requests failed while version 2 was promoted, the last with %s", seen.Failed, seen.Problem)
	}
	d.steps(record)
	d.say(good("  Promoted"), plain(fmt.Sprintf(" after %.0f s: %s of %s requests failed, and %s get the right species now.",
		record.took().Seconds(), count(seen.Failed), count(seen.Requests), percent(after.Accuracy()))))
	d.chart("v2's share of traffic, until promoted", record, true, began)
	return nil
}

// refuseBroken tries version 3. The apply must fail, and for the right reason.
func (d *demo) refuseBroken(ctx context.Context) error {
	d.typed("apply", "3")
	began := d.elapsed()
	got, err := d.apply(ctx, "3", d.live("3"))
	if err != nil {
		return err
	}
	record, err := d.rollout(ctx)
	if err != nil {
		return err
	}
	said, named := got.find("error", `rolled back by gate "errors"`)
	if got.exit != 1 || !named {
		return fmt.Errorf("the apply of version 3 ended with exit code %d, want 1 and an error that names the gate:\n%s", got.exit, got.text())
	}
	if f := record.Failure; record.Phase != "rolled back" || record.Weight != 0 || f == nil || f.Kind != "gate" || f.Gate != "errors" || !f.Rejected {
		return fmt.Errorf("the rollout of version 3 is %q at %d%% with failure %+v, want it rolled back by gate errors", record.Phase, record.Weight, f)
	}
	before := d.users.Counts()
	if v := before.Versions["3"]; v.Failed == 0 || before.Failed != v.Failed {
		return fmt.Errorf("users saw %d failures, %d of them from version 3, which should be some and all", before.Failed, v.Failed)
	}
	after, err := d.watchUsers(ctx, 2*time.Second)
	if err != nil {
		return err
	}
	if v := after.Versions["2"]; v.Requests != after.Requests || after.Failed > 0 {
		return fmt.Errorf("after the rollback not all is answered by version 2: %+v", after)
	}
	d.steps(record)
	v := before.Versions["3"]
	d.say(bad("  Rolled back"), plain(fmt.Sprintf(" %.1f s after version 3 got its first request. Terraform exits with code 1:", v.Last.Sub(v.First).Seconds())))
	d.quote(said, bad, 0, 2)
	d.chart("v3's share of traffic, until rolled back", record, false, began)
	return nil
}

// planAgain shows that Terraform knows what is not in place, and why.
func (d *demo) planAgain(ctx context.Context) error {
	d.typed("plan", "3")
	got, err := d.tool.run(ctx, d.dir, "plan", "-json", "-input=false", "-detailed-exitcode", "-var", "model_version=3")
	if err != nil {
		return err
	}
	said, named := got.find("warning", "has rejected this model")
	if got.exit != 2 || !named {
		return fmt.Errorf("the plan of the rejected version ended with exit code %d, want 2 (there is a difference) and a warning that says why:\n%s", got.exit, got.text())
	}
	d.quote(said, strong, 1)
	return nil
}

// sumUp ends the traffic and says what users saw of all this.
func (d *demo) sumUp() error {
	c := d.users.Stop()
	v := c.Versions["3"]
	if c.Failed != v.Failed || c.Requests == 0 {
		return fmt.Errorf("users saw %d failures, of which only %d came from version 3; the last was %s", c.Failed, v.Failed, c.Problem)
	}
	d.say()
	d.say(strong(count(c.Failed)+" of "+count(c.Requests)+" requests failed"), plain(", all among the "+count(v.Requests)+" that version 3 was given."))
	d.say(plain("Version 2 serves, and goes on: look at "+d.page+". To remove all: "), command("make demo-clean"))
	if d.record == "" {
		return nil
	}
	return d.picture(d.record)
}

// picture writes what was told as an SVG file, for the README.
func (d *demo) picture(path string) error {
	f, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("record the demo: %w", err)
	}
	_, err = f.Write(report.Story{Title: "make demo", Lines: d.lines, Charts: d.charts}.SVG())
	if err := errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("record the demo: %w", err)
	}
	return nil
}

// apply runs terraform apply for a version, with a line on the terminal that shows how it goes.
func (d *demo) apply(ctx context.Context, version string, live func() string) (result, error) {
	if live == nil {
		live = func() string { return "terraform apply" }
	}
	var got result
	err := d.during(live, func() (err error) {
		got, err = d.tool.run(ctx, d.dir, "apply", "-json", "-input=false", "-auto-approve", "-var", "model_version="+version)
		return err
	})
	return got, err
}

// watchUsers returns what users saw in the next while.
func (d *demo) watchUsers(ctx context.Context, while time.Duration) (replay.Counts, error) {
	before := d.users.Counts()
	select {
	case <-ctx.Done():
		return replay.Counts{}, context.Cause(ctx)
	case <-time.After(while):
		return d.users.Counts().Since(before), nil
	}
}

// live returns what users see of a version now, for the terminal.
func (d *demo) live(version string) func() string {
	began, last, at := d.users.Counts(), d.users.Counts(), time.Now()
	line := "terraform apply"
	return func() string {
		if time.Since(at) < time.Second {
			return line
		}
		now := d.users.Counts()
		second, all := now.Since(last), now.Since(began)
		last, at = now, time.Now()
		line = fmt.Sprintf("version %s answers %s of %s requests a second; %s of its %s failed", version,
			percent(float64(second.Versions[version].Requests)/max(1, float64(second.Requests))),
			count(uint64(float64(second.Requests)/max(second.Seconds, 0.1))),
			count(all.Versions[version].Failed), count(all.Versions[version].Requests))
		return line
	}
}

// projectFolder finds the module that this program belongs to, from the working folder upwards.
func projectFolder() (string, error) {
	folder, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		b, err := os.ReadFile(filepath.Join(folder, "go.mod"))
		if err == nil && strings.HasPrefix(string(b), "module github.com/tidegatehq/terraform-provider-tidegate\n") {
			return folder, nil
		}
		if folder == filepath.Dir(folder) {
			return "", errors.New("run the demo inside Tidegate's source tree: no go.mod of its is here or above")
		}
		folder = filepath.Dir(folder)
	}
}
