package runtest

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/githubhub"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/pipeline"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/workflow"
)

const (
	where = ".github/workflows/penguins.yml"
	key   = "an-old-key-for-tests"
)

// spec is the pipeline of the penguins.
func spec(image string) pipeline.Spec {
	return pipeline.Spec{
		Place:    pipeline.Place{Repository: "acme/penguins", Path: where},
		Triggers: pipeline.Triggers{Push: []string{"main"}, PullRequest: true},
		Test:     &pipeline.Test{Run: "make test"},
		Data:     &pipeline.Data{Dataset: "file:data/penguins.csv", Validate: "make validate"},
		Train:    &pipeline.Train{Run: "make model", Outputs: []string{"version"}},
		Evaluate: &pipeline.Evaluate{Metrics: "out/metrics.json", Min: map[string]float64{"accuracy": 0.75}, Max: map[string]float64{"log_loss": 0.5}},
		Package:  &pipeline.Package{Image: image, Model: "out/model.json"},
		Scan:     &pipeline.Scan{FailOn: "high"},
	}
}

// A world is a repository with its rendered workflow, and what its jobs find on this machine.
type world struct {
	t        *testing.T
	hub      *githubhub.Hub
	repo     *githubhub.Repository
	registry registry
	tools    toolbox
	pins     workflow.Pins
	env      map[string]string
}

func newWorld(t *testing.T, of func(image string) pipeline.Spec, more githubhub.Files) *world {
	t.Helper()
	possible(t)
	program(t)
	w := &world{t: t, hub: githubhub.Start(t), registry: startRegistry(t), tools: newToolbox(t), pins: pins()}
	s := of(w.registry.host + "/acme/penguins")
	if problems := workflow.Validate(s); len(problems) > 0 {
		t.Fatalf("the pipeline is refused: %+v", problems)
	}
	yaml, err := workflow.Render(s, w.pins)
	if err != nil {
		t.Fatal(err)
	}
	files := penguins(t)
	for _, some := range []githubhub.Files{more, version(1), {where: yaml}} {
		for name, content := range some {
			files[name] = content
		}
	}
	w.repo = w.hub.Repository("acme/penguins", files)
	w.repo.Protect("main")
	w.env = map[string]string{"SCANS": w.tools.scans, "TF_CLI_CONFIG_FILE": filepath.Join(bin, "terraform.rc"), "CHECKPOINT_DISABLE": "1"}
	for _, name := range []string{"GOCACHE", "GOMODCACHE", "GOPROXY", "GOSUMDB", "GOFLAGS"} {
		out, err := exec.CommandContext(t.Context(), "go", "env", name).Output()
		if err != nil {
			t.Fatal(err)
		}
		w.env[name] = strings.TrimSpace(string(out))
	}
	return w
}

// run runs the workflow, with a scanner on the machine or without.
func (w *world) run(e githubhub.Event, ref string, scanner bool) githubhub.Result {
	w.t.Helper()
	began := time.Now()
	r := w.hub.Act(githubhub.Job{
		Repo: w.repo, Dir: w.repo.Clone(ref), Workflow: where, Event: e, Actions: w.tools.actions(w.pins, scanner), Env: w.env,
		Secrets: map[string]string{"TIDEGATE_KEY": key}, Timeout: 10 * time.Minute,
	})
	w.t.Logf("%s of %s: %v after %s", e.Name, ref, r.Jobs, time.Since(began).Round(time.Second))
	return r
}

// push runs it for what main is at.
func (w *world) push() githubhub.Result {
	w.t.Helper()
	return w.run(githubhub.Event{Name: "push"}, "main", true)
}

// expect fails the test unless just these jobs ended so.
func (w *world) expect(r githubhub.Result, result string, jobs ...string) {
	w.t.Helper()
	for _, job := range jobs {
		if r.Jobs[job] != result {
			w.t.Fatalf("job %s: %q, want %s\n%s", job, r.Jobs[job], result, r.Log)
		}
	}
}

func TestPushIsTestedTrainedEvaluatedPackagedAndScanned(t *testing.T) {
	t.Parallel()
	w := newWorld(t, spec, nil)
	r := w.push()
	w.expect(r, "success", "test", "data", "train", "evaluate", "scan", "package", "scan-image")

	image := r.Step("push").Outputs["image"]
	a := w.registry.artifact(image)
	if a.ArtifactType != "application/vnd.cncf.model.manifest.v1+json" || a.Config.MediaType != "application/vnd.cncf.model.config.v1+json" ||
		len(a.Layers) != 1 || a.Layers[0].MediaType != "application/vnd.cncf.model.weight.v1.tar" {
		t.Errorf("not what the ModelPack specification says: %+v", a)
	}
	if got := a.Annotations["org.opencontainers.image.revision"]; got != w.repo.SHA {
		t.Errorf("revision %q, want %s", got, w.repo.SHA)
	}
	// What is in the registry is what the same commit trains.
	if got, want := w.model(a), trained(t, 1); got != want {
		t.Errorf("the model in the registry is not what was trained:\n%s\nwant\n%s", got, want)
	}
	scans := text(t, w.tools.scans)
	if !strings.Contains(scans, "\nout/model.json\n") || !strings.Contains(scans, "go.mod\n") {
		t.Errorf("the scanner saw %s", scans)
	}
	for _, said := range []string{"### Dataset", "### Made by the training", "<h3>Evaluation</h3>", "### Pushed\n", image, "### Known vulnerabilities"} {
		if !strings.Contains(r.Summary, said) {
			t.Errorf("the summary does not say %q:\n%s", said, r.Summary)
		}
	}
}

// model is the model in an artifact.
func (w *world) model(a artifact) string {
	w.t.Helper()
	files := tar.NewReader(bytes.NewReader(w.registry.get("acme/penguins", "blobs", a.Layers[0].Digest)))
	for {
		h, err := files.Next()
		if errors.Is(err, io.EOF) {
			w.t.Fatal("the layer has no out/model.json")
		}
		if err != nil {
			w.t.Fatal(err)
		}
		if h.Name != "out/model.json" {
			continue
		}
		b, err := io.ReadAll(files)
		if err != nil {
			w.t.Fatal(err)
		}
		return string(b)
	}
}

// trained is the model of a version: the same version is the same bytes.
func trained(t *testing.T, v int) string {
	t.Helper()
	out := filepath.Join(t.TempDir(), "model.json")
	cmd := exec.CommandContext(t.Context(), "go", "run", "./examples/penguins/train", "-version", fmt.Sprint(v), "-out", out)
	cmd.Dir = filepath.Join("..", "..")
	cmd.Stderr = os.Stderr
	if err := cmd.Run(); err != nil {
		t.Fatal(err)
	}
	return text(t, out)
}

func TestMissingScannerFailsTheJob(t *testing.T) {
	t.Parallel()
	w := newWorld(t, spec, nil)
	w.repo.Push(githubhub.Commit{Branch: "better", Files: version(2)})
	pull := w.repo.Open(githubhub.NewPull{Head: "better"})
	r := w.run(githubhub.Event{Name: "pull_request", Number: pull.Number}, fmt.Sprintf("refs/pull/%d/merge", pull.Number), false)
	w.expect(r, "failure", "scan")
	w.expect(r, "success", "test", "data", "train", "evaluate")
	if r.ExitCode == 0 || !strings.Contains(r.Summary, "**The scan failed**") {
		t.Errorf("exit code %d, summary %s", r.ExitCode, r.Summary)
	}
	if r.Jobs["package"] == "success" || r.Jobs["scan-image"] == "success" {
		t.Errorf("a pull request publishes: %v", r.Jobs)
	}
}
