package description

import (
	"encoding/json"
	"fmt"
	"maps"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
)

// Fill turns a value into an answer of an operation: it adds what the description requires and the value does not have,
// since GitHub's answers have hundreds of fields that nobody reads. What is added says nothing: no URL, no login.
func (d *Description) Fill(id string, status int, value any) (any, error) {
	op := d.byID[id]
	if op == nil {
		return nil, fmt.Errorf("no operation %q", id)
	}
	answer := op.Responses.Status(status)
	if answer == nil || answer.Value == nil {
		return nil, fmt.Errorf("%s has no answer %d", id, status)
	}
	b, err := json.Marshal(value)
	if err != nil {
		return nil, err
	}
	var plain any
	if err := json.Unmarshal(b, &plain); err != nil {
		return nil, err
	}
	media := answer.Value.Content.Get("application/json")
	if media == nil || media.Schema == nil {
		return plain, nil
	}
	return fill(media.Schema.Value, plain, 0), nil
}

// fill adds to v what s requires. A null stays one where it may be one.
func fill(s *openapi3.Schema, v any, depth int) any {
	switch v := v.(type) {
	case nil:
		if s.Nullable {
			return nil
		}
		return sample(s, depth)
	case map[string]any:
		return fillObject(s, v, depth)
	case []any:
		return fillList(s, v, depth)
	}
	return v
}

func fillObject(s *openapi3.Schema, v map[string]any, depth int) any {
	for _, part := range s.AllOf {
		v, _ = fill(part.Value, v, depth).(map[string]any)
	}
	for _, list := range []openapi3.SchemaRefs{s.OneOf, s.AnyOf} {
		if filled, ok := alternative(s, list, v, depth); ok {
			return filled
		}
	}
	for name, p := range s.Properties {
		if have, ok := v[name]; ok {
			if have != nil || !p.Value.Nullable {
				v[name] = fill(p.Value, have, depth+1)
			}
		}
	}
	for _, name := range s.Required {
		if _, ok := v[name]; !ok && s.Properties[name] != nil {
			v[name] = sample(s.Properties[name].Value, depth+1)
		}
	}
	return v
}

// alternative fills by the first schema of a list that then fits: the whole of s, which may want exactly one of them or
// one that a field names, or else itself.
func alternative(s *openapi3.Schema, list openapi3.SchemaRefs, v any, depth int) (any, bool) {
	var fits any
	for _, ref := range list {
		filled := fill(ref.Value, clone(v), depth)
		if s.VisitJSON(filled) == nil {
			return filled, true
		}
		if fits == nil && ref.Value.VisitJSON(filled) == nil {
			fits = filled
		}
	}
	return fits, fits != nil
}

func fillList(s *openapi3.Schema, v []any, depth int) any {
	for _, list := range []openapi3.SchemaRefs{s.OneOf, s.AnyOf} {
		if filled, ok := alternative(s, list, v, depth); ok {
			return filled
		}
	}
	if s.Items == nil {
		return v
	}
	for i := range v {
		v[i] = fill(s.Items.Value, v[i], depth+1)
	}
	return v
}

func clone(v any) any {
	switch v := v.(type) {
	case map[string]any:
		c := maps.Clone(v)
		for k, x := range c {
			c[k] = clone(x)
		}
		return c
	case []any:
		c := make([]any, len(v))
		for i, x := range v {
			c[i] = clone(x)
		}
		return c
	}
	return v
}

// sample is the emptiest value that a schema accepts.
func sample(s *openapi3.Schema, depth int) any {
	if s.Nullable {
		return nil
	}
	if len(s.Enum) > 0 {
		return s.Enum[0]
	}
	if len(s.AllOf) > 0 || s.Type.Is("object") || len(s.Properties) > 0 {
		return fillObject(s, map[string]any{}, depth)
	}
	for _, list := range []openapi3.SchemaRefs{s.OneOf, s.AnyOf} {
		if len(list) > 0 {
			return sample(list[0].Value, depth+1)
		}
	}
	switch {
	case s.Type.Is("array"):
		list := []any{}
		for range s.MinItems {
			list = append(list, sample(s.Items.Value, depth+1))
		}
		return list
	case s.Type.Is("string"):
		return sampleString(s)
	case s.Type.Is("integer"), s.Type.Is("number"):
		if s.Min != nil {
			return *s.Min
		}
		return 0
	case s.Type.Is("boolean"):
		return false
	}
	return map[string]any{}
}

func sampleString(s *openapi3.Schema) string {
	switch s.Format {
	case "date-time":
		return "2000-01-01T00:00:00Z"
	case "uri":
		return "about:blank"
	}
	if example, ok := s.Example.(string); ok && s.Pattern != "" {
		return strings.Trim(example, `"`)
	}
	return strings.Repeat("-", int(s.MinLength))
}
