package provider

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/endpoint"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/rollout"
)

// A status that means what the user wrote leaves the user's words.
func TestReadKeepsTheWordsOfTheUser(t *testing.T) {
	t.Parallel()
	pretty := `{ "schema": 1, "strategy": "canary", "steps": [{"weight":1},{"weight":5},{"weight":10},{"weight":25},{"weight":50},{"weight":90}],
  "skip_leading": true, "gates": {"errors": {}}, "limits": {"step_minimum": "0.5m", "step": "120m", "total": "2h", "bake": "180s", "blind": "5m", "abandoned_after": "10m"}}`
	m := endpointModel{
		Name: types.StringValue("penguins"), Cluster: types.StringValue("local/here"), Replicas: number(2),
		Model: &modelModel{types.StringValue("file://m.json")},
		Runtime: &runtimeModel{
			Command: list([]string{"x"}, types.ListNull(types.StringType)), Files: types.ListValueMust(types.StringType, nil),
			Protocol: types.StringValue("v2"), StartTimeout: types.StringValue("1.5m"), Env: types.MapValueMust(types.StringType, nil),
		},
		Routing: &routingModel{Timeout: types.StringValue("60s")},
		Rollout: &rolloutModel{Policy: types.StringValue(pretty), Run: types.StringValue("inline"), Retry: types.StringValue(""), OnCancel: types.StringValue("rollback")},
	}
	before := m
	diags := m.read(t.Context(), endpoint.Status{Spec: m.spec("/root")})
	if diags.HasError() {
		t.Fatal(diags)
	}
	for name, pair := range map[string][2]interface{ String() string }{
		"files":         {before.Runtime.Files, m.Runtime.Files},
		"env":           {before.Runtime.Env, m.Runtime.Env},
		"ready_path":    {before.Runtime.ReadyPath, m.Runtime.ReadyPath},
		"start_timeout": {before.Runtime.StartTimeout, m.Runtime.StartTimeout},
		"timeout":       {before.Routing.Timeout, m.Routing.Timeout},
		"policy":        {before.Rollout.Policy, m.Rollout.Policy},
		"retry":         {before.Rollout.Retry, m.Rollout.Retry},
		"replicas":      {before.Replicas, m.Replicas},
	} {
		if pair[0].String() != pair[1].String() {
			t.Errorf("%s: %s became %s", name, pair[0], pair[1])
		}
	}
}

// A block that says nothing but defaults is not made up, and one that says more is.
func TestReadMakesUpNoBlocks(t *testing.T) {
	t.Parallel()
	var m endpointModel
	st := endpoint.Status{Spec: m.spec("/root")}
	if diags := m.read(t.Context(), st); diags.HasError() || m.Routing != nil || m.Rollout != nil {
		t.Fatalf("%v: routing %v, rollout %v, want none", diags, m.Routing, m.Rollout)
	}
	st.Spec.Routing.StickyCookie, st.Spec.Rollout.Retry = "id", "2"
	if diags := m.read(t.Context(), st); diags.HasError() || m.Routing == nil || m.Rollout == nil {
		t.Fatalf("%v: routing %v, rollout %v, want both", diags, m.Routing, m.Rollout)
	}
	if got := m.spec("/root"); got.Routing != st.Spec.Routing || got.Rollout != st.Spec.Rollout {
		t.Errorf("read back %+v %+v, want %+v %+v", got.Routing, got.Rollout, st.Spec.Routing, st.Spec.Rollout)
	}
}

func TestNewsAreTheEntriesThatWereNotShown(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC)
	var all []rollout.Entry
	for i, s := range []string{"begins", "goes on", "ends"} {
		all = append(all, rollout.Entry{At: at.Add(time.Duration(i) * time.Second), Sentence: s})
	}
	for _, c := range []struct {
		last rollout.Entry
		want []rollout.Entry
	}{
		{rollout.Entry{}, all[2:]}, // what an earlier runner did is old
		{all[0], all[1:]},
		{all[2], nil},
		{rollout.Entry{Sentence: "left out of a long history"}, all[2:]},
	} {
		if got := news(all, c.last); !slices.Equal(got, c.want) {
			t.Errorf("after %q: %v, want %v", c.last.Sentence, got, c.want)
		}
	}
	if got := news(nil, all[0]); len(got) != 0 {
		t.Errorf("news of nothing: %v", got)
	}
}

func TestSentencesBeginAndEndAsSentencesDo(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"it is gone":                       "It is gone.",
		"It is gone.":                      "It is gone.",
		"models/v1.json: it is gone":       "models/v1.json: it is gone.",
		"delete cluster here: it holds x":  "It holds x.",
		"create endpoint local/a/b: no":    "No.",
		"the end of its log:\n  | weighty": "The end of its log:\n  | weighty",
	} {
		if got := sentence(errors.New(in)); got != want {
			t.Errorf("%q becomes %q, want %q", in, got, want)
		}
	}
}
