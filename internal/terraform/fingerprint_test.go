package terraform

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const reviewedHCL = `
variable "password" {
  type      = string
  sensitive = true
  default   = "correct-horse-battery"
}

variable "region" {
  default = "eu"
}

resource "terraform_data" "a" {
  input = { region = var.region, password = var.password }
}

resource "terraform_data" "b" {
  input            = "b"
  triggers_replace = [terraform_data.a.id]
}

resource "terraform_data" "still" {
  input = "still"
}
`

// What must change a fingerprint and what must not: the reviewed plan is one of an empty state.
func TestFingerprintIsOfTheStructureAndOfNothingElse(t *testing.T) {
	t.Parallel()
	reviewed := planOf(t, reviewedHCL, nil)
	replace := func(old, text string) func(*stage) {
		return func(s *stage) {
			if !strings.Contains(reviewedHCL, old) {
				t.Fatalf("no %q", old)
			}
			s.write("main.tf", strings.Replace(reviewedHCL, old, text, 1))
		}
	}
	for _, test := range []struct {
		name   string
		edit   func(*stage)
		differ []string // parts, and attributes behind a colon; none for an equal fingerprint
	}{
		{"another folder and time", nil, nil},
		{"order of blocks, space and comments", func(s *stage) {
			blocks := strings.Split(strings.TrimSpace(reviewedHCL), "\n\n")
			slices.Reverse(blocks)
			s.write("main.tf", "# turned around\n"+strings.Join(blocks, "\n\n\n")+"\n")
		}, nil},
		{"blocks in other files", func(s *stage) {
			a, b, _ := strings.Cut(reviewedHCL, `resource "terraform_data" "b"`)
			s.write("main.tf", a)
			s.write("more.tf", `resource "terraform_data" "b"`+b)
		}, nil},
		{"a description", replace(`default = "eu"`, "default = \"eu\"\n  description = \"where\""), nil},
		{"a sensitive value", replace("correct-horse", "correct-house"), []string{"resource terraform_data.a: input.password", "variable password"}},
		{"a value that is no longer sensitive", replace("sensitive = true", "sensitive = false"), []string{"resource terraform_data.a: input.password", "variable password"}},
		{"a variable", func(s *stage) { s.Vars = []string{"region=us"} }, []string{"resource terraform_data.a: input.region", "variable region"}},
		{"a value", replace(`input            = "b"`, `input            = "c"`), []string{"resource terraform_data.b: (configuration), input"}},
		{"an unknown that became known", replace("[terraform_data.a.id]", `["known"]`), []string{"resource terraform_data.b: (configuration), triggers_replace[0]"}},
		{"a resource more", func(s *stage) { s.write("more.tf", "resource \"terraform_data\" \"more\" {}\n") }, []string{"resource terraform_data.more"}},
		{"a resource less", replace("resource \"terraform_data\" \"still\" {\n  input = \"still\"\n}\n", ""), []string{"resource terraform_data.still"}},
		{"a provisioner", replace(`input = "still"`, "input = \"still\"\n  provisioner \"local-exec\" {\n    command = \"true\"\n  }"), []string{"resource terraform_data.still: (configuration)"}},
		{"a function's result", replace(`input = "still"`, `input = formatdate("YYYY", "2020-01-01T00:00:00Z")`), []string{"resource terraform_data.still: (configuration), input"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			now := planOf(t, reviewedHCL, test.edit)
			checkDiff(t, reviewed.Fingerprint, now.Fingerprint, test.differ)
		})
	}
}

func TestFingerprintKnowsWhatThePlanWasMadeWith(t *testing.T) {
	t.Parallel()
	s := newStage(t, reviewedHCL)
	s.init()
	s.plan()
	var shown bytes.Buffer
	if err := s.ShowJSON(within(t), "tfplan", &shown); err != nil {
		t.Fatal(err)
	}
	const lock = "# by the tool\nprovider \"example.org/acme/thing\" {\n  version = \"1.2.3\"\n  hashes = [\n    \"h1:abc\",\n  ]\n}\n"
	from := Source{Tool: s.Tool, Workspace: "default", Lineage: "one", LockFile: []byte(lock), Key: testKey}
	with := func(edit func(*Source)) Fingerprint {
		source := from
		edit(&source)
		p, err := Parse(bytes.NewReader(shown.Bytes()), source)
		if err != nil {
			t.Fatal(err)
		}
		return p.Fingerprint
	}
	reviewed := with(func(*Source) {})
	for name, test := range map[string]struct {
		edit   func(*Source)
		differ []string
	}{
		"comments and line ends": {func(s *Source) { s.LockFile = []byte(strings.ReplaceAll("# else\n"+lock, "\n", "\r\n")) }, nil},
		"a path of the tool":     {func(s *Source) { s.Tool.Path = "/elsewhere" }, nil},
		"a provider's version": {
			func(s *Source) { s.LockFile = []byte(strings.Replace(lock, "1.2.3", "1.2.4", 1)) },
			[]string{"lock file", "provider example.org/acme/thing"},
		},
		"a provider's hash":  {func(s *Source) { s.LockFile = []byte(strings.Replace(lock, "h1:abc", "h1:abd", 1)) }, []string{"lock file"}},
		"no lock file":       {func(s *Source) { s.LockFile = nil }, []string{"lock file", "provider example.org/acme/thing"}},
		"a workspace":        {func(s *Source) { s.Workspace = "other" }, []string{"workspace"}},
		"a lineage":          {func(s *Source) { s.Lineage = "" }, []string{"state lineage"}},
		"the tool's version": {func(s *Source) { s.Tool.Version += "9" }, []string{"tool"}},
		"the tool":           {func(s *Source) { s.Tool.Name = "other" }, []string{"tool"}},
	} {
		t.Run(name, func(t *testing.T) { checkDiff(t, reviewed, with(test.edit), test.differ) })
	}
}

// checkDiff compares how two fingerprints differ with what is wanted, before and after they are written down.
func checkDiff(t *testing.T, reviewed, now Fingerprint, want []string) {
	t.Helper()
	text, err := reviewed.Encode(60_000)
	if err != nil {
		t.Fatal(err)
	}
	read, err := DecodeFingerprint(text)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range []Fingerprint{reviewed, read} {
		if f.Equal(now) != (want == nil) {
			t.Errorf("equal %v, want differences %q", f.Equal(now), want)
		}
		var got []string
		for _, d := range Diff(f, now) {
			line := d.Part
			if d.Attributes != nil {
				line += ": " + strings.Join(d.Attributes, ", ")
			}
			got = append(got, line)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("differences (-want +got):\n%s", diff)
		}
	}
}

// planOf plans HCL in a new folder, after an edit.
func planOf(t *testing.T, hcl string, edit func(*stage)) Plan {
	t.Helper()
	s := newStage(t, hcl)
	if edit != nil {
		edit(s)
	}
	s.init()
	return s.plan()
}

func TestFingerprintKnowsTheState(t *testing.T) {
	t.Parallel()
	s := newStage(t, reviewedHCL)
	s.init()
	s.plan()
	s.apply()
	update := strings.Replace(reviewedHCL, `input            = "b"`, `input            = "c"`, 1)
	s.write("main.tf", update)
	reviewed := s.plan()
	checkDiff(t, reviewed.Fingerprint, s.plan().Fingerprint, nil) // the same plan twice

	// Others change what this plan leaves alone: it is the same plan.
	s.write("main.tf", strings.Replace(reviewedHCL, `"still"`+"\n", `"moved on"`+"\n", 1))
	s.plan()
	s.apply()
	s.write("main.tf", strings.Replace(update, `"still"`+"\n", `"moved on"`+"\n", 1))
	checkDiff(t, reviewed.Fingerprint, s.plan().Fingerprint, nil)

	// A move of what changes.
	s.write("main.tf", strings.Replace(update, `"still"`+"\n", `"moved on"`+"\n", 1)+"\nmoved {\n  from = terraform_data.b\n  to   = terraform_data.c\n}\n")
	s.write("main.tf", strings.ReplaceAll(s.read("main.tf"), `"terraform_data" "b"`, `"terraform_data" "c"`))
	checkDiff(t, reviewed.Fingerprint, s.plan().Fingerprint, []string{"resource terraform_data.b", "resource terraform_data.c"})

	// What was to be changed has changed meanwhile.
	s.write("main.tf", strings.Replace(strings.Replace(reviewedHCL, `"still"`+"\n", `"moved on"`+"\n", 1), `input            = "b"`, `input            = "x"`, 1))
	s.plan()
	s.apply()
	s.write("main.tf", strings.Replace(update, `"still"`+"\n", `"moved on"`+"\n", 1))
	checkDiff(t, reviewed.Fingerprint, s.plan().Fingerprint, []string{"resource terraform_data.b: input, output"})

	// What the change leaves alone has changed meanwhile: the id of b, which stands behind b's name.
	again := s.plan().Fingerprint
	state := s.read("terraform.tfstate")
	head, b, _ := strings.Cut(state, `"name": "b"`)
	_, id, _ := strings.Cut(b, `"id": "`)
	s.write("terraform.tfstate", head+`"name": "b"`+strings.Replace(b, id[:36], "11111111-2222-3333-4444-555555555555", 1))
	checkDiff(t, again, s.plan().Fingerprint, []string{"resource terraform_data.b: (unchanged)"})

	// A state of another origin, with the same in it.
	_, rest, _ := strings.Cut(state, `"lineage": "`)
	s.write("terraform.tfstate", strings.ReplaceAll(state, rest[:36], "11111111-2222-3333-4444-555555555555"))
	now := s.plan()
	if got := Diff(reviewed.Fingerprint, now.Fingerprint); !slices.ContainsFunc(got, func(d Difference) bool { return d.Part == "state lineage" && d.How == Another }) {
		t.Errorf("differences %+v, want the lineage among them", got)
	}
}

func (s *stage) read(name string) string {
	s.t.Helper()
	b, err := os.ReadFile(filepath.Join(s.Dir, name))
	if err != nil {
		s.t.Fatal(err)
	}
	return string(b)
}

func TestFingerprintKnowsTheWorkspace(t *testing.T) {
	t.Parallel()
	s := newStage(t, reviewedHCL)
	s.init()
	reviewed := s.plan()
	s.Workspace = "staging"
	if err := s.SelectWorkspace(within(t)); err == nil || !strings.Contains(err.Error(), "staging") {
		t.Errorf("a workspace that is not there: %v", err)
	}
	if err := s.run(within(t), command{doing: "workspace new", args: []string{"workspace", "new", "staging"}, text: true}); err != nil {
		t.Fatal(err)
	}
	checkDiff(t, reviewed.Fingerprint, s.plan().Fingerprint, []string{"workspace"})
	s.Workspace = "default"
	s.env("TF_WORKSPACE=staging") // the one that is named wins
	if err := s.SelectWorkspace(within(t)); err != nil {
		t.Fatal(err)
	}
	checkDiff(t, reviewed.Fingerprint, s.plan().Fingerprint, nil)
}

func TestAValueThatEachPlanMakesAnewIsNamed(t *testing.T) {
	t.Parallel()
	s := newStage(t, "resource \"terraform_data\" \"a\" {\n  input = { at = plantimestamp(), with = \"it\" }\n}\n")
	s.init()
	reviewed, now := s.plan(), s.plan()
	for Diff(reviewed.Fingerprint, now.Fingerprint) == nil { // within the same second
		now = s.plan()
	}
	checkDiff(t, reviewed.Fingerprint, now.Fingerprint, []string{"resource terraform_data.a: input.at"})
}

func TestFingerprintsOfAnotherKeyAreNotCompared(t *testing.T) {
	t.Parallel()
	s := newStage(t, reviewedHCL)
	s.init()
	keyed := s.plan()
	with := func(key []byte) Fingerprint {
		p, err := s.ReadPlan(within(t), "tfplan", key)
		if err != nil {
			t.Fatal(err)
		}
		return p.Fingerprint
	}
	open, other := with(nil), with([]byte("another key of at least 16 bytes"))
	for _, test := range []struct {
		name          string
		reviewed, now Fingerprint
		want          []Difference
	}{
		{"another key", keyed.Fingerprint, other, []Difference{{Part: "key", How: Another}}},
		{"no key any more", keyed.Fingerprint, open, []Difference{{Part: "key", How: Gone}}},
		{"a key now", open, keyed.Fingerprint, []Difference{{Part: "key", How: NotReviewed}}},
		{"the same", open, with(nil), nil},
		{"another recipe", Fingerprint{Version: 9, Sum: open.Sum}, open, []Difference{{Part: "recipe", How: Another}}},
	} {
		if diff := cmp.Diff(test.want, Diff(test.reviewed, test.now)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.name, diff)
		}
	}
	if _, err := s.ReadPlan(within(t), "tfplan", []byte("short")); err == nil || !strings.Contains(err.Error(), "at least 16") {
		t.Errorf("a short key: %v", err)
	}

	// Without a key, nothing sensitive is in the fingerprint: nobody can guess by trying.
	s.write("main.tf", strings.Replace(reviewedHCL, "correct-horse", "correct-house", 1))
	s.plan()
	if got := Diff(open, with(nil)); got != nil {
		t.Errorf("without a key a sensitive value is in the fingerprint: %+v", got)
	}
	s.write("main.tf", strings.Replace(reviewedHCL, `"eu"`, `"us"`, 1))
	s.plan()
	if Diff(open, with(nil)) == nil {
		t.Error("without a key an open value is not in the fingerprint")
	}
}

// large is a fingerprint of n resources in some modules, with three attributes each.
func large(n int) Fingerprint {
	h, err := newHasher(testKey)
	if err != nil {
		panic(err)
	}
	f := Fingerprint{Version: FingerprintVersion, Keyed: true, Sum: fmt.Sprintf("%x", h.sum("all"))}
	for i := range n {
		name := fmt.Sprintf("resource module.m%d.aws_type%d.name[\"key-%d\"]", i%7, i%90, i)
		sum := h.sum(name)
		p := Part{Name: name, Sum: fmt.Sprintf("%x", sum[:sumBytes]), Attributes: map[string]string{}}
		for _, path := range []string{"tags.a", "tags.b", "input[0].size"} {
			p.Attributes[path] = fmt.Sprintf("%x", sum[8:8+leafSum])
		}
		f.Parts = append(f.Parts, p)
	}
	f.Parts = distinct(append(f.Parts, Part{Name: "lock file", Sum: strings.Repeat("1", 16)}))
	return f
}

func TestFingerprintOfTenThousandChangesFitsIntoAComment(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		changes, limit int
		want           string // what one changed resource is told as
	}{
		{100, 60_000, `resource module.m1.aws_type1.name["key-1"]: tags.a`},
		{3_000, 60_000, `resource module.m1.aws_type1.name["key-1"]`},
		{10_000, 60_000, "resources of aws_type1 in module.m1"},
		{10_000, 8_000, "resources of aws_type1 in module.m1"},
		{10_000, 2_000, "resources in module.m1"},
		{10_000, 500, "resources in module.m1"},
		{10_000, 220, "all resources"},
		{10_000, leastEncoded, "all resources"},
	} {
		t.Run(fmt.Sprint(test.changes, " in ", test.limit), func(t *testing.T) {
			t.Parallel()
			f := large(test.changes)
			text, err := f.Encode(test.limit)
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("%d characters", len(text))
			if len(text) > test.limit {
				t.Errorf("%d characters, want at most %d", len(text), test.limit)
			}
			read, err := DecodeFingerprint(text)
			if err != nil {
				t.Fatal(err)
			}
			if !read.Equal(f) || Diff(read, f) != nil {
				t.Error("what was read is not equal to what was written")
			}
			now := large(test.changes)
			now.Sum = strings.Repeat("cd", 32)
			for i, p := range now.Parts {
				if p.Name == `resource module.m1.aws_type1.name["key-1"]` {
					now.Parts[i].Sum = strings.Repeat("0", 16)
					now.Parts[i].Attributes["tags.a"] = strings.Repeat("0", 8)
				}
			}
			diff := Diff(read, now)
			if len(diff) != 1 {
				t.Fatalf("differences %+v, want one", diff)
			}
			got := strings.TrimSuffix(diff[0].Part+": "+strings.Join(diff[0].Attributes, ", "), ": ")
			if got != test.want {
				t.Errorf("the difference is %q, want %q", got, test.want)
			}
		})
	}
	if _, err := large(1).Encode(leastEncoded - 1); err == nil {
		t.Error("less than the least is no error")
	}
}

func TestOnlyWhatEncodeWroteIsRead(t *testing.T) {
	t.Parallel()
	text, err := large(20).Encode(60_000)
	if err != nil {
		t.Fatal(err)
	}
	for name, bad := range map[string]string{
		"nothing":          "",
		"words":            "equal",
		"another format":   "2" + text[1:],
		"a piece":          text[:len(text)/2],
		"more behind it":   text + "AAAA",
		"a line break":     text[:20] + "\n" + text[20:],
		"a changed letter": text[:30] + string(text[30]^1) + text[31:],
		"too long":         "1." + strings.Repeat("A", mostEncoded),
	} {
		if f, err := DecodeFingerprint(bad); err == nil {
			t.Errorf("%s is read as %+v", name, f)
		}
	}
}

func FuzzFingerprint(f *testing.F) {
	for _, n := range []int{0, 1, 30} {
		text, err := large(n).Encode(60_000)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Add("1.AAAA")
	f.Fuzz(func(t *testing.T, text string) {
		read, err := DecodeFingerprint(text)
		if err != nil {
			return
		}
		again, err := read.Encode(max(len(text), leastEncoded))
		if err != nil || again != text {
			t.Errorf("%q is written again as %q (%v)", text, again, err)
		}
		Diff(read, large(3))
	})
}
