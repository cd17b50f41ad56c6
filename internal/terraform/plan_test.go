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

func TestEveryKindOfChangeIsTold(t *testing.T) {
	t.Parallel()
	const before = `
resource "terraform_data" "stays" {}
resource "terraform_data" "old_name" {}
resource "terraform_data" "goes" {}
resource "terraform_data" "let_go" {}
resource "terraform_data" "changes" {
  input = { secret = sensitive("correct-horse-battery"), open = "a", lines = "one\ntwo" }
}
resource "terraform_data" "triggers" {
  input = "1"
}
resource "terraform_data" "triggered" {
  lifecycle {
    create_before_destroy = true
    replace_triggered_by  = [terraform_data.triggers]
  }
}
output "o" {
  value = "a"
}
`
	s := newStage(t, before)
	s.init()
	s.plan()
	s.apply()
	s.write("main.tf", `
resource "terraform_data" "stays" {}
resource "terraform_data" "new_name" {}
moved {
  from = terraform_data.old_name
  to   = terraform_data.new_name
}
removed {
  from = terraform_data.let_go
  lifecycle {
    destroy = false
  }
}
resource "terraform_data" "imported" {}
import {
  to = terraform_data.imported
  id = "0b231dbf-04e7-2645-affb-bdf23fe08662"
}
resource "terraform_data" "changes" {
  input = { secret = sensitive("other-horse-battery"), open = "b", lines = "one\nthree" }
}
resource "terraform_data" "triggers" {
  input = "2"
}
resource "terraform_data" "triggered" {
  lifecycle {
    create_before_destroy = true
    replace_triggered_by  = [terraform_data.triggers]
  }
}
resource "terraform_data" "added" {
  count = 2
}
output "o" {
  value = "b"
}
`)
	p := s.plan()
	want := Counts{Add: 3, Change: 2, Destroy: 2, Replace: 1, Move: 1, Import: 1, Forget: 1, Outputs: 1}
	if got := p.Counts(); got != want {
		t.Errorf("counts %+v, want %+v", got, want)
	}
	var got []string
	for _, c := range p.Changes {
		got = append(got, string(c.Action)+" "+c.Address)
	}
	if diff := cmp.Diff([]string{
		"delete terraform_data.goes", "replace terraform_data.triggered", "update terraform_data.changes", "update terraform_data.triggers",
		"create terraform_data.added[0]", "create terraform_data.added[1]", "forget terraform_data.let_go",
		"no-op terraform_data.imported", "no-op terraform_data.new_name",
	}, got); diff != "" {
		t.Errorf("changes (-want +got):\n%s", diff)
	}
	c := p.change(t, "terraform_data.triggered")
	if !c.CreateFirst || c.Reason != "replace_by_triggers" {
		t.Errorf("replaced %+v", c)
	}
	if c := p.change(t, "terraform_data.new_name"); c.Previous != "terraform_data.old_name" {
		t.Errorf("moved %+v", c)
	}
	if c := p.change(t, "terraform_data.imported"); c.Imported != "0b231dbf-04e7-2645-affb-bdf23fe08662" {
		t.Errorf("imported %+v", c)
	}
	c = p.change(t, "terraform_data.changes")
	for path, want := range map[string][2]Value{
		"input.secret": {{Kind: Sensitive}, {Kind: Sensitive}},
		"input.open":   {{Known, `"a"`}, {Known, `"b"`}},
		"input.lines":  {{Known, "one\ntwo"}, {Known, "one\nthree"}},
	} {
		if a := c.attribute(t, path); a.Before != want[0] || a.After != want[1] {
			t.Errorf("%s: %+v", path, a)
		}
	}
	if p.Outputs[0] != (OutputChange{"o", Update, Value{Known, `"a"`}, Value{Known, `"b"`}}) {
		t.Errorf("outputs %+v", p.Outputs)
	}

	a := s.apply()
	if len(a.Done) != 7 || len(a.Failed)+len(a.Skipped) > 0 {
		t.Errorf("applied %+v\n%s", a, s.log)
	}
}
