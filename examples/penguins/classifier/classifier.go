// Package classifier is a trained penguin classifier: what training writes and the server reads.
//
// It is multinomial logistic regression over standardised numbers and one column a word
// (one-hot). The file is JSON, so that a person can read what a version knows, and what
// it does not: version 3 has no "impute".
package classifier

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
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
	// Again, where it is there, says how often a bird is measured anew before an answer.
	Again *Again `json:"again,omitempty"`
}

// Again allows for errors of measurement: the answer is the mean over Times copies of a bird, whose numbers
// are each off by a normal error of Spread standard deviations. It is hardly another answer, and takes Times as long.
type Again struct {
	Times  int     `json:"times"`
	Spread float64 `json:"spread"`
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
	p, err := m.probabilities(b)
	if err != nil {
		return 0, nil, err
	}
	for class := range p {
		if p[class] > p[best] {
			best = class
		}
	}
	return best, p, nil
}

func (m *Model) probabilities(b data.Bird) ([]float64, error) {
	if m.Again == nil {
		columns, err := m.Encode(b)
		if err != nil {
			return nil, err
		}
		return Softmax(m.Weights, columns), nil
	}
	// The errors are the same for every bird, so that the same bird gets the same answer.
	random := rand.New(rand.NewPCG(1, 0))
	mean := make([]float64, len(m.Classes))
	for range m.Again.Times {
		columns, err := m.Encode(b)
		if err != nil {
			return nil, err
		}
		for i, f := range m.Features {
			if len(f.Words) > 0 {
				break // words come last, and are not measured
			}
			columns[1+i] += m.Again.Spread * random.NormFloat64()
		}
		for class, p := range Softmax(m.Weights, columns) {
			mean[class] += p / float64(m.Again.Times)
		}
	}
	return mean, nil
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
	if a := m.Again; a != nil && (a.Times < 1 || a.Times > 1_000_000 || !(a.Spread >= 0 && a.Spread <= 1)) {
		return fmt.Errorf("again: %d times with a spread of %g: want 1 to 1,000,000 times and a spread from 0 to 1", a.Times, a.Spread)
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
