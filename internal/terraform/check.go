package terraform

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	tfjson "github.com/hashicorp/terraform-json"
)

// A Finding is a remark on the configuration.
type Finding struct {
	Rule     string // "fmt" or "validate"
	Severity string // "error" or "warning"
	Summary  string
	Detail   string
	File     string // relative to Dir, with slashes; "" where the tool named none
	// Positions begin at 1; 0 is unknown.
	Line, Column, EndLine, EndColumn int
}

// FormatCheck finds the files in Dir and below that are not formatted, each with the first line that would change.
func (r *Root) FormatCheck(ctx context.Context) ([]Finding, error) {
	if err := r.Check(); err != nil {
		return nil, err
	}
	var diff bytes.Buffer
	c := command{doing: "fmt", args: []string{"fmt", "-check", "-recursive", "-no-color", "-list=false", "-diff"}, stdout: &diff, fine: []int{codeUnformatted}}
	err := r.run(ctx, c)
	if err == nil {
		return r.unformatted(diff.String()), nil
	}
	// Its -diff starts a program "diff", which need not be there.
	var names bytes.Buffer
	c.args, c.stdout = []string{"fmt", "-check", "-recursive", "-no-color"}, &names
	if ctx.Err() != nil || r.run(ctx, c) != nil {
		return nil, err
	}
	var out []Finding
	for name := range strings.Lines(names.String()) {
		if name = strings.TrimSpace(name); name != "" {
			out = append(out, r.formatFinding(name, 0))
		}
	}
	return out, nil
}

var hunk = regexp.MustCompile(`^@@ -(\d+)`)

// unformatted reads the diffs that fmt makes.
func (r *Root) unformatted(diff string) []Finding {
	var out []Finding
	line := -1 // in the file, within its first hunk
	for text := range strings.Lines(diff) {
		text = strings.TrimRight(text, "\r\n")
		if name, ok := strings.CutPrefix(text, "--- old/"); ok {
			out = append(out, r.formatFinding(name, 0))
			line = -1
			continue
		}
		if len(out) == 0 || out[len(out)-1].Line > 0 {
			continue
		}
		if m := hunk.FindStringSubmatch(text); m != nil {
			line, _ = strconv.Atoi(m[1]) // digits
			continue
		}
		if line < 0 {
			continue
		}
		if strings.HasPrefix(text, "-") || strings.HasPrefix(text, "+") && !strings.HasPrefix(text, "+++") {
			out[len(out)-1].Line, out[len(out)-1].EndLine = max(line, 1), max(line, 1)
			continue
		}
		line++
	}
	return out
}

func (r *Root) formatFinding(name string, line int) Finding {
	name = r.scrubber().String(filepath.ToSlash(name))
	return Finding{
		Rule: "fmt", Severity: "warning", File: name, Line: line, EndLine: line,
		Summary: "Not formatted", Detail: fmt.Sprintf("Run: %s fmt %s", r.Tool.Name, name),
	}
}

// Validate finds what the tool says against the configuration. It needs Init before. The error is for a tool that
// could not say.
func (r *Root) Validate(ctx context.Context) ([]Finding, error) {
	if err := r.Check(); err != nil {
		return nil, err
	}
	var out bytes.Buffer
	err := r.run(ctx, command{doing: "validate", args: []string{"validate", "-json", "-no-color"}, stdout: &out, fine: []int{1}})
	if err != nil {
		return nil, err
	}
	var says tfjson.ValidateOutput
	if err := json.Unmarshal(out.Bytes(), &says); err != nil {
		return nil, fmt.Errorf("%s validate in %q: it answers with something else than JSON", r.Tool.Name, r.Dir)
	}
	findings := make([]Finding, 0, len(says.Diagnostics))
	for _, d := range says.Diagnostics {
		f := Finding{Rule: "validate", Severity: string(d.Severity), Summary: r.hide(d.Summary), Detail: r.hide(strings.TrimSpace(d.Detail))}
		if d.Range != nil {
			f.File = r.hide(filepath.ToSlash(d.Range.Filename))
			f.Line, f.Column = d.Range.Start.Line, d.Range.Start.Column
			f.EndLine, f.EndColumn = d.Range.End.Line, d.Range.End.Column
		}
		findings = append(findings, f)
	}
	return findings, nil
}

// hide scrubs the tool's words.
func (r *Root) hide(s string) string { return blot(r.scrubber().String(s)) }
