package report

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	tf "github.com/tidegatehq/terraform-provider-tidegate/internal/terraform"
)

func TestDiffHasBothSidesInOrder(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		lines := rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b", "c", "d"}), 0, 12)
		before, after := lines.Draw(t, "before"), lines.Draw(t, "after")
		var was, is []string
		left := 0
		for _, l := range diffLines(before, after) {
			switch mark, text := l[:2], l[2:]; mark {
			case "- ":
				was = append(was, text)
			case "+ ":
				is = append(is, text)
			case "  ":
				was, is = append(was, text), append(is, text)
			default:
				n := 0
				if _, err := fmt.Sscanf(l, "@@ %d lines are the same @@", &n); err != nil || n < 2 {
					t.Fatalf("odd line %q", l)
				}
				left += n
			}
		}
		if left == 0 && (!cmp.Equal(was, before) && len(before) > 0 || !cmp.Equal(is, after) && len(after) > 0) {
			t.Errorf("%v to %v is told as %v to %v", before, after, was, is)
		}
		if len(was)+left != len(before) || len(is)+left != len(after) {
			t.Errorf("%v to %v: %d and %d lines are told, %d left out", before, after, len(was), len(is), left)
		}
	})
}

func TestLongTextIsFoldedToWhatChangesInIt(t *testing.T) {
	t.Parallel()
	var before []string
	for i := range 40 {
		before = append(before, fmt.Sprintf("line %d", i))
	}
	after := append([]string(nil), before...)
	after[20] = "another"
	want := []string{"@@ 17 lines are the same @@", "  line 17", "  line 18", "  line 19", "- line 20", "+ another", "  line 21", "  line 22", "  line 23", "@@ 16 lines are the same @@"}
	if diff := cmp.Diff(want, diffLines(before, after)); diff != "" {
		t.Error(diff)
	}
	block := foldedValue(tf.Attribute{Path: "user_data", Before: known(strings.Join(before, "\n")), After: known(strings.Join(after, "\n")), Forces: true}, 1<<20)
	if !strings.HasPrefix(block, "<details><summary><code>user_data</code> changes, which forces replacement: 40 lines</summary>\n\n```diff\n@@ 17") {
		t.Error(block)
	}
}

func TestLineBreakAtTheEndIsADifference(t *testing.T) {
	t.Parallel()
	block := foldedValue(tf.Attribute{Path: "script", Before: known("a\nb"), After: known("a\nb\n")}, 100)
	if want := "```diff\n  a\n  b\n- (no line break at the end)\n```"; !strings.Contains(block, want) {
		t.Errorf("got\n%s\nwant\n%s", block, want)
	}
}

func TestCutValueSaysSo(t *testing.T) {
	t.Parallel()
	lines := valueLines(known(strings.Repeat("é", 1000)), 101)
	if want := []string{strings.Repeat("é", 50), "(1,900 more bytes are not shown)"}; !cmp.Equal(lines, want) {
		t.Error(cmp.Diff(want, lines))
	}
}

func TestAttributesTellUnknownSensitiveAndForced(t *testing.T) {
	t.Parallel()
	got, left := diffBlock([]tf.Attribute{
		{Path: "id", Before: known("1"), After: unknown, Forces: true}, {Path: "password", Before: sensitive, After: sensitive, Forces: true},
		{Path: "token", After: sensitive}, {Path: "gone", Before: known(`"x"`), Forces: true}}, place{room: 1 << 20, maxValue: 100})
	want := "```diff\n- id       = 1\n+ id       = (known after apply)  # forces replacement\n! password = (sensitive)  # forces replacement\n" +
		"+ token    = (sensitive)\n- gone     = \"x\"  # forces replacement\n```\n\n"
	if diff := cmp.Diff(want, got); diff != "" || left != 0 {
		t.Error(left, diff)
	}
}
