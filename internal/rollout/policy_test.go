package rollout

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/gate"
)

const defaultJSON = `{"schema":1,"strategy":"canary",` +
	`"steps":[{"weight":1},{"weight":5},{"weight":10},{"weight":25},{"weight":50},{"weight":90}],"skip_leading":true,` +
	`"gates":{"errors":{}},` +
	`"limits":{"step_minimum":"30s","step":"2h0m0s","total":"2h0m0s","bake":"3m0s","blind":"5m0s","abandoned_after":"10m0s"}}`

func TestDefaultPolicyIsTheOneOfTheDesign(t *testing.T) {
	t.Parallel()
	if got := DefaultPolicy().JSON(); got != defaultJSON {
		t.Errorf("got  %s\nwant %s", got, defaultJSON)
	}
	if err := DefaultPolicy().Validate(); err != nil {
		t.Error(err)
	}
}

func TestPolicyJSONReadsBackAsTheSamePolicy(t *testing.T) {
	t.Parallel()
	for name, p := range map[string]Policy{"default": DefaultPolicy(), "demo": demoPolicy()} {
		got, err := ParsePolicy([]byte(p.JSON()))
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if got.JSON() != p.JSON() {
			t.Errorf("%s: got %s, want %s", name, got.JSON(), p.JSON())
		}
	}
}

func TestHandWrittenPolicyBecomesCanonical(t *testing.T) {
	t.Parallel()
	p, err := ParsePolicy([]byte(` {
		"limits": {"abandoned_after": "600s", "blind": "300s", "bake": "180s", "total": "120m", "step": "2h", "step_minimum": "0.5m"},
		"gates": {"errors": { } }, "skip_leading": true, "strategy": "\u0063anary", "schema": 1,
		"steps": [{"weight": 1}, {"weight": 5}, {"weight": 10}, {"weight": 25}, {"weight": 50}, {"weight": 90}] }
	`))
	if err != nil {
		t.Fatal(err)
	}
	if p.JSON() != defaultJSON {
		t.Errorf("got  %s\nwant %s", p.JSON(), defaultJSON)
	}
}

func TestPolicyErrorsNameFieldValueAndChoices(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		old, new string // replaced in the default policy's JSON
		want     []string
	}{
		"not JSON":             {defaultJSON, `{"schema":1,`, []string{"not JSON"}},
		"nothing":              {defaultJSON, ``, []string{"nothing: want a JSON object"}},
		"a list":               {defaultJSON, `[]`, []string{"[]: want a JSON object"}},
		"null":                 {defaultJSON, `null`, []string{"null: want a JSON object"}},
		"trailing data":        {defaultJSON, defaultJSON + `{}`, []string{"something follows"}},
		"later schema":         {`"schema":1`, `"schema":2,"tides":3`, []string{"schema: 2: want 1", "later Tidegate"}},
		"schema 0":             {`"schema":1`, `"schema":0`, []string{"schema: 0: want 1"}},
		"no schema":            {`"schema":1,`, ``, []string{"schema: is missing"}},
		"unknown strategy":     {`"canary"`, `"blue_green"`, []string{`strategy: "blue_green": want "canary"`}},
		"strategy no text":     {`"canary"`, `7`, []string{"strategy: 7: want a text"}},
		"unknown field":        {`"schema":1`, `"schema":1,"stepz":[]`, []string{"stepz: unknown: want one of schema, strategy, steps"}},
		"another case":         {`"schema":1`, `"Schema":1`, []string{"Schema: unknown", "schema: is missing"}},
		"duplicate key":        {`"schema":1`, `"schema":1,"schema":1`, []string{"schema: is there twice"}},
		"duplicate in step":    {`{"weight":5}`, `{"weight":5,"weight":5}`, []string{"step[1].weight: is there twice"}},
		"unknown in step":      {`{"weight":5}`, `{"weight":5,"approve":true}`, []string{"step[1].approve: unknown: want one of weight"}},
		"unknown gate":         {`"errors":{}`, `"errors":{},"tides":{}`, []string{"gates.tides: unknown: want one of errors, latency"}},
		"gate with a setting":  {`"errors":{}`, `"errors":{"alpha":0.5}`, []string{"gates.errors.alpha: unknown: want no fields here"}},
		"gate null":            {`"errors":{}`, `"errors":null`, []string{"gates.errors: null: want a JSON object"}},
		"no gate":              {`"errors":{}`, ``, []string{`gates: none: want at least one of "errors", "latency"`}},
		"steps null":           {`"steps":[`, `"steps":null,"steps":[`, []string{"steps: null: want a list"}},
		"steps empty":          {`{"weight":1},{"weight":5},{"weight":10},{"weight":25},{"weight":50},{"weight":90}`, ``, []string{"steps: none"}},
		"weight 0":             {`{"weight":5}`, `{"weight":0}`, []string{"step[1].weight: 0: want 1 to 99"}},
		"weight 100":           {`{"weight":90}`, `{"weight":100}`, []string{"step[5].weight: 100: want 1 to 99"}},
		"weight falls":         {`{"weight":50}`, `{"weight":20}`, []string{"step[4].weight: 20 after 25: weights must rise"}},
		"weight stays":         {`{"weight":50}`, `{"weight":25}`, []string{"step[4].weight: 25 after 25: weights must rise"}},
		"weight a fraction":    {`{"weight":50}`, `{"weight":5e1}`, []string{"step[4].weight: 5e1: want a whole number"}},
		"weight a text":        {`{"weight":50}`, `{"weight":"50"}`, []string{`step[4].weight: "50": want a whole number`}},
		"weight huge":          {`{"weight":50}`, `{"weight":99999999999999999999}`, []string{"step[4].weight: 99999999999999999999: want a whole number"}},
		"flag a number":        {`"skip_leading":true`, `"skip_leading":1`, []string{"skip_leading: 1: want true or false"}},
		"duration negative":    {`"bake":"3m0s"`, `"bake":"-3m"`, []string{"limits.bake: -3m0s: want 1s to 720h0m0s"}},
		"duration zero":        {`"step":"2h0m0s"`, `"step":"0s"`, []string{"limits.step: 0s: want 1s to 720h0m0s"}},
		"duration absurd":      {`"total":"2h0m0s"`, `"total":"10000h"`, []string{"limits.total: 10000h0m0s: want 1s to 720h0m0s"}},
		"duration overflows":   {`"total":"2h0m0s"`, `"total":"9999999999h"`, []string{`limits.total: "9999999999h": want a duration`}},
		"duration a number":    {`"total":"2h0m0s"`, `"total":7200`, []string{"limits.total: 7200: want a duration such as"}},
		"duration unclear":     {`"total":"2h0m0s"`, `"total":"2 hours"`, []string{`limits.total: "2 hours": want a duration such as`}},
		"limit missing":        {`,"blind":"5m0s"`, ``, []string{"limits.blind: is missing"}},
		"blind too short":      {`"blind":"5m0s"`, `"blind":"4s"`, []string{"limits.blind: 4s: want 5s to"}},
		"abandoned too short":  {`"abandoned_after":"10m0s"`, `"abandoned_after":"9s"`, []string{"limits.abandoned_after: 9s: want 10s to"}},
		"minimum over step":    {`"step":"2h0m0s"`, `"step":"20s"`, []string{"limits.step_minimum: 30s: want at most limits.step, 20s", "limits.bake: 3m0s: want at most limits.step, 20s"}},
		"total too short":      {`"total":"2h0m0s"`, `"total":"5m"`, []string{"limits.total: 5m0s: want at least 5m30s"}},
		"ratio too small":      {`{"weight":5}`, `{"weight":5,"ratio":1.2}`, []string{"step[1].ratio: 1.2: want more than 1.2 and at most 1000", "none would pass"}},
		"ratio huge":           {`{"weight":5}`, `{"weight":5,"ratio":1e9}`, []string{"step[1].ratio: 1e+09: want more than 1.2"}},
		"ratio 0":              {`{"weight":5}`, `{"weight":5,"ratio":0}`, []string{"step[1].ratio: 0: want a number such as 0.01, not 0"}},
		"ratio a text":         {`{"weight":5}`, `{"weight":5,"ratio":"2"}`, []string{`step[1].ratio: "2": want a number`}},
		"floor negative":       {`{"weight":5}`, `{"weight":5,"floor":-0.1}`, []string{"step[1].floor: -0.1: want a share of bad answers", "no candidate would pass"}},
		"floor in percent":     {`{"weight":5}`, `{"weight":5,"floor":5}`, []string{"step[1].floor: 5: want a share of bad answers from 1e-06 to 0.5"}},
		"own minimum too long": {`{"weight":5}`, `{"weight":5,"minimum":"3h"}`, []string{"step[1].minimum: 3h0m0s: want at most limits.step, 2h0m0s", "limits.total: 2h0m0s: want at least"}},
		"minimum negative":     {`{"weight":5}`, `{"weight":5,"minimum":"-1s"}`, []string{"step[1].minimum: -1s: want 1s to"}},
		"alpha too large":      {`"errors":{}}`, `"errors":{}},"alpha":0.5`, []string{"alpha: 0.5: want a chance from 1e-06 to 0.2"}},
		"beta negative":        {`"errors":{}}`, `"errors":{}},"beta":-1`, []string{"beta: -1: want a chance from"}},
		"beta not a number":    {`"errors":{}}`, `"errors":{}},"beta":NaN`, []string{"not JSON"}},
		"warm-up negative":     {`"errors":{}}`, `"errors":{}},"warm_up":{"requests":-1}`, []string{"warm_up.requests: -1: want 0 to"}},
		"warm-up forever":      {`"errors":{}}`, `"errors":{}},"warm_up":{"time":"2h"}`, []string{"warm_up.time: 2h0m0s: want less than limits.step"}},
		"warm-up misspelt":     {`"errors":{}}`, `"errors":{}},"warm_up":{"second":1}`, []string{"warm_up.second: unknown: want one of requests, time"}},
		"latency threshold":    {`"errors":{}`, `"errors":{},"latency":{"p99":"1s"}`, []string{"gates.latency.p99: unknown: want one of tolerance"}},
		"latency tolerance":    {`"errors":{}`, `"errors":{},"latency":{"tolerance":0.5}`, []string{"latency.tolerance: 0.5: want 1 to 20 times"}},
		"approval a text":      {`{"weight":5}`, `{"weight":5,"approval":"yes"}`, []string{`step[1].approval: "yes": want true or false`}},
		"approval a number":    {`{"weight":5}`, `{"weight":5,"approval":1}`, []string{"step[1].approval: 1: want true or false"}},
		"approval null":        {`{"weight":5}`, `{"weight":5,"approval":null}`, []string{"step[1].approval: null: want true or false"}},
		"approval misspelt":    {`{"weight":5}`, `{"weight":5,"approve":true}`, []string{"step[1].approve: unknown: want one of weight, ratio, floor, minimum, approval"}},
		"no wait":              {`"limits":{`, `"limits":{"approval":"0s",`, []string{`limits.approval: "0s": want 1s to 720h0m0s`}},
		"wait too short":       {`"limits":{`, `"limits":{"approval":"10ms",`, []string{"limits.approval: 10ms: want 1s to 720h0m0s"}},
		"wait negative":        {`"limits":{`, `"limits":{"approval":"-1h",`, []string{"limits.approval: -1h0m0s: want 1s to"}},
		"wait absurd":          {`"limits":{`, `"limits":{"approval":"9000h",`, []string{"limits.approval: 9000h0m0s: want 1s to 720h0m0s"}},
		"wait a number":        {`"limits":{`, `"limits":{"approval":3600,`, []string{"limits.approval: 3600: want a duration such as"}},
		"kept negative":        {`"limits":{`, `"limits":{"keep_previous":"-1s",`, []string{"limits.keep_previous: -1s: want 0s to 720h0m0s"}},
		"kept for ever":        {`"limits":{`, `"limits":{"keep_previous":"1000h",`, []string{"limits.keep_previous: 1000h0m0s: want 0s to 720h0m0s"}},
		"kept null":            {`"limits":{`, `"limits":{"keep_previous":null,`, []string{"limits.keep_previous: null: want a duration such as"}},
		"kept a flag":          {`"limits":{`, `"limits":{"keep_previous":true,`, []string{"limits.keep_previous: true: want a duration such as"}},
		"several at once":      {`{"weight":25},{"weight":50}`, `{"weight":50},{"weight":25},{"weight":0}`, []string{"step[4].weight: 25 after 50", "step[5].weight: 0"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if !strings.Contains(defaultJSON, tc.old) {
				t.Fatalf("nothing to replace: %s", tc.old)
			}
			p, err := ParsePolicy([]byte(strings.Replace(defaultJSON, tc.old, tc.new, 1)))
			if err == nil {
				t.Fatalf("accepted: %s", p.JSON())
			}
			for _, want := range tc.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("error %q does not say %q", err, want)
				}
			}
		})
	}
}

func TestWhatIsTheDefaultIsLeftOut(t *testing.T) {
	t.Parallel()
	p, err := ParsePolicy([]byte(strings.Replace(defaultJSON, `"errors":{}}`, `"errors":{}},"alpha":0.01,"beta":5e-2,"warm_up":{}`, 1)))
	if err != nil || p.JSON() != defaultJSON {
		t.Errorf("%v: %s", err, p.JSON())
	}
}

func TestWhatConcernsPeopleReadsBackAndIsLeftOutWhereItIsTheDefault(t *testing.T) {
	t.Parallel()
	for limits, want := range map[string]string{
		`"approval":"24h","keep_previous":"30m",`: ``,
		`"keep_previous":"0.5h",`:                 ``,
		`"keep_previous":"0s",`:                   `,"keep_previous":"0s"`,
		`"approval":"90m","keep_previous":"24h",`: `,"approval":"1h30m0s","keep_previous":"24h0m0s"`,
	} {
		p, err := ParsePolicy([]byte(strings.Replace(defaultJSON, `"limits":{`, `"limits":{`+limits, 1)))
		if got, want := p.JSON(), strings.TrimSuffix(defaultJSON, "}}")+want+"}}"; err != nil || got != want {
			t.Errorf("%s: %v\ngot  %s\nwant %s", limits, err, got, want)
		}
	}
	p, err := ParsePolicy([]byte(strings.Replace(defaultJSON, `{"weight":5},{"weight":10}`, `{"weight":5,"approval":false},{"weight":10,"approval":true}`, 1)))
	if got, want := p.JSON(), strings.Replace(defaultJSON, `{"weight":10}`, `{"weight":10,"approval":true}`, 1); err != nil || got != want {
		t.Errorf("%v\ngot  %s\nwant %s", err, got, want)
	}
	if !p.Approvals() || DefaultPolicy().Approvals() {
		t.Error("whether a step waits for a person is not known")
	}
	if keep := DefaultPolicy().Limits.Keep(); keep != 30*time.Minute {
		t.Errorf("keeps for %s", keep)
	}
	var none Duration
	if keep := (Limits{KeepPrevious: &none}).Keep(); keep != 0 {
		t.Errorf("keeps for %s, and was told not to", keep)
	}
}

func TestEverySettingReadsBack(t *testing.T) {
	t.Parallel()
	const full = `{"schema":1,"strategy":"canary","steps":[{"weight":5,"ratio":3,"floor":0.02,"minimum":"1m0s"},{"weight":50}],` +
		`"gates":{"errors":{},"latency":{}},"alpha":0.001,"beta":0.1,"warm_up":{"requests":50,"time":"20s"},` +
		`"limits":{"step_minimum":"30s","step":"2h0m0s","total":"2h0m0s","bake":"3m0s","blind":"5m0s","abandoned_after":"10m0s"}}`
	p, err := ParsePolicy([]byte(full))
	if err != nil || p.JSON() != full {
		t.Fatalf("%v: %s", err, p.JSON())
	}
	g := p.judges()
	if g.Alpha != .001 || g.Beta != .1 || g.Errors.Steps[0] != (gate.Margin{Ratio: 3, Floor: .02}) || g.Errors.Steps[1] != gate.MarginFor(100) {
		t.Errorf("%+v, %+v", g, g.Errors.Steps)
	}
	if p.minimum(0) != time.Minute || p.minimum(1) != 3*time.Minute {
		t.Errorf("%s, %s", p.minimum(0), p.minimum(1))
	}
}

func TestPolicyHasAtMostTwentySteps(t *testing.T) {
	t.Parallel()
	p := DefaultPolicy()
	p.Steps = nil
	for w := 1; w <= 21; w++ {
		p.Steps = append(p.Steps, Step{Weight: w})
	}
	if err := p.Validate(); err == nil || !strings.Contains(err.Error(), "steps: 21 of them: want at most 20") {
		t.Errorf("21 steps: %v", err)
	}
	if _, err := ParsePolicy([]byte(p.JSON())); err == nil || !strings.Contains(err.Error(), "steps: 21 of them: want at most 20") {
		t.Errorf("21 steps parsed: %v", err)
	}
	p.Steps = p.Steps[:20]
	if err := p.Validate(); err != nil {
		t.Error(err)
	}
}

func TestZeroPolicyIsRefusedInEveryPart(t *testing.T) {
	t.Parallel()
	err := Policy{}.Validate()
	for _, want := range []string{"schema", "strategy", "steps", "gates", "limits.step", "limits.abandoned_after"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v does not name %s", err, want)
		}
	}
}

func TestLongestIsBoundedByStepsAndTotal(t *testing.T) {
	t.Parallel()
	p := DefaultPolicy()
	if got := p.Longest(); got != 2*time.Hour {
		t.Errorf("default: %s", got)
	}
	p.Limits.Step = Duration(10 * time.Minute)
	if got := p.Longest(); got != time.Hour {
		t.Errorf("six steps of ten minutes: %s", got)
	}
	p.Steps[0].Approval, p.Steps[5].Approval = true, true
	if got := p.Longest(); got != 49*time.Hour {
		t.Errorf("and two approvals: %s", got)
	}
	p.Limits.Approval = Duration(time.Minute)
	if got := p.Longest(); got != 62*time.Minute {
		t.Errorf("of a minute: %s", got)
	}
}

func TestDurationReadsAndWritesText(t *testing.T) {
	t.Parallel()
	var d Duration
	if err := json.Unmarshal([]byte(`"90m"`), &d); err != nil || d.String() != "1h30m0s" {
		t.Errorf("got %s, %v", d, err)
	}
	if err := json.Unmarshal([]byte(`90`), &d); err == nil {
		t.Error("a number was read as a duration")
	}
}

func FuzzParsePolicy(f *testing.F) {
	f.Add([]byte(defaultJSON))
	f.Add([]byte(demoPolicy().JSON()))
	f.Add([]byte(strings.Replace(defaultJSON, `"2h0m0s"`, `"1.5h"`, 2)))
	f.Add([]byte(strings.Replace(defaultJSON, `"errors":{}}`, `"latency":{}},"alpha":1e-3,"warm_up":{"time":"1s"}`, 1)))
	f.Add([]byte(askingPolicy().JSON()))
	f.Add([]byte(strings.Replace(defaultJSON, `"limits":{`, `"limits":{"approval":"24h","keep_previous":"0s",`, 1)))
	f.Add([]byte(`{"schema":1,"schema":{}}`))
	f.Add([]byte(`{"steps":[[]],"gates":[],"limits":0}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := ParsePolicy(b)
		if err != nil {
			return
		}
		canonical := p.JSON()
		again, err := ParsePolicy([]byte(canonical))
		if err != nil {
			t.Fatalf("canonical form %s is refused: %v", canonical, err)
		}
		if again.JSON() != canonical {
			t.Fatalf("canonical form %s becomes %s", canonical, again.JSON())
		}
	})
}

// demoPolicy is short, as in a demonstration.
func demoPolicy() Policy {
	p := DefaultPolicy()
	p.Steps = stepsAt(10, 50)
	p.SkipLeading = false
	p.Limits = Limits{
		StepMinimum:    Duration(2 * time.Second),
		Step:           Duration(time.Minute),
		Total:          Duration(2 * time.Minute),
		Bake:           Duration(5 * time.Second),
		Blind:          Duration(20 * time.Second),
		AbandonedAfter: Duration(30 * time.Second),
	}
	return p
}
