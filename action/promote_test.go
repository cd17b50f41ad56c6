package action

import (
	"strings"
	"testing"
)

// A root of any provider may have a promote step after its apply: there is no engine, and nothing is started.
func TestRootWithoutEndpointsHasNothingToPromote(t *testing.T) {
	t.Parallel()
	for _, endpoint := range []string{"", "[]"} {
		r := newRunner(t, map[string]string{"INPUT_MODE": "promote", "INPUT_ROOT": "infra", "INPUT_ENDPOINT": endpoint})
		r.write("infra/main.tf", configured(`"1"`))
		out := Main(t.Context(), r.stage())
		if got := r.outputs(); out != Done || got["result"] != "done" || got["promoted"] != "[]" || !strings.Contains(got["summary"], "there is nothing to promote") {
			t.Errorf("%v, %q\n%s", out, got, r.log.String())
		}
		if page := r.file("GITHUB_STEP_SUMMARY"); !strings.Contains(page, "**Nothing to promote**") {
			t.Errorf("summary: %s", page)
		}
	}
}

func TestPromoteThatCannotBeginFailsBeforeItDrives(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		inputs map[string]string
		want   string
	}{
		"no such root":     {map[string]string{"INPUT_ROOT": "infar"}, "::error::root infar: "},
		"no such endpoint": {map[string]string{"INPUT_ENDPOINT": "penguins"}, `::error::endpoint "penguins": there is no such endpoint`},
		"another engine's": {map[string]string{"INPUT_ENDPOINT": "kubernetes/prod/ns/penguins"}, "want local/CLUSTER/NAME"},
		"a wrong file":     {map[string]string{"INPUT_ROOT": "wrong"}, "tidegate.json: dir: unknown"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRunner(t, map[string]string{"INPUT_MODE": "promote"})
			for k, v := range c.inputs {
				r.env[k] = v
			}
			r.write("wrong/tidegate.json", `{"dir": "d"}`)
			if out := Main(t.Context(), r.stage()); out != Failed || !strings.Contains(r.log.String(), c.want) {
				t.Errorf("%v, want failed and %q\n%s", out, c.want, r.log.String())
			}
			if got := r.outputs(); got["result"] != "failed" || got["promoted"] != "[]" {
				t.Errorf("%q", got)
			}
		})
	}
}
