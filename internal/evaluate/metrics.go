package evaluate

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
)

// Metrics are the leaves of a metrics file by name. A nested one is named by its path: "test.f1", "folds[0].auc".
type Metrics struct {
	leaves map[string]any // float64, or what is there instead
}

// Limits of a metrics file: it is made by programs that may be wrong.
const (
	maxBytes  = 64 << 20
	maxLeaves = 100_000
	maxDepth  = 64
)

// Read reads a metrics file: a flat or nested JSON object of numbers, or a run of MLflow (as its REST API,
// `mlflow runs describe` and mlflow-export-import write it), of which metrics are taken, at their last step.
func Read(r io.Reader) (*Metrics, error) {
	b, err := io.ReadAll(io.LimitReader(r, maxBytes+1))
	if err != nil {
		return nil, err
	}
	if len(b) > maxBytes {
		return nil, fmt.Errorf("it is larger than %d MiB", maxBytes>>20)
	}
	var root map[string]any
	dec := json.NewDecoder(bytes.NewReader(quoteNonFinite(b)))
	if err := dec.Decode(&root); err != nil {
		return nil, fmt.Errorf("want a JSON object: %w", err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("want one JSON object: there is something behind it")
	}
	if root == nil {
		return nil, errors.New("want a JSON object, it is null")
	}
	m := &Metrics{leaves: map[string]any{}}
	if run, ok := mlflow(root); ok {
		return m, m.addRun(run)
	}
	return m, m.add("", root, 0)
}

// Value is a metric, or an error that says what is there instead.
func (m *Metrics) Value(name string) (float64, error) {
	switch v := m.leaves[name].(type) {
	case float64:
		if !finite(v) {
			return 0, fmt.Errorf("%s is %v, not a finite number", name, v)
		}
		return v, nil
	case nil:
		if _, ok := m.leaves[name]; ok {
			return 0, fmt.Errorf("%s is null, not a number", name)
		}
		return 0, fmt.Errorf("%s is not there: %s", name, m.choices())
	case string:
		if v == "NaN" || strings.TrimPrefix(v, "-") == "Infinity" {
			return 0, fmt.Errorf("%s is %s, not a finite number", name, v)
		}
		return 0, fmt.Errorf("%s is text, not a number", name)
	case bool:
		return 0, fmt.Errorf("%s is %v, not a number", name, v)
	default:
		return 0, fmt.Errorf("%s is empty, not a number", name)
	}
}

// choices names the metrics that there are, as many as people read.
func (m *Metrics) choices() string {
	var names []string
	for name, v := range m.leaves {
		if _, ok := v.(float64); ok {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return "there are no metrics at all"
	}
	slices.Sort(names)
	more := ""
	if n := len(names); n > 10 {
		more = fmt.Sprintf(" and %d more", n-10)
		names = names[:10]
	}
	return "there are " + strings.Join(names, ", ") + more
}

func (m *Metrics) add(name string, v any, depth int) error {
	if depth > maxDepth {
		return fmt.Errorf("it is nested deeper than %d", maxDepth)
	}
	switch v := v.(type) {
	case map[string]any:
		if len(v) == 0 && name != "" {
			return m.set(name, v)
		}
		for key, child := range v {
			path := key
			if name != "" {
				path = name + "." + key
			}
			if err := m.add(path, child, depth+1); err != nil {
				return err
			}
		}
		return nil
	case []any:
		if len(v) == 0 {
			return m.set(name, v)
		}
		for i, child := range v {
			if err := m.add(fmt.Sprintf("%s[%d]", name, i), child, depth+1); err != nil {
				return err
			}
		}
		return nil
	}
	return m.set(name, v)
}

// set refuses names that mean two things: {"a.b": 1, "a": {"b": 2}} must not be judged by chance.
func (m *Metrics) set(name string, v any) error {
	if _, ok := m.leaves[name]; ok {
		return fmt.Errorf("%s is there twice", name)
	}
	if len(m.leaves) >= maxLeaves {
		return fmt.Errorf("it has more than %d values", maxLeaves)
	}
	m.leaves[name] = v
	return nil
}

// mlflow finds the metrics of a run.
func mlflow(root map[string]any) (any, bool) {
	if run, ok := root["run"].(map[string]any); ok {
		root = run // runs/get
	}
	if exported, ok := root["mlflow"].(map[string]any); ok {
		root = map[string]any{"info": exported["info"], "data": exported}
	}
	info, ok := root["info"].(map[string]any)
	if !ok {
		return nil, false
	}
	data, ok := root["data"].(map[string]any)
	if _, id := info["run_id"]; !ok || !id {
		return nil, false
	}
	return data["metrics"], true
}

// addRun takes metrics as {"key": value}, [{"key", "value", "step"}] or {"key": [{"value", "step"}]}.
func (m *Metrics) addRun(metrics any) error {
	switch metrics := metrics.(type) {
	case nil:
		return nil
	case map[string]any:
		for key, v := range metrics {
			if history, ok := v.([]any); ok {
				v = last(history)
			}
			if err := m.set(key, v); err != nil {
				return err
			}
		}
		return nil
	case []any:
		byKey := map[string][]any{}
		for i, v := range metrics {
			entry, _ := v.(map[string]any)
			key, ok := entry["key"].(string)
			if !ok {
				return fmt.Errorf("metric %d of the MLflow run has no key", i)
			}
			byKey[key] = append(byKey[key], v)
		}
		for key, history := range byKey {
			if err := m.set(key, last(history)); err != nil {
				return err
			}
		}
		return nil
	}
	return errors.New("the MLflow run's metrics are neither an object nor a list")
}

// last is the value of the greatest step, and of the later of two that have it.
func last(history []any) any {
	var value any
	best := [2]float64{math.Inf(-1), math.Inf(-1)}
	for _, v := range history {
		entry, _ := v.(map[string]any)
		step, _ := entry["step"].(float64)
		at, _ := entry["timestamp"].(float64)
		if step > best[0] || step == best[0] && at >= best[1] {
			best, value = [2]float64{step, at}, entry["value"]
		}
	}
	return value
}

// quoteNonFinite makes strings of NaN and Infinity, which Python writes into JSON though JSON has them not, so that
// they can be named instead of being called a syntax error.
func quoteNonFinite(b []byte) []byte {
	var out []byte
	inside := false
	for i := 0; i < len(b); i++ {
		if inside && b[i] == '\\' && i+1 < len(b) {
			out = append(out, b[i], b[i+1])
			i++
			continue
		}
		if b[i] == '"' {
			inside = !inside
		}
		if word := nonFinite(b[i:]); !inside && word != "" {
			out = append(append(append(out, '"'), word...), '"')
			i += len(word) - 1
			continue
		}
		out = append(out, b[i])
	}
	return out
}

func nonFinite(b []byte) string {
	for _, word := range []string{"NaN", "Infinity", "-Infinity"} {
		if bytes.HasPrefix(b, []byte(word)) {
			return word
		}
	}
	return ""
}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }
