package provider

import (
	"strings"
	"testing"
	"time"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/endpoint"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/rollout"
)

// What else may happen to an endpoint: another root module, an old plan, another address, replacement.

// another opens a second root module on the engine of s, which holds the endpoint too.
func (s *stage) another(hcl string) *stage {
	s.t.Helper()
	o := openStage(s.t)
	o.env = append(o.env, "TIDEGATE_DATA_DIR="+s.dataDir())
	o.data = "none" // the engine is not its own to stop
	o.models(behaviour{Version: "v1"}, behaviour{Version: "v2"}, behaviour{Version: "v3"})
	o.config(hcl, "import {\n to = tidegate_cluster.here\n id = \"local/here\"\n}\nimport {\n to = "+endpointAddress+"\n id = \""+penguinsID+"\"\n}")
	o.apply().ok()
	return o
}

func TestTwoRootModulesOnOneEndpointSeeEachOther(t *testing.T) {
	s := newStage(t)
	url := s.upStaged(slowStaged("v2"))
	other := s.another(slowStaged("v2"))
	other.plan().ok()
	s.plan().ok()

	// Another model from there is drift here, with what it means.
	other.config(slowStaged("v3"))
	other.apply().ok().says("0 added, 1 changed, 0 destroyed")
	s.plan().changes().says(`"file://models/v3.json" -> "file://models/v2.json"`, "is staged, at 0% of the traffic")
	other.plan().ok()

	// Who drives holds; the other one is told by whom.
	users := trickle(t, url)
	other.config(slow("v3"))
	holder := other.startApply()
	s.midRollout()
	s.apply().fails().says(`A rollout of endpoint "penguins" is under way`, "driven by terraform on "+hostname(t))
	users.flood()
	holder.wait().ok()
	users.stop()
	serves(t, url, "v3")

	// Deleted there, it is missing here.
	s.destroy().ok()
	other.plan().changes().says("2 to add", "has been deleted")
}

func TestTwoRootModulesStageAtOnce(t *testing.T) {
	s := newStage(t)
	s.models(behaviour{Version: "waits", Start: "wait"})
	url := s.upStaged(staged("v1"))
	other := s.another(staged("v1"))
	s.config(staged("waits"))
	first := s.startApply()
	s.started()
	other.config(staged("v2"))
	other.apply().ok()
	first.wait().fails().says(`Cannot update endpoint "penguins"`, "somebody else changed the endpoint meanwhile")
	serves(t, url, "v1")
	s.plan().changes().says(`"file://models/v2.json" -> "file://models/waits.json"`)
	other.plan().ok()
}

func TestOldPlanMeetsARolloutThatIsOver(t *testing.T) {
	s := newStage(t)
	url := s.upStaged(staged("v2"))
	users := ask(t, url)
	s.config(staged("v2", "replicas = 2"))
	s.plan("-out=p").changes()
	s.promote().succeeds()
	s.apply("p").ok() // what was planned is true
	s.plan().ok()
	serves(t, url, "v2")

	s.models(behaviour{Version: "v3"})
	s.config(staged("v3", "replicas = 2"))
	s.apply().ok()
	s.config(staged("v3"))
	s.plan("-out=p").changes()
	s.tell(rollout.Rejected{By: "alice", How: "user id 1000", At: time.Now()})
	s.apply("p").fails().says("has rejected this model", "was rolled back by a person", "No traffic was moved")
	s.holds("v2")
	users.stop()
	serves(t, url, "v2")
}

func TestStagedEndpointIsNotDeletedInSilence(t *testing.T) {
	s := newStage(t)
	url := s.upStaged(staged("v2"))
	s.plan("-destroy").changes().says(`Endpoint "penguins" is in mid-rollout`, "is staged, at 0% of the traffic")
	s.destroy().fails().says(`Endpoint "penguins" is in mid-rollout`, `end it: "tidegate cancel local/here/penguins"`, "configure the model that serves")
	serves(t, url, "v1")
	s.tell(rollout.Cancelled{Why: "it is to be deleted", At: time.Now()})
	s.plan("-destroy").changes().neverSays("mid-rollout")
	s.destroy().ok()
}

func TestStagedEndpointMovesAndIsReplaced(t *testing.T) {
	s := newStage(t)
	url := s.upStaged(staged("v2"))
	moved := strings.Replace(staged("v2"), `"tidegate_model_endpoint" "penguins"`, `"tidegate_model_endpoint" "birds"`, 1)
	s.config(moved, "moved {\n from = "+endpointAddress+"\n to = tidegate_model_endpoint.birds\n}")
	s.apply().ok().says("0 added, 0 changed, 0 destroyed")
	s.config(moved)
	s.plan().ok()

	// Another name is another endpoint. The old one goes once its rollout is over.
	renamed := strings.Replace(strings.Replace(moved, `"penguins"`, `"puffins"`, 1),
		"runtime {", "lifecycle {\n create_before_destroy = true\n}\nruntime {", 1)
	s.config(renamed)
	s.plan().changes().says("must be replaced", `Endpoint "penguins" is in mid-rollout`)
	s.apply().fails().says(`Endpoint "penguins" is in mid-rollout`)
	serves(t, url, "v1")
	serves(t, s.text("tidegate_model_endpoint.birds", "url"), "v2")
	s.plan().changes().says("deposed")
	s.tell(rollout.Cancelled{Why: "it is to be deleted", At: time.Now()})
	s.apply().ok().says("1 destroyed")
	s.plan().ok()
	if _, _, err := infer(t.Context(), newClient(), url); err == nil {
		t.Error("the replaced endpoint answers")
	}
}

func TestTaintedEndpointIsReplacedOnceItsRolloutIsOver(t *testing.T) {
	s := newStage(t)
	url := s.upStaged(staged("v2"))
	s.terraform("taint", endpointAddress).ok()
	s.apply().fails().says(`Endpoint "penguins" is in mid-rollout`)
	serves(t, url, "v1")
	s.terraform("untaint", endpointAddress).ok()
	s.plan().ok()
	s.terraform("taint", endpointAddress).ok()
	s.tell(rollout.Cancelled{Why: "it is to be replaced", At: time.Now()})
	s.apply().ok().says("1 added, 0 changed, 1 destroyed")
	serves(t, s.text(endpointAddress, "url"), "v2")
	s.plan().ok()
}

func TestAbandonedPromotionShowsInThePlan(t *testing.T) {
	s := newStage(t)
	url := s.upStaged(staged("v2"))
	users := trickle(t, url)
	job := s.promote()
	s.midRollout()
	job.stop() // it freezes, and nobody follows
	_ = job.wait()
	eventually(t, "the engine closes the gate", func() bool { return s.record().Phase == rollout.RolledBack })
	s.plan().changes().says("was rolled back because nobody drove it on 20", `"file://models/v1.json" -> "file://models/v2.json"`)
	users.stop()
	serves(t, url, "v1")
}

// An apply that died between asking for the candidate and driving it leaves one that nobody ever drove. With run =
// "staged" it waits as if it had been staged.
func TestUndrivenCandidateWaitsOnceRunIsStaged(t *testing.T) {
	s := newStage(t)
	s.up()
	endpoints := s.open().Endpoints()
	st, err := endpoints.Get(t.Context(), penguinsID, false)
	if err != nil {
		t.Fatal(err)
	}
	st.Spec.Model.URI = "file://models/v2.json"
	if st.Spec.Expected, err = endpoint.Capture(t.Context(), st.Spec); err != nil {
		t.Fatal(err)
	}
	if _, err := endpoints.Update(t.Context(), st.Spec); err != nil {
		t.Fatal(err)
	}
	if r := s.record(); r.Staged || r.Epoch != 0 {
		t.Fatalf("record %+v", r)
	}
	s.config(staged("v2"))
	s.apply().ok()
	if r := s.record(); !r.Staged || r.Epoch != 0 {
		t.Errorf("record %+v: it will be abandoned", r)
	}
	s.plan().ok()
}
