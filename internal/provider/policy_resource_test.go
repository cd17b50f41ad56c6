package provider

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/rollout"
)

// preset returns a preset after a change.
func preset(t *testing.T, name string, change func(*rollout.Policy)) string {
	t.Helper()
	p, err := rollout.Preset(name)
	if err != nil {
		t.Fatal(err)
	}
	change(&p)
	return p.JSON()
}

func TestPresetIsWhereAPolicyStarts(t *testing.T) {
	s := newStage(t)
	s.config(`
resource "tidegate_rollout_policy" "fast" {
  preset = "fast"
}
resource "tidegate_rollout_policy" "limits" {
  preset = "fast"
  limits {
    bake = "2m"
  }
}
resource "tidegate_rollout_policy" "gates" {
  preset = "paranoid"
  alpha  = 0.01
  errors {}
}
resource "tidegate_rollout_policy" "steps" {
  preset = "careful"
  step {
    weight  = 20
    ratio   = 2.5
    floor   = 0.02
    minimum = "5m"
  }
  warm_up {}
}`)
	s.apply().ok()
	s.plan().ok()
	for name, want := range map[string]string{
		"fast": preset(t, "fast", func(*rollout.Policy) {}),
		"limits": preset(t, "fast", func(p *rollout.Policy) {
			p.Limits.Bake = rollout.Duration(2 * time.Minute)
		}),
		"gates": preset(t, "paranoid", func(p *rollout.Policy) {
			p.Gates.Latency, p.WarmUp, p.Alpha = nil, rollout.WarmUp{}, 0
		}),
		"steps": preset(t, "careful", func(p *rollout.Policy) {
			p.Steps, p.SkipLeading = []rollout.Step{{Weight: 20, Ratio: 2.5, Floor: 0.02, Minimum: rollout.Duration(5 * time.Minute)}}, false
			p.WarmUp = rollout.WarmUp{}
		}),
	} {
		if got := s.text("tidegate_rollout_policy."+name, "json"); got != want {
			t.Errorf("%s:\n%s\nwant\n%s", name, got, want)
		}
	}
	limits := s.state("tidegate_rollout_policy.limits")["limits"].(map[string]any)
	if limits["bake"] != "2m" || limits["step_minimum"] != "10s" || limits["total"] != "30m0s" {
		t.Errorf("limits %v, want the preset's where nothing was said", limits)
	}

	// Another preset changes the limits that were not written, and nothing else stays behind.
	s.config(`
resource "tidegate_rollout_policy" "limits" {
  preset = "careful"
  limits {
    bake = "2m"
  }
}`)
	s.apply().ok()
	s.plan().ok()
	if got := s.state("tidegate_rollout_policy.limits")["limits"].(map[string]any); got["step_minimum"] != "30s" || got["total"] != "2h0m0s" {
		t.Errorf("limits %v, want those of careful", got)
	}
}

func TestPolicyToleratesUnknownValues(t *testing.T) {
	s := newStage(t)
	s.config(`
resource "terraform_data" "later" {
  input = { preset = "fast", alpha = 0.002, ratio = 3, floor = 0.02, minimum = "20s", requests = 5, time = "1m", rate = 50, share = 0.01, clients = 200, gates = [2] }
}
resource "tidegate_rollout_policy" "preset" {
  preset = terraform_data.later.output.preset
  limits {
    step = "2m"
  }
}
resource "tidegate_rollout_policy" "all" {
  alpha = terraform_data.later.output.alpha
  beta  = terraform_data.later.output.alpha
  step {
    weight  = 5
    ratio   = terraform_data.later.output.ratio
    floor   = terraform_data.later.output.floor
    minimum = terraform_data.later.output.minimum
  }
  dynamic "latency" {
    for_each = terraform_data.later.output.gates
    content {
      tolerance = latency.value
    }
  }
  warm_up {
    requests = terraform_data.later.output.requests
    time     = terraform_data.later.output.time
  }
  traffic {
    requests_per_second = terraform_data.later.output.rate
    error_rate          = terraform_data.later.output.share
    clients             = terraform_data.later.output.clients
  }
}`)
	s.plan("-out=p").changes()
	for _, name := range []string{"preset", "all"} {
		if got := s.planned("p", "tidegate_rollout_policy."+name).AfterUnknown.(map[string]any); got["json"] != true {
			t.Errorf("%s: json is known before what it says is: %v", name, got)
		}
	}
	s.apply("p").ok()
	s.plan().ok()
	if got := s.text("tidegate_rollout_policy.preset", "json"); !strings.Contains(got, `"step":"2m0s"`) || !strings.Contains(got, `"bake":"1m0s"`) {
		t.Error(got)
	}
	const want = `"steps":[{"weight":5,"ratio":3,"floor":0.02,"minimum":"20s"}],"gates":{"latency":{"tolerance":2}},"alpha":0.002,"beta":0.002,"warm_up":{"requests":5,"time":"1m0s"}`
	if got := s.text("tidegate_rollout_policy.all", "json"); !strings.Contains(got, want) {
		t.Errorf("%s\nwant %s", got, want)
	}
}

func TestTrafficSaysWhatToExpect(t *testing.T) {
	s := newStage(t)
	s.config(`
resource "tidegate_rollout_policy" "p" {
  errors {}
  traffic {
    requests_per_second = 100
    error_rate          = 0.01
  }
}
resource "tidegate_rollout_policy" "none" {
  errors {}
}
resource "tidegate_rollout_policy" "faultless" {
  errors {}
  traffic {
    requests_per_second = 100
  }
}`)
	s.plan("-out=p").changes().neverSays("Little can be told", "cannot decide")
	planned := s.planned("p", "tidegate_rollout_policy.p").After.(map[string]any)["expected"].(map[string]any)
	s.apply("p").ok()
	s.plan().ok()
	expected := s.state("tidegate_rollout_policy.p")["expected"].(map[string]any)
	if show(planned) != show(expected) {
		t.Errorf("planned %v, applied %v", planned, expected)
	}
	promote, catch, requests := number64(t, expected["minutes_to_promote"]), number64(t, expected["minutes_to_catch"]), number64(t, expected["requests_to_catch"])
	if expected["decides"] != true || promote < 5 || promote > 20 || catch < 3 || catch > 13 || requests < 1800 || requests > 8000 {
		t.Errorf("expected %v: the guide's table has 9.9 and 6.2 minutes and 3,776 requests", expected)
	}
	if got := s.state("tidegate_rollout_policy.none"); got["expected"] != nil || got["json"] != s.text("tidegate_rollout_policy.p", "json") {
		t.Errorf("without traffic: %v", got)
	}
	if got := s.state("tidegate_rollout_policy.faultless")["expected"].(map[string]any); got["requests_to_catch"] != nil || got["minutes_to_promote"] == nil {
		t.Errorf("without errors there is nothing to be twice as many: %v", got)
	}
}

func TestTrafficThatCannotDecideIsWarnedOfAtPlan(t *testing.T) {
	s := newStage(t)
	traffic := func(arguments string) string {
		return "resource \"tidegate_rollout_policy\" \"p\" {\n traffic {\n" + arguments + "\n}\n}"
	}
	s.config(traffic("requests_per_second = 0.1\nerror_rate = 0.01"))
	s.plan().changes().says("This policy's traffic cannot decide a rollout within its limits", "A good candidate would not be promoted within 2h")
	s.apply().ok().says("cannot decide")
	expected := s.state("tidegate_rollout_policy.p")["expected"].(map[string]any)
	if expected["decides"] != false || expected["minutes_to_promote"] != nil {
		t.Errorf("expected %v, want that it does not decide", expected)
	}
	s.config(traffic("requests_per_second = 100\nclients = 80"))
	s.plan().changes().says("Little can be told by this policy's traffic", "Of 80 clients fewer than 10 are with the candidate at 1%, 5%, 10%")
}

func TestEveryArgumentOfAPolicyIsImported(t *testing.T) {
	s := newStage(t)
	hcl := `
resource "tidegate_rollout_policy" "fast" {
  preset = "fast"
}
resource "tidegate_rollout_policy" "all" {
  alpha = 0.002
  beta  = 0.1
  step {
    weight  = 5
    ratio   = 3.25
    floor   = 0.015
    minimum = "90s"
  }
  step {
    weight = 50
  }
  latency {
    tolerance = 2.5
  }
  errors {}
  warm_up {
    requests = 30
    time     = "60s"
  }
  limits {
    step = "60m"
  }
}`
	s.config(hcl)
	s.apply().ok()
	fast, all := s.text("tidegate_rollout_policy.fast", "json"), s.text("tidegate_rollout_policy.all", "json")
	s.terraform("state", "rm", "tidegate_rollout_policy.fast", "tidegate_rollout_policy.all").ok()
	s.terraform("import", "tidegate_rollout_policy.fast", fast).ok()
	s.terraform("import", "tidegate_rollout_policy.all", all).ok()
	s.plan().ok()
	if got := s.text("tidegate_rollout_policy.all", "json"); got != all {
		t.Errorf("imported\n%s\nwant\n%s", got, all)
	}
}

func number64(t *testing.T, v any) float64 {
	t.Helper()
	n, ok := v.(interface{ Float64() (float64, error) })
	if !ok {
		f, _ := v.(float64)
		return f
	}
	f, err := n.Float64()
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// A state that was written before policies knew approvals and previous revisions.
func TestPolicyOfAnOlderStateIsNoDiff(t *testing.T) {
	s := newStage(t)
	s.config(quick)
	s.apply().ok()
	path := filepath.Join(s.dir, "terraform.tfstate")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	old := regexp.MustCompile(`(?m)^ *"(approval|keep_previous)": .*\n`).ReplaceAllString(string(text), "")
	if old == string(text) || !json.Valid([]byte(old)) {
		t.Fatalf("this is no older state:\n%s", old)
	}
	s.write("terraform.tfstate", old)
	s.plan().ok()
	s.plan("-refresh=false").changes().says("0 to add, 1 to change, 0 to destroy").neverSays("json", "jsonencode")
}
