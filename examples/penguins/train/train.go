package main

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/optimize"
	"gonum.org/v1/gonum/stat"

	"github.com/tidegatehq/terraform-provider-tidegate/examples/penguins/classifier"
	"github.com/tidegatehq/terraform-provider-tidegate/examples/penguins/data"
)

// ridge is the weight of the squared coefficients in the loss. It keeps them finite where the
// classes can be told apart without an error.
const ridge = 0.01

// metrics are what a version achieves on rows that it was not trained on.
type metrics struct {
	Version   string  `json:"version"`
	About     string  `json:"about"`
	TrainRows int     `json:"train_rows"`
	TestRows  int     `json:"test_rows"`
	Accuracy  float64 `json:"accuracy"` // share of test rows whose species was right
	LogLoss   float64 `json:"log_loss"` // mean of -ln p(species)
}

// train fits a version on 70% of the rows and measures it on the rest.
func train(rows []data.Row, version string, seed uint64) (*classifier.Model, metrics, error) {
	r, err := recipeFor(version)
	if err != nil {
		return nil, metrics{}, err
	}
	if r.dropIncomplete {
		rows = slices.DeleteFunc(slices.Clone(rows), func(row data.Row) bool { return !row.Complete() })
	}
	fitRows, testRows := split(rows, seed)
	m := prepare(fitRows, r)
	m.Version = version
	if err := fit(m, fitRows); err != nil {
		return nil, metrics{}, fmt.Errorf("train version %s: %w", version, err)
	}
	m.Again = r.again
	got, err := measure(m, testRows)
	got.About, got.TrainRows = r.about, len(fitRows)
	return m, got, err
}

// split shuffles by seed and returns 70% and 30%.
func split(rows []data.Row, seed uint64) (fit, test []data.Row) {
	shuffled := slices.Clone(rows)
	rand.New(rand.NewPCG(seed, 0)).Shuffle(len(shuffled), func(i, j int) {
		shuffled[i], shuffled[j] = shuffled[j], shuffled[i]
	})
	n := len(shuffled) * 7 / 10
	return shuffled[:n], shuffled[n:]
}

// prepare learns what encoding needs: means, deviations, words, and what stands in for
// missing values, if any row lacks one.
func prepare(rows []data.Row, r recipe) *classifier.Model {
	m := &classifier.Model{}
	impute := &data.Bird{Numbers: map[string]float64{}, Words: map[string]string{}}
	for _, name := range r.features {
		if slices.Contains(data.Words, name) {
			seen := words(rows, name)
			impute.Words[name] = mostFrequent(seen)
			m.Features = append(m.Features, classifier.Feature{Name: name, Words: distinct(seen)})
			continue
		}
		mean, std := stat.MeanStdDev(numbers(rows, name), nil)
		impute.Numbers[name] = mean
		m.Features = append(m.Features, classifier.Feature{Name: name, Mean: mean, Std: std})
	}
	if slices.ContainsFunc(rows, func(row data.Row) bool { return !row.Complete() }) {
		m.Impute = impute
	}
	for _, row := range rows {
		if !slices.Contains(m.Classes, row.Species) {
			m.Classes = append(m.Classes, row.Species)
		}
	}
	slices.Sort(m.Classes)
	return m
}

func numbers(rows []data.Row, name string) []float64 {
	var xs []float64
	for _, row := range rows {
		if x, ok := row.Numbers[name]; ok {
			xs = append(xs, x)
		}
	}
	return xs
}

func words(rows []data.Row, name string) []string {
	var ws []string
	for _, row := range rows {
		if w, ok := row.Words[name]; ok {
			ws = append(ws, w)
		}
	}
	return ws
}

func distinct(words []string) []string {
	return slices.Compact(slices.Sorted(slices.Values(words)))
}

// mostFrequent returns the most frequent word, the first of the alphabet among equals.
func mostFrequent(words []string) string {
	count := map[string]int{}
	for _, w := range words {
		count[w]++
	}
	best := ""
	for _, w := range distinct(words) {
		if count[w] > count[best] {
			best = w
		}
	}
	return best
}

// fit minimises the mean negative log likelihood plus the ridge, by L-BFGS.
func fit(m *classifier.Model, rows []data.Row) error {
	columns := make([][]float64, len(rows))
	classes := make([]int, len(rows))
	for i, row := range rows {
		encoded, err := m.Encode(row.Bird)
		if err != nil {
			return err
		}
		columns[i], classes[i] = encoded, slices.Index(m.Classes, row.Species)
	}
	width := len(columns[0])
	weights := func(x []float64) [][]float64 { return slices.Collect(slices.Chunk(x, width)) }
	problem := optimize.Problem{
		Func: func(x []float64) float64 {
			loss := 0.0
			for i := range columns {
				loss -= math.Log(classifier.Softmax(weights(x), columns[i])[classes[i]])
			}
			loss /= float64(len(columns))
			for i, w := range x {
				if i%width != 0 {
					loss += ridge / 2 * w * w
				}
			}
			return loss
		},
		Grad: func(grad, x []float64) {
			clear(grad)
			for i := range columns {
				for class, p := range classifier.Softmax(weights(x), columns[i]) {
					if class == classes[i] {
						p--
					}
					for j, c := range columns[i] {
						grad[class*width+j] += p * c / float64(len(columns))
					}
				}
			}
			for i, w := range x {
				if i%width != 0 {
					grad[i] += ridge * w
				}
			}
		},
	}
	found, err := optimize.Minimize(problem, make([]float64, len(m.Classes)*width),
		&optimize.Settings{GradientThreshold: 1e-6}, &optimize.LBFGS{})
	if err != nil {
		return err
	}
	m.Weights = weights(found.X)
	return nil
}

// measure asks the model about rows that it has not seen.
func measure(m *classifier.Model, rows []data.Row) (metrics, error) {
	right, loss := 0, 0.0
	for _, row := range rows {
		best, p, err := m.Predict(row.Bird)
		if err != nil {
			return metrics{}, fmt.Errorf("test version %s: %w", m.Version, err)
		}
		if m.Classes[best] == row.Species {
			right++
		}
		loss -= math.Log(p[slices.Index(m.Classes, row.Species)])
	}
	n := float64(len(rows))
	return metrics{Version: m.Version, TestRows: len(rows), Accuracy: float64(right) / n, LogLoss: loss / n}, nil
}
