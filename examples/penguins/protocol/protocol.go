// Package protocol is the part of the Open Inference Protocol, version 2, that the penguins
// need: tensors of numbers (FP64) and of words (BYTES), one column each.
//
// The protocol has no word for a missing value. Here it is null in a tensor's data.
package protocol

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"slices"

	"github.com/tidegatehq/terraform-provider-tidegate/examples/penguins/data"
)

// Datatypes of the tensors.
const (
	Number = "FP64"
	Word   = "BYTES"
)

// A Request asks about as many birds as its tensors have elements.
type Request struct {
	ID      string   `json:"id,omitempty"`
	Inputs  []Tensor `json:"inputs"`
	Outputs []Output `json:"outputs,omitempty"` // those that are wanted; all when empty
}

// A Tensor is one column. Its shape is [n] or [n, 1].
type Tensor struct {
	Name     string          `json:"name"`
	Shape    []int           `json:"shape"`
	Datatype string          `json:"datatype"`
	Data     json.RawMessage `json:"data,omitempty"` // absent in a model's metadata
}

// An Output names a tensor that is wanted.
type Output struct {
	Name string `json:"name"`
}

// A Response answers a Request.
type Response struct {
	ModelName    string   `json:"model_name"`
	ModelVersion string   `json:"model_version"`
	ID           string   `json:"id,omitempty"`
	Outputs      []Tensor `json:"outputs"`
}

// An Error is the body of every answer that is not a success.
type Error struct {
	Error string `json:"error"`
}

// largest is more than any measurement, in millimetres or grams, can be.
const largest = 1e6

// Tensors writes birds as six tensors, null for what is missing.
func Tensors(birds []data.Bird) ([]Tensor, error) {
	var tensors []Tensor
	for _, name := range data.Numbers {
		column := make([]*float64, len(birds))
		for i, b := range birds {
			if x, ok := b.Numbers[name]; ok {
				column[i] = &x
			}
		}
		tensors = append(tensors, Tensor{Name: name, Datatype: Number})
		if err := tensors[len(tensors)-1].put(len(birds), column); err != nil {
			return nil, err
		}
	}
	for _, name := range data.Words {
		column := make([]*string, len(birds))
		for i, b := range birds {
			if w, ok := b.Words[name]; ok {
				column[i] = &w
			}
		}
		tensors = append(tensors, Tensor{Name: name, Datatype: Word})
		if err := tensors[len(tensors)-1].put(len(birds), column); err != nil {
			return nil, err
		}
	}
	return tensors, nil
}

func (t *Tensor) put(n int, column any) error {
	b, err := json.Marshal(column)
	if err != nil {
		return fmt.Errorf("write tensor %s: %w", t.Name, err)
	}
	t.Shape, t.Data = []int{n}, b
	return nil
}

// Birds reads tensors back. All must have the same number of elements, from 1 to limit. A
// column that is left out is missing for every bird.
func Birds(tensors []Tensor, limit int) ([]data.Bird, error) {
	if len(tensors) == 0 {
		return nil, fmt.Errorf("no inputs: want tensors of %q and %q", data.Numbers, data.Words)
	}
	n, err := tensors[0].rows(limit)
	if err != nil {
		return nil, err
	}
	birds := make([]data.Bird, n)
	for i := range birds {
		birds[i] = data.Bird{Numbers: map[string]float64{}, Words: map[string]string{}}
	}
	seen := map[string]bool{}
	for _, t := range tensors {
		if seen[t.Name] {
			return nil, fmt.Errorf("input %q is there twice", t.Name)
		}
		seen[t.Name] = true
		if err := t.read(birds, limit); err != nil {
			return nil, err
		}
	}
	return birds, nil
}

// rows returns the number of elements that the shape says.
func (t Tensor) rows(limit int) (int, error) {
	if len(t.Shape) != 1 && (len(t.Shape) != 2 || t.Shape[1] != 1) {
		return 0, fmt.Errorf("input %q has shape %v: want [n] or [n, 1]", t.Name, t.Shape)
	}
	if n := t.Shape[0]; n < 1 || n > limit {
		return 0, fmt.Errorf("input %q has %d rows: want 1 to %d", t.Name, n, limit)
	}
	return t.Shape[0], nil
}

func (t Tensor) read(birds []data.Bird, limit int) error {
	rows, err := t.rows(limit)
	if err != nil {
		return err
	}
	if rows != len(birds) {
		return fmt.Errorf("input %q has %d rows, the first input has %d: want as many", t.Name, rows, len(birds))
	}
	switch {
	case slices.Contains(data.Numbers, t.Name):
		return readColumn(t, Number, len(birds), func(i int, x float64) error {
			if math.Abs(x) > largest {
				return fmt.Errorf("input %q, row %d: %g is no measurement: want at most %g", t.Name, i, x, largest)
			}
			birds[i].Numbers[t.Name] = x
			return nil
		})
	case slices.Contains(data.Words, t.Name):
		return readColumn(t, Word, len(birds), func(i int, w string) error {
			birds[i].Words[t.Name] = w
			return nil
		})
	}
	return fmt.Errorf("input %q: want one of %q or %q", t.Name, data.Numbers, data.Words)
}

// readColumn hands each value that is there to set.
func readColumn[T any](t Tensor, datatype string, rows int, set func(int, T) error) error {
	if t.Datatype != datatype {
		return fmt.Errorf("input %q has datatype %q: want %q", t.Name, t.Datatype, datatype)
	}
	var column []*T
	if err := json.NewDecoder(bytes.NewReader(t.Data)).Decode(&column); err != nil {
		return fmt.Errorf("input %q: want a flat array of %s, null for what is missing: %w", t.Name, datatype, err)
	}
	if len(column) != rows {
		return fmt.Errorf("input %q has %d values: its shape says %d", t.Name, len(column), rows)
	}
	for i, value := range column {
		if value == nil {
			continue
		}
		if err := set(i, *value); err != nil {
			return err
		}
	}
	return nil
}
