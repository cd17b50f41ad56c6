package action

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// from reads inputs as the Action has them.
func from(values map[string]string) (Inputs, error) {
	return FromAction(func(name string) string { return values[name] })
}

func TestInputsAreParsedOnce(t *testing.T) {
	t.Parallel()
	in, err := from(map[string]string{
		"mode": "plan", "root": "a\n\n  infra/*\n!infra/old", "tool": "tofu", "workspace": "prod", "var_file": "prod.tfvars",
		"var": "a=b=c\nd=", "backend_config": "bucket=x\nbackend.hcl", "lock_timeout": "90s", "key": strings.Repeat("k", 16),
		"secrets": "one-secret\ntwo-secret", "protect": "module.db.*", "forbid": "aws_iam_*", "max_changes": "7", "format": "fail",
		"save": "x.sealed", "token": "t", "plugin_cache": "/cache",
	})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(in.Roots, []string{"a", "infra/*", "!infra/old"}) || !slices.Equal(in.Vars, []string{"a=b=c", "d="}) ||
		!slices.Equal(in.Backend, []string{"bucket=x", "backend.hcl"}) || in.LockTimeout != 90*time.Second || in.Guards.MaxChanges != 7 ||
		!slices.Equal(in.Secrets, []string{"one-secret", "two-secret"}) || in.Format != "fail" || in.Save != "x.sealed" {
		t.Errorf("%+v", in)
	}
	if in, err = from(map[string]string{"mode": "promote", "root": "./infra", "endpoint": `[{"root": "infra", "endpoint": "local/here/p", "model": "file://m"}]`,
		"no_wait": "true", "timeout": "2h"}); err != nil || !slices.Equal(in.Endpoints, []string{"local/here/p"}) || !in.NoWait || in.Timeout != 2*time.Hour {
		t.Errorf("promote of what an apply staged: %+v, %v", in, err)
	}
	if in, err = from(map[string]string{"mode": "apply"}); err != nil || !slices.Equal(in.Roots, []string{"."}) || in.Verify != VerifyReplan {
		t.Errorf("defaults of apply: %+v, %v", in, err)
	}
}

func TestInputsThatMeanNothingAreErrors(t *testing.T) {
	t.Parallel()
	key := strings.Repeat("k", 16)
	for _, c := range []struct {
		name string
		in   map[string]string
		want string
	}{
		{"no mode", nil, `mode "": want plan, apply, evaluate or promote`},
		{"a mode that is not built", map[string]string{"mode": "drift"}, `mode "drift": want plan, apply, evaluate or promote`},
		{"another mode's", map[string]string{"mode": "plan", "verify": "none"}, "verify: mode plan does not take it; it is for apply"},
		{"metrics for a plan", map[string]string{"mode": "plan", "min": "a=1"}, "min: mode plan does not take it; it is for evaluate"},
		{"a short key", map[string]string{"mode": "plan", "key": "hunter2"}, "key: it has 7 bytes: want at least 16"},
		{"a duration", map[string]string{"mode": "plan", "lock_timeout": "5"}, `lock_timeout: "5": want a duration such as 5m`},
		{"negative changes", map[string]string{"mode": "plan", "max_changes": "-1"}, `max_changes: "-1": want a number from 1`},
		{"a format", map[string]string{"mode": "plan", "format": "no"}, "want warn, fail or off"},
		{"verify", map[string]string{"mode": "apply", "verify": "yes"}, `verify: "yes": want replan, saved or none`},
		{"an artifact by name", map[string]string{"mode": "apply", "verify": "saved", "artifact": "plan", "key": key}, "want the id"},
		{"saved without an artifact", map[string]string{"mode": "apply", "verify": "saved", "key": key}, "wants the artifact"},
		{"saved without a key", map[string]string{"mode": "apply", "verify": "saved", "artifact": "1"}, "input key, which is not given"},
		{"an artifact for a replan", map[string]string{"mode": "apply", "artifact": "1"}, "only verify: saved takes a sealed plan"},
		{"saving without a key", map[string]string{"mode": "plan", "save": "x"}, "sealed with the input key"},
		{"saving without the lock", map[string]string{"mode": "plan", "save": "x", "key": key, "lock": "false"}, "without the state's lock"},
		{"a lock", map[string]string{"mode": "plan", "lock": "maybe"}, `lock: "maybe": want true or false`},
		{"no metrics", map[string]string{"mode": "evaluate", "min": "a=1"}, "metrics: want a file"},
		{"no rules", map[string]string{"mode": "evaluate", "metrics": "m"}, "any model passes"},
		{"no reference", map[string]string{"mode": "evaluate", "metrics": "m", "max_regression": "a=-1"}, "want reference"},
		{"a reference for nothing", map[string]string{"mode": "evaluate", "metrics": "m", "min": "a=1", "reference": "r"}, "only max_regression"},
		{"several roots to promote", map[string]string{"mode": "promote", "root": "a\nb"}, "root a b: promote takes one folder"},
		{"a glob to promote", map[string]string{"mode": "promote", "root": "infra/*"}, "promote takes one folder"},
		{"a root outside", map[string]string{"mode": "promote", "root": "../b"}, "want a folder inside of the repository"},
		{"another root's rollout", map[string]string{"mode": "promote", "root": "infra", "endpoint": `[{"root": "infra/b", "endpoint": "local/here/p"}]`},
			"local/here/p was staged by root infra/b, and this is a promote of root infra"},
		{"no list of rollouts", map[string]string{"mode": "promote", "endpoint": `["penguins"]`}, "want names, one a line, or the output staged of an apply"},
		{"a rollout of nothing", map[string]string{"mode": "promote", "endpoint": `[{"root": "."}]`}, "has no endpoint"},
		{"what cancelling does", map[string]string{"mode": "promote", "on_cancel": "stop"}, `on_cancel: "stop": want rollback or freeze`},
		{"no time", map[string]string{"mode": "promote", "timeout": "0s"}, `timeout: "0s": want a duration such as 2h`},
		{"an endpoint to plan", map[string]string{"mode": "plan", "endpoint": "p"}, "endpoint: mode plan does not take it; it is for promote"},
		{"a rule", map[string]string{"mode": "evaluate", "metrics": "m", "min": "a"}, `min: min "a": want metric=number`},
	} {
		if _, err := from(c.in); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
	// A variable's value may be a secret.
	if _, err := from(map[string]string{"mode": "plan", "var": "hunter2-and-more"}); err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("a variable without a name: %v", err)
	}
}

func TestActionYAMLHasTheInputsThatThereAre(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile(filepath.Join("..", "action.yml"))
	if err != nil {
		t.Fatal(err)
	}
	text := string(b)
	head, run, _ := strings.Cut(text, "\nruns:")
	head, outputs, _ := strings.Cut(head, "\noutputs:")
	_, inputs, _ := strings.Cut(head, "\ninputs:")
	declared := keys(inputs)
	want := []string{"mode", "version"}
	for _, i := range All() {
		if i.Where == OnlyFlags {
			continue
		}
		want = append(want, i.Name)
		env := "INPUT_" + strings.ToUpper(i.Name) + ": ${{ inputs." + i.Name + " }}"
		if !strings.Contains(run, env) {
			t.Errorf("action.yml does not hand on %s", env)
		}
		if _, described, _ := strings.Cut(inputs, "\n  "+i.Name+":\n    description: "); !strings.HasPrefix(described, `"`+modesIn(i)) {
			t.Errorf("action.yml does not say that %s is for %s", i.Name, modesIn(i))
		}
	}
	slices.Sort(want)
	slices.Sort(declared)
	if !slices.Equal(declared, want) {
		t.Errorf("action.yml has the inputs\n%v, want\n%v", declared, want)
	}
	for _, name := range keys(outputs) {
		if !strings.Contains(outputs, "${{ steps.run.outputs."+name+" }}") {
			t.Errorf("output %s is not the step's", name)
		}
	}
}

func keys(yaml string) []string {
	var out []string
	for _, m := range regexp.MustCompile(`(?m)^  ([a-z_]+):`).FindAllStringSubmatch(yaml, -1) {
		out = append(out, m[1])
	}
	return out
}

func modesIn(i Input) string {
	var names []string
	for _, m := range i.Modes {
		names = append(names, string(m))
	}
	return strings.Join(names, ", ") + ":"
}

func TestFlagsTakeNoSecrets(t *testing.T) {
	t.Parallel()
	in := New(ModePlan)
	env := map[string]string{"TIDEGATE_KEY": "short"}
	if err := FromEnvironment(&in, func(name string) string { return env[name] }); err == nil || !strings.Contains(err.Error(), "environment TIDEGATE_KEY") || strings.Contains(err.Error(), "short") {
		t.Errorf("%v", err)
	}
	env = map[string]string{"TIDEGATE_KEY": strings.Repeat("k", 16), "TIDEGATE_SECRETS": "a-secret\nanother-secret", "TIDEGATE_TOKEN": "no"}
	if err := FromEnvironment(&in, func(name string) string { return env[name] }); err != nil || in.Key == "" || len(in.Secrets) != 2 || in.Token != "" {
		t.Errorf("%+v, %v", in, err)
	}
}

func FuzzInputs(f *testing.F) {
	f.Add("plan", "root", "infra/**")
	f.Add("evaluate", "max_regression", "a=+5%")
	f.Fuzz(func(t *testing.T, mode, name, value string) {
		in, err := from(map[string]string{"mode": mode, name: value, "metrics": "m"})
		if err == nil && in.Mode != ModePlan && in.Mode != ModeApply && in.Mode != ModeEvaluate {
			t.Errorf("mode %q", in.Mode)
		}
		for _, pattern := range in.Roots {
			compile(clean(pattern))
		}
	})
}
