package provider

import (
	"strings"
	"testing"
	"time"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/rollout"
)

// What can be told without an engine is told at plan.

func TestProviderRefusesBadArguments(t *testing.T) {
	s := newStage(t)
	s.config(`provider "tidegate" {
  local {
    data_dri = "x"
  }
}`, clusterHCL)
	s.plan().fails().says(`An argument named "data_dri" is not expected here`)
	s.config(`provider "tidegate" {
  local {
    data_dir = ""
  }
}`, clusterHCL)
	s.plan().fails().says(`want a folder, such as .tidegate`)
}

const clusterHCL = `
resource "tidegate_cluster" "here" {
  name = "here"
  local {}
}
`

func TestBadClustersAreRefusedAtPlan(t *testing.T) {
	s := newStage(t)
	for hcl, want := range map[string]string{
		`name = "here"`:                                              `Missing block local`,
		"name = \"Here!\"\n local {}":                                `"Here!": want a DNS label`,
		"name = \"\"\n local {}":                                     `"": want a DNS label`,
		"name = \"a/b\"\n local {}":                                  `"a/b": want a DNS label`,
		"name = \"käse\"\n local {}":                                 `want a DNS label`,
		"name = \"x\"\n local {}\n cluster_api {}":                   `Blocks of type "cluster_api" are not expected here`,
		"name = \"x\"\n local {\n dir = 1\n}":                        `An argument named "dir" is not expected here`,
		"name = \"x\"\n local {}\n timeouts {\n create = \"-5s\"\n}": `"-5s": want 1s to 720h0m0s`,
	} {
		s.config("resource \"tidegate_cluster\" \"here\" {\n" + hcl + "\n}")
		s.plan().fails().says(want)
	}
}

func TestBadPoliciesAreRefusedAtPlan(t *testing.T) {
	s := newStage(t)
	for hcl, want := range map[string]string{
		`strategy = "blue_green"`:                                 `strategy = "blue_green" "blue_green": want "canary"`,
		`strategy = ""`:                                           `"": want "canary"`,
		"latency {\n p99 = 2\n}":                                  `An argument named "p99" is not expected here`,
		"latency {\n tolerance = 0\n}":                            `0: want 1 to 20 times`,
		"latency {\n tolerance = 0.9\n}":                          `tolerance = 0.9 0.9: want 1 to 20 times stable's odds of a slow answer`,
		`preset = "reckless"`:                                     `"reckless": want ["fast" "careful" "paranoid"]`,
		`preset = ""`:                                             `"": want ["fast" "careful" "paranoid"]`,
		"alpha = 0":                                               `0: want a chance from 0.000001 to 0.2`,
		"alpha = 0.5":                                             `0.5: want a chance from 1e-06 to 0.2`,
		"beta = -0.05":                                            `-0.05: want a chance`,
		"beta = \"rarely\"":                                       `a number is required`,
		"step {\n weight = 5\n ratio = 1.1\n}":                    `ratio = 1.1 1.1: want more than 1.2 and at most 1000: closer to 1 no candidate could be told from a worse one`,
		"step {\n weight = 5\n ratio = 0\n}":                      `0: want more than 1.2`,
		"step {\n weight = 5\n floor = 0\n}":                      `0: want a share of bad answers`,
		"step {\n weight = 5\n floor = 0.9\n}":                    `0.9: want a share of bad answers from 1e-06 to 0.5`,
		"step {\n weight = 5\n minimum = \"0s\"\n}":               `"0s": want 1s to 720h0m0s`,
		"step {\n weight = 5\n minimum = \"3h\"\n}":               `3h0m0s: want at most limits.step, 2h0m0s: the step could never pass`,
		"warm_up {\n requests = 5\n}":                             `There is nothing to warm up for`,
		"errors {}\nwarm_up {}":                                   `Add latency {}, or leave warm_up out`,
		"latency {}\nwarm_up {\n requests = 0\n}":                 `0: want a whole number from 1 to 1000000`,
		"latency {}\nwarm_up {\n time = \"2h\"\n}":                `2h0m0s: want less than limits.step`,
		"preset = \"fast\"\nlimits {\n bake = \"1h\"\n}":          `1h0m0s: want at most limits.step, 30m0s`,
		"traffic {}":                                              `Missing requests_per_second`,
		"traffic {\n error_rate = 0.01\n}":                        `want requests_per_second = 100, or no block`,
		"traffic {\n requests_per_second = 0\n}":                  `0: want more than 0`,
		"traffic {\n requests_per_second = -3\n}":                 `-3: want more than 0`,
		"traffic {\n requests_per_second = 9\n error_rate = 1\n}": `1: want a share from 0 to less than 0.5`,
		"traffic {\n requests_per_second = 9\n clients = 1.5\n}":  `1.5: want a whole number`,
		"errors {\n tolerance = 2\n}":                             `An argument named "tolerance" is not expected here`,
		"step {}":                                                 `The argument "weight" is required`,
		"step {\n wieght = 5\n}":                                  `An argument named "wieght" is not expected here`,
		"step {\n weight = \"five\"\n}":                           `a number is required`,
		"step {\n weight = 2.5\n}":                                `2.5: want a whole number`,
		"step {\n weight = 0\n}":                                  `0: want 1 to 99`,
		"step {\n weight = -5\n}":                                 `-5: want 1 to 99`,
		"step {\n weight = 100\n}":                                `100: want 1 to 99: all traffic is no trial`,
		"step {\n weight = 5\n}\nstep {\n weight = 5\n}":          `5 after 5: weights must rise`,
		"limits {\n step = \"soon\"\n}":                           `"soon": want a duration such as "90s" or "2h"`,
		"limits {\n step = \"-1m\"\n}":                            `"-1m": want 1s to 720h0m0s`,
		"limits {\n step = \"9000h\"\n}":                          `"9000h": want 1s to 720h0m0s`,
		"limits {\n blind = \"1s\"\n}":                            `"1s": want 5s to 720h0m0s`,
		"limits {\n bake = \"3h\"\n}":                             `3h0m0s: want at most limits.step`,
		"limits {\n setp = \"3h\"\n}":                             `An argument named "setp" is not expected here`,
	} {
		s.config("resource \"tidegate_rollout_policy\" \"p\" {\n" + hcl + "\n}")
		s.plan().fails().says(want)
	}
}

// All that is wrong is said at once, where it is wrong, even while other values are unknown.
func TestAllErrorsOfAPolicyAreSaidAtOnce(t *testing.T) {
	s := newStage(t)
	s.config(`
resource "terraform_data" "later" {
  input = 5
}
resource "tidegate_rollout_policy" "p" {
  strategy = "shadow"
  step {
    weight = terraform_data.later.output
  }
  step {
    weight = 50
  }
  step {
    weight = 20
  }
  limits {
    step_minimum = "2m"
    step         = "1m"
  }
}`)
	s.plan().fails().says(`strategy = "shadow" "shadow": want "canary"`, `weight = 20 20 after 50: weights must rise`,
		`step_minimum = "2m" 2m0s:`, `want at most limits.step, 1m0s`)
}

func TestPolicyIsAValue(t *testing.T) {
	s := newStage(t)
	s.config(`
resource "tidegate_rollout_policy" "standard" {}
resource "tidegate_rollout_policy" "own" {
  step {
    weight = 5
  }
  step {
    weight = 50
  }
  errors {}
  limits {
    step = "60m"
  }
}`)
	s.apply().ok()
	s.plan().ok()
	if got, want := s.text("tidegate_rollout_policy.standard", "json"), rollout.DefaultPolicy().JSON(); got != want {
		t.Errorf("standard policy\n%s\nwant\n%s", got, want)
	}
	own := rollout.DefaultPolicy()
	own.Steps, own.SkipLeading = []rollout.Step{{Weight: 5}, {Weight: 50}}, false
	own.Limits.Step = rollout.Duration(time.Hour)
	if got, want := s.text("tidegate_rollout_policy.own", "json"), own.JSON(); got != want {
		t.Errorf("own policy\n%s\nwant\n%s", got, want)
	}
	if got, want := s.text("tidegate_rollout_policy.own", "longest"), "2h0m0s"; got != want {
		t.Errorf("longest %s, want %s", got, want)
	}
}

func TestPolicyWithUnknownWeightIsPlannedAndApplied(t *testing.T) {
	s := newStage(t)
	s.config(`
resource "terraform_data" "later" {
  input = { weight = 7, steps = [1, 2], limit = "50m", strategy = "canary" }
}
resource "tidegate_rollout_policy" "weight" {
  step {
    weight = terraform_data.later.output.weight
  }
}
resource "tidegate_rollout_policy" "others" {
  strategy = terraform_data.later.output.strategy
  dynamic "step" {
    for_each = terraform_data.later.output.steps
    content {
      weight = step.value
    }
  }
  limits {
    step = terraform_data.later.output.limit
  }
}`)
	s.apply().ok()
	s.plan().ok()
	if got := s.text("tidegate_rollout_policy.weight", "json"); !strings.Contains(got, `"steps":[{"weight":7}]`) {
		t.Error(got)
	}
	if got := s.text("tidegate_rollout_policy.others", "json"); !strings.Contains(got, `"steps":[{"weight":1},{"weight":2}]`) {
		t.Error(got)
	}
}

func TestPolicyImportsByItsJSON(t *testing.T) {
	s := newStage(t)
	hcl := `
resource "tidegate_rollout_policy" "p" {
  step {
    weight = 5
  }
  step {
    weight = 50
  }
  errors {}
  limits {
    step = "60m"
  }
}
resource "tidegate_rollout_policy" "standard" {
  errors {}
}`
	s.config(hcl)
	s.apply().ok()
	own, standard := s.text("tidegate_rollout_policy.p", "json"), s.text("tidegate_rollout_policy.standard", "json")
	s.terraform("state", "rm", "tidegate_rollout_policy.p", "tidegate_rollout_policy.standard").ok()
	s.terraform("import", "tidegate_rollout_policy.p", own).ok()
	s.terraform("import", "tidegate_rollout_policy.standard", standard).ok()
	s.plan().ok()
	s.terraform("state", "rm", "tidegate_rollout_policy.p").ok()
	s.terraform("import", "tidegate_rollout_policy.p", `{"schema":1,"strategy":"canary"}`).fails().
		says("Cannot import the rollout policy", "steps: is missing", "limits: is missing")
	s.terraform("import", "tidegate_rollout_policy.p", "careful").fails().says("careful: want a JSON object")
}
