package provider

import (
	"strings"
	"testing"
)

// timed is a policy that asks for latency too, by which a verdict takes seconds.
var timed = strings.Replace(quick, "errors {}", "errors {}\n  latency {}\n  warm_up {\n    requests = 20\n  }", 1)

// A candidate that answers well, and late.
func TestSlowUpdateIsRolledBackByLatency(t *testing.T) {
	s := newStage(t)
	s.models(behaviour{Version: "v1"}, behaviour{Version: "slow", Pause: "40ms"})
	at := func(version string, more ...string) {
		s.config(strings.Replace(penguins(version), quick, timed, 1), strings.Join(more, "\n"))
	}
	at("v1")
	s.apply().ok()
	url := s.text(endpointAddress, "url")
	users := ask(t, url)
	at("slow")
	s.apply().fails().says(`Rollout of endpoint "penguins" was rolled back by gate "latency"`, `The gate "latency" failed at 90% of traffic`,
		"took longer than", "the candidate is slower", "This model is rejected now")
	users.stop()
	serves(t, url, "v1")
	if users.bad > 0 || users.dropped > 0 {
		t.Errorf("users got %d bad answers and %d none: latency was to be the reason", users.bad, users.dropped)
	}
	if rejected := s.state(endpointAddress)["rejected"].([]any); len(rejected) != 1 || rejected[0].(map[string]any)["gate"] != "latency" {
		t.Errorf("rejected %v", rejected)
	}

	at("v1", `
data "tidegate_rollout" "penguins" {
  endpoint = tidegate_model_endpoint.penguins.id
}`)
	s.apply().ok()
	gates := map[string]map[string]any{}
	for _, g := range s.state("data.tidegate_rollout.penguins")["gates"].([]any) {
		g := g.(map[string]any)
		gates[g["name"].(string)] = g
	}
	latency, errors := gates["latency"], gates["errors"]
	if latency["outcome"] != "fail" || errors["outcome"] == "fail" || gates["split"] == nil {
		t.Fatalf("gates %v", gates)
	}
	edge := number64(t, latency["edge"])
	rate := func(g map[string]any, arm, bound string) float64 { return number64(t, g[arm].(map[string]any)[bound]) }
	if edge <= 0.0005 || edge > 0.04 || rate(latency, "candidate_rate", "estimate") < 0.9 || rate(latency, "stable_rate", "high") >= rate(latency, "candidate_rate", "low") {
		t.Errorf("latency %v: want an edge below the pause, and shares that differ for certain", latency)
	}
	if errors["edge"] != nil || rate(errors, "candidate_rate", "estimate") != 0 {
		t.Errorf("errors %v", errors)
	}
}
