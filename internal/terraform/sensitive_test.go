package terraform

import (
	"strings"
	"testing"
)

// What the tool says while it plans is scrubbed of variables that the plan, later, calls sensitive.
func TestSensitiveVariablesAreScrubbedFromTheFirstWordOn(t *testing.T) {
	t.Parallel()
	s := newStage(t, `
variable "by_env" {
  sensitive = true
}

variable "by_flag" { sensitive = true }

variable "by_file" {
  description = "a } in quotes \" and { more"
  type        = string
  sensitive   = true
}

variable "by_auto_file" {
  sensitive = true
}

variable "by_default" {
  default   = "secret\tof-default"
  sensitive = true
}

variable "region" {
  default = "eu-central-1"
}

check "says_it" {
  assert {
    condition     = var.region == "elsewhere"
    error_message = nonsensitive(join(" ", [var.by_env, var.by_flag, var.by_file, var.by_auto_file, var.by_default, var.region]))
  }
}
`)
	s.write("given.tfvars", "# comment\nby_file = \"secret-of-file\"\n")
	s.write("more.auto.tfvars.json", "{\n  \"by_auto_file\": \"secret-of-auto-file\"\n}\n")
	s.init()
	s.env("TF_VAR_by_env=secret-of-env")
	s.Vars = []string{"by_flag=secret-of-flag"}
	s.VarFiles = []string{"given.tfvars"}
	if _, err := s.Plan(within(t), "tfplan", PlanOptions{}); err != nil {
		t.Fatal(err)
	}
	log := s.log.String()
	if strings.Contains(log, "secret") || strings.Count(log, Mask) != 5 || !strings.Contains(log, "eu-central-1") {
		t.Errorf("the log says %s", log)
	}
}
