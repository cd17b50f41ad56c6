// Package evaluate asks whether a model's metrics are good enough: a file of metrics against minima, maxima, and
// what they may lose against a reference. Nothing missing, misspelt or not a number ever passes.
package evaluate

import (
	"errors"
	"fmt"
	"math/big"
	"strconv"
	"strings"
)

// A Kind of rule.
type Kind string

// The kinds.
const (
	Min        Kind = "min"
	Max        Kind = "max"
	Regression Kind = "max_regression"
)

// A Rule bounds one metric.
type Rule struct {
	Kind   Kind
	Metric string
	// Bound is the least or greatest value, both allowed; of a regression how far the metric may be from the
	// reference's, and to which side: negative is below, positive above, so that it says whether more is better.
	Bound float64
	// Percent makes a regression's bound one of the reference's absolute value.
	Percent bool
	down    bool // of a regression: also where the bound is -0
}

// String is the rule as it is written: "accuracy=0.9", "loss=+5%".
func (r Rule) String() string { return r.Metric + "=" + r.Limit() }

// Limit is the rule without the metric: "0.9", "-1%".
func (r Rule) Limit() string {
	s := number(r.Bound)
	if r.Kind == Regression && !r.down {
		s = "+" + s
	}
	if r.Kind == Regression && r.down && r.Bound == 0 {
		s = "-0"
	}
	if r.Percent {
		s += "%"
	}
	return s
}

// ParseRules reads rules of one kind: a line each (or several in one, separated by commas), "metric=number".
// Empty lines and those that begin with # are skipped.
func ParseRules(kind Kind, text string) ([]Rule, error) {
	var rules []Rule
	var errs []error
	seen := map[string]bool{}
	for line := range strings.SplitSeq(text, "\n") {
		if strings.HasPrefix(strings.TrimSpace(line), "#") {
			continue
		}
		for field := range strings.SplitSeq(line, ",") {
			field = strings.TrimSpace(field)
			if field == "" {
				continue
			}
			r, err := parseRule(kind, field)
			if err == nil && seen[r.Metric] {
				err = fmt.Errorf("%s has two rules for %q: want one", kind, r.Metric)
			}
			if err != nil {
				errs = append(errs, err)
				continue
			}
			seen[r.Metric] = true
			rules = append(rules, r)
		}
	}
	return rules, errors.Join(errs...)
}

func parseRule(kind Kind, field string) (Rule, error) {
	// The name may have a "=" of its own; a number has none.
	i := strings.LastIndex(field, "=")
	if i < 1 {
		return Rule{}, fmt.Errorf("%s %q: want metric=number", kind, field)
	}
	r := Rule{Kind: kind, Metric: strings.TrimSpace(field[:i])}
	text := strings.TrimSpace(field[i+1:])
	if r.Metric == "" {
		return Rule{}, fmt.Errorf("%s %q: want metric=number", kind, field)
	}
	if kind == Regression {
		if text == "" || text[0] != '+' && text[0] != '-' {
			return Rule{}, fmt.Errorf("%s %q: want a sign that says which side is worse: %s=-0.01 may fall by 0.01, %s=+5%% may rise by 5%%",
				kind, field, r.Metric, r.Metric)
		}
		r.down = text[0] == '-'
		text, r.Percent = strings.CutSuffix(text, "%")
	}
	v, err := strconv.ParseFloat(text, 64)
	if err != nil || !finite(v) {
		return Rule{}, fmt.Errorf("%s %q: %q is not a finite number", kind, field, text)
	}
	r.Bound = v
	return r, nil
}

// A Row is what became of one rule.
type Row struct {
	Rule      Rule
	Value     float64
	Reference float64 // of a regression
	// Allowed is the bound that Value was held against: the rule's, or what it makes of the reference.
	Allowed float64
	Passed  bool
	// Problem says why the question has no answer: the metric is missing, or is not a number. It never passes.
	Problem string
}

// Judge holds metrics against rules, in their order. Reference may be nil if no rule needs it.
func Judge(metrics, reference *Metrics, rules []Rule) []Row {
	rows := make([]Row, 0, len(rules))
	for _, r := range rules {
		rows = append(rows, judge(metrics, reference, r))
	}
	return rows
}

func judge(metrics, reference *Metrics, r Rule) Row {
	row := Row{Rule: r, Allowed: r.Bound}
	v, err := metrics.Value(r.Metric)
	if err != nil {
		row.Problem = err.Error()
		return row
	}
	row.Value = v
	value := exact(v)
	switch r.Kind {
	case Min:
		row.Passed = value.Cmp(exact(r.Bound)) >= 0
	case Max:
		row.Passed = value.Cmp(exact(r.Bound)) <= 0
	case Regression:
		if reference == nil {
			row.Problem = "there is no reference to compare with"
			return row
		}
		if row.Reference, err = reference.Value(r.Metric); err != nil {
			row.Problem = "the reference: " + err.Error()
			return row
		}
		allowed := allowance(r, row.Reference)
		row.Allowed, _ = allowed.Float64()
		row.Passed = value.Cmp(allowed) <= 0
		if r.down {
			row.Passed = value.Cmp(allowed) >= 0
		}
	}
	return row
}

// allowance is the worst value that a regression rule allows.
func allowance(r Rule, reference float64) *big.Rat {
	ref, by := exact(reference), exact(r.Bound)
	if r.Percent {
		by.Mul(by, new(big.Rat).Abs(ref))
		by.Quo(by, big.NewRat(100, 1))
	}
	return ref.Add(ref, by)
}

// exact is the decimal number that people read: 0.9 - 0.01 is 0.89, and a metric of 0.89 has not fallen further.
func exact(v float64) *big.Rat {
	r, _ := new(big.Rat).SetString(number(v)) // a finite float's text is always one
	return r
}

func number(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }
