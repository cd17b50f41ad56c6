package provider

import (
	"path/filepath"
	"testing"
)

func TestUpdatePromotesABetterModel(t *testing.T) {
	s := newStage(t)
	url := s.up()
	users := ask(t, url)
	before := s.state(endpointAddress)
	s.config(penguins("v2"))
	s.plan("-out=p").changes()
	planned := s.planned("p", endpointAddress).After.(map[string]any)
	s.apply("p").ok()
	users.stop()
	serves(t, url, "v2")
	after := s.state(endpointAddress)
	if after["url"] != before["url"] || after["revision"] != planned["revision"] || after["revision"] == before["revision"] ||
		after["model_digest"] != planned["model_digest"] {
		t.Errorf("before %v\nplanned %v\nafter %v", before, planned, after)
	}
	if users.bad > 0 || users.dropped > 0 {
		t.Errorf("users got %d bad answers and %d none", users.bad, users.dropped)
	}
	s.plan().ok()
}

func TestRolledBackUpdateFailsAndNamesTheGate(t *testing.T) {
	s := newStage(t)
	url := s.up()
	users := ask(t, url)
	before := s.state(endpointAddress)
	s.config(penguins("broken", "replicas = 2"))
	s.apply().fails().says(`Rollout of endpoint "penguins" was rolled back by gate "errors"`,
		"The candidate, file://models/broken.json, was given", "at most 90% of the traffic",
		"All traffic is on the model that served before, file://models/v1.json",
		"This model is rejected now", "set rollout.retry to another text")
	users.stop()
	serves(t, url, "v1")

	// The state is what is true: the old model, the change in place, and why.
	after := s.state(endpointAddress)
	for _, name := range []string{"model", "runtime", "revision", "model_digest", "url"} {
		if got, want := show(after[name]), show(before[name]); got != want {
			t.Errorf("%s is %s, want %s", name, got, want)
		}
	}
	if got := show(after["replicas"]); got != "2" {
		t.Errorf("replicas %s, want 2: they changed in place", got)
	}
	rejected := after["rejected"].([]any)
	if len(rejected) != 1 || rejected[0].(map[string]any)["gate"] != "errors" {
		t.Fatalf("rejected %v", rejected)
	}

	// The next plan shows what is not in place and why, with no engine to ask.
	s.stopEngine()
	s.plan("-refresh=false").changes().says(`Endpoint "penguins" has rejected this model`, `was rolled back by gate "errors" on 20`, "Apply will refuse it at once",
		`"file://models/v1.json" -> "file://models/broken.json"`)
}

func TestRejectedModelIsRefusedAtOnceUntilRetry(t *testing.T) {
	s := newStage(t)
	url := s.up()
	users := ask(t, url)
	s.config(penguins("broken"))
	s.apply().fails().says(`by gate "errors"`)

	other := `
resource "terraform_data" "other" {
  input = 1
}`
	s.config(penguins("broken"), other)
	s.apply().fails().says(`Endpoint "penguins" has rejected this model`, "No traffic was moved")
	if s.state("terraform_data.other") == nil {
		t.Error("another resource did not go on")
	}
	s.write("models/broken.json", behaviour{Version: "v3"})
	s.write("models/again.json", behaviour{Version: "broken", Fail: 0.5})

	s.config(penguins("again"))
	s.plan().changes().neverSays("has rejected") // the model's name is part of what runs
	retry := "rollout {\n policy = tidegate_rollout_policy.quick.json\n retry = \"2\"\n}"
	s.write("models/broken.json", behaviour{Version: "broken", Fail: 0.5})
	s.config(penguins("broken", retry))
	s.plan().changes().neverSays("has rejected")
	s.apply().fails().says(`by gate "errors"`)
	users.stop()
	if got := s.state(endpointAddress)["rejected"].([]any); len(got) != 1 || got[0].(map[string]any)["retry"] != "2" {
		t.Errorf("rejected %v, want the second trial's", got)
	}

	// Going back is no change, and forgets nothing.
	s.config(penguins("v1", retry))
	s.plan().ok()
	serves(t, url, "v1")
}

func TestBytesChangedBehindTheSamePathAreARollout(t *testing.T) {
	s := newStage(t)
	url := s.up()
	s.write("models/v1.json", behaviour{Version: "v1b"})
	serves(t, url, "v1") // revisions run from captured bytes
	s.plan("-out=p").changes()
	if c := s.planned("p", endpointAddress); show(c.Before.(map[string]any)["model_digest"]) == show(c.After.(map[string]any)["model_digest"]) {
		t.Error("the plan shows no other digest")
	}
	users := ask(t, url)
	s.apply("p").ok()
	users.stop()
	serves(t, url, "v1b")
}

func TestBytesChangedAfterThePlanAreNotApplied(t *testing.T) {
	s := newStage(t)
	s.models(behaviour{Version: "v1"})
	s.config(penguins("v1"))
	s.plan("-out=p").changes()
	s.models(behaviour{Version: "v1", Fail: 0.1})
	s.apply("p").fails().says(`What endpoint "penguins" runs changed after the last plan`, "Provider produced inconsistent final plan")

	url := s.up()
	s.config(penguins("v2"))
	s.plan("-out=p").changes().neverSays("changed after the last plan")
	s.write("models/v2.json", behaviour{Version: "sneaked in"})
	s.apply("p").fails().says(`What endpoint "penguins" runs changed after the last plan`, filepath.Join(s.dir, "models/v2.json")+" was sha256:",
		"Make a new plan and apply that", "Provider produced inconsistent final plan")
	serves(t, url, "v1")
	s.plan().changes().neverSays("changed after the last plan")
}

func TestCandidateThatDiesOrHangsIsRolledBack(t *testing.T) {
	s := newStage(t)
	url := s.up()
	s.models(behaviour{Version: "dies", Die: 50}, behaviour{Version: "freezes", Freeze: 50}, behaviour{Version: "exits", Start: "exit"})
	users := ask(t, url)
	for _, name := range []string{"dies", "freezes", "exits"} {
		s.config(penguins(name, "routing {\n timeout = \"500ms\"\n}"))
		s.apply().fails().says(`Rollout of endpoint "penguins" was rolled back`, "All traffic is on the model that served before")
		serves(t, url, "v1")
	}
	users.stop()
}
