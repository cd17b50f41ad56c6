package action

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const metrics = `{"test": {"f1": 0.91, "loss": 0.2}, "bad": NaN}`

func TestEvaluateOnGitHub(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		inputs map[string]string
		out    Outcome
		log    []string
		passed string
	}{
		"good enough": {map[string]string{"MIN": "test.f1=0.9", "MAX": "test.loss=0.2"}, Done, []string{"2 of 2 rules hold"}, "true"},
		"not good enough": {map[string]string{"MIN": "test.f1=0.95", "MAX": "test.loss=0.2"}, Refused,
			[]string{"FAILED test.f1 is 0.91, at least 0.95 is asked", "::error::metrics m.json are not good enough: 1 of 2 rules hold"}, "false"},
		"lost too much": {map[string]string{"MAX_REGRESSION": "test.f1=-1%", "REFERENCE": "ref.json"}, Refused,
			[]string{"FAILED test.f1 is 0.91, the reference 0.95; -1% allows 0.9405"}, "false"},
		"no number":          {map[string]string{"MIN": "bad=0"}, Failed, []string{"FAILED bad: bad is NaN, not a finite number"}, "false"},
		"missing":            {map[string]string{"MIN": "f1=0"}, Failed, []string{"FAILED f1: f1 is not there: there are"}, "false"},
		"no file":            {map[string]string{"MIN": "f1=0", "METRICS": "no.json"}, Failed, []string{"::error::read the metrics: open "}, ""},
		"no JSON":            {map[string]string{"MIN": "f1=0", "METRICS": "text.json"}, Failed, []string{"::error::metrics text.json: want a JSON object"}, ""},
		"a wrong input":      {map[string]string{"MIN": "f1"}, Failed, []string{"::error::inputs: min: min \"f1\": want metric=number"}, ""},
		"a reference absent": {map[string]string{"MAX_REGRESSION": "test.f1=-1%", "REFERENCE": "no.json"}, Failed, []string{"read the reference"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			env := map[string]string{"INPUT_MODE": "evaluate", "INPUT_METRICS": "m.json"}
			for k, v := range c.inputs {
				env["INPUT_"+k] = v
			}
			r := newRunner(t, env)
			r.write("m.json", metrics)
			r.write("ref.json", `{"test": {"f1": 0.95}}`)
			r.write("text.json", "f1: 1")
			if out := Main(context.Background(), r.stage()); out != c.out {
				t.Errorf("%v, want %v\n%s", out, c.out, r.log.String())
			}
			for _, want := range c.log {
				if !strings.Contains(r.log.String(), want) {
					t.Errorf("%s\ndoes not say %q", r.log.String(), want)
				}
			}
			if got := r.outputs()["passed"]; got != c.passed {
				t.Errorf("passed is %q, want %q", got, c.passed)
			}
		})
	}
}

func TestEvaluateOnATerminal(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "m.json"), []byte(metrics), 0o600); err != nil {
		t.Fatal(err)
	}
	var out, errs bytes.Buffer
	in := New(ModeEvaluate)
	for _, i := range All() {
		for name, value := range map[string]string{"metrics": "m.json", "min": "test.f1=0.99", "summary": filepath.Join(dir, "report.md")} {
			if i.Name == name {
				if err := i.Set(&in, value); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	s := OnTerminal(&out, &errs, func(string) string { return "" }, nil, dir, "dev")
	if got := Run(context.Background(), s, in); got != Refused {
		t.Errorf("%v", got)
	}
	if !strings.Contains(out.String(), "FAILED test.f1 is 0.91") || strings.Contains(out.String(), "::") {
		t.Errorf("out: %s", out.String())
	}
	if errs.String() != "tidegate: metrics m.json are not good enough: 0 of 1 rules hold\n" {
		t.Errorf("err: %q", errs.String())
	}
	if _, err := os.Stat(filepath.Join(dir, "report.md")); err != nil {
		t.Error(err)
	}
}
