package provider

import (
	"strings"
	"testing"
)

func TestRolloutDataSourceTellsTheStory(t *testing.T) {
	s := newStage(t)
	url := s.up()
	data := `
data "tidegate_rollout" "penguins" {
  endpoint = tidegate_model_endpoint.penguins.id
}`
	s.config(penguins("v1"), data)
	s.apply().ok()
	none := s.state("data.tidegate_rollout.penguins")
	if none["phase"] != nil || len(none["history"].([]any)) != 0 {
		t.Errorf("without a rollout: %v", none)
	}
	users := ask(t, url)
	s.config(penguins("broken"), data)
	s.apply().fails()
	users.stop()
	s.config(penguins("v1"), data)
	s.apply().ok()
	r := s.state("data.tidegate_rollout.penguins")
	gates, history := r["gates"].([]any), r["history"].([]any)
	if r["phase"] != "rolled back" || show(r["weight"]) != "0" || len(gates) == 0 || len(history) < 3 {
		t.Fatalf("rollout %v", r)
	}
	if g := gates[0].(map[string]any); g["name"] != "errors" || g["outcome"] != "fail" || show(g["candidate_bad"]) == "0" {
		t.Errorf("gate %v", g)
	}
	for _, other := range gates[1:] { // a rollout of one window may end before the router's split is judged
		if g := other.(map[string]any); g["name"] != "split" || g["outcome"] == "fail" || g["candidate_rate"] != nil {
			t.Errorf("gate %v", g)
		}
	}
	if f := r["failure"].(map[string]any); f["kind"] != "gate" || f["rejected"] != true || f["reason"] == "" {
		t.Errorf("failure %v", f)
	}
	s.config(clusterHCL, strings.Replace(data, "tidegate_model_endpoint.penguins.id", `"local/here/owls"`, 1))
	s.plan().fails().says(`There is no endpoint "local/here/owls"`)
}

// A first apply, in which the endpoint is not there yet when Terraform plans, works too.
func TestRolloutDataSourceInAFirstApply(t *testing.T) {
	s := newStage(t)
	s.models(behaviour{Version: "v1"})
	s.config(penguins("v1"), `
data "tidegate_rollout" "penguins" {
  endpoint = tidegate_model_endpoint.penguins.id
}`)
	s.apply().ok()
	s.plan().ok()
}
