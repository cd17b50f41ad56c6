package terraform

import (
	"bytes"
	"context"
	"encoding/json"
	"slices"
	"strings"
)

// Applied is what an apply did.
type Applied struct {
	Done   []AppliedChange // in the order in which they were finished
	Failed []AppliedChange // with what went wrong; Address is "" for an error that belongs to no resource
	// Skipped are addresses that the plan would have changed and that were not, or not wholly: a resource that they
	// depend on failed, or the run was canceled. Sorted.
	Skipped []string
	// Unfinished are addresses whose change was begun and whose end nobody saw: the tool was cut off. Sorted.
	Unfinished []string
	Warnings   []Diagnostic
	Outputs    []Output // of the root module, sorted by name; nil where the apply did not come to its end
	Canceled   bool     // by the context
}

// An AppliedChange is one of the things that an apply did or failed to do. A replacement is two of them.
type AppliedChange struct {
	Address string
	Action  Action
	Seconds int
	Error   Diagnostic // zero where it was done
}

// An Output of the root module after an apply.
type Output struct {
	Name  string
	Value Value
}

// Apply applies a plan file. The result says what was done also where there is an error. Secrets of the plan are scrubbed
// from it if ReadPlan read the plan before.
func (r *Root) Apply(ctx context.Context, file string) (Applied, error) {
	a := &applying{scrub: r.scrubber(), planned: map[string]int{}, begun: map[string]AppliedChange{}}
	args := r.lockArgs([]string{"apply", "-json", "-input=false"})
	err := r.run(ctx, command{doing: "apply", args: append(args, file), event: a.event})
	return a.result(ctx.Err() != nil), err
}

// applying follows an apply by what the tool says.
type applying struct {
	scrub       *Scrubber
	planned     map[string]int // steps that an address still needs: 2 for a replacement
	begun       map[string]AppliedChange
	done        []AppliedChange
	failed      []AppliedChange
	diagnostics []Diagnostic
	outputs     []Output
}

func (a *applying) event(e *event) {
	switch e.Type {
	case "planned_change":
		if e.Change == nil {
			return
		}
		switch Action(e.Change.Action) {
		case Create, Update, Delete:
			a.planned[e.Change.Resource.Address] += 1
		case Replace:
			a.planned[e.Change.Resource.Address] += 2
		case Read, NoOp, Forget: // nothing is begun for them
		}
	case "apply_start", "apply_complete", "apply_errored":
		if e.Hook != nil && e.Hook.Action != string(Read) {
			a.step(e)
		}
	case "diagnostic":
		if e.Diagnostic != nil {
			l := listener{scrub: a.scrub}
			a.diagnostics = append(a.diagnostics, l.clean(e.Diagnostic))
		}
	case "outputs":
		a.output(e)
	}
}

func (a *applying) step(e *event) {
	address := e.Hook.Resource.Address
	c := AppliedChange{Address: address, Action: Action(e.Hook.Action), Seconds: int(e.Hook.Seconds)}
	key := address + " " + e.Hook.Action
	switch e.Type {
	case "apply_start":
		a.begun[key] = c
	case "apply_complete":
		delete(a.begun, key)
		a.done = append(a.done, c)
		if a.planned[address]--; a.planned[address] <= 0 {
			delete(a.planned, address)
		}
	case "apply_errored":
		delete(a.begun, key)
		delete(a.planned, address)
		a.failed = append(a.failed, c)
	}
}

// output reads the outputs; those of the plan, which come first, are overwritten by those of the apply.
func (a *applying) output(e *event) {
	a.outputs = nil
	for name, o := range e.Outputs {
		v := Value{Kind: Sensitive}
		if !o.Sensitive {
			dec := json.NewDecoder(bytes.NewReader(o.Value))
			dec.UseNumber()
			var value any
			if len(o.Value) == 0 || dec.Decode(&value) != nil {
				continue // of a plan: it only says what happens to it
			}
			v = shown(trail{name}, whole(value, nil, nil), newRedaction("output"))
			v.Text = a.scrub.String(v.Text)
		}
		a.outputs = append(a.outputs, Output{Name: blot(a.scrub.String(name)), Value: v})
	}
	slices.SortFunc(a.outputs, func(x, y Output) int { return strings.Compare(x.Name, y.Name) })
}

// result puts together what was seen.
func (a *applying) result(canceled bool) Applied {
	out := Applied{Done: a.done, Outputs: a.outputs, Canceled: canceled}
	hide := func(s string) string { return blot(a.scrub.String(s)) }
	unfinished := map[string]bool{}
	for _, c := range a.begun {
		unfinished[c.Address] = true
		out.Unfinished = append(out.Unfinished, hide(c.Address))
		delete(a.planned, c.Address)
	}
	for address := range a.planned {
		out.Skipped = append(out.Skipped, hide(address))
	}
	slices.Sort(out.Unfinished)
	out.Unfinished = slices.Compact(out.Unfinished)
	slices.Sort(out.Skipped)
	for i := range out.Done {
		out.Done[i].Address = hide(out.Done[i].Address)
	}
	out.Warnings, out.Failed = a.blame(hide)
	return out
}

// blame gives every error to the resource that it is of.
func (a *applying) blame(hide func(string) string) (warnings []Diagnostic, failed []AppliedChange) {
	failed = slices.Clone(a.failed)
	for i := range failed {
		failed[i].Address = hide(failed[i].Address)
	}
	for _, d := range a.diagnostics {
		if d.Severity != "error" {
			warnings = append(warnings, d)
			continue
		}
		i := slices.IndexFunc(failed, func(c AppliedChange) bool { return c.Address == d.Address })
		switch {
		case i < 0:
			failed = append(failed, AppliedChange{Address: d.Address, Error: d})
		case failed[i].Error.Summary == "":
			failed[i].Error = d
		default:
			failed[i].Error.Detail += "\n" + d.Summary + ": " + d.Detail
		}
	}
	return warnings, failed
}
