package workflow

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"
)

// Same reports whether two workflows mean the same to GitHub: comments, quotes, order of keys, style, anchors, and short
// forms ("on: push") do not count. The order of lists does, where GitHub keeps one. What GitHub cannot read is the same only
// as itself.
func Same(a, b string) bool {
	if a == b {
		return true
	}
	one, err := meaning(a)
	if err != nil {
		return false
	}
	other, err := meaning(b)
	return err == nil && reflect.DeepEqual(one, other)
}

// meaning is a workflow as maps, lists and readings.
func meaning(text string) (any, error) {
	root, err := parse(text)
	if err != nil {
		return nil, err
	}
	return meaningOf(root, nil)
}

// A reading is a scalar as GitHub reads it: by YAML 1.2, so that "on" is a text and 3.10 the number 3.1.
type reading struct{ kind, text string }

func meaningOf(n *yaml.Node, at []string) (any, error) {
	switch n = resolve(n); n.Kind {
	case yaml.ScalarNode:
		return longForm(at, scalarOf(n, at)), nil
	case yaml.SequenceNode:
		list := []any{}
		for _, c := range n.Content {
			v, err := meaningOf(c, append(at, "[]"))
			if err != nil {
				return nil, err
			}
			list = append(list, v)
		}
		return longForm(at, list), nil
	case yaml.MappingNode:
		return mapOf(n, at)
	default:
		return nil, fmt.Errorf("line %d: this is no value", n.Line)
	}
}

func mapOf(n *yaml.Node, at []string) (any, error) {
	m := make(map[string]any, len(n.Content)/2)
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := resolve(n.Content[i])
		if key.Kind != yaml.ScalarNode {
			return nil, fmt.Errorf("line %d: a key is a text", key.Line)
		}
		if _, twice := m[key.Value]; twice {
			return nil, fmt.Errorf("line %d: key %q is there twice", key.Line, key.Value)
		}
		v, err := meaningOf(n.Content[i+1], append(at, key.Value))
		if err != nil {
			return nil, err
		}
		m[key.Value] = v
	}
	return m, nil
}

// texts are places where GitHub takes any scalar as a text: true and "true" are the same there. Elsewhere a number
// in quotes may be another value, or an error.
var texts = patterns("name", "run-name", "env/*", "on/*/*/[]", "defaults/run/*", "jobs/*/name", "jobs/*/env/*", "jobs/*/outputs/*",
	"jobs/*/secrets/*", "jobs/*/container/env/*", "jobs/*/services/*/env/*", "jobs/*/defaults/run/*", "jobs/*/steps/[]/env/*",
	"jobs/*/steps/[]/with/*", "jobs/*/steps/[]/name", "jobs/*/steps/[]/run", "jobs/*/steps/[]/uses", "jobs/*/steps/[]/id")

// Places of values that have a short form, and of lists whose order means nothing.
var (
	lists = patterns("on/*/branches", "on/*/branches-ignore", "on/*/tags", "on/*/tags-ignore", "on/*/paths", "on/*/paths-ignore",
		"on/*/types", "on/*/workflows", "jobs/*/needs", "jobs/*/runs-on")
	sets   = patterns("on/*/types", "on/*/workflows", "jobs/*/needs", "jobs/*/runs-on")
	events = patterns("on")
	event  = patterns("on/*")
	byName = map[string][][]string{
		"group": patterns("concurrency", "jobs/*/concurrency"),
		"name":  patterns("jobs/*/environment"),
		"image": patterns("jobs/*/container"),
	}
)

// longForm writes short forms out: "needs: a" is "needs: [a]", "on: push" is "on: {push: {}}".
func longForm(at []string, v any) any {
	s, short := v.(reading)
	switch {
	case short && (matches(events, at) || matches(lists, at)) && !strings.Contains(s.text, "${{"):
		v = []any{reading{"text", s.text}}
	case short && s.kind == "null" && matches(event, at):
		return map[string]any{}
	case short && s.kind != "null":
		for key, places := range byName {
			if matches(places, at) {
				return map[string]any{key: v}
			}
		}
	}
	list, _ := v.([]any)
	switch {
	case list == nil:
		return v
	case matches(events, at):
		return eventsOf(list)
	case matches(sets, at):
		slices.SortStableFunc(list, func(a, b any) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
	}
	return list
}

// eventsOf is a list of events as a mapping. What is no event stays a list.
func eventsOf(list []any) any {
	m := map[string]any{}
	for _, v := range list {
		s, ok := v.(reading)
		if _, twice := m[s.text]; !ok || twice {
			return list
		}
		m[s.text] = map[string]any{}
	}
	return m
}

func patterns(all ...string) [][]string {
	split := make([][]string, len(all))
	for i, p := range all {
		split[i] = strings.Split(p, "/")
	}
	return split
}

func matches(places [][]string, at []string) bool {
	return slices.ContainsFunc(places, func(p []string) bool {
		return slices.EqualFunc(p, at, func(want, is string) bool { return want == is || want == "*" && is != "[]" })
	})
}

// scalarOf reads a scalar as GitHub does.
func scalarOf(n *yaml.Node, at []string) reading {
	s := plainScalar(n)
	if !matches(texts, at) || s.kind == "tagged" {
		return s
	}
	return reading{"text", s.text}
}

func plainScalar(n *yaml.Node) reading {
	const quoted = yaml.SingleQuotedStyle | yaml.DoubleQuotedStyle | yaml.LiteralStyle | yaml.FoldedStyle
	switch {
	case n.Style&yaml.TaggedStyle != 0 && n.ShortTag() != "!!str":
		return reading{"tagged", n.ShortTag() + " " + n.Value}
	case n.Style&(quoted|yaml.TaggedStyle) != 0:
		return reading{"text", n.Value}
	}
	switch n.Value {
	case "", "~", "null", "Null", "NULL":
		return reading{"null", ""}
	case "true", "True", "TRUE":
		return reading{"boolean", "true"}
	case "false", "False", "FALSE":
		return reading{"boolean", "false"}
	}
	if number, ok := numberOf(n.Value); ok {
		return reading{"number", number}
	}
	return reading{"text", n.Value}
}

// numberOf is a number of YAML 1.2's core schema as GitHub writes it when a text is wanted: with 15 digits, so that 3.10 is 3.1.
func numberOf(s string) (string, bool) {
	digits := strings.TrimLeft(s, "+-")
	switch {
	case len(s)-len(digits) > 1:
		return "", false
	case s == ".nan" || s == ".NaN" || s == ".NAN":
		return "NaN", true
	case digits == ".inf" || digits == ".Inf" || digits == ".INF":
		return strings.TrimPrefix(s[:len(s)-len(digits)], "+") + "Infinity", true
	}
	for prefix, base := range map[string]int{"0x": 16, "0o": 8} {
		if after, ok := strings.CutPrefix(s, prefix); ok {
			n, err := strconv.ParseUint(after, base, 63)
			return strconv.FormatFloat(float64(n), 'G', 15, 64), err == nil
		}
	}
	if !strings.ContainsAny(digits, "0123456789") || strings.Trim(digits, "0123456789.eE+-") != "" {
		return "", false
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return "", false
	}
	return strconv.FormatFloat(f, 'G', 15, 64), true
}
