package simulate

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const example = `{
	"title": "a test",
	"window": "5s", "horizon": "90m",
	"traffic": {"requests_per_second": 100},
	"errors": {"share": 0.01, "drift": {"spread": 0.4, "half_life": "20m"}, "incidents": {"per_hour": 2, "lasting": "2m", "errors_times": 10}},
	"latency": {"median": "80ms", "spread": 0.5},
	"candidate": {"errors_times": 2, "latency_times": 1.5, "from_weight": 25, "cold_start": {"lasting": "30s", "latency_times": 3}},
	"clients": {"count": 1000, "failing": 0.02},
	"policy": "default",
	"rules": ["tidegate", "flagger", {"name": "mine", "argo": {"steps": [{"weight": 20, "pause": "5m"}], "analysis": "background", "interval": "1m", "success_rate": 0.9, "consecutive_error_limit": 4, "range": "1m"}}]
}`

func TestAScenarioIsReadAsItIsWritten(t *testing.T) {
	t.Parallel()
	s, err := Parse([]byte(example))
	if err != nil {
		t.Fatal(err)
	}
	if s.Errors.Incidents.LatencyTimes != 1 || s.Errors.Burst != 1 || s.Candidate.ColdStart.ErrorsTimes != 1 {
		t.Errorf("what is left out is not 1: %+v", s)
	}
	rules, err := s.rules()
	if err != nil || len(rules) != 3 || rules[2].Name() != "mine" {
		t.Errorf("%v: %v", rules, err)
	}
	if time.Duration(s.Candidate.ColdStart.Lasting) != 30*time.Second || s.Clients.Count != 1000 {
		t.Errorf("%+v", s)
	}
}

func TestWhatIsLeftOutTakesItsDefault(t *testing.T) {
	t.Parallel()
	s, err := Parse([]byte(`{"traffic": {"requests_per_second": 10}}`))
	if err != nil {
		t.Fatal(err)
	}
	if time.Duration(s.Window) != 5*time.Second || time.Duration(s.Horizon) != 2*time.Hour || len(s.Rules) != len(Rules()) || s.Candidate.ErrorsTimes != 1 {
		t.Errorf("%+v", s)
	}
}

func TestScenarioErrorsNameFieldValueAndChoices(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ old, new, want string }{
		"not JSON":            {example, `{"title": `, "not JSON"},
		"nothing":             {example, ``, "nothing: want a JSON object with some of title, window, horizon"},
		"a list":              {example, `[]`, "[]: want a JSON object"},
		"trailing data":       {`"flagger", {`, `"flagger", {`, ""},
		"unknown field":       {`"title"`, `"titel"`, "titel: unknown: want one of title, window, horizon, traffic, errors"},
		"unexported":          {`"title"`, `"replayed"`, "replayed: unknown"},
		"another case":        {`"title"`, `"Title"`, "Title: unknown"},
		"twice":               {`"window": "5s"`, `"window": "5s", "window": "6s"`, "window: is there twice"},
		"unknown inside":      {`"per_hour"`, `"hourly"`, "errors.incidents.hourly: unknown: want one of per_hour, lasting"},
		"text for a number":   {`"share": 0.01`, `"share": "1%"`, `errors.share: "1%": want a number`},
		"null":                {`"share": 0.01`, `"share": null`, `errors.share: null: want a number`},
		"half a client":       {`"count": 1000`, `"count": 10.5`, `clients.count: 10.5: want a whole number`},
		"no traffic":          {`"requests_per_second": 100`, `"requests_per_second": 0`, "traffic.requests_per_second: 0: want 0.01 to 1e+06"},
		"share over one":      {`"share": 0.01`, `"share": 1.5`, "errors.share: 1.5: want 0 to 0.5"},
		"negative":            {`"errors_times": 2`, `"errors_times": -2`, "candidate.errors_times: -2: want 0.001 to 1e+06 times the odds"},
		"a number of seconds": {`"90m"`, `90`, `horizon: 90: want a duration such as "90s" or "2h"`},
		"window too long":     {`"5s"`, `"2m"`, "window: 2m0s: want 1s to 1m0s"},
		"slow without":        {`"latency": {"median": "80ms", "spread": 0.5},`, ``, "latency: is missing: the candidate is to be slower than something"},
		"unknown rule":        {`"flagger"`, `"flager"`, `rules[1]: name: "flager": want one of tidegate, argo, argo-step`},
		"rule twice":          {`"flagger"`, `"tidegate"`, `rules[1].name: "tidegate": is there twice`},
		"rule without name":   {`"name": "mine", `, ``, "rules[2]: name: is missing"},
		"two tools":           {`"name": "mine", `, `"name": "mine", "kayenta": {}, `, "rules[2]: is several rules at once: want one of tidegate, argo, flagger, kayenta"},
		"tool misspelt":       {`"argo"`, `"argocd"`, "rules[2].argocd: unknown: want one of name, tidegate, argo, flagger, kayenta"},
		"analysis unknown":    {`"background"`, `"inline"`, `argo.analysis: "inline": want background or step`},
		"pause negative":      {`"pause": "5m"`, `"pause": "-5m"`, "argo.steps[0].pause: -5m0s: want 0s to 24h0m0s"},
		"policy unknown":      {`"default"`, `"default-ish"`, `policy: "default-ish": want`},
		"policy wrong":        {`"policy": "default"`, `"policy": {"schema": 1}`, "policy: strategy: is missing"},
		"bursts of clients":   {`"share": 0.01`, `"share": 0.01, "burst": 3`, "errors.burst: is for requests that are nobody's"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if !strings.Contains(example, c.old) {
				t.Fatalf("nothing to replace: %s", c.old)
			}
			text := strings.Replace(example, c.old, c.new, 1)
			if c.want == "" {
				text, c.want = text+`{}`, "something follows the JSON object"
			}
			if _, err := Parse([]byte(text)); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v does not say %q", err, c.want)
			}
		})
	}
}

func TestExamplesAreScenarios(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../../examples/simulate/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("%d examples: %v", len(files), err)
	}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Parse(b); err != nil {
			t.Errorf("%s: %v", f, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(example))
	f.Add([]byte(`{"rules": [{"name": "x", "kayenta": {"weight": 10}}], "policy": {}}`))
	f.Add([]byte(`{"traffic": {"requests_per_second": 1e309}, "errors": []}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := Parse(b)
		if err != nil {
			return
		}
		if _, err := s.rules(); err != nil {
			t.Errorf("accepted, and yet: %v", err)
		}
	})
}
