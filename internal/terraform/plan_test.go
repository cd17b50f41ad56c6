package terraform

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

const everything = `
variable "password" {
  type      = string
  sensitive = true
  default   = "correct-horse-battery"
}

variable "size" {
  default = 12345678901234567890123
}

resource "terraform_data" "each" {
  for_each = toset(["x y", "q\"uote", "a.b[c]", "tab\tand\nline"])
  input    = { key = each.key, size = var.size, list = [1, null, "z"], empty = {}, password = var.password }
}

resource "terraform_data" "tagged" {
  input = "one"
}

resource "terraform_data" "follows" {
  triggers_replace = ["v1"]
  input            = terraform_data.tagged.output
}

output "name" {
  value = terraform_data.tagged.id
}

output "password" {
  value     = var.password
  sensitive = true
}
`

func TestPlanIsReadAsTerraformMeansIt(t *testing.T) {
	t.Parallel()
	s := newStage(t, everything)
	s.init()
	p := s.plan()
	if got, want := p.Counts(), (Counts{Add: 6, Outputs: 2}); got != want {
		t.Errorf("counts %+v, want %+v", got, want)
	}
	c := p.change(t, `terraform_data.each["q\"uote"]`)
	for path, want := range map[string]Value{
		"id":             {Kind: Unknown},
		"input.key":      {Known, `"q\"uote"`},
		"input.size":     {Known, "12345678901234567890123"},
		"input.list[0]":  {Known, "1"},
		"input.list[2]":  {Known, `"z"`},
		"input.empty":    {Known, "{}"},
		"input.password": {Kind: Sensitive},
	} {
		if diff := cmp.Diff(Attribute{Path: path, After: want}, c.attribute(t, path)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", path, diff)
		}
	}
	if got := p.change(t, `terraform_data.each["tab\tand\nline"]`).attribute(t, "input.key").After.Text; got != "tab\tand\nline" {
		t.Errorf("a text of lines is %q", got)
	}
	if p.Outputs[0].After.Kind != Unknown || p.Outputs[1].After.Kind != Sensitive {
		t.Errorf("outputs %+v", p.Outputs)
	}
	a := s.apply()
	if len(a.Done) != 6 || len(a.Failed)+len(a.Skipped)+len(a.Unfinished) > 0 || a.Canceled {
		t.Errorf("applied %+v", a)
	}
	if a.Outputs[1].Value.Kind != Sensitive || a.Outputs[0].Value.Kind != Known {
		t.Errorf("outputs %+v", a.Outputs)
	}
	if p := s.plan(); p.Changed() || len(p.Changes) > 0 {
		t.Errorf("a plan after an apply changes %+v", p)
	}
}
