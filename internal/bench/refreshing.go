package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	gh "github.com/google/go-github/v60/github"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/engine/github"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/githubhub"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/pipeline"
)

const (
	refreshedRepositories = 20
	refreshedPipelines    = 5 // of each
)

// refreshing counts what a refresh of 100 pipelines asks of GitHub, with the memory of the last one and without, beside what
// one resource an object asks. The hub counts; it runs on this machine.
func refreshing() ([]figure, error) {
	dir, err := os.MkdirTemp("", "tidegate-bench-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	fmt.Printf("\nRefreshing %d pipelines in %d repositories: requests sent, and those that count against GitHub's quota (a 304 does not)\n",
		refreshedRepositories*refreshedPipelines, refreshedRepositories)
	shared, err := refresh(filepath.Join(dir, "shared"), "an environment of each repository", false)
	if err != nil {
		return nil, err
	}
	own, err := refresh(filepath.Join(dir, "own"), "an environment of each pipeline", true)
	if err != nil {
		return nil, err
	}
	return []figure{
		{name: "refresh_100_pipelines_cold", value: float64(shared.cold.sent), unit: "requests", most: true, goal: 200},
		{name: "refresh_100_pipelines_warm", value: float64(shared.warm.sent), unit: "requests", most: true, goal: 60},
		{name: "refresh_100_environments_cold", value: float64(own.cold.sent), unit: "requests", most: true, goal: 200},
		{name: "refresh_100_environments_warm_quota", value: float64(own.warm.charged), unit: "requests", most: true, goal: 60},
	}, nil
}

// asked counts requests.
type asked struct{ sent, charged int }

type refreshed struct{ cold, warm, each asked }

// refresh counts them for one way to spread environments.
func refresh(dir, name string, own bool) (out refreshed, err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return out, err
	}
	s := &stand{dir: dir}
	defer s.end(&err)
	hub := githubhub.Start(s)
	token := hub.Token(githubhub.Token{Kind: githubhub.PersonalToken})
	known := manyPipelines(hub, own)
	count := func(read func() error) (a asked, err error) {
		hub.ForgetRequests()
		if err := read(); err != nil {
			return a, err
		}
		for _, r := range hub.Requests() {
			a.sent++
			if r.Status != 304 {
				a.charged++
			}
		}
		return a, nil
	}
	ours := func() error {
		c, err := github.Open(github.Config{APIURL: hub.APIURL, Token: token, CacheDir: filepath.Join(dir, "answers")})
		if err != nil {
			return err
		}
		for _, k := range known {
			st, err := c.Pipelines().Get(context.Background(), k)
			if err != nil {
				return err
			}
			if st.Content != k.Content || len(st.Environments) != len(k.Environments) {
				return fmt.Errorf("%s %s was not read as it is: %+v", k.Repository, k.Path, st)
			}
		}
		return nil
	}
	if out.cold, err = count(ours); err != nil {
		return out, err
	}
	if out.warm, err = count(ours); err != nil {
		return out, err
	}
	if out.each, err = count(func() error { return refreshEach(hub, token, known) }); err != nil {
		return out, err
	}
	fmt.Printf("  %-36s %24s %24s %24s\n", name, "Tidegate, first", "Tidegate, again", "a resource an object")
	row := func(what string, of func(asked) int) {
		fmt.Printf("  %-36s %24d %24d %24d\n", what, of(out.cold), of(out.warm), of(out.each))
	}
	row("sent", func(a asked) int { return a.sent })
	row("against the quota", func(a asked) int { return a.charged })
	return out, nil
}

// manyPipelines makes repositories with files and environments, and returns what Terraform's state has of them.
func manyPipelines(hub *githubhub.Hub, own bool) (known []pipeline.Status) {
	for i := range refreshedRepositories {
		files := githubhub.Files{"README.md": "# A model\n"}
		repo := fmt.Sprintf("acme/model-%d", i)
		var here []pipeline.Status
		for j := range refreshedPipelines {
			path := fmt.Sprintf(".github/workflows/model-%d.yml", j)
			files[path] = fmt.Sprintf("# model-%d: tests the model.\n%s%s\non: push\njobs: {}\n", j, pipeline.Marker, path)
			st := pipeline.Status{
				Place: pipeline.Place{Repository: repo, Path: path}, Content: files[path], Branch: "main", Made: []string{pipeline.MadeFile},
			}
			if own || j == 0 {
				st.Environments = []pipeline.EnvironmentStatus{{Environment: pipeline.Environment{
					Name: fmt.Sprintf("production-%d", j), Reviewers: []string{"octocat"}, SecretNames: []string{"API_KEY"},
				}}}
			}
			here = append(here, st)
		}
		r := hub.Repository(repo, files)
		for _, st := range here {
			for _, e := range st.Environments {
				r.SetEnvironment(githubhub.Environment{Name: e.Name, Reviewers: e.Reviewers})
				r.SetSecret(e.Name, "API_KEY", "s3cret")
			}
		}
		known = append(known, here...)
	}
	return known
}

// refreshEach asks what the read functions of integrations/github ask, which has a resource for each object:
// github_repository_file the content and then the commit that it knows (resource_github_repository_file.go),
// github_repository_environment the environment (resource_github_repository_environment.go), and
// github_actions_environment_secret the secret, by the repository's id (resource_github_actions_environment_secret.go).
func refreshEach(hub *githubhub.Hub, token string, known []pipeline.Status) error {
	ctx := context.Background()
	c, err := gh.NewClient(nil).WithAuthToken(token).WithEnterpriseURLs(hub.APIURL, hub.APIURL)
	if err != nil {
		return err
	}
	for _, k := range known {
		owner, name, _ := strings.Cut(k.Repository, "/")
		if _, _, _, err := c.Repositories.GetContents(ctx, owner, name, k.Path, nil); err != nil {
			return err
		}
		if _, _, err := c.Repositories.GetCommit(ctx, owner, name, "main", nil); err != nil {
			return err
		}
		for _, e := range k.Environments {
			if _, _, err := c.Repositories.GetEnvironment(ctx, owner, name, e.Name); err != nil {
				return err
			}
			for _, secret := range e.SecretNames {
				// go-github's own call has the id of the repository, which that provider keeps in its state.
				req, err := c.NewRequest("GET", fmt.Sprintf("repos/%s/environments/%s/secrets/%s", k.Repository, e.Name, secret), nil)
				if err != nil {
					return err
				}
				if _, err := c.Do(ctx, req, nil); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// A stand is what a hub takes for a test: it ends with the measurement, and what fails is an error of it.
type stand struct {
	testing.TB
	dir   string
	ended []func()
	wrong []string
}

// failure is what Fatalf and Skipf unwind with.
type failure string

func (s *stand) Helper()          {}
func (s *stand) TempDir() string  { return s.dir }
func (s *stand) Cleanup(f func()) { s.ended = append(s.ended, f) }
func (s *stand) Errorf(format string, args ...any) {
	s.wrong = append(s.wrong, fmt.Sprintf(format, args...))
}
func (s *stand) Fatalf(format string, args ...any) { panic(failure(fmt.Sprintf(format, args...))) }
func (s *stand) Skipf(format string, args ...any)  { panic(failure(fmt.Sprintf(format, args...))) }

// end cleans up, and makes an error of what failed. It is deferred.
func (s *stand) end(err *error) {
	failed := recover()
	for i := len(s.ended) - 1; i >= 0 && failed == nil; i-- {
		s.ended[i]()
	}
	text, ours := failed.(failure)
	switch {
	case ours:
		*err = fmt.Errorf("%s", string(text))
	case failed != nil:
		panic(failed)
	case *err == nil && len(s.wrong) > 0:
		*err = fmt.Errorf("%s", strings.Join(s.wrong, "\n"))
	}
}
