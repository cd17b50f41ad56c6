package action

import (
	"bytes"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/evaluate"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/report"
)

// Evaluate holds a file of metrics against the rules of the inputs.
func Evaluate(s *Stage, in Inputs) (Outcome, error) {
	metrics, err := s.metrics("metrics", in.Metrics)
	if err != nil {
		return Failed, err
	}
	var reference *evaluate.Metrics
	if in.Reference != "" {
		if reference, err = s.metrics("reference", in.Reference); err != nil {
			return Failed, err
		}
	}
	rows := evaluate.Judge(metrics, reference, in.Rules)
	e := report.Evaluation{Metrics: in.Metrics, Reference: in.Reference, Rows: evaluated(rows)}
	s.summarise(in, e.Markdown(report.SummaryLimit))
	passed := 0
	out := Done
	for _, r := range rows {
		s.Say("%s", sentence(r))
		switch {
		case r.Problem != "":
			out = Failed // no answer is not a bad one, and never a good one
		case !r.Passed:
			if out == Done {
				out = Refused
			}
		default:
			passed++
		}
	}
	line := fmt.Sprintf("%d of %d rules hold", passed, len(rows))
	s.Output("passed", fmt.Sprint(passed == len(rows)))
	s.Output("summary", line)
	if out != Done {
		return out, fmt.Errorf("metrics %s are not good enough: %s", in.Metrics, line)
	}
	s.Say("%s", line)
	return Done, nil
}

func (s *Stage) metrics(what, path string) (*evaluate.Metrics, error) {
	full := path
	if !filepath.IsAbs(path) {
		full = filepath.Join(s.Dir, path)
	}
	b, err := read(what, full)
	if err != nil {
		return nil, err
	}
	m, err := evaluate.Read(bytes.NewReader(b))
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", what, path, err)
	}
	return m, nil
}

// sentence tells of a rule.
func sentence(r evaluate.Row) string {
	verdict := "ok    "
	if !r.Passed {
		verdict = "FAILED"
	}
	if r.Problem != "" {
		return fmt.Sprintf("%s %s: %s", verdict, r.Rule.Metric, r.Problem)
	}
	var b strings.Builder
	_, _ = fmt.Fprintf(&b, "%s %s is %v, ", verdict, r.Rule.Metric, r.Value)
	switch r.Rule.Kind {
	case evaluate.Min:
		_, _ = fmt.Fprintf(&b, "at least %s is asked", r.Rule.Limit())
	case evaluate.Max:
		_, _ = fmt.Fprintf(&b, "at most %s is asked", r.Rule.Limit())
	case evaluate.Regression:
		_, _ = fmt.Fprintf(&b, "the reference %v; %s allows %v", r.Reference, r.Rule.Limit(), r.Allowed)
	}
	return b.String()
}

// evaluated are the rows as the report shows them.
func evaluated(rows []evaluate.Row) []report.Metric {
	out := make([]report.Metric, len(rows))
	for i, r := range rows {
		out[i] = report.Metric{Name: r.Rule.Metric, Kind: kinds[r.Rule.Kind], Limit: r.Rule.Limit(), Pass: r.Passed, Why: r.Problem}
		if r.Problem != "" {
			continue
		}
		out[i].Value, out[i].Allowed = &r.Value, &r.Allowed
		if r.Rule.Kind == evaluate.Regression {
			out[i].Reference = &r.Reference
		}
	}
	return out
}

var kinds = map[evaluate.Kind]string{evaluate.Min: "minimum", evaluate.Max: "maximum", evaluate.Regression: "regression"}

func (in *Inputs) checkMetrics() error {
	if in.Metrics == "" {
		return errors.New("metrics: want a file")
	}
	if len(in.Rules) == 0 {
		return errors.New("want at least one of min, max and max_regression: without one, any model passes")
	}
	regresses := slices.ContainsFunc(in.Rules, func(r evaluate.Rule) bool { return r.Kind == evaluate.Regression })
	if regresses && in.Reference == "" {
		return errors.New("max_regression: want reference, a metrics file to compare with")
	}
	if !regresses && in.Reference != "" {
		return errors.New("reference: only max_regression compares with it, and there is none")
	}
	return nil
}

func setRules(kind evaluate.Kind) func(*Inputs, string) error {
	return func(in *Inputs, v string) error {
		rules, err := evaluate.ParseRules(kind, v)
		in.Rules = append(in.Rules, rules...)
		return err
	}
}
