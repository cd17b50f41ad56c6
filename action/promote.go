package action

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/endpoint"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/engine"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/gate"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/report"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/rollout"
)

// A promotion drives the staged rollouts of one root, one after the other. What is not promoted ends it: the others
// stay as they are.
type promotion struct {
	*Stage
	in      Inputs
	root    string // absolute
	engines *engine.Engines
	targets []target
	endings []Ending
}

// A target is an endpoint that is to be promoted.
type target struct {
	id        string
	endpoints endpoint.Engine
}

// Promote drives staged rollouts to their ends.
func Promote(ctx context.Context, s *Stage, in Inputs) (Outcome, error) {
	if in.Timeout > 0 {
		limited, cancel := context.WithTimeout(ctx, in.Timeout)
		defer cancel()
		ctx = limited
	}
	p := &promotion{Stage: s, in: in, root: filepath.Join(s.Dir, filepath.FromSlash(in.Roots[0]))}
	p.Output("promoted", "[]") // until it is known better
	if err := p.open(ctx); err != nil {
		return ended(ctx, err), err
	}
	out, err := p.drive(ctx)
	p.tell()
	return out, err
}

// open finds all endpoints before the first of them is driven: a name that is wrong changes nothing.
func (p *promotion) open(ctx context.Context) error {
	if _, err := os.Stat(p.root); err != nil {
		return fmt.Errorf("root %s: %w", p.in.Roots[0], err)
	}
	file, err := engine.FindFile(p.root, "")
	if err != nil {
		return err
	}
	c, err := engine.Resolve(p.root, engine.Config{}, file)
	if err != nil {
		return err
	}
	exe, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find this program, which is the engine too: %w", err)
	}
	p.engines = engine.Open(c, engine.Program{Version: p.Version, Command: []string{exe, "engine", "run"}})
	names := p.in.Endpoints
	if !p.in.Named {
		if names, err = p.staged(ctx); err != nil {
			return err
		}
	}
	for _, name := range names {
		id, endpoints, err := Meant(ctx, p.engines, name)
		if err != nil {
			return err
		}
		p.targets = append(p.targets, target{id, endpoints})
	}
	return nil
}

// staged are the endpoints with a staged rollout that is not over.
func (p *promotion) staged(ctx context.Context) ([]string, error) {
	all, err := p.engines.Endpoints(ctx)
	if err != nil {
		return nil, err
	}
	var ids []string
	for _, e := range all {
		if e.Record.Staged && !e.Record.Phase.Final() {
			ids = append(ids, e.ID)
		}
	}
	return ids, nil
}

// drive drives one after the other.
func (p *promotion) drive(ctx context.Context) (Outcome, error) {
	runner := WhoAmI("", p.getenv).Runner()
	for _, t := range p.targets {
		if ctx.Err() != nil {
			return Cancelled, fmt.Errorf("promote %s: %w: nothing was changed on it", t.id, context.Cause(ctx))
		}
		p.Say("%s", oneLine("Promote "+t.id))
		e, err := Drive{
			ID: t.id, Endpoints: t.endpoints, OnCancel: p.in.OnCancel, NoWait: p.in.NoWait, Runner: runner,
			Tell: func(endpoint.Status) *Teller { return NewTeller(p.progress()) },
		}.Run(ctx)
		if err != nil {
			e.Endpoint, e.Outcome, e.Message = t.id, ended(ctx, err), fmt.Sprintf("Cannot promote %s: %v", t.id, err)
		}
		if e.Idle && e.Record.Phase == "" {
			// The first model of an endpoint has nothing to be compared with, and is not staged.
			e.Outcome, e.Message = Done, fmt.Sprintf("Nothing is staged on %s, which never had a rollout.", t.id)
		}
		p.endings = append(p.endings, e)
		if e.Outcome != Done {
			p.alarm(e.title(), e.Message)
			return e.Outcome, nil
		}
		p.Say("%s", oneLine(e.Message))
	}
	return Done, nil
}

// title says in some words what came of an endpoint that was not promoted.
func (e Ending) title() string {
	switch e.Word {
	case TakenOff:
		return e.Endpoint + " was rolled back"
	case Waiting:
		return e.Endpoint + " waits for an approval"
	case Frozen:
		return e.Endpoint + " is frozen"
	}
	return e.Endpoint + " was not promoted"
}

// quietFor is how long a log may show nothing new of a rollout that goes on.
const quietFor = 30 * time.Second

// progress tells each transition in a line and, where there is none for long, what the gates wait for.
func (p *promotion) progress() func(rollout.Record) error {
	var f Follower
	last := time.Now()
	return func(r rollout.Record) error {
		lines := f.Lines(r.History)
		if len(lines) == 0 && time.Since(last) > quietFor && !r.Phase.Final() {
			lines = []string{fmt.Sprintf("%s %d%% %s. %s", clock(time.Now()), r.Weight, r.Phase, awaited(r.Verdicts))}
		}
		for _, line := range lines {
			last = time.Now()
			p.Say("%s", oneLine(line))
		}
		return nil
	}
}

// awaited is the word of the first gate that has not passed.
func awaited(verdicts []gate.Verdict) string {
	for _, v := range verdicts {
		if v.Outcome != gate.Pass {
			return v.Sentence
		}
	}
	if len(verdicts) > 0 {
		return verdicts[0].Sentence
	}
	return "Nothing was counted yet."
}

// tell says what came of all: as outputs, in the log and in the job's summary.
func (p *promotion) tell() {
	promoted := []string{}
	var said []string
	page := report.Promotion{Root: p.in.Roots[0]}
	for _, e := range p.endings {
		if e.Word == Promoted && !e.Idle {
			promoted = append(promoted, e.Endpoint)
		}
		said = append(said, oneLine(e.Message))
		page.Endpoints = append(page.Endpoints, report.Promoted{
			ID: e.Endpoint, Message: e.Message, Record: e.Record, Driven: !e.Idle, Good: e.Outcome == Done,
		})
	}
	for _, t := range p.targets[len(p.endings):] {
		page.Left = append(page.Left, t.id)
	}
	if len(page.Left) > 0 {
		text := "Left as it is: " + strings.Join(page.Left, ", ") + "."
		p.Say("%s", oneLine(text))
		said = append(said, oneLine(text))
	}
	if len(p.targets) == 0 {
		text := fmt.Sprintf("Nothing is staged in root %s: there is nothing to promote.", p.in.Roots[0])
		p.Say("%s", oneLine(text))
		said = append(said, oneLine(text))
	}
	list, _ := json.Marshal(promoted) // of strings, which always can be
	p.Output("promoted", string(list))
	p.Output("summary", strings.Join(said, "\n"))
	p.summarise(p.in, page.Markdown(report.SummaryLimit))
}
