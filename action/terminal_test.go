package action

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A terminal is a folder of root modules, and a person without GitHub.
type terminal struct {
	t   *testing.T
	dir string
	out bytes.Buffer
}

func newTerminal(t *testing.T, files map[string]string) *terminal {
	t.Helper()
	needTerraform(t)
	term := &terminal{t: t, dir: t.TempDir()}
	for name, content := range files {
		term.write(name, content)
	}
	return term
}

func (c *terminal) write(name, content string) {
	c.t.Helper()
	path := filepath.Join(c.dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		c.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		c.t.Fatal(err)
	}
}

// run runs a mode with inputs by their names, and fails the test unless it ends so and says so.
func (c *terminal) run(m Mode, want Outcome, inputs map[string]string, said ...string) string {
	c.t.Helper()
	in := New(m)
	for _, i := range All() {
		if value, ok := inputs[i.Name]; ok {
			if err := i.Set(&in, value); err != nil {
				c.t.Fatal(err)
			}
		}
	}
	if err := in.Check(); err != nil {
		c.t.Fatal(err)
	}
	c.out.Reset()
	getenv := func(name string) string { return map[string]string{"RUNNER_TEMP": c.t.TempDir()}[name] }
	out := Run(context.Background(), OnTerminal(&c.out, &c.out, getenv, os.Environ(), c.dir, "dev"), in)
	text := c.out.String()
	if out != want {
		c.t.Fatalf("it ended as %v, want %v\n%s", out, want, text)
	}
	for _, s := range said {
		if !strings.Contains(text, s) {
			c.t.Errorf("it does not say %q:\n%s", s, text)
		}
	}
	return text
}

func (c *terminal) file(name string) string {
	c.t.Helper()
	b, err := os.ReadFile(filepath.Join(c.dir, filepath.FromSlash(name)))
	if err != nil {
		c.t.Fatal(err)
	}
	return string(b)
}

const plain = "resource \"terraform_data\" \"a\" {\n  input = \"one\"\n}\n"

const secretive = "variable \"password\" {\n  type      = string\n  sensitive = true\n}\n\nresource \"terraform_data\" \"a\" {\n  input = var.password\n}\n"

func TestOnATerminalWhatTheToolSaysIsSaidOnce(t *testing.T) {
	t.Parallel()
	c := newTerminal(t, map[string]string{"main.tf": "output \"a\" { value = 1\n"})
	text := c.run(ModePlan, Failed, nil, "tidegate: plan .: terraform init in", "as it says above (exit code 1)")
	if n := strings.Count(text, "An argument definition on the same line"); n > 1 {
		t.Errorf("Terraform's words are there %d times:\n%s", n, text)
	}
	if n := strings.Count(text, "Error: "); n == 0 {
		t.Errorf("Terraform's words are not there:\n%s", text)
	}
	c = newTerminal(t, map[string]string{"main.tf": plain, "modules/a/main.tf": "output \"a\" { value = 1\n"})
	c.run(ModePlan, Failed, nil, "fmt", "An argument definition on the same line") // fmt reads folders that init does not
}

func TestOnATerminalWhatWasReviewedIsApplied(t *testing.T) {
	t.Parallel()
	c := newTerminal(t, map[string]string{"main.tf": plain})
	review := filepath.Join(c.dir, "review.json")
	c.run(ModePlan, Done, map[string]string{"review": review, "key": testKey}, "+ terraform_data.a", `input: null -> "one"`, "1 to add, 0 to change, 0 to destroy")
	c.run(ModePlan, Changes, map[string]string{"detailed_exitcode": "true"})
	c.run(ModeApply, Refused, map[string]string{"key": testKey}, "there is no reviewed plan to compare with: give --reviewed FILE")
	c.run(ModeApply, Refused, map[string]string{"reviewed": review}, "it was made with a key, and the input key is not given here")
	c.run(ModeApply, Refused, map[string]string{"reviewed": review, "key": "another-key-of-16"}, "its code is not of this key")
	c.run(ModeApply, Done, map[string]string{"reviewed": review, "key": testKey}, "Apply complete! Resources: 1 added")
	c.run(ModeApply, Done, map[string]string{"reviewed": review, "key": testKey}, "There is nothing to apply")
	c.run(ModePlan, Done, map[string]string{"detailed_exitcode": "true"}, "no changes")
}

func TestASensitiveValueThatChangedSinceTheReviewIsRefused(t *testing.T) {
	t.Parallel()
	c := newTerminal(t, map[string]string{"main.tf": secretive})
	review := filepath.Join(c.dir, "review.json")
	reviewed := map[string]string{"review": review, "key": testKey, "var": "password=correct-horse"}
	text := c.run(ModePlan, Done, reviewed, "input: null -> (sensitive)")
	if strings.Contains(text+c.file("review.json"), "correct-horse") {
		t.Errorf("the password is shown:\n%s%s", text, c.file("review.json"))
	}
	text = c.run(ModeApply, Refused, map[string]string{"reviewed": review, "key": testKey, "var": "password=battery-staple"},
		"the plan is not the one that was reviewed", "resource terraform_data.a is another in input")
	if strings.Contains(text, "battery-staple") {
		t.Errorf("the password is shown:\n%s", text)
	}
	// Without a key a fingerprint could be used to guess the value, so it is not in it: this is why there is a key.
	c.run(ModePlan, Done, map[string]string{"review": review, "var": "password=correct-horse"})
	c.run(ModeApply, Done, map[string]string{"reviewed": review, "var": "password=battery-staple"}, "Apply complete")
}

func TestTheStateThatChangedSinceTheReviewIsRefused(t *testing.T) {
	t.Parallel()
	c := newTerminal(t, map[string]string{"main.tf": plain})
	review := filepath.Join(c.dir, "review.json")
	c.run(ModePlan, Done, map[string]string{"review": review})
	c.run(ModeApply, Done, map[string]string{"verify": "none"}, "applied without having been reviewed")
	c.write("main.tf", plain+"\nresource \"terraform_data\" \"b\" {}\n")
	c.run(ModeApply, Refused, map[string]string{"reviewed": review}, "resource terraform_data.b was not reviewed", "resource terraform_data.a is gone")
}

func TestSeveralRootsAreOneRun(t *testing.T) {
	t.Parallel()
	c := newTerminal(t, map[string]string{"infra/x/main.tf": plain, "infra/y/main.tf": plain, "infra/z/main.tf": "resource {"})
	review, report := filepath.Join(c.dir, "review.json"), filepath.Join(c.dir, "report.md")
	c.run(ModePlan, Failed, map[string]string{"root": "infra/*", "review": review, "summary": report}, "infra/x: 1 to add", "infra/y: 1 to add", "infra/z: failed")
	if _, err := os.Stat(review); err == nil {
		t.Error("a review was written though a root failed")
	}
	if text := c.file("report.md"); !strings.Contains(text, "infra/x") || !strings.Contains(text, "infra/z") {
		t.Errorf("%s", text)
	}
	roots := map[string]string{"root": "infra/*\n!infra/z", "review": review}
	c.run(ModePlan, Done, roots)
	c.run(ModeApply, Done, map[string]string{"root": "infra/x", "reviewed": review}, "Apply complete")
	c.write("infra/y/main.tf", strings.Replace(plain, "one", "two", 1))
	c.write("infra/x/main.tf", strings.Replace(plain, "one", "three", 1))
	text := c.run(ModeApply, Refused, map[string]string{"root": "infra/y\ninfra/x", "reviewed": review}, "infra/y: resource terraform_data.a is another", "infra/x: ")
	if strings.Contains(text, "Apply complete") {
		t.Errorf("something was applied:\n%s", text)
	}
}

func TestWhatFailsSaysWhy(t *testing.T) {
	t.Parallel()
	files := map[string]string{
		"invalid/main.tf": "resource \"terraform_data\" \"a\" {\n  inputs = 1\n}\n",
		"ugly/main.tf":    "resource \"terraform_data\" \"a\" {\n      input=1\n}\n",
		"init/main.tf":    "module \"m\" {\n  source = \"./nowhere\"\n}\n",
		"empty/README.md": "no configuration",
		"good/main.tf":    plain,
		"broken/main.tf":  "resource \"terraform_data\" \"a\" {\n  provisioner \"local-exec\" {\n    command = \"exit 3\"\n  }\n}\n",
	}
	c := newTerminal(t, files)
	c.run(ModePlan, Failed, map[string]string{"root": "invalid"}, "error: invalid/main.tf:2: Unsupported argument", "the configuration is not valid: 1 error")
	c.run(ModePlan, Done, map[string]string{"root": "ugly"}, "warning: ugly/main.tf:")
	c.run(ModePlan, Failed, map[string]string{"root": "ugly", "format": "fail"}, "error: ugly/main.tf:", "1 file not formatted: run terraform fmt")
	c.run(ModePlan, Done, map[string]string{"root": "ugly", "format": "off"})
	c.run(ModePlan, Failed, map[string]string{"root": "init"}, "Unreadable module directory")
	c.run(ModePlan, Failed, map[string]string{"root": "empty"}, "empty")
	c.run(ModePlan, Failed, map[string]string{"root": "nowhere"}, "nowhere")
	c.run(ModePlan, Failed, map[string]string{"root": "good", "tool": "/no/terraform"}, "/no/terraform")
	c.run(ModePlan, Failed, map[string]string{"root": "good", "workspace": "prod"}, "prod")
	c.run(ModePlan, Refused, map[string]string{"root": "good", "forbid": "terraform_*"}, "guard forbid in good")
	c.run(ModePlan, Refused, map[string]string{"root": "good\nugly", "max_changes": "1", "forbid": "terraform_data"})
	c.run(ModeApply, Failed, map[string]string{"root": "broken", "verify": "none"}, "apply broken: ", "exit status 3")
}

func TestProtectedResourcesAreNotDestroyed(t *testing.T) {
	t.Parallel()
	c := newTerminal(t, map[string]string{"main.tf": plain})
	c.run(ModeApply, Done, map[string]string{"verify": "none"})
	c.write("main.tf", "# gone\n")
	c.run(ModePlan, Refused, map[string]string{"protect": "terraform_data.*"}, "guard protect in .: ", "terraform_data.a")
	c.run(ModeApply, Refused, map[string]string{"protect": "terraform_data.*", "verify": "none"}, "guard protect in .: ")
	c.run(ModeApply, Done, map[string]string{"verify": "none"}, "1 destroyed")
}

func TestASealedPlanIsAppliedOnlyAsItWasSealed(t *testing.T) {
	t.Parallel()
	c := newTerminal(t, map[string]string{"main.tf": secretive})
	sealed := filepath.Join(c.dir, "plan.sealed")
	password := "password=correct-horse"
	c.run(ModePlan, Done, map[string]string{"save": sealed, "key": testKey, "var": password})
	b := c.file("plan.sealed")
	if strings.Contains(b, "correct-horse") || !strings.HasPrefix(b, "age-encryption.org/v1\n") {
		t.Fatalf("it is not sealed: %q", b[:100])
	}
	saved := map[string]string{"verify": "saved", "saved": sealed, "key": testKey}
	c.run(ModeApply, Refused, map[string]string{"verify": "saved", "saved": sealed, "key": "another-key-of-16"}, "this key does not open it")
	c.write("damaged", b[:len(b)-20])
	c.run(ModeApply, Refused, map[string]string{"verify": "saved", "saved": filepath.Join(c.dir, "damaged"), "key": testKey}, "it is damaged")
	c.write("other/main.tf", plain)
	c.run(ModeApply, Refused, map[string]string{"verify": "saved", "saved": sealed, "key": testKey, "root": "other"}, "which is not among the roots")
	c.run(ModeApply, Done, saved, "Apply complete! Resources: 1 added")
	c.run(ModeApply, Failed, saved) // Terraform itself refuses a plan of a state that was
	c.run(ModeApply, Failed, map[string]string{"verify": "saved", "saved": filepath.Join(c.dir, "no"), "key": testKey}, "read the sealed plan")
}
