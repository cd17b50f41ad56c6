// Package model is a trained penguin classifier: what training writes and the server reads.
//
// It is multinomial logistic regression over standardised numbers and one column a word
// (one-hot). The file is JSON, so that a person can read what a version knows, and what
// it does not: version 3 has no "impute".
package model

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"slices"

	"github.com/tidegatehq/terraform-provider-tidegate/examples/penguins/data"
)

// A Model predicts a species.
type Model struct {
	Version  string    `json:"version"`
	Features []Feature `json:"features"`
	Classes  []string  `json:"classes"`
	// Impute holds the value that stands in for one that was not recorded. Without it the
	// model cannot answer for such a bird.
	Impute  *data.Bird  `json:"impute,omitempty"`
	Weights [][]float64 `json:"weights"` // a row a class: the intercept, then one a column
}

// A Feature is a number, or a word where Words is not empty.
type Feature struct {
	Name  string   `json:"name"`
	Mean  float64  `json:"mean,omitempty"`  // of the numbers seen in training
	Std   float64  `json:"std,omitempty"`   // their standard deviation
	Words []string `json:"words,omitempty"` // those seen in training, a column each
}

// A MissingError says that a model needs a value that was not recorded.
type MissingError struct{ Version, Feature string }

func (e *MissingError) Error() string {
	return fmt.Sprintf("%s is missing, and model version %s has nothing to put in its place", e.Feature, e.Version)
}

// An UnknownWordError says that a word was never seen in training.
type UnknownWordError struct {
	Feature, Word string
	Known         []string
}

func (e *UnknownWordError) Error() string {
	return fmt.Sprintf("%s %q: want one of %q", e.Feature, e.Word, e.Known)
}

// Encode turns a bird into the model's columns: 1 for the intercept, standardised numbers,
// 0 or 1 for words.
func (m *Model) Encode(b data.Bird) ([]float64, error) {
	columns := []float64{1}
	for _, f := range m.Features {
		next, err := m.encode(columns, f, b)
		if err != nil {
			return nil, err
		}
		columns = next
	}
	return columns, nil
}

func (m *Model) encode(columns []float64, f Feature, b data.Bird) ([]float64, error) {
	if len(f.Words) == 0 {
		x, ok := b.Numbers[f.Name]
		if !ok && m.Impute != nil {
			x, ok = m.Impute.Numbers[f.Name]
		}
		if !ok {
			return nil, &MissingError{m.Version, f.Name}
		}
		return append(columns, (x-f.Mean)/f.Std), nil
	}
	word, ok := b.Words[f.Name]
	if !ok && m.Impute != nil {
		word, ok = m.Impute.Words[f.Name]
	}
	if !ok {
		return nil, &MissingError{m.Version, f.Name}
	}
	if !slices.Contains(f.Words, word) {
		return nil, &UnknownWordError{f.Name, word, f.Words}
	}
	for _, w := range f.Words {
		column := 0.0
		if w == word {
			column = 1
		}
		columns = append(columns, column)
	}
	return columns, nil
}

// Predict returns the index of the likeliest class and the probability of each.
func (m *Model) Predict(b data.Bird) (best int, probabilities []float64, err error) {
	columns, err := m.Encode(b)
	if err != nil {
		return 0, nil, err
	}
	p := Softmax(m.Weights, columns)
	for class := range p {
		if p[class] > p[best] {
			best = class
		}
	}
	return best, p, nil
}

// Softmax returns the probability of each class for a bird's columns.
func Softmax(weights [][]float64, columns []float64) []float64 {
	p := make([]float64, len(weights))
	top := math.Inf(-1)
	for class, row := range weights {
		for i, w := range row {
			p[class] += w * columns[i]
		}
		top = max(top, p[class])
	}
	sum := 0.0
	for class := range p {
		p[class] = math.Exp(p[class] - top)
		sum += p[class]
	}
	for class := range p {
		p[class] /= sum
	}
	return p
}

// Read reads and checks a model file.
func Read(path string) (*Model, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read model: %w", err)
	}
	var m Model
	if err := json.Unmarshal(b, &m); err != nil {
		return nil, fmt.Errorf("read model %s: %w", path, err)
	}
	if err := m.check(); err != nil {
		return nil, fmt.Errorf("read model %s: %w", path, err)
	}
	return &m, nil
}

func (m *Model) check() error {
	if m.Version == "" || len(m.Features) == 0 || len(m.Classes) < 2 {
		return errors.New("want a version, features and at least two classes")
	}
	columns := 1
	for _, f := range m.Features {
		switch {
		case slices.Contains(data.Words, f.Name) && len(f.Words) > 0:
			columns += len(f.Words)
		case slices.Contains(data.Numbers, f.Name) && len(f.Words) == 0 && f.Std > 0:
			columns++
		default:
			return fmt.Errorf("feature %q: want one of %q with std above 0, or one of %q with words",
				f.Name, data.Numbers, data.Words)
		}
	}
	if len(m.Weights) != len(m.Classes) {
		return fmt.Errorf("weights of %d classes, want %d", len(m.Weights), len(m.Classes))
	}
	for i, row := range m.Weights {
		if len(row) != columns {
			return fmt.Errorf("class %s has %d weights, want %d", m.Classes[i], len(row), columns)
		}
	}
	return nil
}
