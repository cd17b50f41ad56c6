package report

// An Evaluation is how a model's metrics were judged.
type Evaluation struct {
	Metrics   string // where they come from: a file's name
	Reference string // "" for none
	Rows      []Metric
}

// A Metric and its limits; nil is no limit, or no number.
type Metric struct {
	Name             string
	Value            *float64
	Minimum, Maximum *float64
	Regression       *float64 // the most by which it may be worse than the reference
	Reference        *float64
	Pass             bool
	Why              string // a sentence, where it does not pass
}

// Markdown is the evaluation as a table, the failed ones first, at most limit bytes.
func (e Evaluation) Markdown(limit int) string { return "" }
