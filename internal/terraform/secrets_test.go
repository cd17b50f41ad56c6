package terraform

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// No secret that is placed anywhere in a random plan, and that the plan marks somewhere or somebody named, is in any
// output: the plan, its fingerprint with the names in it, violations of guards, errors, the log.
func TestNoSecretOfAPlanIsInAnyOutput(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		secret := rapid.OneOf(
			rapid.StringMatching(`[A-Za-z0-9+/]{8,40}`),
			rapid.StringMatching(`[a-z]{4}["\\<&>é$%{ ]{1,3}[a-zA-Z0-9]{6,12}`),
			rapid.StringMatching(`[a-zA-Z0-9]{12}\n[a-zA-Z0-9]{12}\n`),
		).Draw(t, "secret")
		g := &leaky{t: t, secret: secret}
		plan := g.plan()
		b, err := json.Marshal(plan)
		if err != nil {
			t.Fatal(err)
		}
		scrub := NewScrubber()
		if !g.marked {
			scrub.Add(secret) // the `secrets` input
		}
		key := rapid.SampledFrom([][]byte{nil, testKey}).Draw(t, "key")
		p, err := Parse(strings.NewReader(string(b)), Source{Key: key, Scrub: scrub})
		if err != nil {
			t.Fatalf("%v\n%s", err, b)
		}
		outputs := []string{fmt.Sprintf("%+v", p), tellPlan(p)}
		for _, limit := range []int{60_000, 300} {
			text, err := p.Fingerprint.Encode(limit)
			if err != nil {
				t.Fatal(err)
			}
			read, err := DecodeFingerprint(text)
			if err != nil {
				t.Fatal(err)
			}
			outputs = append(outputs, text, fmt.Sprintf("%+v", read), fmt.Sprintf("%+v", Diff(read, Fingerprint{Version: 1, Keyed: key != nil, Sum: "0"})))
		}
		violations, err := Guards{Protect: []string{"*"}, Forbid: []string{"*"}, MaxChanges: 1}.Check(t.Context(), p, nil)
		if err != nil {
			t.Fatal(err)
		}
		var log strings.Builder
		w := scrub.Writer(&log)
		_, _ = w.Write(b)
		_ = w.Close()
		outputs = append(outputs, fmt.Sprintf("%+v", violations), log.String())
		broken := b[:rapid.IntRange(0, len(b)-1).Draw(t, "cut")]
		if _, err := Parse(strings.NewReader(string(broken)), Source{Key: key, Scrub: scrub}); err != nil {
			outputs = append(outputs, err.Error())
		}
		for _, out := range outputs {
			for _, piece := range pieces(secret) {
				if strings.Contains(out, piece) {
					t.Fatalf("%q of %q is in %s\nthe plan: %s", piece, secret, out, b)
				}
			}
		}
	})
}

// pieces of a secret that nobody may read anywhere.
func pieces(secret string) []string {
	out := []string{base64.StdEncoding.EncodeToString([]byte(secret))[:10], inJSON(secret, true)}
	for line := range strings.Lines(secret) {
		if line = strings.TrimSpace(line); len(line) >= leastSecret {
			out = append(out, line)
		}
	}
	return out
}

// leaky makes plans that say a secret in all kinds of places.
type leaky struct {
	t      *rapid.T
	secret string
	marked bool
}

func (g *leaky) pick(label string, n int) int { return rapid.IntRange(0, n-1).Draw(g.t, label) }

// said is the secret as something says it, or something else.
func (g *leaky) said() string {
	switch g.pick("said", 8) {
	case 0:
		return g.secret
	case 1:
		return "it is " + g.secret + "!"
	case 2:
		return base64.StdEncoding.EncodeToString([]byte("user:" + g.secret))
	case 3:
		return url.QueryEscape(g.secret)
	case 4:
		return `{"a":` + inlineJSON(g.secret) + `}`
	case 5:
		return inlineJSON(`{"a":` + inlineJSON(g.secret) + `}`)
	}
	return rapid.StringMatching(`[a-z]{0,6}`).Draw(g.t, "harmless")
}

func (g *leaky) value(depth int) any {
	n := 6
	if depth > 2 {
		n = 4
	}
	switch g.pick("kind", n) {
	case 0:
		return g.pick("number", 10)
	case 1:
		return nil
	case 4:
		return []any{g.value(depth + 1), g.value(depth + 1)}
	case 5:
		return map[string]any{"a": g.value(depth + 1), g.said(): g.value(depth + 1)}
	}
	return g.said()
}

func (g *leaky) change(action string) map[string]any {
	c := map[string]any{"actions": []string{action}, "before": nil}
	if action != "create" {
		c["before"] = map[string]any{"x": g.value(0), "y": g.value(0)}
	}
	if action != "delete" {
		c["after"] = map[string]any{"x": g.value(0), "z": g.value(0)}
	}
	if g.pick("mark", 3) == 0 && action != "delete" {
		g.marked = true
		c["after"].(map[string]any)["marked"] = map[string]any{"deep": []any{g.secret}}
		c["after_sensitive"] = map[string]any{"marked": map[string]any{"deep": []any{true}}}
	}
	if g.pick("import", 4) == 0 {
		c["importing"] = map[string]any{"id": "x" + g.said()}
	}
	return c
}

func (g *leaky) plan() map[string]any {
	var changes, drift []any
	resource := func() map[string]any {
		return map[string]any{
			"address": fmt.Sprintf("a.b[%s]", inlineJSON(g.said())), "mode": "managed", "type": "a", "name": "b" + g.said(),
			"previous_address": "a." + g.said(), "deposed": g.said(), "provider_name": g.said(), "action_reason": g.said(),
			"change": g.change([]string{"create", "update", "delete", "forget", "no-op"}[g.pick("action", 5)]),
		}
	}
	for range g.pick("changes", 3) + 1 {
		changes = append(changes, resource())
	}
	for range g.pick("drift", 2) {
		drift = append(drift, resource())
	}
	plan := map[string]any{
		"format_version": "1.2", "terraform_version": "1" + g.said(), "resource_changes": changes, "resource_drift": drift,
		"output_changes":     map[string]any{"o" + g.said(): map[string]any{"actions": []string{"create"}, "after": g.value(0)}},
		"action_invocations": []any{map[string]any{"address": "action.a." + g.said(), "config_values": g.value(0)}},
		"deferred_changes":   []any{map[string]any{"reason": g.said(), "resource_change": map[string]any{"address": "a." + g.said()}}},
	}
	if g.pick("variable", 2) == 0 {
		g.marked = true
		plan["variables"] = map[string]any{"v": map[string]any{"value": map[string]any{"in": []any{g.secret}}}, "w": map[string]any{"value": g.said()}}
		plan["configuration"] = map[string]any{"root_module": map[string]any{"variables": map[string]any{"v": map[string]any{"sensitive": true}}}}
	}
	return plan
}
