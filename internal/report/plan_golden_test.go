package report

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/renderer/html"
)

var pages = flag.String("pages", "", "a folder for the golden comments as pages, to be looked at in a browser")

// rendered is Markdown as GitHub would make HTML of it.
func rendered(t testingT, text string) string {
	t.Helper()
	var b bytes.Buffer
	m := goldmark.New(goldmark.WithExtensions(extension.GFM), goldmark.WithRendererOptions(html.WithUnsafe()))
	if err := m.Convert([]byte(text), &b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestCommentsAndSummariesAreTheGoldenOnes(t *testing.T) {
	for name, p := range cases() {
		t.Run(name, func(t *testing.T) {
			golden(t, filepath.Join("testdata", "plan", name+".md"), p.Comment())
			look(t, name, p.Comment())
			if name == "fork" || name == "several" {
				golden(t, filepath.Join("testdata", "plan", name+"-summary.md"), p.Summary())
			}
		})
	}
}

func golden(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s changed; look at it with -pages DIR, then run with -update:\n%s", file, diff)
	}
}

var (
	alert    = regexp.MustCompile(`<blockquote>\s*<p>\[!([A-Z]+)\]\n`)
	diffCode = regexp.MustCompile(`(?s)<code class="language-diff">(.*?)</code>`)
	diffLine = regexp.MustCompile(`(?m)^([-+!@])(.*)$`)
)

// look writes a page that looks as GitHub's does: alerts and colors of diffs are its own, beyond Markdown.
func look(t *testing.T, name, text string) {
	t.Helper()
	if *pages == "" {
		return
	}
	css, err := os.ReadFile(filepath.Join("testdata", "plan", "github.css"))
	if err != nil {
		t.Fatal(err)
	}
	body := alert.ReplaceAllString(rendered(t, text), `<blockquote class="$1"><p class="title">$1</p><p>`)
	body = diffCode.ReplaceAllStringFunc(body, func(block string) string {
		return diffLine.ReplaceAllString(block, `<span class="d$1">$1$2</span>`)
	})
	page := "<!doctype html><meta charset=\"utf-8\"><title>" + name + "</title><style>" + string(css) + "</style><main>" + body + "</main>"
	if err := os.WriteFile(filepath.Join(*pages, name+".html"), []byte(page), 0o600); err != nil {
		t.Fatal(err)
	}
}
