package runtest

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tidegatehq/terraform-provider-tidegate/examples/penguins/replay"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/engine/local"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/githubhub"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/pipeline"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/rollout"
)

const endpoint = "local/here/penguins"

// A production is where the penguins are served: an engine that outlives the jobs, and the state of its root module.
type production struct {
	t      *testing.T
	engine *local.Engine
	state  string
	dir    string
}

func newProduction(t *testing.T) *production {
	t.Helper()
	dir, err := os.MkdirTemp("", "tg") //nolint:usetesting // t.TempDir's holds the test's name: too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	p := &production{t: t, dir: dir, state: filepath.Join(dir, "state"), engine: local.Open(local.Config{DataDir: filepath.Join(dir, "d"), Version: "dev"})}
	t.Cleanup(func() {
		if _, err := p.engine.Stop(context.Background()); err != nil {
			t.Errorf("stop the engine: %v", err)
		}
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return p
}

// root is the root module: what was pushed as a value, and the endpoint that serves it.
func (p *production) root() githubhub.Files {
	return githubhub.Files{
		"infra/tidegate.json": fmt.Sprintf(`{"local": {"data_dir": %q}}`, filepath.Join(p.dir, "d")),
		"infra/main.tf": fmt.Sprintf(`terraform {
  required_providers {
    tidegate = {
      source = "tidegatehq/tidegate"
    }
  }
  backend "local" {
    path = %q
  }
}

provider "tidegate" {
  config_file = "tidegate.json"
}

variable "image" {
  type = string
}

resource "terraform_data" "image" {
  input = var.image
}

resource "tidegate_cluster" "here" {
  name = "here"
  local {}
}

resource "tidegate_rollout_policy" "quick" {
  step {
    weight = 25
    ratio  = 10
    floor  = 0.02
  }
  step {
    weight = 50
    ratio  = 10
    floor  = 0.02
  }
  errors {}
  limits {
    step_minimum = "1s"
    bake         = "1s"
  }
}

resource "tidegate_model_endpoint" "penguins" {
  name    = "penguins"
  cluster = tidegate_cluster.here.id
  model {
    uri = "file://out/model.json"
  }
  runtime {
    command  = [%q]
    protocol = "v2"
  }
  rollout {
    policy = tidegate_rollout_policy.quick.json
    run    = "staged"
  }
}
`, p.state, filepath.Join(bin, "penguin-server")),
	}
}

// deployed is the pipeline with a deploy: its jobs fetch the model that was pushed, by its digest.
func deployed(image string) pipeline.Spec {
	s := spec(image)
	fetch := pipeline.Stage{Steps: []pipeline.Step{
		{Uses: orasAction + "@v1"},
		{Name: "Fetch the model", Run: `oras pull "$IMAGE" --output "$RUNNER_TEMP/pushed" && tar -xf "$RUNNER_TEMP/pushed/model.tar" -C infra`},
	}}
	s.Deploys = []pipeline.Deploy{{Name: "production", Root: "infra", Environment: "production", ImageVariable: "image", Stage: fetch}}
	s.Environments = []pipeline.Environment{{Name: "production"}}
	return s
}

// users ask the endpoint until the test ends.
func (p *production) users() {
	p.t.Helper()
	st, err := p.engine.Endpoints().Get(p.t.Context(), endpoint, false)
	if err != nil {
		p.t.Fatal(err)
	}
	player, err := replay.Start(p.t.Context(), replay.Config{URL: st.URL, Model: "penguins", Rate: 150, Workers: 8, Seed: 1})
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() { player.Stop() })
}

func (p *production) record() rollout.Record {
	p.t.Helper()
	r, _, err := p.engine.Endpoints().Load(p.t.Context(), endpoint)
	if err != nil {
		p.t.Fatal(err)
	}
	return r
}

// The whole way, three times: the first model, a better one that is promoted, one that looks best and is rolled back.
func TestPushIsDeployedPromotedAndRolledBack(t *testing.T) {
	t.Parallel()
	possible(t)
	p := newProduction(t)
	w := newWorld(t, deployed, p.root())
	all := []string{"test", "data", "train", "evaluate", "scan", "package", "scan-image", "plan-production", "deploy-production"}

	first := w.push()
	w.expect(first, "success", all...)
	image := first.Step("push").Outputs["image"]
	if state := text(t, p.state); !strings.Contains(state, image) || !strings.Contains(image, "@sha256:") {
		t.Errorf("the state does not know %q", image)
	}
	if !strings.Contains(first.Log, "there is nothing to promote") {
		t.Errorf("the first model was staged:\n%s", first.Log)
	}

	p.users()
	w.repo.Push(githubhub.Commit{Files: version(2)})
	better := w.push()
	w.expect(better, "success", all...)
	if r := p.record(); r.Phase != rollout.Promoted || !strings.Contains(better.Summary, "**1 endpoint promoted**") {
		t.Errorf("%s, summary %s", r.Phase, better.Summary)
	}
	model := w.model(w.registry.artifact(better.Step("push").Outputs["image"]))
	p.serves(model)

	w.repo.Push(githubhub.Commit{Files: version(3)})
	broken := w.push()
	w.expect(broken, "success", all[:len(all)-1]...)
	w.expect(broken, "failure", "deploy-production")
	if r := p.record(); r.Phase != rollout.RolledBack || r.Failure.Kind != rollout.KindGate || r.Failure.Gate != "errors" {
		t.Errorf("%s, %+v", r.Phase, r.Failure)
	}
	if !strings.Contains(broken.Log, "::error title="+endpoint+" was rolled back::Not promoted: ") {
		t.Errorf("no error names the rollback:\n%s", broken.Log)
	}
	p.serves(model)
}

// serves fails the test unless users get this model, by the digest of its bytes.
func (p *production) serves(model string) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.t.Context(), time.Minute)
	defer cancel()
	st, err := p.engine.Endpoints().Get(ctx, endpoint, false)
	if err != nil {
		p.t.Fatal(err)
	}
	if st.Stable.Model != digest(model) {
		p.t.Errorf("users get the model %s, want %s", st.Stable.Model, digest(model))
	}
}
