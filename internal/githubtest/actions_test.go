package githubtest

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-github/v60/github"
)

func TestDeploymentHasStatuses(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	c := s.workflow()
	sha := s.must("resolve", object{"repo": repoName, "ref": "main"})["SHA"].(string)
	make := func(env string) *github.Deployment {
		d, _, err := c.Repositories.CreateDeployment(t.Context(), "acme", "infra", &github.DeploymentRequest{
			Ref: &sha, Environment: &env, AutoMerge: github.Bool(false), RequiredContexts: &[]string{}, Description: github.String("apply"),
			Payload: object{"root": "."},
		})
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	set := func(d *github.Deployment, state string) {
		_, _, err := c.Repositories.CreateDeploymentStatus(t.Context(), "acme", "infra", d.GetID(), &github.DeploymentStatusRequest{
			State: &state, LogURL: github.String("http://x/1"), Description: github.String("d"), EnvironmentURL: github.String("http://y/"),
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	old := make("staging")
	set(old, "success")
	young := make("staging")
	set(young, "in_progress")
	set(young, "success")
	statuses, _, err := c.Repositories.ListDeploymentStatuses(t.Context(), "acme", "infra", old.GetID(), nil)
	if err != nil || len(statuses) != 2 || statuses[0].GetState() != "inactive" || statuses[1].GetLogURL() != "http://x/1" {
		t.Errorf("of what was there before: %v, %v", statuses, err)
	}
	list, _, err := c.Repositories.ListDeployments(t.Context(), "acme", "infra", &github.DeploymentsListOptions{Environment: "staging", SHA: sha})
	if err != nil || len(list) != 2 || list[0].GetID() != young.GetID() || list[0].GetCreator().GetLogin() != "github-actions[bot]" {
		t.Errorf("%v, %v", list, err)
	}
}

func TestDeploymentIsRefusedWhileChecksHaveNotPassed(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	c := s.workflow()
	sha := s.push("main", "b.tf", "b\n")
	if _, _, err := c.Checks.CreateCheckRun(t.Context(), "acme", "infra", github.CreateCheckRunOptions{Name: "plan", HeadSHA: sha, Status: github.String("in_progress")}); err != nil {
		t.Fatal(err)
	}
	_, _, err := c.Repositories.CreateDeployment(t.Context(), "acme", "infra", &github.DeploymentRequest{Ref: github.String("main")})
	if status(t, err) != 409 {
		t.Errorf("deployed beside a running check: %v", err)
	}
}

func TestJobIsACheckRunOfTheAppThatItsTokenIsOf(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	run := s.must("run", object{"repo": repoName, "job": "plan"})
	c := s.client(run["Token"].(string))
	sha := run["SHA"].(string)
	if _, _, err := c.Checks.CreateCheckRun(t.Context(), "acme", "infra", github.CreateCheckRunOptions{Name: "Tidegate", HeadSHA: sha, Conclusion: github.String("success")}); err != nil {
		t.Fatal(err)
	}
	list, _, err := c.Checks.ListCheckRunsForRef(t.Context(), "acme", "infra", sha, nil)
	if err != nil || list.GetTotal() != 2 {
		t.Fatalf("%v, %v", list, err)
	}
	mine, job := list.CheckRuns[0], list.CheckRuns[1]
	if job.GetName() != "plan" || job.GetStatus() != "in_progress" || job.GetApp().GetID() != mine.GetApp().GetID() || job.GetID() != int64(run["JobID"].(float64)) {
		t.Errorf("%v", job)
	}
	deploy := func(contexts *[]string) int {
		_, _, err := c.Repositories.CreateDeployment(t.Context(), "acme", "infra", &github.DeploymentRequest{Ref: &sha, AutoMerge: github.Bool(false), RequiredContexts: contexts})
		return status(t, err)
	}
	if got := []int{deploy(nil), deploy(&[]string{"Tidegate"}), deploy(&[]string{})}; got[0] != 409 || got[1] != 200 || got[2] != 200 {
		t.Errorf("%v: want a conflict with the job itself, and none where it is not asked for", got)
	}
	s.must("finish", object{"repo": repoName, "run": run["ID"], "conclusion": "success"})
	if got := deploy(nil); got != 200 {
		t.Errorf("after the job's end: %d", got)
	}
}

func TestArtifactsAreOfTheirRunAndDownloadedWithoutTheToken(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	first, second := s.must("run", object{"repo": repoName}), s.must("run", object{"repo": repoName, "workflow": ".github/workflows/apply.yml"})
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "plan.age"), []byte("sealed"), 0o600); err != nil {
		t.Fatal(err)
	}
	outputs := filepath.Join(dir, "outputs")
	env := func(run object) func(string) string {
		return func(name string) string {
			return map[string]string{
				"GITHUB_SERVER_URL": s.url, "GITHUB_REPOSITORY": repoName, "GITHUB_TOKEN": run["Token"].(string), "GITHUB_OUTPUT": outputs,
				"GITHUB_RUN_ID": strconv.Itoa(int(run["ID"].(float64))),
			}[name]
		}
	}
	if err := Upload(env(first), "plan", []string{filepath.Join(dir, "plan.age")}); err != nil {
		t.Fatal(err)
	}
	if err := Upload(env(first), "plan", []string{dir}); err == nil || !strings.Contains(err.Error(), "409") {
		t.Errorf("the same name twice: %v", err)
	}
	if err := Download(env(second), "plan", dir); err == nil {
		t.Error("a run got the artifact of another")
	}
	if err := Download(env(first), "plan", filepath.Join(dir, "back")); err != nil {
		t.Error(err)
	}
	if b, _ := os.ReadFile(filepath.Join(dir, "back", "plan.age")); string(b) != "sealed" {
		t.Errorf("it came back as %q", b)
	}
	c := s.workflow()
	id := int64(first["ID"].(float64))
	list, _, err := c.Actions.ListWorkflowRunArtifacts(t.Context(), "acme", "infra", id, nil)
	if err != nil || list.GetTotalCount() != 1 || list.Artifacts[0].GetWorkflowRun().GetID() != id {
		t.Fatalf("%v, %v", list, err)
	}
	artifact := list.Artifacts[0].GetID()
	if b, _ := os.ReadFile(outputs); !strings.Contains(string(b), "artifact-id="+strconv.FormatInt(artifact, 10)+"\n") {
		t.Errorf("outputs %q", b)
	}
	at, _, err := c.Actions.DownloadArtifact(t.Context(), "acme", "infra", artifact, 0)
	if err != nil {
		t.Fatal(err)
	}
	for header, want := range map[string]int{"": 200, "Bearer x": 400} {
		req, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, at.String(), nil)
		if header != "" {
			req.Header.Set("Authorization", header)
		}
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		b, _ := io.ReadAll(res.Body)
		_ = res.Body.Close()
		if res.StatusCode != want {
			t.Errorf("download with %q: %d", header, res.StatusCode)
		}
		if files, err := unzip(b); want == 200 && (err != nil || files["plan.age"] != "sealed") {
			t.Errorf("%v, %v", files, err)
		}
	}
	s.must("expire-artifact", object{"repo": repoName, "id": artifact})
	if _, res, err := c.Actions.DownloadArtifact(t.Context(), "acme", "infra", artifact, 0); err == nil || res.StatusCode != http.StatusGone {
		t.Errorf("an expired artifact: %v", err)
	}
	run, _, err := c.Actions.GetWorkflowRunByID(t.Context(), "acme", "infra", id)
	if err != nil || !strings.HasSuffix(run.GetHTMLURL(), "/actions/runs/"+strconv.FormatInt(id, 10)) {
		t.Errorf("%v, %v", run, err)
	}
	jobs, _, err := c.Actions.ListWorkflowJobs(t.Context(), "acme", "infra", id, nil)
	if err != nil || jobs.GetTotalCount() != 1 || jobs.Jobs[0].GetRunID() != id {
		t.Errorf("%v, %v", jobs, err)
	}
}

func TestPayloadsParseAsWebhooks(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	s.push("change", "b.tf", "b\n")
	number := s.open("change")
	for _, in := range []object{
		{"name": "pull_request", "number": number, "action": "synchronize"}, {"name": "push"},
		{"name": "workflow_dispatch", "inputs": object{"root": "."}},
	} {
		in["repo"] = repoName
		rec := s.must("payload", in)
		b, _ := toJSON(rec)
		event, err := github.ParseWebHook(in["name"].(string), b)
		if err != nil {
			t.Errorf("%v: %v", in, err)
		}
		switch e := event.(type) {
		case *github.PullRequestEvent:
			if e.GetNumber() != number || e.GetPullRequest().GetHead().GetRef() != "change" || e.GetRepo().GetFullName() != repoName {
				t.Errorf("%v", e)
			}
		case *github.PushEvent:
			if e.GetRef() != "refs/heads/main" || len(e.GetAfter()) != 40 || e.GetHeadCommit().GetID() != e.GetAfter() {
				t.Errorf("%v", e)
			}
		case *github.WorkflowDispatchEvent:
			if e.GetRef() != "refs/heads/main" || !strings.Contains(string(e.Inputs), "root") {
				t.Errorf("%v", e)
			}
		default:
			t.Errorf("%T", event)
		}
	}
}
