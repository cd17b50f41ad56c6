package github

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/githubhub"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/pipeline"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/pipeline/pipelinetest"
)

// The budget is 60 requests for 100 pipelines over 20 repositories with everything cached, and 200 with nothing: three of a
// repository, and ten.
func TestARefreshOfManyPipelinesStaysWithinItsRequests(t *testing.T) {
	t.Parallel()
	const repositories, each = 5, 5
	for name, c := range map[string]struct {
		ask  func(n int, s *pipeline.Spec)
		want int
	}{
		"plain": {func(int, *pipeline.Spec) {}, repositories},
		"one in each repository has an environment with reviewers": {func(n int, s *pipeline.Spec) {
			if n == 0 {
				s.Environments = []pipeline.Environment{{Name: "production", Reviewers: []string{"octocat"}}}
			}
		}, 2 * repositories},
		"and requires checks": {func(n int, s *pipeline.Spec) {
			if n == 0 {
				s.Environments = []pipeline.Environment{{Name: "production", Reviewers: []string{"octocat"}}}
				s.RequiredChecks = []string{"test"}
			}
		}, 3*repositories + 1}, // and one for the number of GitHub Actions, on another server than github.com
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			y := newYard(t)
			var known []pipeline.Status
			for n := range repositories {
				files := githubhub.Files{"README.md": "#\n"}
				for m := range each {
					files[pathOf(m)] = pipelinetest.Content(pathOf(m), "test") // what an Apply of then left
				}
				repo := y.Repository(fmt.Sprintf("acme/fraud%d", n), files)
				for m := range each {
					s := pipeline.Spec{Place: pipeline.Place{Repository: repo.FullName, Path: pathOf(m)}, Delivery: pipeline.Delivery{Mode: pipeline.Commit}}
					c.ask(m, &s)
					known = append(known, apply(t, y.engine(t), pipeline.Change{Spec: s, Content: files[pathOf(m)], Base: files[pathOf(m)]}))
				}
			}
			dir := t.TempDir()
			for _, run := range []string{"cold", "warm"} {
				client := y.patient(t, Config{Token: y.person, CacheDir: dir})
				refresh(t, client.Pipelines(), known)
				u := client.Usage()
				if u.Requests != c.want {
					t.Errorf("%s: %d requests, want %d", run, u.Requests, c.want)
				}
				if run == "warm" && u.NotModified != u.Requests {
					t.Errorf("%d of %d cost quota", u.Requests-u.NotModified, u.Requests)
				}
			}
		})
	}
}

func pathOf(n int) string { return fmt.Sprintf(".github/workflows/p%d.yml", n) }

// patient is a client that shares what it reads, as a real one does.
func (y *yard) patient(t *testing.T, cfg Config) *Client {
	t.Helper()
	c := y.client(t, cfg)
	c.reads = newShared(time.Hour)
	return c
}

// refresh gets all at once, as Terraform does.
func refresh(t *testing.T, p *Pipelines, known []pipeline.Status) {
	t.Helper()
	var all sync.WaitGroup
	for _, k := range known {
		all.Go(func() {
			st, err := p.Get(within(t, time.Minute), k)
			if err != nil || st.Content != k.Content || len(st.Environments) != len(k.Environments) || len(st.RequiredChecks) != len(k.RequiredChecks) {
				t.Errorf("%+v, %v", st, err)
			}
		})
	}
	all.Wait()
}
