package workflow_test

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/pipeline"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/workflow"
)

// mark is in every free text of a drawn Spec that is no script.
const mark = "zq7"

// nasty are texts that something could take for more than text.
var nasty = []string{
	"${{ secrets.KEY }}", "${{ github.event.pull_request.title }}", "${{", "}}", "$${{ x }}", "${ {", "$(id)", "`id`", `"; id; "`, "'; id; '", "\n", "\r\n",
	"\nrun: id\n", "\n  - run: id", ": ", " #", "# ", "- ", "* ", "&a ", "*a", "!!binary ", "|", ">", "%", "@", "?", "{a: b}", "[a]", "---", "\n---\n", "...", "~", "null",
	"true", "on", "0x1F", "1e3", "1_000", "12:30:45", "2026-01-01", ".inf", "<<", "=", "\\", `\n`, "\"", "'", "''", "\t", " ", "  ", "\x00", "\x1b[31m", "\u0085", "\u2028", "\u202e",
	"\ufeff", "\ufffe", "\U0001F427", "\xff", "é", "::error::", "::set-output name=a::b", "%0A", "EOF", "../", "/etc/passwd", "--option", "*.yml", "a,b", "a=b",
}

// A draw makes texts for a Spec. Few of them are nasty, so that many Specs are taken.
type draw struct {
	*rapid.T
	nasty []int // which of the texts, in their order
	n     *int
}

func newDraw(t *rapid.T) draw {
	return draw{t, rapid.SliceOfN(rapid.IntRange(0, 80), 1, 3).Draw(t, "nasty ones"), new(int)}
}

func (d draw) isNasty() bool {
	*d.n++
	return slices.Contains(d.nasty, *d.n)
}

var piece = rapid.OneOf(rapid.SampledFrom(nasty), rapid.String(), rapid.Just("\n"), rapid.Just("echo"))

func (d draw) text(name, plain string) string {
	if !d.isNasty() {
		return plain
	}
	return strings.Join(rapid.SliceOfN(piece, 1, 4).Draw(d.T, name), "") + mark
}

func (d draw) yes(name string) bool { return rapid.Bool().Draw(d.T, name) }

func (d draw) script(name string) string {
	if !d.isNasty() {
		return "make " + name
	}
	return strings.Join(rapid.SliceOfN(piece, 1, 8).Draw(d.T, name), "")
}

func (d draw) stage(name string) pipeline.Stage {
	s := pipeline.Stage{}
	if d.yes(name + " has env") {
		s.Env = map[string]string{d.text(name+" env", "KEY"): d.text(name+" value", mark+" value"), "SECRET": d.text(name+" secret", "${{ secrets.KEY }}")}
	}
	if d.yes(name + " runs elsewhere") {
		s.RunsOn = []string{d.text(name+" label", "gpu"), "linux"}
	}
	if d.yes(name + " has steps") {
		s.Steps = []pipeline.Step{
			{Name: d.text(name+" step", "Step "+mark), Run: d.script(name + " step"), Env: map[string]string{"STEP": d.text(name+" step env", "x")}},
			{After: true, Uses: d.text(name+" uses", "acme/setup@v1"), With: map[string]string{d.text(name+" input", "input"): d.text(name+" with", "${{ vars.X }}")}},
		}
	}
	s.Python = d.text(name+" python", "3.13")
	return s
}

func drawSpec(t *rapid.T) pipeline.Spec {
	d := newDraw(t)
	s := pipeline.Spec{
		Place: pipeline.Place{Repository: "acme/fraud", Path: d.text("path", where)}, Name: d.text("name", "Fraud "+mark),
		Triggers: pipeline.Triggers{Push: []string{d.text("push", "main")}, PullRequest: d.yes("pull"), Schedule: []string{d.text("schedule", "0 3 * * 1")}},
		Test:     &pipeline.Test{Stage: d.stage("test"), Run: d.script("test")},
		Evaluate: &pipeline.Evaluate{
			Stage: d.stage("evaluate"), Metrics: d.text("metrics", "out/"+mark+".json"), Reference: d.text("reference", "stable.json"),
			Min: map[string]float64{d.text("metric", "auc"): 0.9}, MaxRegression: map[string]string{"auc": d.text("regression", "-0.1%")},
		},
		Package: &pipeline.Package{Stage: d.stage("package"), Image: d.text("image", "ghcr.io/acme/fraud"), Model: d.text("model", mark+"/out")},
		Scan:    &pipeline.Scan{Stage: d.stage("scan"), FailOn: "high"},
		Deploys: []pipeline.Deploy{{
			Stage: d.stage("deploy"), Name: d.text("deploy", "prod"), Root: d.text("root", "infra/"+mark), Environment: d.text("environment", "production "+mark),
			ImageVariable: d.text("variable", "image"), Promote: []string{d.text("endpoint", "fraud-"+mark)},
		}},
	}
	if d.yes("matrix") {
		s.Test.Matrix = map[string][]string{d.text("matrix name", "size"): {d.text("matrix value", "1.10"), "s"}}
	}
	if d.yes("train") {
		s.Train = &pipeline.Train{Stage: d.stage("train"), Run: d.script("train"), Outputs: []string{d.text("output", "run_id")}}
		s.Data = &pipeline.Data{Stage: d.stage("data"), Validate: d.script("validate"), Dataset: d.text("dataset", "file:data/"+mark)}
	}
	if d.yes("dockerfile") {
		s.Package.Dockerfile = d.text("dockerfile", "Dockerfile."+mark)
	}
	return s
}

// computed are the expressions that the renderer writes itself.
var computed = regexp.MustCompile(`^(?:registry:|[A-Za-z_][A-Za-z0-9_-]*=|dir:)?\$\{\{ (?:(?:steps|needs)\.[a-z0-9-]+\.outputs\.[A-Za-z0-9_-]+|matrix\.[A-Za-z_][A-Za-z0-9_-]*|runner\.temp|` +
	`secrets\.TIDEGATE_KEY|github\.token|hashFiles\('\*\*/requirements\*\.txt', '\*\*/pyproject\.toml'\) != '' && 'pip' \|\| '')` + ` \}\}(?:/[a-z.]+)?$`)

var quotedText = regexp.MustCompile(`'(?:[^']|'')*'`)

// kept checks that a Spec which is taken comes out as it was meant: each text at its place, and no text computed or run.
func kept(t *rapid.T) {
	s := drawSpec(t)
	if slices.ContainsFunc(workflow.Validate(s), func(p pipeline.Problem) bool { return !p.Warning }) {
		return // refused, which is always safe
	}
	text, err := workflow.Render(s, pins())
	if err != nil {
		t.Fatalf("what Validate takes is not rendered: %v", err)
	}
	if _, err := workflow.Lint(s.Path, text); err != nil {
		t.Fatal(err)
	}
	f := safe(t, s, text)
	if f.Name != s.Name {
		t.Errorf("name is %q, want %q", f.Name, s.Name)
	}
	test := "test"
	if len(s.Test.Matrix) > 0 {
		test = "test-matrix"
		if got := f.Jobs[test].Strategy.Matrix; !maps.EqualFunc(got, s.Test.Matrix, slices.Equal[[]string]) {
			t.Errorf("matrix is %q, want %q", got, s.Test.Matrix)
		}
	}
	stages := map[string]pipeline.Stage{
		test: s.Test.Stage, "evaluate": s.Evaluate.Stage, "package": s.Package.Stage, "scan": s.Scan.Stage, "scan-image": s.Scan.Stage,
		"plan-" + s.Deploys[0].Name: s.Deploys[0].Stage, "deploy-" + s.Deploys[0].Name: s.Deploys[0].Stage,
	}
	scripts := map[string][]string{test: {s.Test.Run}}
	if s.Train != nil {
		stages["train"], stages["data"] = s.Train.Stage, s.Data.Stage
		scripts["train"], scripts["data"] = []string{s.Train.Run}, []string{s.Data.Validate}
	}
	for id, stage := range stages {
		j, ok := f.Jobs[id]
		if !ok {
			t.Fatalf("there is no job %s:\n%s", id, text)
		}
		var values []string // of the user, in which expressions are taken
		for k, v := range stage.Env {
			values = append(values, v)
			if j.Env[k] != v {
				t.Errorf("job %s: env %s is %q, want %q", id, k, j.Env[k], v)
			}
		}
		mine := scripts[id]
		for _, step := range stage.Steps {
			values = append(append(values, slices.Collect(maps.Values(step.Env))...), slices.Collect(maps.Values(step.With))...)
			if step.Run != "" {
				mine = append(mine, step.Run)
			}
			if step.After && strings.HasPrefix(id, "plan-") {
				continue
			}
			if !slices.ContainsFunc(j.Steps, func(got flowStep) bool {
				return got.Name == step.Name && got.Run == step.Run && maps.Equal(got.Env, step.Env) && maps.Equal(got.With, step.With)
			}) {
				t.Errorf("job %s has no step %+v:\n%s", id, step, text)
			}
		}
		for _, script := range scripts[id] {
			if script != "" && !slices.ContainsFunc(j.Steps, func(got flowStep) bool { return strings.TrimSuffix(got.Run, "\n") == strings.TrimSuffix(script, "\n") }) {
				t.Errorf("job %s does not run %q:\n%s", id, script, text)
			}
		}
		for _, step := range j.Steps {
			if strings.Contains(step.Run, mark) && !slices.Contains(mine, step.Run) && !slices.Contains(mine, step.Run+"\n") {
				t.Errorf("job %s: a text became a script: %s", id, step.Run)
			}
			if strings.Contains(step.Name+step.Uses, "${{") {
				t.Errorf("job %s: a name is computed: %q", id, step.Name)
			}
			for _, v := range append(slices.Collect(maps.Values(step.Env)), slices.Collect(maps.Values(step.With))...) {
				if strings.Contains(v, "${{") && !slices.Contains(values, v) && !computed.MatchString(v) {
					t.Errorf("job %s: %q is computed", id, v)
				}
			}
		}
		if strings.Contains(quotedText.ReplaceAllString(j.If, ""), mark) {
			t.Errorf("job %s: a text became a condition: %s", id, j.If)
		}
	}
	places(t, s, f)
}

// places looks at texts that the renderer gives to actions and scripts.
func places(t *rapid.T, s pipeline.Spec, f flow) {
	deploy := "deploy-" + s.Deploys[0].Name
	with := func(job, name string) (all []string) {
		for _, step := range f.Jobs[job].Steps {
			all = append(all, step.With[name], step.Env[name])
		}
		return all
	}
	for _, p := range []struct{ job, name, want string }{
		{"evaluate", "metrics", s.Evaluate.Metrics},
		{"evaluate", "reference", s.Evaluate.Reference},
		{"package", "IMAGE", s.Package.Image},
		{deploy, "root", s.Deploys[0].Root},
		{deploy, "endpoint", s.Deploys[0].Promote[0] + "\n"},
	} {
		if !slices.Contains(with(p.job, p.name), p.want) {
			t.Errorf("job %s is not told %s: %q", p.job, p.name, p.want)
		}
	}
	if got := f.Jobs[deploy].Environment; got != s.Deploys[0].Environment {
		t.Errorf("environment is %q, want %q", got, s.Deploys[0].Environment)
	}
}

func TestWhateverIsSaidIsTextOrRefused(t *testing.T) {
	t.Parallel()
	rapid.Check(t, kept)
}

// FuzzRender is the same, driven by coverage.
func FuzzRender(f *testing.F) {
	f.Fuzz(rapid.MakeFuzz(kept))
}
