package terraform

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	tfjson "github.com/hashicorp/terraform-json"
)

// mostAttributes bounds how many attributes' hashes are kept: they only make a difference easier to read.
const mostAttributes = 200_000

// prints collects the parts of a fingerprint while a plan is read. What Terraform's JSON holds and is left out of the
// comparison, on purpose: resources to which nothing is done, resource_drift (what is done about it is among
// the changes), planned_values and prior_state (they say the same again), checks, relevant_attributes, the timestamp,
// the reasons of changes.
type prints struct {
	h       *hasher
	parts   []summed
	changes []pendingChange
	vars    map[string]*tfjson.PlanVariable
	config  map[string][sha256.Size]byte // of resource blocks, by address
	// masked are the variables' values, for fingerprints without a key: which of them are sensitive is said later than
	// where they are used, and each has a part of its own in any case. known are secrets that others named.
	masked, known *Scrubber
	kept          int // attributes
}

type summed struct {
	name       string
	sum        [sha256.Size]byte
	attributes map[string]string
}

// A pendingChange waits for the configuration, which follows the changes.
type pendingChange struct {
	summed
	block string // address of its block
}

func newPrints(h *hasher, known *Scrubber) *prints {
	return &prints{h: h, config: map[string][sha256.Size]byte{}, masked: NewScrubber(), known: known}
}

// add adds a part.
func (p *prints) add(name string, values ...any) {
	p.parts = append(p.parts, summed{name: name, sum: p.h.sum(append([]any{name}, values...)...)})
}

func (p *prints) variables(vars map[string]*tfjson.PlanVariable) {
	p.vars = vars
	if p.h.keyed {
		return
	}
	for _, v := range vars {
		if v != nil {
			walk(side{value: v.Value}, side{}, func(l leaf) {
				if s, ok := l.before.value.(string); ok {
					p.masked.Add(s)
				}
			})
		}
	}
}

// leafSums are the hashes of a resource's leaves.
type leafSums struct {
	p          *prints
	bytes      []byte
	unchanged  []byte // of bytes, what stays as it is
	attributes map[string]string
}

func (p *prints) leaves() *leafSums { return &leafSums{p: p} }

// add adds a leaf: all of them to the sum, those that change by name.
func (s *leafSums) add(l leaf, r redaction) {
	path := l.path.String()
	sum := s.p.h.sum(path, s.p.open(l.path, l.before, r), s.p.open(l.path, l.after, r))
	s.bytes = append(s.bytes, sum[:]...)
	if l.same() {
		s.unchanged = append(s.unchanged, sum[:]...)
		return
	}
	s.keep(path, sum)
}

// keep keeps the hash of an attribute by its name.
func (s *leafSums) keep(path string, sum [sha256.Size]byte) {
	if s.p.kept >= mostAttributes {
		return
	}
	if s.attributes == nil {
		s.attributes = map[string]string{}
	}
	s.p.kept++
	s.attributes[path] = hex.EncodeToString(sum[:leafSum])
}

// open is what of a cell goes into the fingerprint: all of it with a key, what may be shown without one.
func (p *prints) open(at trail, c cell, r redaction) cell {
	if p.h.keyed || c.value == nil {
		return c
	}
	if c.marked || r.hidesAnywhere(at, c.value) {
		return cell{kind: c.kind, marked: true}
	}
	if s, ok := c.value.(string); ok {
		c.value = p.known.String(p.masked.String(s))
	}
	return c
}

func (p *prints) resource(rc *tfjson.ResourceChange, leaves *leafSums) {
	if len(leaves.unchanged) > 0 {
		leaves.keep("(unchanged)", p.h.sum(leaves.unchanged))
	}
	name := "resource " + rc.Address
	if rc.DeposedKey != "" {
		name += " (deposed " + rc.DeposedKey + ")"
	}
	importing := []any{}
	if i := rc.Change.Importing; i != nil {
		importing = append(importing, i.ID, i.Unknown, i.Identity)
	}
	sum := p.h.sum(name, fmt.Sprint(rc.Change.Actions), rc.PreviousAddress, string(rc.Mode), rc.Type, rc.ProviderName, importing, leaves.bytes)
	p.changes = append(p.changes, pendingChange{
		summed: summed{name: name, sum: sum, attributes: leaves.attributes},
		block:  configAddress(rc.Address),
	})
}

// A config is what of a configuration matters here. Blocks stay as they are: their hash is all that is wanted.
type config struct {
	Providers map[string]map[string]any `json:"provider_config"`
	Root      configModule              `json:"root_module"`
}

type configModule struct {
	Variables map[string]struct {
		Sensitive bool `json:"sensitive"`
	} `json:"variables"`
	Resources []map[string]any `json:"resources"`
	Calls     map[string]struct {
		Module *configModule `json:"module"`
	} `json:"module_calls"`
}

// configuration adds what plans leave out and apply does all the same: provisioners, write-only arguments, where a
// provider is and as whom. Only blocks of resources that change count.
func (p *prints) configuration(c config) {
	for name, v := range p.vars {
		if v == nil {
			continue
		}
		// Without a configuration nobody knows which are sensitive.
		declared, ok := c.Root.Variables[name]
		value, sensitive := v.Value, declared.Sensitive || !ok
		if sensitive && !p.h.keyed {
			value = nil
		}
		p.add("variable "+name, sensitive, p.openTree(value, secretName(name)))
	}
	for name, provider := range c.Providers {
		p.add("configuration of provider "+name, p.openTree(provider, false))
	}
	p.blocks("", &c.Root, 0)
}

func (p *prints) blocks(module string, m *configModule, depth int) {
	if m == nil || depth > mostDepth {
		return
	}
	for _, block := range m.Resources {
		address, _ := block["address"].(string)
		p.config[module+address] = p.h.sum("block", p.openTree(block, false))
	}
	for name, call := range m.Calls {
		p.blocks(module+"module."+name+".", call.Module, depth+1)
	}
}

// openTree is open for what has no marks: without a key, texts that look or are called secret are left out.
func (p *prints) openTree(v any, secret bool) any {
	if p.h.keyed {
		return v
	}
	switch v := v.(type) {
	case string:
		if secret || leaks(v) {
			return nil
		}
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = p.openTree(e, secret)
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(v))
		for k, e := range v {
			out[k] = p.openTree(e, secret || secretName(k))
		}
		return out
	}
	return v
}

// source adds what belongs to a plan and is not in its JSON.
func (p *prints) source(s Source, plan Plan) {
	p.add("tool", plan.Tool, plan.Version)
	p.add("workspace", s.Workspace)
	p.add("state lineage", s.Lineage)
	p.add("key") // two keys are told apart by it
	if plan.Errored {
		p.add("an error: the plan is not complete")
	}
	lock := lockLines(s.LockFile)
	p.add("lock file", lock)
	for _, m := range lockedProvider.FindAllStringSubmatch(lock, -1) {
		p.add("provider "+m[1], m[2])
	}
}

var lockedProvider = regexp.MustCompile(`(?m)^provider "([^"]+)" \{\nversion *= *"([^"]*)"`)

// lockLines is a lock file without comments and space.
func lockLines(b []byte) string {
	var out []string
	for line := range strings.Lines(string(b)) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			out = append(out, line)
		}
	}
	return strings.Join(out, "\n")
}

// fingerprint sums up. Names are scrubbed last, so that the sums do not depend on which secrets are known.
func (p *prints) fingerprint(s *Scrubber) Fingerprint {
	for _, c := range p.changes {
		if block, ok := p.config[c.block]; ok {
			c.sum = p.h.sum(c.sum[:], block[:])
			if c.attributes != nil {
				c.attributes["(configuration)"] = hex.EncodeToString(block[:leafSum])
			}
		}
		p.parts = append(p.parts, c.summed)
	}
	slices.SortFunc(p.parts, func(a, b summed) int {
		return cmp.Or(strings.Compare(a.name, b.name), slices.Compare(a.sum[:], b.sum[:]))
	})
	f := Fingerprint{Version: FingerprintVersion, Keyed: p.h.keyed}
	all := []any{"fingerprint", fmt.Sprint(FingerprintVersion), f.Keyed}
	for _, part := range p.parts {
		all = append(all, part.name, part.sum[:])
	}
	sum := p.h.sum(all...)
	f.Sum = hex.EncodeToString(sum[:])
	for _, part := range p.parts {
		f.Parts = append(f.Parts, Part{
			Name: blot(s.String(part.name)), Sum: hex.EncodeToString(part.sum[:sumBytes]), Attributes: cleanPaths(part.attributes, s),
		})
	}
	f.Parts = distinct(f.Parts)
	return f
}

// cleanPaths scrubs paths: a map's key may be a secret.
func cleanPaths(attributes map[string]string, s *Scrubber) map[string]string {
	var dirty []string
	for path := range attributes {
		if blot(s.String(path)) != path {
			dirty = append(dirty, path)
		}
	}
	slices.Sort(dirty)
	for _, path := range dirty {
		clean := blot(s.String(path))
		attributes[clean] += attributes[path]
		attributes[clean] = attributes[clean][:2*leafSum] // of several, one: they are not told apart any more
		delete(attributes, path)
	}
	return attributes
}

// distinct sorts parts by name, and numbers those that scrubbing made the same.
func distinct(parts []Part) []Part {
	slices.SortStableFunc(parts, func(a, b Part) int { return strings.Compare(a.Name, b.Name) })
	taken := make(map[string]int, len(parts))
	for i := range parts {
		name := parts[i].Name
		taken[name]++
		if n := taken[name]; n > 1 {
			parts[i].Name = fmt.Sprintf("%s (%d)", name, n)
		}
	}
	slices.SortStableFunc(parts, func(a, b Part) int { return strings.Compare(a.Name, b.Name) })
	return parts
}

// names of attributes that differ or are on one side only.
func differing(a, b map[string]string) []string {
	if a == nil || b == nil {
		return nil
	}
	out := map[string]struct{}{}
	for path, sum := range a {
		if b[path] != sum {
			out[path] = struct{}{}
		}
	}
	for path := range b {
		if _, ok := a[path]; !ok {
			out[path] = struct{}{}
		}
	}
	return slices.Sorted(maps.Keys(out))
}
