package crashtest

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/rollout"
)

const endpointID = "local/here/penguins"

// The policy decides within seconds on a few requests a second.
var steps = []int{20, 60}

const hcl = `
terraform {
  required_providers {
    tidegate = {
      source = "tidegatehq/tidegate"
    }
  }
}

resource "tidegate_cluster" "here" {
  name = "here"
  local {}
}

resource "tidegate_rollout_policy" "quick" {
  step {
    weight = 20
    ratio  = 1000
    floor  = 0.5
  }
  step {
    weight = 60
    ratio  = 1000
    floor  = 0.5
  }
  errors {}
  limits {
    step_minimum    = "1s"
    step            = "5m"
    bake            = "1s"
    blind           = "2m"
    abandoned_after = "1m"
  }
}

resource "tidegate_model_endpoint" "penguins" {
  name    = "penguins"
  cluster = tidegate_cluster.here.id
  model {
    uri = "file://models/%s.json"
  }
  runtime {
    command = ["tg-model", "{port}", "{model}"]
  }
  routing {
    timeout = "5s"
  }
  rollout {
    policy = tidegate_rollout_policy.quick.json
  }
}
`

// A chapter of an endpoint's life is one change to the configuration, applied until it is done.
type chapter struct {
	name    string
	model   string // that is configured
	command string // of Terraform, or of the command line where the chapter stages the model
	serves  string // afterwards; "" for nothing
	before  string // served until then
	done    func(outcome) bool
	staged  bool // past Terraform: a runner of its own drives it
}

func applied(o outcome) bool { return o.code == 0 }

func refused(o outcome) bool {
	return o.code == 1 && (o.says(`Rollout of endpoint "penguins" was rolled back by gate "errors"`) || o.says(`Endpoint "penguins" has rejected this model`))
}

var life = []chapter{
	{"create", "v1", "apply", "v1", "", applied, false},
	{"promote", "v2", "apply", "v2", "v1", applied, false},
	{"reject", "broken", "apply", "v2", "v2", refused, false},
	{"drive", "v3", "promote", "v3", "v2", applied, true},
	{"destroy", "v3", "destroy", "", "v3", applied, false},
}

// An ending is all that must be the same whatever died in a chapter.
type ending struct {
	Serves     string
	Plan       int // exit code: 0 for no changes, 2 for some
	PlanWarns  bool
	State      map[string]any // of the resources, without what is another in every life
	Phase      rollout.Phase
	Kind, Gate string // of the failure
	Rejected   []string
	Engine     bool // runs
}

// A told life is what came of it, by chapter.
type told struct {
	ends   map[string]ending
	took   map[string]time.Duration
	points map[string]map[string]int // how often each was reached
	fired  map[string]bool           // "chapter: point" at which a process died
}

// live is a whole life with its deaths. meanwhile, which may be nil, is run beside each chapter's first command.
func (s *stage) live(deaths map[string][]death, meanwhile func(chapter, *exec.Cmd)) told {
	s.t.Helper()
	l := told{map[string]ending{}, map[string]time.Duration{}, map[string]map[string]int{}, map[string]bool{}}
	s.watch = newWatch(s)
	for _, c := range life {
		s.write("main.tf", fmt.Sprintf(hcl, c.model))
		if c.staged {
			s.stageModel(c.model)
		}
		for _, d := range deaths[c.name] {
			s.arm(d.point, d.nth)
		}
		s.note("chapter %s, deaths: %v", c.name, deaths[c.name])
		s.watch.begin(c)
		began := time.Now()
		s.play(c, meanwhile)
		l.took[c.name] = time.Since(began)
		s.disarm()
		l.points[c.name] = s.reached(began)
		for point := range s.fired() {
			l.fired[c.name+": "+point] = true
		}
		s.bury()
		l.ends[c.name] = s.ending(c)
		if s.t.Failed() {
			s.t.Fatalf("in chapter %q", c.name)
		}
	}
	s.watch.stop()
	s.users.stop()
	s.nothingRuns()
	return l
}

// reached counts the hits of each point since a time.
func (s *stage) reached(since time.Time) map[string]int {
	s.t.Helper()
	n := map[string]int{}
	for _, h := range s.hits() {
		if h.at.After(since) {
			n[h.point]++
		}
	}
	return n
}

// stageModel makes a model the candidate of a rollout that nobody drives yet.
func (s *stage) stageModel(version string) {
	s.t.Helper()
	st, err := s.engine().Endpoints().Get(s.t.Context(), endpointID, true)
	if err != nil {
		s.t.Fatal(err)
	}
	spec := st.Spec
	spec.Root, spec.Model.URI = s.dir, "file://models/"+version+".json"
	if _, err := s.engine().Endpoints().Update(s.t.Context(), spec); err != nil {
		s.t.Fatal(err)
	}
}

// patience is how often a user runs a command again. Nobody dies more often.
const patience = 8

// play runs the chapter's command until it is done and nobody died meanwhile.
func (s *stage) play(c chapter, meanwhile func(chapter, *exec.Cmd)) {
	s.t.Helper()
	for range patience {
		died := len(s.fired())
		killed := false
		var beside func(*exec.Cmd)
		over := make(chan struct{})
		if meanwhile != nil {
			killed = true
			beside = func(cmd *exec.Cmd) { defer close(over); meanwhile(c, cmd) }
		}
		o := s.command(c, beside)
		if meanwhile != nil {
			<-over
			meanwhile = nil
		}
		killed = killed || len(s.fired()) > died
		if c.done(o) && !killed {
			s.applyStaged(c)
			return
		}
		if !c.done(o) && !killed {
			s.t.Fatalf("chapter %q: nobody died, and terraform ended with code %d: %s", c.name, o.code, o.text)
		}
	}
	s.t.Fatalf("chapter %q: not done after %d commands", c.name, patience)
}

// applyStaged tells Terraform what was promoted past it, and starts an engine that died behind the last answer: the
// command line reads without one.
func (s *stage) applyStaged(c chapter) {
	s.t.Helper()
	if !c.staged {
		return
	}
	s.disarm()
	if o := s.terraform(nil, "apply", "-auto-approve"); o.code != 0 {
		s.t.Fatalf("chapter %q: an apply after the promotion ended with code %d: %s", c.name, o.code, o.text)
	}
}

// command runs the chapter's, once.
func (s *stage) command(c chapter, meanwhile func(*exec.Cmd)) outcome {
	s.t.Helper()
	if c.staged {
		return s.run(meanwhile, filepath.Join(bin, program), c.command, "penguins", "--data-dir", s.data())
	}
	return s.terraform(meanwhile, c.command, "-auto-approve")
}

// ending looks at everything, after the last command of a chapter.
func (s *stage) ending(c chapter) ending {
	s.t.Helper()
	e := ending{State: s.state()}
	if c.serves == "" {
		st, err := s.engine().Status(s.t.Context())
		if err != nil || len(st.Endpoints)+len(st.Clusters) > 0 {
			s.t.Errorf("a destroyed endpoint leaves %v, %v, %v", st.Endpoints, st.Clusters, err)
		}
		e.Engine = st.Running
		return e
	}
	if s.url == "" {
		s.users.start(s.address())
	}
	if s.url = s.address(); s.url == "" {
		s.t.Fatal("the state holds no address")
	}
	ctx, cancel := context.WithTimeout(s.t.Context(), 3*time.Minute)
	defer cancel()
	e.Serves = s.serving(ctx)
	o := s.terraform(nil, "plan", "-detailed-exitcode")
	e.Plan, e.PlanWarns = o.code, o.says("has rejected this model")
	st, err := s.engine().Status(ctx)
	if err != nil || len(st.Endpoints) != 1 {
		s.t.Fatalf("the engine holds %v, %v", st.Endpoints, err)
	}
	e.Engine = st.Running
	r := st.Endpoints[0].Record
	e.Phase = r.Phase
	if r.Failure != nil {
		e.Kind, e.Gate = r.Failure.Kind, r.Failure.Gate
	}
	for _, j := range st.Endpoints[0].Status.Rejected {
		e.Rejected = append(e.Rejected, j.Revision+" by "+j.Gate)
	}
	s.watch.final(r)
	return e
}

// serving is the version that answers, alone and always; a model server of an engine that was killed may still start.
func (s *stage) serving(ctx context.Context) (version string) {
	s.t.Helper()
	for good := 0; good < 10; {
		v, code, err := infer(ctx, http.DefaultClient, s.url)
		ok := err == nil && code == http.StatusOK
		switch {
		case ctx.Err() != nil:
			s.t.Fatalf("the endpoint does not answer: code %d, %v", code, err)
		case ok && version != "" && v != version, !ok && good > 0:
			s.t.Fatalf("the endpoint answers version %q, code %d, %v after %d answers of version %q", v, code, err, good, version)
		case ok:
			good, version = good+1, v
		default:
			time.Sleep(20 * time.Millisecond)
		}
	}
	return version
}

// resources reads Terraform's state: the attributes of each resource.
func (s *stage) resources() map[string]map[string]any {
	s.t.Helper()
	var st struct {
		Resources []struct {
			Type      string `json:"type"`
			Instances []struct {
				Status     string         `json:"status"`
				Attributes map[string]any `json:"attributes"`
			} `json:"instances"`
		} `json:"resources"`
	}
	b, err := os.ReadFile(filepath.Join(s.dir, "terraform.tfstate"))
	if err == nil {
		err = json.Unmarshal(b, &st)
	}
	if err != nil {
		s.t.Fatal(err)
	}
	all := map[string]map[string]any{}
	for _, r := range st.Resources {
		for _, i := range r.Instances {
			if i.Status != "" {
				s.t.Errorf("%s is %s", r.Type, i.Status)
			}
			all[r.Type] = i.Attributes
		}
	}
	return all
}

func (s *stage) address() string {
	s.t.Helper()
	url, _ := s.resources()["tidegate_model_endpoint"]["url"].(string)
	if s.url != "" && url != s.url {
		s.t.Errorf("the address is %s, and was %s", url, s.url)
	}
	return url
}

// state is what Terraform holds, without ports, times and the numbers of a verdict.
func (s *stage) state() map[string]any {
	s.t.Helper()
	all := map[string]any{}
	for name, attributes := range s.resources() {
		if _, ok := attributes["url"]; ok {
			attributes["url"] = "an address"
		}
		rejected, _ := attributes["rejected"].([]any)
		for _, j := range rejected {
			one := j.(map[string]any)
			one["at"], one["reason"] = "a time", "a reason"
		}
		all[name] = attributes
	}
	return all
}
