package rollout

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
)

// ParsePolicy reads canonical or hand-written JSON: unknown fields, wrong types and values
// out of range are errors that name the field, the value and the choices. Nothing is filled
// in: a policy says all of itself, and a field that is missing may have been misspelt.
func ParsePolicy(b []byte) (Policy, error) {
	var p Policy
	err := errors.Join(object("", b,
		field{"schema", number(&p.Schema), true},
		field{"strategy", text(&p.Strategy), true},
		field{"steps", p.parseSteps, true},
		field{"skip_leading", boolean(&p.SkipLeading), false},
		field{"gates", p.parseGates, true},
		field{"alpha", decimal(&p.Alpha), false},
		field{"beta", decimal(&p.Beta), false},
		field{"warm_up", p.parseWarmUp, false},
		field{"limits", p.parseLimits, true},
	)...)
	// A later schema may well have fields and choices that are unknown here: that they are
	// would be no help.
	if p.Schema > PolicySchema {
		return Policy{}, fmt.Errorf("policy: %w", wrongSchema(p.Schema))
	}
	if err == nil {
		err = p.Validate()
	}
	if err != nil {
		return Policy{}, fmt.Errorf("policy: %w", err)
	}
	return p, nil
}

func (p *Policy) parseSteps(path string, b []byte) []error {
	var elements []json.RawMessage
	if json.Unmarshal(b, &elements) != nil || elements == nil {
		return []error{fmt.Errorf(`%s: %s: want a list such as [{"weight":5},{"weight":25}]`, path, short(b))}
	}
	if len(elements) > maxSteps {
		return []error{fmt.Errorf("%s: %d of them: want at most %d", path, len(elements), maxSteps)}
	}
	var bad []error
	p.Steps = make([]Step, len(elements))
	for i, e := range elements {
		bad = append(bad, object(fmt.Sprintf("step[%d]", i), e,
			field{"weight", number(&p.Steps[i].Weight), true},
			field{"ratio", decimal(&p.Steps[i].Ratio), false},
			field{"floor", decimal(&p.Steps[i].Floor), false},
			field{"minimum", duration(&p.Steps[i].Minimum), false},
			field{"approval", boolean(&p.Steps[i].Approval), false},
		)...)
	}
	return bad
}

func (p *Policy) parseGates(path string, b []byte) []error {
	return object(path, b,
		field{"errors", func(path string, b []byte) []error {
			p.Gates.Errors = &ErrorsGate{}
			return object(path, b)
		}, false},
		field{"latency", func(path string, b []byte) []error {
			p.Gates.Latency = &LatencyGate{}
			return object(path, b, field{"tolerance", decimal(&p.Gates.Latency.Tolerance), false})
		}, false},
	)
}

func (p *Policy) parseWarmUp(path string, b []byte) []error {
	return object(path, b,
		field{"requests", number(&p.WarmUp.Requests), false},
		field{"time", duration(&p.WarmUp.Time), false},
	)
}

func (p *Policy) parseLimits(path string, b []byte) []error {
	return object(path, b,
		field{"step_minimum", duration(&p.Limits.StepMinimum), true},
		field{"step", duration(&p.Limits.Step), true},
		field{"total", duration(&p.Limits.Total), true},
		field{"bake", duration(&p.Limits.Bake), true},
		field{"blind", duration(&p.Limits.Blind), true},
		field{"abandoned_after", duration(&p.Limits.AbandonedAfter), true},
		field{"approval", wait(&p.Limits.Approval), false},
		field{"keep_previous", func(path string, b []byte) []error {
			p.Limits.KeepPrevious = new(Duration)
			return duration(p.Limits.KeepPrevious)(path, b)
		}, false},
	)
}

// A parser reads the JSON value b of the field at path.
type parser func(path string, b []byte) []error

type field struct {
	name     string
	parse    parser
	required bool
}

// object reads a JSON object of exactly these fields. encoding/json would take a name in
// another case, the last of two fields of one name, and null for anything.
func object(path string, b []byte, fields ...field) (bad []error) {
	at := func(name string) string { return strings.TrimPrefix(path+"."+name, ".") }
	members, err := split(b)
	if err != nil {
		return []error{errors.New(strings.TrimPrefix(path+": "+err.Error(), ": "))}
	}
	seen := map[string]bool{}
	for _, m := range members {
		i := slices.IndexFunc(fields, func(f field) bool { return f.name == m.name })
		if i < 0 {
			bad = append(bad, fmt.Errorf("%s: unknown: want %s", at(m.name), choices(fields)))
			continue
		}
		if seen[m.name] {
			bad = append(bad, fmt.Errorf("%s: is there twice", at(m.name)))
			continue
		}
		seen[m.name] = true
		bad = append(bad, fields[i].parse(at(m.name), m.value)...)
	}
	for _, f := range fields {
		if f.required && !seen[f.name] {
			bad = append(bad, fmt.Errorf("%s: is missing", at(f.name)))
		}
	}
	return bad
}

func choices(fields []field) string {
	if len(fields) == 0 {
		return "no fields here"
	}
	var names []string
	for _, f := range fields {
		names = append(names, f.name)
	}
	return "one of " + strings.Join(names, ", ")
}

type member struct {
	name  string
	value json.RawMessage
}

// split takes one level of a JSON object apart, and refuses anything behind it.
func split(b []byte) ([]member, error) {
	d := json.NewDecoder(bytes.NewReader(b))
	if open, err := d.Token(); err != nil || open != json.Delim('{') {
		return nil, fmt.Errorf("%s: want a JSON object", short(b))
	}
	var members []member
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return nil, fmt.Errorf("not JSON: %w", err)
		}
		m := member{name: fmt.Sprint(name)} // always text: the decoder refuses other names
		if err := d.Decode(&m.value); err != nil {
			return nil, fmt.Errorf("not JSON: %w", err)
		}
		members = append(members, m)
	}
	if _, err := d.Token(); err != nil {
		return nil, fmt.Errorf("not JSON: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("something follows the JSON object at byte %d", d.InputOffset())
	}
	return members, nil
}

func number(to *int) parser {
	return func(path string, b []byte) []error {
		n, err := strconv.Atoi(string(b))
		if err != nil {
			return []error{fmt.Errorf("%s: %s: want a whole number", path, short(b))}
		}
		*to = n
		return nil
	}
}

// decimal reads a number that is not 0, which stands for the default and is left out.
func decimal(to *float64) parser {
	return func(path string, b []byte) []error {
		x, err := strconv.ParseFloat(string(b), 64)
		if err != nil || x == 0 {
			return []error{fmt.Errorf("%s: %s: want a number such as 0.01, not 0", path, short(b))}
		}
		*to = x
		return nil
	}
}

func text(to *string) parser {
	return func(path string, b []byte) []error {
		if b[0] != '"' || json.Unmarshal(b, to) != nil {
			return []error{fmt.Errorf("%s: %s: want a text", path, short(b))}
		}
		return nil
	}
}

func boolean(to *bool) parser {
	return func(path string, b []byte) []error {
		if *to = string(b) == "true"; !*to && string(b) != "false" {
			return []error{fmt.Errorf("%s: %s: want true or false", path, short(b))}
		}
		return nil
	}
}

func duration(to *Duration) parser {
	return func(path string, b []byte) []error {
		d, err := parseDuration(b)
		if err != nil {
			return []error{fmt.Errorf("%s: %w", path, err)}
		}
		*to = d
		return nil
	}
}

// wait reads a duration that is not 0, which stands for the default and is left out: 0s would read as no wait at all.
func wait(to *Duration) parser {
	return func(path string, b []byte) []error {
		if bad := duration(to)(path, b); bad != nil || *to != 0 {
			return bad
		}
		return []error{fmt.Errorf("%s: %s: want %s to %s", path, short(b), minLimit, maxLimit)}
	}
}

func parseDuration(b []byte) (Duration, error) {
	var s string
	if len(b) == 0 || b[0] != '"' || json.Unmarshal(b, &s) != nil {
		return 0, fmt.Errorf(`%s: want a duration such as "90s" or "2h"`, short(b))
	}
	d, err := time.ParseDuration(s)
	if err != nil {
		return 0, fmt.Errorf(`%q: want a duration such as "90s" or "2h"`, s)
	}
	return Duration(d), nil
}

// short quotes what was found, in a length that fits an error.
func short(b []byte) string {
	const most = 60
	s := strings.Join(strings.Fields(string(b)), " ")
	if s == "" {
		return "nothing"
	}
	if len(s) > most {
		return strings.ToValidUTF8(s[:most], "") + "..."
	}
	return s
}
