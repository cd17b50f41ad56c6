package terraform

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files")

// parse reads JSON with the key for tests.
func parse(t *testing.T, text string) Plan {
	t.Helper()
	p, err := Parse(strings.NewReader(text), Source{Tool: Tool{Name: "terraform", Version: "1.11.4"}, Key: testKey})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// planJSON is the JSON of a plan with these changes, each an address, a type and its change's JSON.
func planJSON(changes ...[3]string) string {
	var list []string
	for _, c := range changes {
		list = append(list, fmt.Sprintf(`{"address":%s,"mode":"managed","type":%q,"name":"x","provider_name":"p","change":%s}`, inlineJSON(c[0]), c[1], c[2]))
	}
	return `{"format_version":"1.2","terraform_version":"1.11.4","resource_changes":[` + strings.Join(list, ",") + `]}`
}

func inlineJSON(s string) string {
	b, err := json.Marshal(s)
	if err != nil {
		panic(err)
	}
	return string(b)
}

// Plans that are hard to make with what is built in, as Terraform and OpenTofu write them.
func TestOddPlansAreRead(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/*.json")
	if err != nil || len(files) == 0 {
		t.Fatal("no plans", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			b, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			p := parse(t, string(b))
			got := tellPlan(p)
			golden := strings.TrimSuffix(file, ".json") + ".txt"
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// tellPlan writes all of a plan down.
func tellPlan(p Plan) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s, counts %+v, changed %v, errored %v\n", p.Tool, p.Version, p.Counts(), p.Changed(), p.Errored)
	value := func(v Value) string {
		switch v.Kind {
		case Absent:
			return "-"
		case Unknown:
			return "(unknown)"
		case Sensitive:
			return "(sensitive)"
		case Known:
		}
		return v.Text
	}
	for title, list := range map[string][]Change{"change": p.Changes} {
		for _, c := range list {
			tellChange(&b, title, c, value)
		}
	}
	for _, c := range p.Drift {
		tellChange(&b, "drift", c, value)
	}
	for _, o := range p.Outputs {
		fmt.Fprintf(&b, "output %s %s: %s -> %s\n", o.Action, o.Name, value(o.Before), value(o.After))
	}
	for _, d := range p.Deferred {
		fmt.Fprintf(&b, "deferred %s\n", d)
	}
	for _, i := range p.Invokes {
		fmt.Fprintf(&b, "invokes %s\n", i)
	}
	for _, part := range p.Fingerprint.Parts {
		fmt.Fprintf(&b, "part %s\n", part.Name)
	}
	return b.String()
}

func tellChange(b *strings.Builder, title string, c Change, value func(Value) string) {
	fmt.Fprintf(b, "%s %s %s", title, c.Action, c.Address)
	for name, v := range map[string]string{"module": c.Module, "previous": c.Previous, "deposed": c.Deposed, "imported": c.Imported, "reason": c.Reason} {
		if v != "" {
			c.Note = append(c.Note, "("+name+") "+v)
		}
	}
	if c.CreateFirst {
		b.WriteString(", created first")
	}
	b.WriteString("\n")
	for _, n := range sorted(c.Note) {
		fmt.Fprintf(b, "    %s\n", n)
	}
	for _, a := range c.Attributes {
		force := ""
		if a.Forces {
			force = "  # forces replacement"
		}
		fmt.Fprintf(b, "    %s: %s -> %s%s\n", a.Path, value(a.Before), value(a.After), force)
	}
}

func TestWhatIsNoPlanIsAnErrorThatQuotesNothing(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ text, want string }{
		"nothing":            {"", "unexpected EOF"},
		"words":              {"hunter2hunter2", "unexpected 'h'"},
		"a list":             {"[]", "unexpected '['"},
		"a state":            {`{"version":4,"secret":"hunter2hunter2"}`, "format_version is missing"},
		"cut off":            {`{"format_version":"1.2","resource_changes":[{"address":"hunter2hunter2`, "unexpected EOF"},
		"a later format":     {`{"format_version":"2.0"}`, "newer Tidegate"},
		"twice the same":     {`{"format_version":"1.2","format_version":"1.2"}`, "twice"},
		"a wrong type":       {`{"format_version":"1.2","resource_changes":[{"address":{"hunter2hunter2":1}}]}`, `"address"`},
		"an unknown action":  {planJSON([3]string{"a.b", "a", `{"actions":["explode"]}`}), "explode"},
		"no change":          {planJSON([3]string{"a.b", "a", `null`}), "no change"},
		"broken JSON inside": {`{"format_version":"1.2","resource_changes":[{hunter2hunter2}]}`, "not valid JSON"},
		"something behind":   {`{"format_version":"1.2"} {}`, "unexpected '{'"},
		"a missing comma":    {`{"format_version":"1.2" "x":1}`, "unexpected '\"'"},
	} {
		_, err := Parse(strings.NewReader(test.text), Source{})
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %q", name, err, test.want)
			continue
		}
		if strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: the error quotes a value: %v", name, err)
		}
	}
}

func FuzzPlan(f *testing.F) {
	files, err := filepath.Glob("testdata/*.json")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(b))
	}
	f.Add(planJSON([3]string{"tidegate_model_endpoint.x", "tidegate_model_endpoint", `{"actions":["update"],"before":{"rollout":"no"},"after":{"model":[{}],"rejected":{}},"after_unknown":{"model":[true]}}`}))
	f.Fuzz(func(t *testing.T, text string) {
		for _, key := range [][]byte{nil, testKey} {
			p, err := Parse(strings.NewReader(text), Source{Key: key})
			if err != nil {
				continue
			}
			again, err := Parse(strings.NewReader(text), Source{Key: key})
			if err != nil || !again.Fingerprint.Equal(p.Fingerprint) {
				t.Errorf("the second look differs: %v", err)
			}
			encoded, err := p.Fingerprint.Encode(2000)
			if err != nil {
				t.Error(err)
			}
			if _, err := DecodeFingerprint(encoded); err != nil {
				t.Errorf("%q: %v", encoded, err)
			}
			if _, err := (Guards{Protect: []string{"*"}}).Check(t.Context(), p, nil); err != nil {
				t.Error(err)
			}
		}
		if json.Valid([]byte(text)) && strings.HasPrefix(strings.TrimSpace(text), "{") {
			checkSkimmer(t, text)
		}
	})
}

// checkSkimmer compares how the skimmer takes an object apart with what encoding/json makes of it.
func checkSkimmer(t *testing.T, text string) {
	t.Helper()
	var want map[string]any
	if err := json.Unmarshal([]byte(text), &want); err != nil {
		return // too deep
	}
	got := map[string]any{}
	for _, take := range []bool{true, false} {
		s := newSkimmer(strings.NewReader(text))
		err := s.object(func(key string) error {
			if !take {
				return s.skip()
			}
			var raw json.RawMessage
			if err := s.take(&raw); err != nil {
				return err
			}
			var v any
			err := json.Unmarshal(raw, &v)
			got[key] = v
			return err
		})
		if err != nil || s.end() != nil {
			t.Fatalf("%q: %v", text, err)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%q (-want +got):\n%s", text, diff)
	}
}

func sorted(list []string) []string {
	out := slices.Clone(list)
	slices.Sort(out)
	return out
}
