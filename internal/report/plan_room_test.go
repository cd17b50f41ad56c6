package report

import (
	"fmt"
	"strings"
	"testing"

	"golang.org/x/net/html"

	tf "github.com/tidegatehq/terraform-provider-tidegate/internal/terraform"
)

// big are pages that have no room in a comment, each in another way.
func big() map[string]Page {
	wide := func(n int) string { return strings.Repeat("\"&<`\u202e漢", n) }
	roots := func(n, changes int) (all []Root) {
		for i := range n {
			all = append(all, Root{Dir: fmt.Sprintf("infra/%03d", i), Plan: thousandsOfChanges(changes)})
		}
		return all
	}
	fat := bucket()
	for i := range 60 {
		fat.Attributes = append(fat.Attributes, tf.Attribute{Path: wide(50) + fmt.Sprint(i), Before: known(wide(4000)), After: known(strings.Repeat(wide(10)+"\n", 900))})
	}
	long := thousandsOfChanges(300)
	for i := range long.Changes {
		long.Changes[i].Address = wide(2000)
		long.Changes[i].Type = wide(100) + fmt.Sprint(i)
		long.Changes[i].Action = []tf.Action{tf.Delete, tf.Replace, tf.Create}[i%3]
		long.Changes[i].Note = []string{wide(900), strings.Repeat("@x ", 400)}
	}
	outputs := planOf(bucket())
	for i := range 600 {
		outputs.Outputs = append(outputs.Outputs, tf.OutputChange{Name: fmt.Sprintf("o%d", i), After: known(wide(300))})
	}
	outputs.Drift = thousandsOfChanges(3000).Changes
	failed := Apply{Err: &tf.Error{Doing: "apply"}}
	for range 500 {
		d := tf.Diagnostic{Severity: "error", Summary: wide(400), Detail: strings.Repeat(wide(30)+"\n", 400), Address: wide(300)}
		failed.Result.Failed = append(failed.Result.Failed, tf.AppliedChange{Address: wide(300), Error: d})
		failed.Result.Warnings = append(failed.Result.Warnings, d)
		failed.Result.Skipped = append(failed.Result.Skipped, wide(300))
	}
	noisy := Root{Dir: wide(3000), Plan: planOf(bucket())}
	for range 100 {
		noisy.Findings = append(noisy.Findings, tf.Finding{Severity: "error", Summary: wide(500), Detail: wide(500), File: wide(500)})
		noisy.Violations = append(noisy.Violations, tf.Violation{Guard: wide(50), Rule: wide(500), Address: wide(500), Message: wide(500)})
	}
	return map[string]Page{
		"10,000 changes":        pageOf(roots(1, 10_000)...),
		"three of different":    pageOf(append(roots(2, 2000), Root{Dir: "small", Plan: planOf(bucket())})...),
		"30 root modules":       pageOf(roots(30, 50)...),
		"1,000 root modules":    pageOf(roots(1000, 3)...),
		"one fat resource":      pageOf(Root{Dir: "a", Plan: planOf(fat)}),
		"long names":            pageOf(Root{Dir: "a", Plan: long}),
		"outputs and drift":     pageOf(Root{Dir: "a", Plan: outputs}),
		"500 failures":          pageOf(Root{Dir: "a", Plan: thousandsOfChanges(3000), Apply: &failed}),
		"remarks and violation": pageOf(noisy),
		"one of each and long":  {Head: wide(100), Run: "https://" + strings.Repeat("a", 5000), Roots: []Root{noisy, {Dir: "a", Plan: long}, {Dir: "b", Plan: outputs, Apply: &failed}}},
	}
}

func TestPagesFitAndLeaveNothingOpenHoweverLong(t *testing.T) {
	t.Parallel()
	for name, p := range big() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for kind, made := range map[string]struct {
				text  string
				limit int
			}{"comment": {p.Comment(), CommentLimit}, "summary": {p.Summary(), SummaryLimit}} {
				if len(made.text) > made.limit {
					t.Errorf("the %s has %d bytes, %d are allowed", kind, len(made.text), made.limit)
				}
				if len(made.text) < made.limit/100 {
					t.Errorf("the %s has %d bytes only", kind, len(made.text))
				}
				checkBalance(t, kind, made.text)
			}
		})
	}
}

// checkBalance: what was opened is closed. A browser would close it by itself, and fold the rest of the page.
func checkBalance(t *testing.T, kind, text string) {
	t.Helper()
	z := html.NewTokenizer(strings.NewReader(rendered(t, text)))
	var open []string
	for z.Next() != html.ErrorToken {
		token := z.Token()
		switch {
		case token.Type == html.StartTagToken && token.Data != "br":
			open = append(open, token.Data)
		case token.Type == html.EndTagToken && (len(open) == 0 || open[len(open)-1] != token.Data):
			t.Fatalf("the %s closes %s amid %v", kind, token.Data, open)
		case token.Type == html.EndTagToken:
			open = open[:len(open)-1]
		}
	}
	if len(open) > 0 {
		t.Errorf("the %s leaves %v open", kind, open)
	}
}

func TestLongPlanNamesAllThatIsDestroyedAndSaysWhatIsLeftOut(t *testing.T) {
	t.Parallel()
	p := pageOf(Root{Dir: "infra", Plan: thousandsOfChanges(10_000)})
	comment := p.Comment()
	for _, c := range dangerous(p.Roots[0].Plan) {
		if !strings.Contains(comment, code(c.Address)) {
			t.Errorf("%s is %s, and the comment does not name it", c.Address, c.Action)
		}
	}
	for _, want := range []string{"**Destroys 20, replaces 100**; changes 9,880.", "10,000 changes: more than has room", `<a href="https://github.com/acme/models/actions/runs/4711">the summary of the run</a>`, "more</li>"} {
		if !strings.Contains(comment, want) {
			t.Errorf("the comment does not say %q", want)
		}
	}
	if summary := p.Summary(); len(summary) < 10*len(comment) {
		t.Errorf("the summary has %d bytes, the comment %d: the summary has more room", len(summary), len(comment))
	}
}

func TestSmallRootModuleKeepsItsDetailsBesideAHugeOne(t *testing.T) {
	t.Parallel()
	small := Root{Dir: "small", Plan: planOf(instance(), bucket())}
	comment := pageOf(Root{Dir: "huge", Plan: thousandsOfChanges(10_000)}, small).Comment()
	for _, c := range small.Plan.Changes {
		if block, _ := changeBlock(c, place{room: 4 << 10, maxValue: 4 << 10, open: true}); !strings.Contains(comment, block) {
			t.Errorf("the small root module lost the details of %s", c.Address)
		}
	}
	if !strings.Contains(comment, "more than has room") {
		t.Error("the huge one has all of them")
	}
}

func TestRootModuleInDangerComesFirst(t *testing.T) {
	t.Parallel()
	comment := cases()["several"].Comment()
	last := -1
	for _, name := range []string{"infra/edge", "infra/prod", "infra/dev", "infra/network"} {
		i := strings.Index(comment, "<td>"+code(name))
		if i <= last {
			t.Errorf("%s is at %d, after %d is wanted", name, i, last)
		}
		last = i
	}
}

func BenchmarkComment(b *testing.B) {
	for _, n := range []int{10, 1000, 10_000, 100_000} {
		p := pageOf(Root{Dir: "infra", Plan: thousandsOfChanges(n)})
		b.Run(fmt.Sprintf("changes=%d", n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				p.Comment()
			}
		})
		b.Run(fmt.Sprintf("summary/changes=%d", n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				p.Summary()
			}
		})
	}
}
