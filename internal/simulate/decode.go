package simulate

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"
)

// Parse reads a scenario. Unknown fields, fields that are there twice, wrong types and values
// out of range are errors that name the field, the value and the choices; what is left out takes
// its default.
func Parse(b []byte) (Scenario, error) {
	var s Scenario
	errs := decode("", b, reflect.ValueOf(&s).Elem())
	if len(errs) == 0 {
		s = s.filled()
		errs = s.validate()
	}
	if err := errors.Join(errs...); err != nil {
		return Scenario{}, err
	}
	return s, nil
}

// A named value may be written as its name alone.
type named interface{ setName(name string) }

// decode reads JSON into v by its json tags. encoding/json would take unknown fields, a name in
// another case, the last of two fields of one name, and null for anything.
func decode(path string, raw []byte, v reflect.Value) []error {
	raw = bytes.TrimSpace(raw)
	if n, ok := v.Addr().Interface().(named); ok && len(raw) > 0 && raw[0] == '"' {
		var name string
		if err := json.Unmarshal(raw, &name); err != nil {
			return []error{at(path, "%s: want a text", short(raw))}
		}
		n.setName(name)
		return nil
	}
	if u, ok := v.Addr().Interface().(json.Unmarshaler); ok {
		if err := u.UnmarshalJSON(raw); err != nil {
			return []error{at(path, "%w", err)}
		}
		return nil
	}
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		return decode(path, raw, v.Elem())
	case reflect.Struct:
		return decodeObject(path, raw, v)
	case reflect.Slice:
		return decodeList(path, raw, v)
	default: // a value
	}
	if bytes.Equal(raw, []byte("null")) || json.Unmarshal(raw, v.Addr().Interface()) != nil {
		return []error{at(path, "%s: want %s", short(raw), wants(v.Kind()))}
	}
	return nil
}

func decodeList(path string, raw []byte, v reflect.Value) (bad []error) {
	var elements []json.RawMessage
	if json.Unmarshal(raw, &elements) != nil || elements == nil {
		return []error{at(path, "%s: want a list", short(raw))}
	}
	v.Set(reflect.MakeSlice(v.Type(), len(elements), len(elements)))
	for i, e := range elements {
		bad = append(bad, decode(fmt.Sprintf("%s[%d]", path, i), e, v.Index(i))...)
	}
	return bad
}

func decodeObject(path string, raw []byte, v reflect.Value) (bad []error) {
	names := fieldNames(v.Type())
	d := json.NewDecoder(bytes.NewReader(raw))
	if open, err := d.Token(); err != nil || open != json.Delim('{') {
		return []error{at(path, "%s: want a JSON object with some of %s", short(raw), strings.Join(names, ", "))}
	}
	seen := map[string]bool{}
	for d.More() {
		token, err := d.Token()
		if err != nil {
			return append(bad, at(path, "not JSON: %w", err))
		}
		name := fmt.Sprint(token) // always text: the decoder refuses other names
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return append(bad, at(path, "not JSON: %w", err))
		}
		inner := strings.TrimPrefix(path+"."+name, ".")
		i := slices.Index(names, name)
		switch {
		case i < 0:
			bad = append(bad, at(inner, "unknown: want one of %s", strings.Join(names, ", ")))
		case seen[name]:
			bad = append(bad, at(inner, "is there twice"))
		default:
			bad = append(bad, decode(inner, value, v.Field(i))...)
		}
		seen[name] = true
	}
	if _, err := d.Token(); err != nil {
		return append(bad, at(path, "not JSON: %w", err))
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return append(bad, at(path, "something follows the JSON object at byte %d", d.InputOffset()))
	}
	return bad
}

// fieldNames returns the json names of a struct's fields, in their order. What is not exported
// comes last.
func fieldNames(t reflect.Type) []string {
	var names []string
	for i := range t.NumField() {
		if !t.Field(i).IsExported() {
			continue
		}
		name, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
		names = append(names, name)
	}
	return names
}

func at(path, format string, args ...any) error {
	if path == "" {
		return fmt.Errorf(format, args...)
	}
	return fmt.Errorf("%s: %w", path, fmt.Errorf(format, args...))
}

func wants(k reflect.Kind) string {
	switch k {
	case reflect.String:
		return "a text"
	case reflect.Bool:
		return "true or false"
	case reflect.Int:
		return "a whole number"
	default:
		return "a number"
	}
}

// short quotes what was found, in a length that fits an error.
func short(raw []byte) string {
	const most = 60
	s := strings.Join(strings.Fields(string(raw)), " ")
	if s == "" {
		return "nothing"
	}
	if len(s) > most {
		return strings.ToValidUTF8(s[:most], "") + "..."
	}
	return s
}
