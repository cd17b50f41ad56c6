package terraform

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
)

// show appends what of a leaf changes.
func show(to []Attribute, l leaf, r redaction, forced []string) []Attribute {
	if l.same() {
		return to
	}
	path := l.path.String()
	if sub, ok := documents(l, r, forces(forced, path)); ok {
		return append(to, sub...)
	}
	a := Attribute{Path: path, Before: shown(l.path, l.before, r), After: shown(l.path, l.after, r), Forces: forces(forced, path)}
	if a.Before.Kind == Sensitive && a.After.Kind == Known && equalValues(l.before.value, l.after.value) {
		a.After = a.Before // the mark went, the secret stayed
	}
	if a.After.Kind == Sensitive && a.Before.Kind == Known && equalValues(l.before.value, l.after.value) {
		a.Before = a.After
	}
	return append(to, a)
}

// same reports whether a leaf stays as it is.
func (l leaf) same() bool {
	return l.after.kind != Unknown && l.before.kind == l.after.kind && l.before.marked == l.after.marked && equalValues(l.before.value, l.after.value)
}

func equalValues(a, b any) bool {
	switch a := a.(type) {
	case string, bool, json.Number, nil:
		switch b.(type) {
		case string, bool, json.Number, nil:
			return a == b
		}
		return false
	}
	return bytes.Equal(canonical(nil, a), canonical(nil, b))
}

// shown is a cell as it may be shown.
func shown(at trail, c cell, r redaction) Value {
	switch {
	case c.kind != Known:
		return Value{Kind: c.kind}
	case r.hidesAnywhere(at, c.value):
		return Value{Kind: Sensitive}
	}
	return Value{Kind: Known, Text: text(c.value)}
}

// hidesAnywhere is hides for a value that may hold others: a collection, or a document in a text.
func (r redaction) hidesAnywhere(at trail, v any) bool {
	hidden := r.hides(at, v)
	if doc, ok := document(v); ok {
		v = doc
	}
	switch v.(type) {
	case map[string]any, []any:
		walk(side{value: v}, side{}, func(l leaf) {
			if !hidden {
				hidden = l.before.kind == Sensitive || r.hides(slices.Concat(at, l.path), l.before.value)
			}
		})
	}
	return hidden
}

// mostDocument bounds the texts that are looked into.
const mostDocument = 1 << 20

// document is the JSON object or array in a text.
func document(v any) (any, bool) {
	s, ok := v.(string)
	if !ok || len(s) > mostDocument {
		return nil, false
	}
	s = strings.TrimSpace(s)
	if len(s) < 2 || s[0] != '{' && s[0] != '[' {
		return nil, false
	}
	dec := json.NewDecoder(strings.NewReader(s))
	dec.UseNumber()
	var doc any
	if dec.Decode(&doc) != nil || dec.More() {
		return nil, false
	}
	return doc, true
}

// documents tells a text that is JSON on both sides (policies, container definitions) place by place, as if it were
// part of the resource; so that an image is seen to change, and an environment beside it is not shown.
func documents(l leaf, r redaction, forced bool) ([]Attribute, bool) {
	if l.before.marked || l.after.marked {
		return nil, false
	}
	before, ok := document(l.before.value)
	if !ok && l.before.kind != Absent {
		return nil, false
	}
	after, ok := document(l.after.value)
	if !ok && l.after.kind != Absent || before == nil && after == nil {
		return nil, false
	}
	if r.hides(l.path, l.before.value) || r.hides(l.path, l.after.value) {
		return nil, false
	}
	var out []Attribute
	walk(side{value: before}, side{value: after}, func(sub leaf) {
		if sub.same() {
			return
		}
		at := slices.Concat(l.path, sub.path)
		out = append(out, Attribute{Path: at.String(), Before: shown(at, sub.before, r), After: shown(at, sub.after, r), Forces: forced})
	})
	// Other white space is another text and the same document.
	return out, len(out) > 0
}

// scrub hides secrets in every text of the plan.
func (p *Plan) scrub(s *Scrubber) {
	clean := func(texts ...*string) {
		for _, t := range texts {
			*t = blot(s.String(*t))
		}
	}
	value := func(vs ...*Value) {
		for _, v := range vs {
			v.Text = s.String(v.Text) // its shape was looked at before
		}
	}
	for _, list := range [][]Change{p.Changes, p.Drift} {
		for i := range list {
			c := &list[i]
			clean(&c.Address, &c.Previous, &c.Module, &c.Type, &c.Name, &c.Provider, &c.Deposed, &c.Imported, &c.Reason)
			for j := range c.Note {
				clean(&c.Note[j])
			}
			for j := range c.Attributes {
				a := &c.Attributes[j]
				a.Path = blot(s.String(a.Path))
				value(&a.Before, &a.After)
			}
		}
	}
	for i := range p.Outputs {
		clean(&p.Outputs[i].Name)
		value(&p.Outputs[i].Before, &p.Outputs[i].After)
	}
	for _, list := range [][]string{p.Deferred, p.Invokes} {
		for i := range list {
			clean(&list[i])
		}
	}
	clean(&p.Version)
}
