package report

import (
	"strings"
	"testing"

	tf "github.com/tidegatehq/terraform-provider-tidegate/internal/terraform"
)

func TestRolledBackEndpointIsAFailedApplyThatNamesTheGate(t *testing.T) {
	t.Parallel()
	p := cases()["rolled-back"]
	if got, want := p.Title(), "Apply failed: 1 endpoint was rolled back"; got != want {
		t.Errorf("the title is %q, want %q", got, want)
	}
	first, _, _ := strings.Cut(p.Summary(), "\n\n<details")
	for _, want := range []string{"[!CAUTION]", "**Apply failed: 1 endpoint was rolled back**", "tidegate_model_endpoint.fraud", "by gate &#34;errors&#34;"} {
		if !strings.Contains(first, want) {
			t.Errorf("%q is not what people see first:\n%s", want, first)
		}
	}
}

func TestOnlyTheProvidersOwnWordsMakeARollback(t *testing.T) {
	t.Parallel()
	for address, summary := range map[string]string{
		"aws_instance.web":               `Rollout of endpoint "fraud" was rolled back by gate "errors"`,
		"tidegate_model_endpoint.fraud":  `Cannot update endpoint "fraud"`,
		"tidegate_model_endpoint.fraud2": `Endpoint "fraud" has rejected this model`,
	} {
		a := Apply{Err: &tf.Error{Doing: "apply"}, Result: tf.Applied{Failed: []tf.AppliedChange{{Address: address, Error: tf.Diagnostic{Summary: summary}}}}}
		if back, failed := a.failures(); len(back) != 0 || len(failed) != 1 {
			t.Errorf("%s, %q is told as rolled back", address, summary)
		}
	}
}

func TestKilledToolMayHaveLeftALock(t *testing.T) {
	t.Parallel()
	r := Root{Dir: "a", Plan: planOf(bucket()), Apply: &Apply{Err: &tf.Error{Doing: "apply", Code: -1}}}
	if text := pageOf(r).Comment(); !strings.Contains(text, "**Apply failed.** Nothing is known to be done. It was killed by somebody else: the state may still be locked") {
		t.Error(text)
	}
}

func TestWhatWasNotDoneIsNeverAppliedEvenWithoutAnError(t *testing.T) {
	t.Parallel()
	for _, r := range []tf.Applied{{Canceled: true}, {Skipped: []string{"a.b"}}, {Unfinished: []string{"a.b"}}, {Failed: []tf.AppliedChange{{Address: "a.b"}}}} {
		p := pageOf(Root{Dir: "a", Plan: planOf(bucket()), Apply: &Apply{Result: r}})
		if text := p.Comment(); !strings.Contains(text, "[!CAUTION]") || strings.Contains(text, "[!TIP]") || strings.HasPrefix(p.Title(), "Applied") {
			t.Errorf("%+v is told as %s:\n%s", r, p.Title(), text)
		}
	}
}

func TestTitleSaysTheWorst(t *testing.T) {
	t.Parallel()
	titles := map[string]string{
		"no-changes": "No changes", "create": "Adds 2", "rich": "Destroys 1, replaces 1, changes 2, adds 1, imports 1, moves 1",
		"guards": "Blocked by 2 guards", "init-failed": "Init failed", "odd-error": "Failed", "applied": "Applied: destroyed 1, changed 1, added 1",
		"apply-failed": "Apply failed: 1 of 3 changes", "refused": "Refused: nothing was applied", "locked": "The state is locked",
		"canceled": "Canceled: added 1", "several": "4 root modules, one of them: Init failed", "unfinished": "The plan is not complete",
		"deferred": "Adds 1, runs 1 provider action, leaves 1 for a later plan",
	}
	all := cases()
	for name, want := range titles {
		if got := all[name].Title(); got != want {
			t.Errorf("%s: the title is %q, want %q", name, got, want)
		}
	}
	two := pageOf(Root{Dir: "a", Plan: planOf(bucket())}, Root{Dir: "b", Plan: planOf(database())})
	if got, want := two.Title(), "2 root modules: Destroys 1, adds 1"; got != want {
		t.Errorf("the title is %q, want %q", got, want)
	}
	for _, text := range hostile {
		for _, r := range everywhere(text).Roots {
			if got := (Page{Roots: []Root{r}}).Title(); got == "" || strings.ContainsAny(got, "@#<>`\n\x1b") {
				t.Errorf("%q is in the title %q", text, got)
			}
		}
	}
}

func TestSensitiveValueIsNotShownWhateverItsText(t *testing.T) {
	t.Parallel()
	secret := tf.Value{Kind: tf.Sensitive, Text: "hunter2\nhunter2" + strings.Repeat("hunter2", 100)}
	hidden := tf.Value{Kind: tf.Unknown, Text: "hunter2"}
	c := bucket()
	c.Attributes = []tf.Attribute{{Path: "a", Before: secret, After: secret}, {Path: "b", Before: secret, After: known("x\ny")}, {Path: "c", Before: hidden, After: secret}, {Path: "d", Before: secret}}
	p := planOf(c)
	p.Outputs = []tf.OutputChange{{Name: "o", Before: secret, After: secret}}
	page := pageOf(Root{Dir: "a", Plan: p}, Root{Dir: "b", Plan: p, Apply: &Apply{Result: tf.Applied{Outputs: []tf.Output{{Name: "o", Value: secret}}}}})
	if text := page.Comment() + page.Summary(); strings.Contains(text, "hunter2") || strings.Count(text, "(sensitive)") < 10 {
		t.Error(text)
	}
}

func TestNothingIsSaidToBeSafeThatIsNot(t *testing.T) {
	t.Parallel()
	for name, p := range cases() {
		text, n := p.Comment(), sum{}
		for _, r := range p.Roots {
			n = n.plus(tally(r.Plan))
		}
		if n.destroy+n.replace > 0 && len(p.Roots) == 1 && strings.Contains(text, "Nothing is destroyed") {
			t.Errorf("%s destroys or replaces, and says that nothing is", name)
		}
		if !strings.Contains(text, "[!CAUTION]") && (n.destroy+n.replace > 0 && p.Roots[0].Apply == nil || p.Roots[0].Err != nil) {
			t.Errorf("%s is dangerous, and nothing is red", name)
		}
	}
}
