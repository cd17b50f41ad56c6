package github

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/githubhub"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/pipeline"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/pipeline/pipelinetest"
)

const fraud = ".github/workflows/fraud.yml"

// A yard is a hub with a repository for pipelines, and a person's token that may do all.
type yard struct {
	*world
	person string
}

func newYard(t *testing.T) *yard {
	t.Helper()
	hub := githubhub.Start(t)
	repo := hub.Repository("acme/fraud", githubhub.Files{"README.md": "# fraud\n"})
	w := &world{Hub: hub, repo: repo, token: hub.Token(githubhub.Token{Kind: githubhub.ActionsToken})}
	return &yard{world: w, person: hub.Token(githubhub.Token{Kind: githubhub.PersonalToken})}
}

// engine is that of a new process.
func (y *yard) engine(t *testing.T) *Pipelines {
	t.Helper()
	return y.client(t, Config{Token: y.person}).Pipelines()
}

func (y *yard) spec(mode string) pipeline.Spec {
	return pipeline.Spec{Place: pipeline.Place{Repository: y.repo.FullName, Path: fraud}, Delivery: pipeline.Delivery{Mode: mode}}
}

// change asks for a file with one job, as planned against a content.
func (y *yard) change(mode, job, base string, before pipeline.Status) pipeline.Change {
	return pipeline.Change{Spec: y.spec(mode), Content: pipelinetest.Content(fraud, job), Base: base, Before: before}
}

// read is a file of the real repository, "" if there is none.
func read(t *testing.T, repo *githubhub.Repository, ref, path string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(repo.Clone(ref), filepath.FromSlash(path)))
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	return string(b)
}

func TestRepositoriesKeepThePromiseOfAnEngine(t *testing.T) {
	t.Parallel()
	pipelinetest.Run(t, func(t *testing.T) pipelinetest.Subject {
		y := newYard(t)
		return pipelinetest.Subject{
			Engine: y.engine(t), Spec: y.spec(pipeline.Commit),
			Write: func(t *testing.T, content string) {
				t.Helper()
				c := githubhub.Commit{Files: githubhub.Files{fraud: content}}
				if content == "" {
					c = githubhub.Commit{Remove: []string{fraud}}
				}
				y.repo.Push(c)
			},
			Read: func(t *testing.T) string { t.Helper(); return read(t, y.repo, "main", fraud) },
		}
	})
}

// git runs git in a clone.
func git(t *testing.T, dir string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "git", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_SYSTEM=/dev/null")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("git %v: %v\n%s", args, err, out)
	}
	return string(out)
}
