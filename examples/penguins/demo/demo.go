package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"github.com/tidegatehq/terraform-provider-tidegate/examples/penguins/replay"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/gate"
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
	watched atomic.Pointer[traffic] // of the candidate on trial, nil for none
	refused []*traffic
	charts  []report.Chart
}

// endpoint is what the first apply put out.
type endpoint struct{ url, page, policy string }

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

// run tells the story: four versions, four applies, and what came of them; and how a workflow would have done it.
func (d *demo) run(ctx context.Context) error {
	if err := d.clean(ctx); err != nil {
		return err
	}
	if err := d.prepare(ctx); err != nil {
		return err
	}
	d.start() // the picture need not show how a compiler works
	d.say(strong("A better model goes in, a broken one and a slow one stay out"))
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
	if err := d.refuseSlow(ctx); err != nil {
		return err
	}
	if err := d.sumUp(); err != nil {
		return err
	}
	if err := d.compare(ctx); err != nil {
		return err
	}
	if err := d.pipeline(ctx); err != nil {
		return err
	}
	d.say()
	d.say(plain("Version 2 serves, and goes on: look at "+d.page+". To remove all: "), command("make demo-clean"))
	if d.record == "" {
		return nil
	}
	return d.picture(d.record)
}

// serveFirst brings version 1 up, and lets users in.
func (d *demo) serveFirst(ctx context.Context) error {
	d.typed("apply -var model_version=1")
	got, err := d.apply(ctx, "1", nil)
	if err != nil {
		return err
	}
	if got.exit != 0 {
		return fmt.Errorf("the first apply failed:\n%s", got.text())
	}
	outputs := struct{ URL, Page, Policy outputValue[string] }{}
	if err := d.tool.outputs(ctx, d.dir, &outputs); err != nil {
		return err
	}
	d.endpoint = endpoint{outputs.URL.Value, outputs.Page.Value, outputs.Policy.Value}
	d.users, err = replay.Start(context.WithoutCancel(ctx), replay.Config{
		URL: d.url, Model: "penguins", Rate: d.rate, Workers: 32, Seed: 1, Answered: d.answered,
	})
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
	d.say(plain("  The endpoint answers. Users send "), strong(gate.Grouped(uint64(float64(seen.Requests)/seen.Seconds))+" requests a second"),
		plain("; "+percent(seen.Accuracy())+" get the right species."))
	return nil
}

// promoteBetter rolls version 2 out.
func (d *demo) promoteBetter(ctx context.Context) error {
	before := d.users.Counts()
	d.typed("apply -var model_version=2")
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
		record.took().Seconds(), gate.Grouped(seen.Failed), gate.Grouped(seen.Requests), percent(after.Accuracy()))))
	d.chart("v2's traffic, promoted", record, true, began)
	return nil
}

// planAgain shows that Terraform knows what is not in place, and why.
func (d *demo) planAgain(ctx context.Context) error {
	d.typed("plan -var model_version=3")
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
			gate.Grouped(uint64(float64(second.Requests)/max(second.Seconds, 0.1))),
			gate.Grouped(all.Versions[version].Failed), gate.Grouped(all.Versions[version].Requests))
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
