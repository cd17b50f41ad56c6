package provider

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/rollout"
)

// What a rollout survives: signals, deaths, and others at the same time.

const penguinsID = "local/here/penguins"

// slow is penguins with a rollout that waits: for a verdict it needs thousands of requests,
// and it does without them for as long as a test may take.
func slow(name string, arguments ...string) string {
	hcl := penguins(name, arguments...)
	for _, limit := range []string{`step            = "5m"`, `blind           = "2m"`, `abandoned_after = "10s"`} {
		name, _, _ := strings.Cut(limit, "=")
		hcl = strings.Replace(hcl, limit, name+`= "20m"`, 1)
	}
	return hcl
}

// A running is a Terraform that has been started, in a process group of its own as a shell makes one.
type running struct {
	s   *stage
	cmd *exec.Cmd
	out bytes.Buffer
}

func (s *stage) start(args ...string) *running {
	s.t.Helper()
	r := &running{s: s, cmd: s.command(args...)}
	r.cmd.Stdout, r.cmd.Stderr = &r.out, &r.out
	r.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := r.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = syscall.Kill(-r.cmd.Process.Pid, syscall.SIGKILL) })
	return r
}

func (s *stage) startApply() *running {
	s.t.Helper()
	return s.start("apply", "-auto-approve", "-input=false", "-no-color")
}

// wait returns the outcome.
func (r *running) wait() outcome {
	r.s.t.Helper()
	return r.s.wait(r.cmd, &r.out)
}

// signal sends what a terminal sends: to Terraform and the provider.
func (r *running) signal(sig syscall.Signal) {
	r.s.t.Helper()
	if err := syscall.Kill(-r.cmd.Process.Pid, sig); err != nil {
		r.s.t.Fatal(err)
	}
}

// killProvider kills the provider alone.
func (r *running) killProvider() {
	r.s.t.Helper()
	out, err := exec.Command("pgrep", "-P", strconv.Itoa(r.cmd.Process.Pid)).Output()
	pids := strings.Fields(string(out))
	if err != nil || len(pids) == 0 {
		r.s.t.Fatalf("no provider to kill: %v", err)
	}
	for _, p := range pids {
		pid, err := strconv.Atoi(p)
		if err != nil {
			r.s.t.Fatal(err)
		}
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
			r.s.t.Fatal(err)
		}
	}
}

func (s *stage) record() rollout.Record {
	s.t.Helper()
	r, _, err := s.open().Endpoints().Load(s.t.Context(), penguinsID)
	if err != nil {
		s.t.Fatal(err)
	}
	return r
}

// midRollout waits until the candidate has traffic.
func (s *stage) midRollout() rollout.Record {
	s.t.Helper()
	var r rollout.Record
	eventually(s.t, "the candidate has traffic", func() bool { r = s.record(); return r.Weight == 90 })
	return r
}

func TestFirstInterruptEndsTheRollout(t *testing.T) {
	s := newStage(t)
	url := s.up()
	users := trickle(t, url)
	s.config(slow("v2"))
	apply := s.startApply()
	s.midRollout()
	apply.signal(syscall.SIGINT)
	apply.wait().fails().says(`The rollout of endpoint "penguins" was cancelled`,
		"All traffic is on the model that served before, file://models/v1.json", "The candidate is not rejected")
	users.stop()
	serves(t, url, "v1")
	if users.bad > 0 || users.dropped > 0 {
		t.Errorf("users got %d bad answers and %d none", users.bad, users.dropped)
	}
	s.plan().changes().says(`"file://models/v1.json" -> "file://models/v2.json"`).neverSays("has rejected")
}

func TestFrozenRolloutGoesOn(t *testing.T) {
	s := newStage(t)
	url := s.up()
	users := trickle(t, url)
	s.config(slow("v2", "rollout {\n policy = tidegate_rollout_policy.quick.json\n on_cancel = \"freeze\"\n}"))
	apply := s.startApply()
	began := s.midRollout()
	apply.signal(syscall.SIGINT)
	apply.wait().fails().says("was cancelled", "The candidate keeps 90% of the traffic", "Apply again to go on")
	s.plan().changes().says(`"file://models/v1.json" -> "file://models/v2.json"`)
	users.flood()
	s.apply().ok()
	users.stop()
	if r := s.record(); r.ID != began.ID || r.Phase != rollout.Promoted || r.Epoch < 2 {
		t.Errorf("rollout %s epoch %d is %s; began as %s", r.ID, r.Epoch, r.Phase, began.ID)
	}
	s.plan().ok()
}

func TestSecondInterruptKillsAndTheNextApplyGoesOn(t *testing.T) {
	s := newStage(t)
	url := s.up()
	users := trickle(t, url)
	s.config(slow("v2"))
	apply := s.startApply()
	s.midRollout()
	apply.signal(syscall.SIGINT)
	apply.signal(syscall.SIGINT)
	apply.wait().fails()
	users.flood()
	s.apply().ok()
	users.stop()
	serves(t, url, "v2")
	s.plan().ok()
}

func TestKilledProviderIsFollowedByTheNextApply(t *testing.T) {
	s := newStage(t)
	url := s.up()
	users := trickle(t, url)
	s.config(slow("v2"))
	apply := s.startApply()
	began := s.midRollout()
	apply.killProvider()
	apply.wait().fails()
	if got := show(s.state(endpointAddress)["model"]); !strings.Contains(got, "v1.json") {
		t.Errorf("the state holds %s, want the model that serves", got)
	}
	s.plan().changes().says(`"file://models/v1.json" -> "file://models/v2.json"`)
	users.flood()
	s.apply().ok()
	users.stop()
	if r := s.record(); r.ID != began.ID || r.Epoch != began.Epoch+1 || r.Phase != rollout.Promoted {
		t.Errorf("rollout %s epoch %d is %s, want %s epoch %d promoted", r.ID, r.Epoch, r.Phase, began.ID, began.Epoch+1)
	}
	if users.bad > 0 || users.dropped > 0 {
		t.Errorf("users got %d bad answers and %d none", users.bad, users.dropped)
	}
	serves(t, url, "v2")
	s.plan().ok()
}

func TestStableModelConfiguredAgainEndsTheRollout(t *testing.T) {
	s := newStage(t)
	url := s.up()
	users := trickle(t, url)
	s.config(slow("v1"))
	s.apply().ok() // the policy, so that nothing else changes below
	s.config(slow("v2"))
	apply := s.startApply()
	s.midRollout()
	apply.signal(syscall.SIGKILL)
	_ = apply.cmd.Wait()
	s.config(slow("v1"))
	s.plan().changes().says(`A rollout of endpoint "penguins" is not over`, "at 90% of the traffic", "takes the candidate's traffic away",
		"rejected = [] -> (known after apply)", "0 to add, 1 to change, 0 to destroy")
	s.apply().ok()
	users.stop()
	if r := s.record(); r.Phase != rollout.RolledBack || r.Failure.Kind != rollout.KindSuperseded {
		t.Errorf("the rollout is %s, %+v", r.Phase, r.Failure)
	}
	serves(t, url, "v1")
	s.plan().ok()
}

func TestDeleteInMidRolloutSaysWhatToDo(t *testing.T) {
	s := newStage(t)
	url := s.up()
	users := trickle(t, url)
	s.config(slow("v2"))
	apply := s.startApply()
	s.midRollout()
	apply.signal(syscall.SIGKILL)
	_ = apply.cmd.Wait()
	s.destroy().fails().says(`Endpoint "penguins" is in mid-rollout`, "or configure the model that serves and apply that")
	s.config(slow("v1"))
	s.apply().ok()
	s.destroy().ok()
	users.stop()
}

func TestPlanWhileAnApplyIsRunningShowsNoDrift(t *testing.T) {
	s := newStage(t)
	url := s.up()
	users := trickle(t, url)
	s.config(slow("v2"))
	apply := s.startApply()
	s.midRollout()
	s.plan("-lock=false").changes().neverSays("changed outside of Terraform", "is not over", "weight")
	if s.terraform("plan", "-input=false").code == 0 {
		t.Error("a plan took the lock of a running apply")
	}
	users.flood()
	apply.wait().ok()
	users.stop()
	serves(t, url, "v2")
}

func TestTwoAppliesAtOnce(t *testing.T) {
	s := newStage(t)
	url := s.up()
	users := trickle(t, url)
	s.config(slow("v2"))
	first := s.startApply()
	s.midRollout()
	s.apply("-lock=false").fails().says(`The rollout of endpoint "penguins" has another runner`, fmt.Sprintf("terraform on %s (pid ", hostname(t)))
	s.models(behaviour{Version: "v3"})
	s.config(slow("v3"))
	s.apply("-lock=false").fails().says(`A rollout of endpoint "penguins" is under way`)
	users.flood()
	first.wait()
	users.stop()
	serves(t, url, "v2")
}

func hostname(t *testing.T) string {
	t.Helper()
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	return host
}

func TestKilledCreateIsFinishedByTheNext(t *testing.T) {
	s := newStage(t)
	s.models(behaviour{Version: "waits", Start: "wait"})
	s.config(penguins("waits"))
	apply := s.startApply()
	eventually(t, "a model server starts", func() bool { return exists(filepath.Join(s.dir, "started")) })
	apply.signal(syscall.SIGKILL)
	_ = apply.cmd.Wait()
	s.write("go", "")
	s.apply().ok()
	serves(t, s.text(endpointAddress, "url"), "waits")
	s.plan().ok()
}

func TestInterruptedCreateLeavesNothing(t *testing.T) {
	s := newStage(t)
	s.models(behaviour{Version: "waits", Start: "wait"}, behaviour{Version: "v1"})
	s.config(penguins("waits"))
	apply := s.startApply()
	eventually(t, "a model server starts", func() bool { return exists(filepath.Join(s.dir, "started")) })
	apply.signal(syscall.SIGINT)
	apply.wait().fails().says(`Endpoint "penguins" was not created`, "It was cancelled", "Nothing of it is left")
	if s.state(endpointAddress) != nil {
		t.Error("the state holds it")
	}
	st, err := s.open().Status(t.Context())
	if err != nil || len(st.Endpoints) > 0 {
		t.Errorf("the engine holds %v, %v", st.Endpoints, err)
	}
	s.config(penguins("v1"))
	s.apply().ok()
}

// Two root modules may share an engine, and not an endpoint.
func TestTwoCreatesAtOnce(t *testing.T) {
	s, other := newStage(t), openStage(t)
	s.models(behaviour{Version: "waits", Start: "wait"})
	other.models(behaviour{Version: "v1"})
	s.config(penguins("waits"))
	other.config(penguins("v1"))
	other.env = append(other.env, "TIDEGATE_DATA_DIR"+"="+s.dataDir())
	first := s.startApply()
	eventually(t, "a model server starts", func() bool { return exists(filepath.Join(s.dir, "started")) })
	other.apply().fails().says(`Endpoint "penguins" exists already`, "is being created right now by terraform on "+hostname(t))
	s.write("go", "")
	first.wait().ok()
	serves(t, s.text(endpointAddress, "url"), "waits")
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// A daemon that inherits its maker's output keeps a pipe open for ever.
func TestApplyIntoAPipeEnds(t *testing.T) {
	s := newStage(t)
	s.models(behaviour{Version: "v1"})
	s.config(penguins("v1"))
	cmd := exec.Command("sh", "-c", "terraform apply -auto-approve -no-color | cat")
	cmd.Dir, cmd.Env = s.dir, s.env
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out // a pipe, of which Wait waits for the end
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	s.wait(cmd, &out).ok().says("Apply complete!")
	serves(t, s.text(endpointAddress, "url"), "v1")
}

// A screen is the other side of a terminal.
type screen struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (s *screen) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(b)
}

func (s *screen) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

func TestTerminalShowsTheRolloutLive(t *testing.T) {
	s := newStage(t)
	url := s.up()
	users := ask(t, url)
	s.config(penguins("v2"))
	cmd := s.command("apply", "-auto-approve", "-no-color")
	terminal, err := pty.Start(cmd) // a session of its own, with a terminal
	if err != nil {
		t.Fatal(err)
	}
	defer terminal.Close()
	var seen screen
	copied := make(chan struct{})
	go func() {
		defer close(copied)
		buffer := make([]byte, 4096)
		for {
			n, err := terminal.Read(buffer)
			_, _ = seen.Write(buffer[:n])
			if err != nil {
				return // EIO: nobody holds the other side any more
			}
		}
	}()
	if err := cmd.Wait(); err != nil {
		t.Fatalf("%v\n%s", err, seen.String())
	}
	select {
	case <-copied:
	case <-time.After(10 * time.Second):
		t.Error("somebody still holds the terminal")
	}
	users.stop()
	for _, want := range []string{"tidegate: penguins 0% → 90%: ", "tidegate: penguins 90% → 100%: "} {
		if !strings.Contains(seen.String(), want) {
			t.Errorf("the terminal never showed %q:\n%s", want, seen.String())
		}
	}
}
