package githubtest

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-github/v60/github"
)

// commitOn makes a commit on top of a branch, which no ref points at yet.
func (s *scene) commitOn(c *github.Client, branch, path, text string) (*github.Commit, error) {
	s.t.Helper()
	ref, _, err := c.Git.GetRef(s.t.Context(), "acme", "infra", "heads/"+branch)
	if err != nil {
		return nil, err
	}
	tree, _, err := c.Git.CreateTree(s.t.Context(), "acme", "infra", ref.GetObject().GetSHA(), []*github.TreeEntry{
		{Path: github.String(path), Mode: github.String("100644"), Type: github.String("blob"), Content: github.String(text)},
	})
	if err != nil {
		return nil, err
	}
	commit, _, err := c.Git.CreateCommit(s.t.Context(), "acme", "infra", &github.Commit{
		Message: github.String("m"), Tree: tree, Parents: []*github.Commit{{SHA: ref.GetObject().SHA}},
	}, nil)
	return commit, err
}

// advance puts a commit on a branch by the git database.
func (s *scene) advance(c *github.Client, branch, path, text string) error {
	s.t.Helper()
	commit, err := s.commitOn(c, branch, path, text)
	if err != nil {
		return err
	}
	_, _, err = c.Git.UpdateRef(s.t.Context(), "acme", "infra", &github.Reference{
		Ref: github.String("refs/heads/" + branch), Object: &github.GitObject{SHA: commit.SHA},
	}, false)
	return err
}

func TestAProtectedBranchRefusesPushesByTheAPI(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	c := s.client(s.token(object{"kind": "app"}))
	for _, k := range []struct {
		name   string
		how    object
		status int
		words  string
	}{
		{"with nothing required", object{}, 200, ""},
		{"by pull request", object{"pull_request": true}, 422, "Changes must be made through a pull request"},
		{"restricted", object{"restricted": true, "status": 403}, 403, "not authorized to push"},
		{"with checks", object{"checks": []object{{"name": "test", "app": 15368}}, "status": 409}, 409, `Required status check "test" is expected`},
		{"with the app let through", object{"pull_request": true, "bypass": []string{"acme-plans"}}, 200, ""},
	} {
		in := object{"repo": repoName, "branch": "main"}
		for name, x := range k.how {
			in[strings.ReplaceAll(name, "_", "")] = x
		}
		s.must("protect", in)
		err := s.advance(c, "main", "a.tf", k.name)
		if status(t, err) != k.status || err != nil && !strings.Contains(err.Error(), k.words) {
			t.Errorf("%s: %v", k.name, err)
		}
	}
	s.must("protect", object{"repo": repoName, "branch": "main", "pullRequest": true})
	if _, _, err := c.Repositories.CreateFile(t.Context(), "acme", "infra", "new", &github.RepositoryContentFileOptions{Message: github.String("m"), Content: []byte("x")}); status(t, err) != 409 {
		t.Errorf("by the contents API: %v", err)
	}
	p, _, err := c.Repositories.GetBranchProtection(t.Context(), "acme", "infra", "main")
	if err != nil || p.GetRequiredPullRequestReviews() == nil {
		t.Errorf("%v, %v", p, err)
	}
	s.push("change", "b.tf", "b\n")
	if _, _, err := c.PullRequests.Merge(t.Context(), "acme", "infra", s.open("change"), "", nil); err != nil {
		t.Errorf("by a pull request: %v", err)
	}
	if _, err := c.Repositories.RemoveBranchProtection(t.Context(), "acme", "infra", "main"); err != nil {
		t.Error(err)
	}
	if _, _, err := c.Repositories.GetBranchProtection(t.Context(), "acme", "infra", "main"); !errors.Is(err, github.ErrBranchNotProtected) {
		t.Errorf("without protection: %v", err)
	}
	if err := s.advance(c, "main", "a.tf", "at last"); err != nil {
		t.Error(err)
	}
}

func TestEveryOperationOfTheCutIsBuilt(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	for _, id := range s.api.Operations() {
		if operations[id] == nil {
			t.Errorf("%s is in the cut of the description and not built", id)
		}
	}
	for id := range operations {
		if !slices.Contains(s.api.Operations(), id) {
			t.Errorf("%s is built and not in the cut of the description", id)
		}
	}
	for id := range needs {
		if operations[id] == nil {
			t.Errorf("%s needs a permission and is not built", id)
		}
	}
}

func TestAProtectionIsSetByTheAPI(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	c := s.app()
	contexts := []string{"test"}
	_, _, err := c.Repositories.UpdateBranchProtection(t.Context(), "acme", "infra", "main", &github.ProtectionRequest{
		RequiredStatusChecks:       &github.RequiredStatusChecks{Contexts: &contexts},
		RequiredPullRequestReviews: &github.PullRequestReviewsEnforcementRequest{},
		Restrictions:               &github.BranchRestrictionsRequest{Users: []string{}, Teams: []string{}, Apps: []string{}},
	})
	if err != nil {
		t.Fatal(err)
	}
	p, _, err := c.Repositories.GetBranchProtection(t.Context(), "acme", "infra", "main")
	if err != nil || (*p.GetRequiredStatusChecks().Contexts)[0] != "test" || p.GetRestrictions() == nil {
		t.Errorf("%v, %v", p, err)
	}
	err = s.advance(c, "main", "a", "b")
	for _, words := range []string{"through a pull request", "not authorized to push", `"test" is expected`} {
		if err == nil || !strings.Contains(err.Error(), words) {
			t.Errorf("%v: want %q", err, words)
		}
	}
	if _, _, err := c.Repositories.UpdateBranchProtection(t.Context(), "acme", "infra", "none", &github.ProtectionRequest{}); status(t, err) != 404 {
		t.Errorf("%v", err)
	}
}

func TestRequiredChecksAreThoseOfTheirApp(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	s.must("protect", object{"repo": repoName, "branch": "main", "checks": []object{{"name": "test", "app": 15368}}})
	sha := s.push("change", "b.tf", "b\n")
	number := s.open("change")
	workflow, other := s.workflow(), s.client(s.token(object{"kind": "app"}))
	for _, k := range []struct {
		by   *github.Client
		want int
	}{{other, 405}, {workflow, 200}} {
		if _, _, err := k.by.Checks.CreateCheckRun(t.Context(), "acme", "infra", github.CreateCheckRunOptions{Name: "test", HeadSHA: sha, Conclusion: github.String("success")}); err != nil {
			t.Fatal(err)
		}
		if _, _, err := other.PullRequests.Merge(t.Context(), "acme", "infra", number, "", nil); status(t, err) != k.want {
			t.Errorf("want %d: %v", k.want, err)
		}
	}
}

func TestWorkflowFilesNeedARightOfTheirOwn(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	const path = ".github/workflows/fraud.yml"
	for _, k := range []struct {
		name     string
		token    object
		workflow int
		other    int
	}{
		{"classic with repo", object{"kind": "personal", "scopes": []string{"repo"}}, 404, 200},
		{"classic with workflow", object{"kind": "personal", "scopes": []string{"repo", "workflow"}}, 200, 200},
		{"classic without scopes", object{"kind": "personal", "scopes": []string{}}, 404, 404},
		{"fine-grained", object{"kind": "personal", "permissions": object{"contents": "write"}}, 403, 200},
		{"app", object{"kind": "app", "permissions": object{"contents": "write"}}, 403, 200},
		{"app with workflows", object{"kind": "app", "permissions": object{"contents": "write", "workflows": "write"}}, 200, 200},
		{"a workflow's own", object{"kind": "actions"}, 403, 200},
	} {
		c := s.client(s.token(k.token))
		if got := status(t, s.advance(c, "main", path, k.name)); got != k.workflow {
			t.Errorf("%s: a workflow file: %d", k.name, got)
		}
		if got := status(t, s.advance(c, "main", "a.tf", k.name)); got != k.other {
			t.Errorf("%s: another file: %d", k.name, got)
		}
		_, _, err := c.Repositories.CreateFile(t.Context(), "acme", "infra", ".github/workflows/"+strings.ReplaceAll(k.name, " ", "-"), &github.RepositoryContentFileOptions{Message: github.String("m"), Content: []byte("x")})
		if got := status(t, err); got != k.workflow {
			t.Errorf("%s: by the contents API: %d", k.name, got)
		}
	}
	s.push("change", path, "changed")
	number := s.open("change")
	if _, _, err := s.workflow().PullRequests.Merge(t.Context(), "acme", "infra", number, "", nil); status(t, err) != 403 || !strings.Contains(err.Error(), "without `workflows` permission") {
		t.Errorf("a workflow merges a workflow: %v", err)
	}
	_, res, err := s.client(s.token(object{"kind": "personal", "scopes": []string{"repo", "read:org"}})).Repositories.Get(t.Context(), "acme", "infra")
	if err != nil || res.Header.Get("X-OAuth-Scopes") != "repo, read:org" {
		t.Errorf("%v: scopes %q", err, res.Header.Get("X-OAuth-Scopes"))
	}
}

func TestWhatIsMissingIsNamed(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	for path, want := range map[string]string{".github/workflows/x.yml": "contents=write,workflows=write", "x.tf": "contents=write"} {
		c := s.client(s.token(object{"kind": "app", "permissions": object{"contents": "write"}}))
		_, res, _ := c.Git.CreateTree(t.Context(), "acme", "infra", "", []*github.TreeEntry{
			{Path: &path, Mode: github.String("100644"), Type: github.String("blob"), Content: github.String("x")},
		})
		if got := res.Header.Get("X-Accepted-GitHub-Permissions"); got != want {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
	}
}

func TestSomebodyElseComesFirst(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	s.must("meanwhile", object{"operation": "git/update-ref", "skip": 1, "what": "push", "input": object{"repo": repoName, "files": contents{"theirs": "x"}}})
	c := s.app()
	if got := []int{status(t, s.advance(c, "main", "a", "1")), status(t, s.advance(c, "main", "a", "2")), status(t, s.advance(c, "main", "a", "3"))}; got[0] != 200 || got[1] != 422 || got[2] != 200 {
		t.Errorf("%v: want the second overtaken", got)
	}
	if _, err := s.do("meanwhile", object{"operation": "git/push", "what": "push"}); err == nil {
		t.Error("before an operation that there is none of")
	}
}

func TestRolesAndArchivesSayWhoMayWrite(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	s.must("role", object{"repo": repoName, "login": "reader", "role": "read"})
	s.must("role", object{"repo": repoName, "login": "writer", "role": "write"})
	may := func(user string) (map[string]bool, int, int) {
		c := s.client(s.token(object{"kind": "personal", "user": user}))
		r, _, err := c.Repositories.Get(t.Context(), "acme", "infra")
		if err != nil {
			t.Fatal(err)
		}
		_, protection := c.Repositories.RemoveBranchProtection(t.Context(), "acme", "infra", "main")
		return r.Permissions, status(t, s.advance(c, "main", "a.tf", user)), status(t, protection)
	}
	if p, write, admin := may("reader"); !p["pull"] || p["push"] || write != 403 || admin != 403 {
		t.Errorf("reader: %v, %d, %d", p, write, admin)
	}
	if p, write, admin := may("writer"); !p["push"] || p["admin"] || write != 200 || admin != 403 {
		t.Errorf("writer: %v, %d, %d", p, write, admin)
	}
	if p, write, admin := may("octocat"); !p["admin"] || write != 200 || admin != 404 {
		t.Errorf("octocat: %v, %d, %d", p, write, admin)
	}
	r, _, err := s.client(s.token(object{"kind": "app"})).Repositories.Get(t.Context(), "acme", "infra")
	if err != nil || r.Permissions["push"] || r.GetOwner().GetID() == 0 || r.GetDefaultBranch() != "main" {
		t.Errorf("an app has a role: %v, %v", r, err)
	}
	s.must("archive", object{"repo": repoName})
	err = s.advance(s.workflow(), "main", "a.tf", "x")
	if status(t, err) != 403 || !strings.Contains(err.Error(), "archived so is read-only") {
		t.Errorf("%v", err)
	}
	if r, _, err := s.workflow().Repositories.Get(t.Context(), "acme", "infra"); err != nil || !r.GetArchived() {
		t.Errorf("%v, %v", r, err)
	}
}

func TestTagsLeadToTheirCommits(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	first := s.must("tag", object{"repo": repoName, "name": "v1.0.0"})
	s.push("main", "a.tf", "a")
	second := s.must("tag", object{"repo": repoName, "name": "v1.1.0", "annotated": true, "release": true})
	c := s.workflow()
	light, _, err := c.Git.GetRef(t.Context(), "acme", "infra", "tags/v1.0.0")
	if err != nil || light.GetObject().GetType() != "commit" || light.GetObject().GetSHA() != first["SHA"] {
		t.Errorf("%v, %v", light, err)
	}
	heavy, _, err := c.Git.GetRef(t.Context(), "acme", "infra", "tags/v1.1.0")
	if err != nil || heavy.GetObject().GetType() != "tag" || heavy.GetObject().GetSHA() != second["Object"] {
		t.Fatalf("%v, %v", heavy, err)
	}
	tag, _, err := c.Git.GetTag(t.Context(), "acme", "infra", heavy.GetObject().GetSHA())
	if err != nil || tag.GetObject().GetSHA() != second["SHA"] || tag.GetTag() != "v1.1.0" || tag.GetTagger().GetName() != "octocat" {
		t.Errorf("%v, %v", tag, err)
	}
	tags, _, err := c.Repositories.ListTags(t.Context(), "acme", "infra", nil)
	if err != nil || len(tags) != 2 || tags[0].GetName() != "v1.1.0" || tags[0].GetCommit().GetSHA() != second["SHA"] {
		t.Errorf("%v, %v", tags, err)
	}
	release, _, err := c.Repositories.GetLatestRelease(t.Context(), "acme", "infra")
	if err != nil || release.GetTagName() != "v1.1.0" {
		t.Errorf("%v, %v", release, err)
	}
	made, _, err := c.Git.CreateTag(t.Context(), "acme", "infra", &github.Tag{
		Tag: github.String("v2"), Message: github.String("two"), Object: &github.GitObject{SHA: tag.Object.SHA, Type: github.String("commit")},
	})
	if err != nil || made.GetMessage() != "two" {
		t.Errorf("%v, %v", made, err)
	}
}
