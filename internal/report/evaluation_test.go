package report

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
)

func number(v float64) *float64 { return &v }

func evaluation() Evaluation {
	return Evaluation{Metrics: "metrics.json", Reference: "reference.json", Rows: []Metric{
		{Name: "test.accuracy", Kind: "minimum", Limit: "0.9", Value: number(0.943), Allowed: number(0.9), Pass: true},
		{Name: "test.f1", Kind: "regression", Limit: "-1%", Value: number(0.8799999999), Allowed: number(0.88), Reference: number(0.8888888888888888)},
		{Name: "loss", Kind: "maximum", Limit: "0.3", Why: `there is no metric "loss"; there are test.accuracy, test.f1`},
		{Name: "latency_ms", Kind: "regression", Limit: "+5", Value: number(12), Allowed: number(17), Reference: number(12), Pass: true},
	}}
}

func TestEvaluationTellsFailuresFirstWithAllDigits(t *testing.T) {
	text := evaluation().Markdown(SummaryLimit)
	golden(t, filepath.Join("testdata", "plan", "evaluation.md"), text)
	look(t, "evaluation", text)
	if strings.Index(text, "test.f1</code></td>") > strings.Index(text, "test.accuracy</code></td>") {
		t.Error("what passes is told first")
	}
}

func TestEvaluationOfNothingIsNoSuccess(t *testing.T) {
	t.Parallel()
	if text := (Evaluation{Metrics: "m.json"}).Markdown(1000); !strings.Contains(text, "[!CAUTION]\n> **Nothing was evaluated**") {
		t.Error(text)
	}
}

func TestEvaluationFitsAndStaysText(t *testing.T) {
	t.Parallel()
	for _, text := range hostile {
		of := func(text string) Evaluation {
			e := Evaluation{Metrics: text, Reference: "r" + text}
			for i := range 9 {
				e.Rows = append(e.Rows, Metric{Name: text, Kind: []string{"minimum", "maximum", "regression"}[i%3], Limit: text, Value: number(1), Why: "w" + text})
			}
			return e
		}
		checkText(t, text, of(text).Markdown(SummaryLimit), of(harmlessLike(text)).Markdown(SummaryLimit), 0)
		for _, limit := range []int{1000, 1500} {
			got := of(text).Markdown(limit)
			if len(got) > limit {
				t.Errorf("%q: %d bytes, %d are allowed", text, len(got), limit)
			}
			checkBalance(t, fmt.Sprintf("evaluation of %q", text), got)
		}
	}
}
