package evaluate

import (
	"math"
	"strings"
	"testing"
)

func read(t *testing.T, text string) *Metrics {
	t.Helper()
	m, err := Read(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func rules(t *testing.T, kind Kind, text string) []Rule {
	t.Helper()
	r, err := ParseRules(kind, text)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestRulesAreHeldExactlyAtTheirBounds(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		kind      Kind
		rule      string
		value     string
		reference string
		passed    bool
	}{
		{Min, "m=0.9", "0.9", "", true},
		{Min, "m=0.9", "0.8999999", "", false},
		{Max, "m=12", "12", "", true},
		{Max, "m=12", "12.01", "", false},
		{Max, "m=-1", "-1.5", "", true},
		// In floating point 0.9-0.01 is 0.89 and a bit.
		{Regression, "m=-0.01", "0.89", "0.9", true},
		{Regression, "m=-0.01", "0.8899", "0.9", false},
		{Regression, "m=-0.01", "2", "0.9", true},
		{Regression, "m=+5%", "0.105", "0.1", true},
		{Regression, "m=+5%", "0.1051", "0.1", false},
		{Regression, "m=+5%", "-10", "0.1", true},
		{Regression, "m=-10%", "-1.1", "-1", true},
		{Regression, "m=-10%", "-1.11", "-1", false},
		{Regression, "m=-0", "0.9", "0.9", true},
		{Regression, "m=-0", "0.89", "0.9", false},
		{Regression, "m=+0%", "0.91", "0.9", false},
		{Regression, "m=+10%", "0.001", "0", false},
	} {
		m := read(t, `{"m": `+c.value+`}`)
		var ref *Metrics
		if c.reference != "" {
			ref = read(t, `{"m": `+c.reference+`}`)
		}
		row := Judge(m, ref, rules(t, c.kind, c.rule))[0]
		if row.Passed != c.passed || row.Problem != "" {
			t.Errorf("%s %s of %s with reference %q: %+v, want passed %v", c.kind, c.rule, c.value, c.reference, row, c.passed)
		}
	}
}

func TestNoEvidenceNeverPasses(t *testing.T) {
	t.Parallel()
	m := read(t, `{"nan": NaN, "inf": -Infinity, "quoted": "NaN", "text": "0.99", "yes": true, "null": null, "none": {}, "list": [],
		"good": 0.99, "say \"NaN": 0.5}`)
	ref := read(t, `{"good": Infinity}`)
	for _, c := range []struct{ metric, want string }{
		{"nan", "nan is NaN, not a finite number"},
		{"inf", "inf is -Infinity, not a finite number"},
		{"quoted", "quoted is NaN, not a finite number"},
		{"text", "text is text, not a number"},
		{"yes", "yes is true, not a number"},
		{"null", "null is null, not a number"},
		{"none", "none is empty, not a number"},
		{"list", "list is empty, not a number"},
		{"goud", `goud is not there: there are good, say "NaN`},
	} {
		for _, r := range []Rule{{Kind: Min, Metric: c.metric, Bound: math.Inf(-1)}, {Kind: Max, Metric: c.metric, Bound: 1e300}} {
			row := Judge(m, nil, []Rule{r})[0]
			if row.Passed || row.Problem != c.want {
				t.Errorf("%s: %+v, want %q", r, row, c.want)
			}
		}
	}
	regression := rules(t, Regression, "good=-1")
	if row := Judge(m, nil, regression)[0]; row.Passed || !strings.Contains(row.Problem, "no reference") {
		t.Errorf("without a reference: %+v", row)
	}
	if row := Judge(m, ref, regression)[0]; row.Passed || row.Problem != "the reference: good is Infinity, not a finite number" {
		t.Errorf("with a reference that is no number: %+v", row)
	}
}

func TestReadKnowsTheFormsOfMetrics(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ file, metric string }{
		"flat":            {`{"acc": 0.5}`, "acc"},
		"nested":          {`{"test": {"acc": 0.5}}`, "test.acc"},
		"lists":           {`{"folds": [{"acc": 0.1}, {"acc": 0.5}]}`, "folds[1].acc"},
		"mlflow REST":     {`{"run": {"info": {"run_id": "1"}, "data": {"metrics": [{"key": "acc", "value": 0.1, "step": 1}, {"key": "acc", "value": 0.5, "step": 2}]}}}`, "acc"},
		"mlflow describe": {`{"info": {"run_id": "1"}, "data": {"metrics": {"acc": 0.5}, "params": {"lr": "0.1"}}}`, "acc"},
		"mlflow export":   {`{"mlflow": {"info": {"run_id": "1"}, "metrics": {"acc": [{"value": 0.5, "step": 3, "timestamp": 9}, {"value": 0.1, "step": 3, "timestamp": 8}]}}}`, "acc"},
	} {
		if v, err := read(t, c.file).Value(c.metric); err != nil || v != 0.5 {
			t.Errorf("%s: %v, %v", name, v, err)
		}
	}
	// In a run everything but metrics is left out: a parameter of the same name must not be judged.
	if _, err := read(t, `{"info": {"run_id": "1"}, "data": {"params": {"acc": 1}}}`).Value("acc"); err == nil || !strings.Contains(err.Error(), "no metrics at all") {
		t.Errorf("a parameter was taken for a metric: %v", err)
	}
}

func TestReadRefusesWhatItCannotMean(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ file, want string }{
		"empty":      {``, "want a JSON object"},
		"list":       {`[1]`, "want a JSON object"},
		"null":       {`null`, "it is null"},
		"two":        {`{} {}`, "something behind it"},
		"ambiguous":  {`{"a.b": 1, "a": {"b": 2}}`, "a.b is there twice"},
		"deep":       {strings.Repeat(`{"a":`, 100) + "1" + strings.Repeat("}", 100), "nested deeper"},
		"mlflow key": {`{"info": {"run_id": "1"}, "data": {"metrics": [{"value": 1}]}}`, "metric 0 of the MLflow run has no key"},
		"mlflow odd": {`{"info": {"run_id": "1"}, "data": {"metrics": 3}}`, "neither an object nor a list"},
	} {
		if _, err := Read(strings.NewReader(c.file)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

func TestParseRulesSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		kind       Kind
		text, want string
	}{
		{Min, "accuracy", "want metric=number"},
		{Min, "=1", "want metric=number"},
		{Min, "accuracy=NaN", `"NaN" is not a finite number`},
		{Max, "accuracy=1e999", "is not a finite number"},
		{Max, "a=1\na=2", `two rules for "a"`},
		{Regression, "accuracy=0.01", "accuracy=-0.01 may fall by 0.01"},
		{Regression, "accuracy=", "want a sign"},
		{Regression, "accuracy=-%", "is not a finite number"},
	} {
		if _, err := ParseRules(c.kind, c.text); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s %q: %v, want %q", c.kind, c.text, err, c.want)
		}
	}
	got := rules(t, Regression, "# what may be lost\n a = -0.5 , b=+2%\n\nc=d=-0")
	if len(got) != 3 || got[0].String() != "a=-0.5" || got[1].String() != "b=+2%" || got[2].String() != "c=d=-0" {
		t.Errorf("%v", got)
	}
}

func FuzzRead(f *testing.F) {
	f.Add(`{"a": NaN, "b": {"c": [1, -Infinity]}}`)
	f.Add(`{"info": {"run_id": "1"}, "data": {"metrics": [{"key": "a", "value": 1}]}}`)
	f.Fuzz(func(t *testing.T, text string) {
		m, err := Read(strings.NewReader(text))
		if err != nil {
			return
		}
		for name := range m.leaves {
			row := Judge(m, m, []Rule{{Kind: Min, Metric: name, Bound: math.MaxFloat64}})[0]
			if row.Passed && row.Value < math.MaxFloat64 || row.Problem != "" && row.Passed {
				t.Errorf("%s: %+v", name, row)
			}
		}
	})
}
