package terraform

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"

	tfjson "github.com/hashicorp/terraform-json"
)

// An event is a line of what `plan -json` and `apply -json` say.
type event struct {
	Level      string             `json:"@level"`
	Message    string             `json:"@message"`
	Type       string             `json:"type"`
	Diagnostic *tfjson.Diagnostic `json:"diagnostic"`
	Hook       *struct {
		Resource eventResource `json:"resource"`
		Action   string        `json:"action"`
		Seconds  float64       `json:"elapsed_seconds"`
	} `json:"hook"`
	Change *struct {
		Resource eventResource `json:"resource"`
		Action   string        `json:"action"`
	} `json:"change"`
	Outputs map[string]struct {
		Sensitive bool            `json:"sensitive"`
		Value     json.RawMessage `json:"value"`
	} `json:"outputs"`
}

type eventResource struct {
	Address string `json:"addr"`
}

func parseEvent(b []byte) (*event, bool) {
	var e event
	if len(b) == 0 || b[0] != '{' || json.Unmarshal(b, &e) != nil || e.Type == "" {
		return nil, false
	}
	return &e, true
}

// words are what an event says to people.
func (e *event) words() string {
	d := e.Diagnostic
	if d == nil {
		return e.Message
	}
	words := fmt.Sprintf("%s: %s", title(string(d.Severity)), d.Summary)
	if d.Range != nil {
		words += fmt.Sprintf(" (%s, line %d)", d.Range.Filename, d.Range.Start.Line)
	}
	if d.Address != "" {
		words += "\n  with " + d.Address
	}
	if detail := strings.TrimSpace(d.Detail); detail != "" {
		words += "\n  " + strings.ReplaceAll(detail, "\n", "\n  ")
	}
	return words
}

func title(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

// clean is a diagnostic without secrets.
func (l *listener) clean(d *tfjson.Diagnostic) Diagnostic {
	hide := func(s string) string { return blot(l.scrub.String(s)) }
	out := Diagnostic{Severity: string(d.Severity), Summary: hide(d.Summary), Detail: hide(strings.TrimSpace(d.Detail)), Address: hide(d.Address)}
	if d.Range != nil {
		out.File, out.Line = hide(filepath.ToSlash(d.Range.Filename)), d.Range.Start.Line
	}
	return out
}
