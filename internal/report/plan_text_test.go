package report

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/html"
	"pgregory.net/rapid"

	tf "github.com/tidegatehq/terraform-provider-tidegate/internal/terraform"
)

// hostile are texts that try to be more than text.
var hostile = []string{
	"a", "`", "```", "````\n</details>", "**bold** _it_ ~~no~~", "<script>alert(1)</script>", "</code></details></table>", "<!-- -->", "--> <!--", "--!>",
	"a | b", `a \| b`, `\`, "# heading", "- item", "> quote", "@octocat", "@acme/owners", "#123", "acme/models#1", "GH-12", "https://evil.example/x", "www.evil.example",
	"a@evil.example", "5d41402abc4b2a76b9719d911017c592aa00bb11", ":tada:", "$x$", "::set-output name=a::b", "  ::warning::x", "##[add-mask]x", "x ##[error]y",
	"line\nbreak", "line\r\nbreak\rreturn", "\x1b[31mred\x1b[0m", "nul\x00", "\u202eevil", "zero\u200bwidth", "\ufeff", "\xff\xfe", "tag\U000e0041", "\u2028::x", "&lt;b&gt;", "&#96;",
	"[a](javascript:alert(1))", "![](https://evil.example/p.png)", "\n\n# heading\n\n", "\t```\n\tcode", "x\n::error::y", "'\"", "{{7*7}}", "%0A::error::x", "==x==", "[^1]: note", "x\u00a0", "\u3164",
}

func parse(t testingT, markdown string) *html.Node {
	t.Helper()
	doc, err := html.Parse(strings.NewReader(rendered(t, markdown)))
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

// walk visits nodes with the names of the elements around them.
func walk(n *html.Node, around []string, visit func(n *html.Node, around []string)) {
	visit(n, around)
	if n.Type == html.ElementNode {
		around = append(around[:len(around):len(around)], n.Data)
	}
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		walk(c, around, visit)
	}
}

func textOf(doc *html.Node, element string) string {
	var b strings.Builder
	walk(doc, nil, func(n *html.Node, around []string) {
		if n.Type == html.TextNode && strings.Contains(strings.Join(around, " ")+" ", " "+element+" ") {
			b.WriteString(n.Data)
		}
	})
	return b.String()
}

func elements(doc *html.Node) string {
	var b strings.Builder
	walk(doc, nil, func(n *html.Node, around []string) {
		if n.Type == html.ElementNode {
			b.WriteString(strings.Repeat(" ", len(around)) + n.Data)
			for _, a := range n.Attr {
				b.WriteString(" " + a.Key + "=" + a.Val)
			}
			b.WriteByte('\n')
		}
	})
	return b.String()
}

func FuzzTextIsOneElementAndReadsAsItIs(f *testing.F) {
	for _, text := range hostile {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		in := parse(t, "<p>"+code(text)+"</p>\n")
		if got, want := textOf(in, "code"), visible(text); got != want {
			t.Errorf("code of %q reads %q, want %q", text, got, want)
		}
		if got, want := elements(in), "html\n head\n body\n  p\n   code\n"; got != want {
			t.Errorf("code of %q is\n%s", text, got)
		}
		words := strings.Fields(text)
		for i := range words {
			words[i] = visible(words[i])
		}
		if got, want := textOf(parse(t, "<p>"+prose(text)+"</p>\n"), "p"), strings.Join(words, " "); got != want {
			t.Errorf("prose of %q reads %q, want %q", text, got, want)
		}
		lines := valueLines(tf.Value{Kind: tf.Known, Text: text}, 1<<20)
		told := make([]string, len(lines))
		for i, l := range lines {
			told[i] = line("+ ", l)
		}
		in = parse(t, fence("diff", told))
		if got, want := textOf(in, "pre"), strings.Join(told, "\n")+"\n"; got != want {
			t.Errorf("fence of %q reads %q, want %q", text, got, want)
		}
		if got, want := elements(in), "html\n head\n body\n  pre\n   code class=language-diff\n"; got != want {
			t.Errorf("fence of %q is\n%s", text, got)
		}
	})
}

// everywhere is a page with a text in all places that take one.
func everywhere(text string) Page {
	value := tf.Value{Kind: tf.Known, Text: text}
	attributes := []tf.Attribute{{Path: text, Before: value, After: unknown, Forces: true}, {Path: text, After: value}, {Path: text, Before: sensitive, After: sensitive}}
	change := tf.Change{Address: text, Previous: text, Module: text, Type: text, Name: text, Deposed: text, Action: tf.Replace, Imported: text, Reason: "r" + text, Attributes: attributes, Note: []string{text, text}}
	bare := tf.Change{Address: text, Type: text, Action: tf.Delete, Reason: "r" + text}
	p := tf.Plan{Tool: "t" + text, Version: "1" + text, Changes: []tf.Change{change, bare, bare}, Drift: []tf.Change{change}, Outputs: []tf.OutputChange{{Name: text, Before: value, After: value}}, Invokes: []string{text}, Deferred: []string{text},
		Fingerprint: tf.Fingerprint{Version: 1, Sum: "f" + text}}
	d := tf.Diagnostic{Severity: "error", Summary: text, Detail: text, Address: text, File: text}
	said := &tf.Error{Doing: "plan" + text, Dir: text, Tool: text, Said: text, Diagnostics: []tf.Diagnostic{d}}
	bareSaid := &tf.Error{Doing: "plan" + text, Dir: text, Tool: text, Said: "s" + text}
	locked := &tf.Error{Doing: "plan", Lock: &tf.Lock{ID: text, Path: text, Operation: text, Who: text, Info: text}}
	result := tf.Applied{Failed: []tf.AppliedChange{{Address: text, Error: d}}, Skipped: []string{text}, Unfinished: []string{text}, Warnings: []tf.Diagnostic{d}, Outputs: []tf.Output{{Name: text, Value: value}}}
	return Page{Name: text, Head: "h" + text, Run: "https://github.com/acme/models/actions/runs/1", Roots: []Root{
		{Dir: "d" + text, Workspace: "w" + text, Plan: p, Findings: []tf.Finding{{Severity: "error", Summary: text, Detail: text, File: text}},
			Violations: []tf.Violation{{Guard: text, Rule: text, Address: text, Message: text}}},
		{Dir: "d" + text, Err: said}, {Dir: "d" + text, Err: bareSaid}, {Dir: "d" + text, Err: locked}, {Dir: "d" + text, Err: fmt.Errorf("e%s", text)},
		{Dir: "d" + text, Plan: p, Apply: &Apply{Commit: "c" + text, Verify: text, Result: result, Err: said, Staged: []Staged{{text, text, text}}}},
		{Dir: "d" + text, Plan: p, Apply: &Apply{Refusal: &Refusal{Why: text, Differences: []tf.Difference{{Part: text, How: text, Attributes: []string{text}}}}}},
	}}
}

// harmlessLike has the length and the lines of a text.
func harmlessLike(text string) string {
	return strings.Map(func(r rune) rune {
		if r == '\n' || r == '\r' || unicode.IsSpace(r) && r < utf8.RuneSelf {
			return r
		}
		return 'x'
	}, strings.ToValidUTF8(text, "x"))
}

// links are what GitHub makes more of than text.
var links = regexp.MustCompile(`@\w|#\d|://|www\.|GH-\d|\b[0-9a-f]{7,}\d[0-9a-f]*\b|:\w+:`)

func FuzzTextOfOthersIsOnlyText(f *testing.F) {
	for _, text := range hostile {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) <= 60 && strings.TrimSpace(text) != "" {
			checkTextIn(t, text, func(p Page) Page { return p })
		}
	})
}

func TestTextOfOthersIsOnlyTextHoweverItIsPutTogether(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		piece := rapid.OneOf(rapid.SampledFrom(hostile), rapid.StringN(0, 5, 12), rapid.StringMatching("[`|<>:#@ \\n\\\\*_&-]{1,8}"))
		text := strings.Join(rapid.SliceOfN(piece, 2, 8).Draw(t, "pieces"), rapid.SampledFrom([]string{"", " ", "\n"}).Draw(t, "between"))
		if strings.TrimSpace(text) != "" {
			one := rapid.IntRange(0, len(everywhere("").Roots)-1).Draw(t, "root")
			checkTextIn(t, clip(text, 60), func(p Page) Page {
				p.Roots = p.Roots[one : one+1]
				return p
			})
		}
	})
}

// testingT is testing.T and rapid.T.
type testingT interface {
	Helper()
	Errorf(format string, args ...any)
	Fatal(args ...any)
}

// checkTextIn checks a part of the page that has a text everywhere.
func checkTextIn(t testingT, text string, part func(Page) Page) {
	t.Helper()
	p := part(everywhere(text))
	comment := p.Comment()
	checkText(t, text, comment, part(everywhere(harmlessLike(text))).Comment(), 1)
	if _, below, _ := strings.Cut(comment, "\n"); below != p.Summary() {
		t.Errorf("%q: the summary is another", text)
	}
	m, ok := ParseMarker(comment)
	if !ok || m.Name != text && utf8.ValidString(text) || len(m.Roots) == 0 {
		t.Errorf("the marker of %q is %+v, %v", text, m, ok)
	}
}

func checkText(t testingT, text, page, benign string, comments int) {
	t.Helper()
	for l := range strings.SplitSeq(page, "\n") {
		if strings.HasPrefix(strings.TrimSpace(l), "::") || strings.Contains(l, "##[") {
			t.Errorf("%q speaks to the runner: %q", text, l)
		}
	}
	if i := strings.IndexFunc(page, func(r rune) bool { return r != '\n' && !shown(r) }); i >= 0 || !utf8.ValidString(page) {
		t.Errorf("%q leaves an unseen character at %d: %q", text, i, page[max(0, i-20):i+4])
	}
	doc := parse(t, page)
	if got, want := skeleton(doc), skeleton(parse(t, benign)); got != want {
		t.Errorf("%q changes the page:\n%s\nwant\n%s", text, got, want)
	}
	seen := 0
	walk(doc, nil, func(n *html.Node, around []string) {
		if n.Type == html.CommentNode {
			seen++
		}
		where := strings.Join(around, " ")
		if n.Type == html.TextNode && !strings.Contains(where, "code") && links.MatchString(n.Data) {
			t.Errorf("%q is more than text in %q", text, n.Data)
		}
	})
	if seen != comments {
		t.Errorf("%q: %d HTML comments, want %d", text, seen, comments)
	}
}

// skeleton is the page's elements, without the code elements of single words.
func skeleton(doc *html.Node) string {
	var kept []string
	for l := range strings.SplitSeq(elements(doc), "\n") {
		if strings.TrimSpace(l) != "code" {
			kept = append(kept, l)
		}
	}
	return strings.Join(kept, "\n")
}

func TestInvisibleTextIsToldByItsNumber(t *testing.T) {
	for text, want := range map[string]string{
		"plain é 漢字 👍": "plain é 漢字 👍", "\x1b[31m": `\u001b[31m`, "a\nb": `a\nb`, "\u202ecod": `\u202ecod`, "\xff": "\ufffd", "\U000e0041": `\U000e0041`, "a\u00a0b": `a\u00a0b`, "\u3164": `\u3164`,
	} {
		if got := visible(text); got != want {
			t.Errorf("%q is told as %q, want %q", text, got, want)
		}
	}
}

func TestPlainWordsStayWords(t *testing.T) {
	for text, want := range map[string]string{
		"It may not be destroyed.":      "It may not be destroyed.",
		"at 5%, 25% (of 1,204)":         "at 5%, 25% (of 1,204)",
		"into S3, v2":                   "into S3, v2",
		"ask @octocat about #12, www.x": "ask <code>@octocat</code> about <code>#12</code>, <code>www.x</code>",
		"see commit 1234567 or deadbe1": "see commit <code>1234567</code> or <code>deadbe1</code>",
		"(https://a.b/c).":              "(<code>https://a.b/c</code>).",
		":tada: done":                   "<code>:tada:</code> done",
	} {
		if got := prose(text); got != want {
			t.Errorf("%q is told as %q, want %q", text, got, want)
		}
	}
}
