package provider

import (
	"context"
	"errors"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/rollout"
)

// runs is a rollout block with the quick policy and these arguments.
func runs(arguments ...string) string {
	return "rollout {\n policy = tidegate_rollout_policy.quick.json\n" + strings.Join(arguments, "\n") + "\n}"
}

// staged is penguins with run = "staged".
func staged(name string, arguments ...string) string {
	return penguins(name, append(arguments, runs(`run = "staged"`))...)
}

// slowStaged is staged with the patience of slow.
func slowStaged(name string, arguments ...string) string {
	return slow(name, append(arguments, runs(`run = "staged"`))...)
}

// upStaged applies v1 and then this configuration, which stages.
func (s *stage) upStaged(hcl string) (url string) {
	s.t.Helper()
	url = s.up()
	s.config(hcl)
	s.apply().ok()
	return url
}

// A promotion is a runner other than Terraform.
type promotion struct {
	t    *testing.T
	stop context.CancelFunc
	done chan error
}

// promote drives the rollout, as the command line does.
func (s *stage) promote() *promotion {
	ctx, cancel := context.WithCancel(context.Background())
	p := &promotion{s.t, cancel, make(chan error, 1)}
	go func() {
		_, err := rollout.Run(ctx, s.open().Endpoints(), penguinsID, rollout.Options{Runner: "a promoting job", Freeze: true})
		p.done <- err
	}()
	s.t.Cleanup(cancel)
	return p
}

// wait returns how it ended.
func (p *promotion) wait() error {
	p.t.Helper()
	select {
	case err := <-p.done:
		return err
	case <-time.After(2 * time.Minute):
		p.t.Fatal("the promotion never ends")
		return nil
	}
}

func (p *promotion) succeeds() {
	p.t.Helper()
	if err := p.wait(); err != nil {
		p.t.Fatal(err)
	}
}

// tell says what a person says.
func (s *stage) tell(e rollout.Event) {
	s.t.Helper()
	if _, err := rollout.Tell(s.t.Context(), s.open().Endpoints(), penguinsID, e); err != nil {
		s.t.Fatal(err)
	}
}

// holds wants this model in the state, with the digests of its revision.
func (s *stage) holds(version string) {
	s.t.Helper()
	state := s.state(endpointAddress)
	if got, want := show(state["model"]), "models/"+version+".json"; !strings.Contains(got, want) {
		s.t.Fatalf("the state holds %s, want %s", got, want)
	}
}

func TestStagedModelServesNobodyAndIsNoDiff(t *testing.T) {
	s := newStage(t)
	url := s.upStaged(staged("v1"))
	before := s.state(endpointAddress)
	users := ask(t, url)
	s.config(staged("v2"))
	s.plan("-out=p").changes()
	planned := s.planned("p", endpointAddress).After.(map[string]any)
	s.apply("p").ok()
	state, r := s.state(endpointAddress), s.record()
	for _, name := range []string{"model", "runtime", "revision", "model_digest", "rollout", "rejected"} {
		if show(state[name]) != show(planned[name]) {
			t.Errorf("%s: %s, planned %s", name, show(state[name]), show(planned[name]))
		}
	}
	if state["url"] != before["url"] || r.Candidate != state["revision"] || !r.Staged || r.Ready.IsZero() || r.Weight != 0 || r.Epoch != 0 {
		t.Errorf("state %v, record %+v", state, r)
	}
	s.plan().ok()
	s.plan("-refresh=false").ok()
	s.apply().ok()

	// What changes in place changes on both, and leaves the candidate where it is.
	s.config(staged("v2", "replicas = 2"))
	s.plan().changes().neverSays("is not over", "model_digest", "rejected")
	s.apply().ok()
	s.plan().ok()
	if now := s.record(); now.ID != r.ID || now.Phase != rollout.Preparing || now.Weight != 0 {
		t.Errorf("record %+v", now)
	}
	users.stop()
	serves(t, url, "v1")
	if users.versions["v2"] > 0 || users.bad > 0 || users.dropped > 0 {
		t.Errorf("users got %v, %d bad answers and %d none", users.versions, users.bad, users.dropped)
	}

	s.terraform("state", "rm", endpointAddress).ok()
	s.terraform("import", endpointAddress, penguinsID).ok()
	s.stopEngine()
	s.plan().changes().says("running = false -> true", "0 to add, 1 to change, 0 to destroy") // the cluster; all else is stored
	s.holds("v2")
}

func TestStableModelConfiguredAgainEndsTheStagedCandidate(t *testing.T) {
	s := newStage(t)
	url := s.upStaged(staged("v2"))
	s.config(staged("v1"))
	s.plan().changes().says(`A rollout of endpoint "penguins" is not over`, "is staged, at 0% of the traffic",
		"asks for the model that serves", `"file://models/v2.json" -> "file://models/v1.json"`)
	s.apply().ok()
	if r := s.record(); r.Phase != rollout.RolledBack || r.Failure.Kind != rollout.KindSuperseded {
		t.Errorf("the rollout is %s, %+v", r.Phase, r.Failure)
	}
	serves(t, url, "v1")
	s.plan().ok().neverSays("rolled back")
}

func TestAnotherModelTakesTheStagedOnesPlace(t *testing.T) {
	s := newStage(t)
	url := s.upStaged(staged("v2"))
	first := s.record()
	s.models(behaviour{Version: "v3"})
	s.config(staged("v3"))
	s.plan().changes().says(`A rollout of endpoint "penguins" is not over`, "stages the new candidate instead")
	s.apply().ok()
	s.holds("v3")
	if r := s.record(); r.ID == first.ID || r.Candidate != s.text(endpointAddress, "revision") || r.Phase != rollout.Preparing {
		t.Errorf("record %+v", r)
	}
	serves(t, url, "v1")
	s.plan().ok()
}

func TestPromotingAStagedModelChangesNothingForTerraform(t *testing.T) {
	s := newStage(t)
	url := s.upStaged(slowStaged("v2"))
	users := trickle(t, url)
	job := s.promote()
	s.midRollout()
	s.plan().ok().neverSays("weight", "changed outside")
	s.apply().ok()

	// Changes in place go through, and another model has to wait.
	s.config(slowStaged("v2", "replicas = 2"))
	s.apply().ok().neverSays("Nobody drives")
	s.models(behaviour{Version: "v3"})
	s.config(slowStaged("v3"))
	s.plan().changes().says("at 90% of the traffic, and is driven by a promoting job", "apply refuses it while that runner drives")
	s.apply().fails().says(`A rollout of endpoint "penguins" is under way`, "driven by a promoting job", "Nothing was changed",
		`"tidegate cancel local/here/penguins" ends it`)
	s.holds("v2")
	s.config(slow("v2", "replicas = 2", runs()))
	s.apply().fails().says(`The rollout of endpoint "penguins" has another runner`, "It is driven by a promoting job, since 20")

	s.config(slowStaged("v2", "replicas = 2"))
	s.apply().ok()
	s.plan().ok()
	users.flood()
	job.succeeds()
	users.stop()
	serves(t, url, "v2")
	s.plan().ok()
	s.holds("v2")
	if users.bad > 0 || users.dropped > 0 {
		t.Errorf("users got %d bad answers and %d none", users.bad, users.dropped)
	}
}

func TestStagedModelThatIsRolledBackShowsInThePlan(t *testing.T) {
	s := newStage(t)
	url := s.upStaged(staged("broken"))
	users := ask(t, url)
	var rolledBack *rollout.RolledBackError
	if err := s.promote().wait(); !errors.As(err, &rolledBack) {
		t.Fatalf("%v: want a rollback", err)
	}
	users.stop()
	s.plan("-refresh=false").ok() // nobody has looked yet
	s.plan().changes().says(`Endpoint "penguins" has rejected this model`, `was rolled back by gate "errors" on 20`,
		`"file://models/v1.json" -> "file://models/broken.json"`)
	s.apply().fails().says(`Endpoint "penguins" has rejected this model`, "No traffic was moved")
	s.holds("v1")
	s.stopEngine()
	s.plan("-refresh=false").changes().says(`was rolled back by gate "errors" on 20`)
}

func TestPlanSaysHowAStagedModelEnded(t *testing.T) {
	s := newStage(t)
	s.upStaged(staged("v2"))
	s.tell(rollout.Cancelled{Why: "not today", At: time.Now()})
	s.plan().changes().says(`The last rollout of endpoint "penguins" was rolled back`, "was rolled back because it was cancelled on 20", "not today",
		"It is not rejected: applying stages it again", `"file://models/v1.json" -> "file://models/v2.json"`)
	s.apply().ok()
	s.holds("v2")
	s.plan().ok()

	s.tell(rollout.Rejected{By: "alice", How: "user id 1000", Why: "the labels are wrong", At: time.Now()})
	s.plan().changes().says("has rejected this model", "was rolled back by a person on 20", "alice (user id 1000)", "the labels are wrong")
	s.apply().fails().says("has rejected this model", "by a person")
	retry := runs(`run = "staged"`, `retry = "2"`)
	s.config(penguins("v2", retry))
	s.plan().changes().neverSays("has rejected")
	s.apply().ok()
	s.plan().ok() // the rejection stands, and tells of another trial
	if got := s.state(endpointAddress)["rejected"].([]any); len(got) != 1 || got[0].(map[string]any)["gate"] != "operator" {
		t.Errorf("rejected %v", got)
	}
}

// One job applies, a later one promotes, and a person goes back.
func TestPromotionThatIsTakenBackShowsInThePlan(t *testing.T) {
	s := newStage(t)
	url := s.upStaged(staged("v2"))
	users := ask(t, url)
	if out, err := s.tidegate(t.Context(), "promote", "penguins"); err != nil {
		t.Fatalf("promote: %v\n%s", err, out)
	}
	s.plan().ok()
	serves(t, url, "v2")
	if out, err := s.tidegate(t.Context(), "rollback", "penguins", "--reason", "users complain"); err != nil {
		t.Fatalf("rollback: %v\n%s", err, out)
	}
	serves(t, url, "v1")
	users.stop()
	s.plan().changes().says("has rejected this model", "was rolled back by a person on 20", "rolled back after its promotion: users complain",
		`"file://models/v1.json" -> "file://models/v2.json"`)
	s.apply().fails().says("has rejected this model", "No traffic was moved")
	s.holds("v1")
	s.config(staged("v1"))
	s.plan().ok().neverSays("rejected")
	if users.bad > 0 || users.dropped > 0 {
		t.Errorf("users got %d bad answers and %d none", users.bad, users.dropped)
	}
}

func TestStagingACandidateThatCannotServeFails(t *testing.T) {
	s := newStage(t)
	s.models(behaviour{Version: "exits", Start: "exit"})
	url := s.up()
	s.config(staged("exits"))
	s.apply().fails().says(`Rollout of endpoint "penguins" was rolled back because the candidate could not serve`, "out of cheese",
		"No request reached the candidate", "This model is rejected now")
	s.holds("v1")
	serves(t, url, "v1")
	s.plan().changes().says("has rejected this model")
}

func TestInterruptedStagingIsFinishedByTheNextApply(t *testing.T) {
	for name, sig := range map[string]syscall.Signal{"killed": syscall.SIGKILL, "cancelled": syscall.SIGINT} {
		t.Run(name, func(t *testing.T) {
			s := newStage(t)
			s.models(behaviour{Version: "waits", Start: "wait"})
			url := s.up()
			s.config(staged("waits"))
			apply := s.startApply()
			s.started()
			apply.signal(sig)
			if sig == syscall.SIGINT {
				apply.wait().fails().says(`Staging the candidate of endpoint "penguins" was cancelled`,
					"The traffic stays with the model that served before, file://models/v1.json", "Apply again to wait for it")
			} else {
				_ = apply.cmd.Wait()
			}
			s.holds("v1")
			began := s.record()
			s.plan().changes().says(`"file://models/v1.json" -> "file://models/waits.json"`)
			apply = s.startApply()
			s.write("go", "")
			apply.wait().ok()
			s.holds("waits")
			if r := s.record(); r.ID != began.ID || r.Ready.IsZero() {
				t.Errorf("record %+v, began as %s", r, began.ID)
			}
			serves(t, url, "v1")
			s.plan().ok()
		})
	}
}

// started waits until a model server starts that waits.
func (s *stage) started() {
	s.t.Helper()
	eventually(s.t, "a model server starts", func() bool { return exists(s.dir + "/started") })
}

func TestStagedModelIsDrivenOnceRunIsInline(t *testing.T) {
	s := newStage(t)
	url := s.upStaged(staged("broken"))
	users := ask(t, url)
	s.config(penguins("broken"))
	s.plan().changes().says(`"staged" -> "inline"`).neverSays("model_digest", "is not over")
	s.apply().fails().says(`was rolled back by gate "errors"`, "This model is rejected now")
	s.holds("v1")
	serves(t, url, "v1")

	s.config(staged("v2"))
	s.apply().ok()
	began := s.record()
	s.config(penguins("v2"))
	s.apply().ok()
	users.stop()
	serves(t, url, "v2")
	if r := s.record(); r.ID != began.ID || r.Phase != rollout.Promoted {
		t.Errorf("record %+v", r)
	}
	s.plan().ok()
}

func TestInterruptedRolloutIsLeftToAPromotionOnceRunIsStaged(t *testing.T) {
	s := newStage(t)
	url := s.up()
	users := trickle(t, url)
	s.config(slow("v2", runs(`on_cancel = "freeze"`)))
	apply := s.startApply()
	began := s.midRollout()
	apply.signal(syscall.SIGINT)
	apply.wait().fails().says("The candidate keeps 90% of the traffic")
	s.config(slowStaged("v2"))
	s.plan().changes().says(`"file://models/v1.json" -> "file://models/v2.json"`, `"inline" -> "staged"`)
	s.apply().ok().says(`Nobody drives the rollout of endpoint "penguins"`, "The candidate has 90% of the traffic",
		"tidegate promote local/here/penguins", "20m0s (limits.abandoned_after) after that runner")
	s.holds("v2")
	s.plan().ok()
	users.flood()
	s.promote().succeeds()
	users.stop()
	if r := s.record(); r.ID != began.ID || r.Phase != rollout.Promoted {
		t.Errorf("record %+v", r)
	}
	s.plan().ok()
	serves(t, url, "v2")
}
