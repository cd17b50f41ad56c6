package terraform

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	tfjson "github.com/hashicorp/terraform-json"
)

// A Source is what belongs to a plan and is not in its JSON.
type Source struct {
	Tool      Tool
	Workspace string
	Lineage   string // of the state; "" if there is none yet
	LockFile  []byte // .terraform.lock.hcl
	Key       []byte // secret of fingerprints; see Fingerprint. At least 16 bytes, or none
	// Scrub hides secrets in all texts of the plan; what the plan itself calls sensitive is added to it.
	Scrub *Scrubber
}

// Parse reads a plan from the JSON that `show -json` writes, as a stream: one change is in memory at a time.
// Its errors quote no values.
func Parse(r io.Reader, s Source) (Plan, error) {
	h, err := newHasher(s.Key)
	if err != nil {
		return Plan{}, err
	}
	if s.Scrub == nil {
		s.Scrub = NewScrubber()
	}
	p := &parser{
		in: newSkimmer(r), source: s, prints: newPrints(h, s.Scrub), secrets: map[string]struct{}{},
		plan: Plan{Tool: s.Tool.Name, Version: s.Tool.Version},
	}
	if err := p.read(); err != nil {
		return Plan{}, fmt.Errorf("read the plan's JSON: %w", err)
	}
	return p.finish(), nil
}

// A parser builds a Plan.
type parser struct {
	in      *skimmer
	source  Source
	plan    Plan
	prints  *prints
	secrets map[string]struct{} // texts that the plan marks, or whose names say secret
	vars    map[string]*tfjson.PlanVariable
	config  config // says of variables, provisioners and write-only arguments what the changes do not
	format  string
}

func (p *parser) read() error {
	seen := map[string]bool{}
	err := p.in.object(func(key string) error {
		if seen[key] {
			return fmt.Errorf("it says %.40q twice", key)
		}
		seen[key] = true
		return p.member(key)
	})
	if err != nil {
		return err
	}
	if p.format == "" {
		return errors.New("format_version is missing: this is no plan as `show -json` writes it")
	}
	return p.in.end()
}

func (p *parser) member(key string) error {
	switch key {
	case "format_version":
		if err := p.in.take(&p.format); err != nil {
			return err
		}
		if plan := (tfjson.Plan{FormatVersion: p.format}); plan.Validate() != nil {
			return fmt.Errorf("format_version %.20q: want one that fits %q; a newer Tidegate may read it", p.format, tfjson.PlanFormatVersionConstraints)
		}
		return nil
	case "terraform_version":
		var version string
		if err := p.in.take(&version); err != nil {
			return err
		}
		p.plan.Version = cmp.Or(p.plan.Version, version)
		return nil
	case "errored":
		return p.in.take(&p.plan.Errored)
	case "variables":
		if err := p.in.take(&p.vars); err != nil {
			return err
		}
		p.prints.variables(p.vars)
		return nil
	case "resource_changes":
		return p.in.array(func() error { return p.resource(&p.plan.Changes, true) })
	case "resource_drift":
		return p.in.array(func() error { return p.resource(&p.plan.Drift, false) })
	case "deferred_changes":
		return p.in.array(p.deferred)
	case "action_invocations":
		return p.in.array(p.invocation)
	case "output_changes":
		return p.outputs()
	case "configuration":
		return p.in.take(&p.config)
	}
	return p.in.skip()
}

func (p *parser) resource(to *[]Change, print bool) error {
	var rc tfjson.ResourceChange
	if err := p.in.take(&rc); err != nil {
		return err
	}
	c, err := p.change(&rc, print)
	if err != nil {
		return err
	}
	if c.Action != NoOp || c.Previous != "" || c.Imported != "" {
		*to = append(*to, c)
	}
	return nil
}

func (p *parser) deferred() error {
	var d tfjson.DeferredResourceChange
	if err := p.in.take(&d); err != nil {
		return err
	}
	if d.ResourceChange == nil || d.ResourceChange.Address == "" {
		return errors.New("a deferred change has no address")
	}
	address := d.ResourceChange.Address
	p.plan.Deferred = append(p.plan.Deferred, address)
	p.prints.add("deferred "+address, d.Reason)
	return nil
}

func (p *parser) invocation() error {
	var a tfjson.ActionInvocation
	if err := p.in.take(&a); err != nil {
		return err
	}
	name := a.Address
	trigger := map[string]any{}
	if t := a.LifecycleActionTrigger; t != nil {
		trigger["resource"], trigger["event"] = t.TriggeringResourceAddress, t.ActionTriggerEvent
		name += " for " + t.TriggeringResourceAddress + " (" + t.ActionTriggerEvent + ")"
	}
	p.plan.Invokes = append(p.plan.Invokes, name)
	values := side{a.ConfigValues, a.ConfigSensitive, a.ConfigUnknown}
	r := newRedaction(a.Type, a.ConfigValues)
	leaves := p.prints.leaves()
	walk(side{}, values, func(l leaf) {
		p.note(l, r)
		leaves.add(l, r)
	})
	p.prints.add("action "+name, a.ProviderName, trigger, leaves.bytes)
	return nil
}

func (p *parser) outputs() error {
	var changes map[string]*tfjson.Change
	if err := p.in.take(&changes); err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(changes)) {
		c := changes[name]
		if c == nil {
			continue
		}
		o, err := p.output(name, c)
		if err != nil {
			return err
		}
		if o.Action != NoOp {
			p.plan.Outputs = append(p.plan.Outputs, o)
		}
	}
	return nil
}

// finish sorts, scrubs and sums up.
func (p *parser) finish() Plan {
	for name, v := range p.config.Root.Variables {
		if value := p.vars[name]; v.Sensitive && value != nil {
			p.conceal(value.Value)
		}
	}
	p.prints.configuration(p.config)
	p.prints.source(p.source, p.plan)
	for s := range p.secrets {
		if len(p.secrets) > mostSecrets || len(s) > mostSecret {
			p.source.Scrub.insertRaw(s)
			continue
		}
		p.source.Scrub.add(s, false)
	}
	plan := p.plan
	plan.Fingerprint = p.prints.fingerprint(p.source.Scrub)
	order := func(a, b Change) int {
		return cmp.Or(cmp.Compare(rank[a.Action], rank[b.Action]), strings.Compare(a.Address, b.Address), strings.Compare(a.Deposed, b.Deposed))
	}
	slices.SortFunc(plan.Changes, order)
	slices.SortFunc(plan.Drift, order)
	plan.scrub(p.source.Scrub)
	return plan
}

// Beyond so many values, or so long ones, only the value itself is scrubbed, and not what it looks like when encoded:
// their forms would take more memory than the plan.
const (
	mostSecrets = 20_000
	mostSecret  = 64 << 10
)

var rank = map[Action]int{Delete: 0, Replace: 1, Update: 2, Create: 3, Forget: 4, Read: 5, NoOp: 6}

// Counts are how many of what a plan does.
func (p Plan) Counts() Counts {
	n := Counts{Outputs: len(p.Outputs)}
	for _, c := range p.Changes {
		if c.Previous != "" {
			n.Move++
		}
		if c.Imported != "" {
			n.Import++
		}
		switch c.Action {
		case Create:
			n.Add++
		case Update:
			n.Change++
		case Delete:
			n.Destroy++
		case Replace:
			n.Add++
			n.Destroy++
			n.Replace++
		case Forget:
			n.Forget++
		case Read, NoOp:
		}
	}
	return n
}

// Changed reports whether applying the plan would do anything: change a resource, an output, or only the state.
func (p Plan) Changed() bool {
	return p.Counts() != Counts{} || len(p.Invokes) > 0
}
