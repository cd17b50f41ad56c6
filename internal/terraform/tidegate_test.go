package terraform

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/rollout"
)

// What a change of an endpoint means is told from real plans of the provider (testdata/endpoint_*.json), edited.
func TestEndpointsAreExplained(t *testing.T) {
	t.Parallel()
	const (
		from  = "file://models/v1.json (sha256:59a4f6343c92)"
		to    = "file://models/v2.json (sha256:b128d2405862)"
		steps = "Steps: 5%, 25%, 50%, then all traffic. Errors and latency are judged at each step; at most 4m in all."
		goes  = "Endpoint penguins goes from " + from + " to " + to + "."
		run   = "Inline: apply drives the rollout, and fails if the candidate is rolled back."
	)
	rejected := func(revision, retry string) map[string]any {
		return map[string]any{"revision": revision, "model_digest": "sha256:0123456789abcdef", "gate": "errors", "reason": "7% of answers were errors, 1% on stable", "retry": retry, "at": "2026-11-24T12:00:00Z"}
	}
	for _, test := range []struct {
		name string
		edit func(change, before, after map[string]any)
		want []string
	}{
		{"as it is", func(_, _, _ map[string]any) {}, []string{goes, steps, run}},
		{
			"staged, with an approval",
			func(_, _, after map[string]any) {
				p := rollout.DefaultPolicy()
				p.Steps = []rollout.Step{{Weight: 10, Approval: true}}
				p.Gates = rollout.Gates{Errors: &rollout.ErrorsGate{}}
				after["rollout"] = map[string]any{"policy": p.JSON(), "run": "staged"}
			},
			[]string{
				goes, "Steps: 10% (then an approval), then all traffic. Errors are judged at each step; at most 26h in all.",
				"Staged: apply brings the candidate up without traffic, and a promotion drives the rollout.",
			},
		},
		{
			"rejected before, and another one",
			func(_, before, after map[string]any) {
				before["rejected"] = []any{rejected(after["revision"].(string), ""), rejected("sha256:other", "")}
				delete(after["rollout"].(map[string]any), "retry")
				before["rejected"].([]any)[0].(map[string]any)["retry"] = nil
			},
			[]string{
				goes, steps, run,
				"This very revision was rejected (sha256:0123456789ab): 7% of answers were errors, 1% on stable. Apply will refuse it. Set rollout.retry to another text to try it again.",
				"Rejected before: sha256:0123456789ab. 7% of answers were errors, 1% on stable.",
			},
		},
		{
			"the same model with other words",
			func(_, before, after map[string]any) {
				after["model"], after["model_digest"], after["revision"] = before["model"], before["model_digest"], before["revision"]
				after["replicas"] = 2
			},
			[]string{"Endpoint penguins goes on serving " + from + "; its settings change in place."},
		},
		{
			"another runtime",
			func(_, before, after map[string]any) {
				after["model"], after["model_digest"] = before["model"], before["model_digest"]
			},
			[]string{"Endpoint penguins keeps " + from + " and gets another runtime.", steps, run},
		},
		{
			"nothing known",
			func(change, _, after map[string]any) {
				delete(after, "model_digest")
				delete(after, "revision")
				delete(after["rollout"].(map[string]any), "policy")
				change["after_unknown"] = map[string]any{"model_digest": true, "revision": true, "rollout": map[string]any{"policy": true}}
			},
			[]string{
				"Endpoint penguins goes from " + from + " to file://models/v2.json. Its bytes are known only during apply; if they are those that serve, nothing is rolled out.",
				"By which steps cannot be told: its policy is known only during apply.", run,
			},
		},
		{
			"a policy of tomorrow",
			func(_, _, after map[string]any) {
				after["rollout"] = map[string]any{"policy": "no JSON", "run": "inline"}
			},
			[]string{goes, "By which steps cannot be told: its policy is no JSON.", run},
		},
		{"replaced", func(change, _, _ map[string]any) { change["actions"] = []string{"delete", "create"} }, []string{
			"Endpoint penguins is taken down and made anew with " + to + ": its users get no answers in between, and no gate is asked.",
		}},
		{"forgotten", func(change, _, _ map[string]any) { change["actions"], change["after"] = []string{"forget"}, nil }, []string{
			"Endpoint penguins goes on serving " + from + "; this configuration no longer knows it.",
		}},
		{"of a shape that nobody knows", func(change, _, _ map[string]any) {
			change["after"] = map[string]any{"model": []any{1}, "rollout": "x", "name": 1, "rejected": map[string]any{}}
		}, []string{
			"Endpoint penguins goes from " + from + " to (none).",
			"By which steps cannot be told: its policy is not in the plan.", run,
		}},
	} {
		var plan map[string]any
		b, err := os.ReadFile("testdata/endpoint_update.json")
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(b, &plan); err != nil {
			t.Fatal(err)
		}
		for _, rc := range plan["resource_changes"].([]any) {
			if rc := rc.(map[string]any); rc["type"] == "tidegate_model_endpoint" {
				change := rc["change"].(map[string]any)
				test.edit(change, change["before"].(map[string]any), change["after"].(map[string]any))
			}
		}
		edited, err := json.Marshal(plan)
		if err != nil {
			t.Fatal(err)
		}
		p := parse(t, string(edited))
		got := p.change(t, "tidegate_model_endpoint.penguins").Note
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.name, diff)
		}
	}
}

func TestPoliciesAndClustersAreExplained(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile("testdata/endpoint_destroy.json")
	if err != nil {
		t.Fatal(err)
	}
	p := parse(t, string(b))
	if got := strings.Join(p.change(t, "tidegate_cluster.here").Note, " "); got != "Cluster here goes away; it must not have endpoints any more." {
		t.Errorf("cluster: %q", got)
	}
	changes := planJSON(
		[3]string{"tidegate_rollout_policy.x", "tidegate_rollout_policy", `{"actions":["update"],"before":{"json":""},"after":{"json":` + inlineJSON(rollout.DefaultPolicy().JSON()) + `}}`},
		[3]string{"tidegate_cluster.x", "tidegate_cluster", `{"actions":["create"],"before":null,"after":{"name":"here"}}`},
	)
	p = parse(t, changes)
	note := strings.Join(p.change(t, "tidegate_rollout_policy.x").Note, " ")
	for _, want := range []string{"Endpoints with this policy change models so: Steps: ", "then all traffic", "A rollout that is under way keeps its own."} {
		if !strings.Contains(note, want) {
			t.Errorf("policy: %q, want %q", note, want)
		}
	}
	if got := strings.Join(p.change(t, "tidegate_cluster.x").Note, " "); got != "Cluster here comes up." {
		t.Errorf("cluster: %q", got)
	}
}
