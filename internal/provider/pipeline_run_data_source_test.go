package provider

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/githubhub"
)

const runsAddress = "data.tidegate_pipeline_run.fraud"

// newHub is a GitHub with the repository acme/fraud, which a stage reaches as a workflow does: by its environment.
func newHub(t *testing.T, s *stage) (*githubhub.Hub, *githubhub.Repository) {
	t.Helper()
	hub := githubhub.Start(t)
	repo := hub.Repository("acme/fraud", githubhub.Files{".github/workflows/fraud.yml": "on: push\njobs: {}\n", "main.tf": "\n"})
	s.env = append(s.env, "GITHUB_API_URL="+hub.APIURL, "GITHUB_SERVER_URL="+hub.ServerURL)
	return hub, repo
}

func runsOf(more string) string {
	return "data \"tidegate_pipeline_run\" \"fraud\" {\n  repository = \"acme/fraud\"\n  path = \".github/workflows/fraud.yml\"\n" + more + "\n}\n"
}

func TestPipelineRunsTellHowTheLastOnesEnded(t *testing.T) {
	s := newStage(t)
	hub, repo := newHub(t, s)
	s.env = append(s.env, "GITHUB_TOKEN="+hub.Token(githubhub.Token{Kind: githubhub.PersonalToken}))
	s.config(runsOf(""))
	s.apply().ok()
	if none := s.state(runsAddress); none["conclusion"] != nil || none["url"] != nil || len(none["runs"].([]any)) != 0 {
		t.Errorf("without a run: %v", none)
	}

	repo.Push(githubhub.Commit{Branch: "tuning", Files: githubhub.Files{"main.tf": "# tuned\n"}})
	const workflow = ".github/workflows/fraud.yml"
	repo.Run(githubhub.NewRun{Workflow: ".github/workflows/other.yml", Conclusion: "failure", Duration: time.Second})
	failed := repo.Run(githubhub.NewRun{Workflow: workflow, Conclusion: "failure", Duration: 90 * time.Second, Created: time.Now().Add(-3 * time.Hour)})
	passed := repo.Run(githubhub.NewRun{Workflow: workflow, Conclusion: "success", Duration: 61 * time.Second, Created: time.Now().Add(-2 * time.Hour), Branch: "tuning", Event: "workflow_dispatch"})
	running := repo.Run(githubhub.NewRun{Workflow: workflow, Created: time.Now().Add(-time.Minute)})

	s.apply().ok()
	got := s.state(runsAddress)
	all := got["runs"].([]any)
	if len(all) != 3 || got["conclusion"] != "success" || !strings.HasSuffix(fmt.Sprint(got["url"]), "/acme/fraud/actions/runs/"+show(passed.ID)) {
		t.Fatalf("%v: want three runs, of which the newest completed one succeeded", got)
	}
	newest, second := all[0].(map[string]any), all[1].(map[string]any)
	if show(newest["id"]) != show(running.ID) || newest["conclusion"] != nil || newest["status"] != "in_progress" || newest["branch"] != "main" || newest["commit"] != running.SHA {
		t.Errorf("newest: %v", newest)
	}
	if show(second["duration_seconds"]) != "61" || second["branch"] != "tuning" || second["event"] != "workflow_dispatch" || second["status"] != "completed" {
		t.Errorf("second: %v", second)
	}
	at, err := time.Parse(time.RFC3339, fmt.Sprint(second["created_at"]))
	if since := time.Since(at); err != nil || since < 2*time.Hour-time.Minute || since > 2*time.Hour+time.Hour/2 {
		t.Errorf("created_at %v, %v", second["created_at"], err)
	}

	// The next Terraform asks whether what this one was told is still the same, which costs no quota.
	hub.ForgetRequests()
	s.plan().ok()
	for _, r := range hub.Requests() {
		if r.Status != http.StatusNotModified {
			t.Errorf("%s %s: %d, want %d", r.Method, r.Path, r.Status, http.StatusNotModified)
		}
	}

	for more, want := range map[string]any{
		`branch = "main"`:             failed.ID,
		`event = "workflow_dispatch"`: passed.ID,
		`status = "failure"`:          failed.ID,
		`branch = "none"`:             nil,
		`limit = 1`:                   nil, // the one that still runs
		`limit = 2`:                   passed.ID,
	} {
		s.config(runsOf(more))
		s.apply().ok()
		url := s.state(runsAddress)["url"]
		if want == nil && url != nil || want != nil && !strings.HasSuffix(fmt.Sprint(url), "/runs/"+show(want)) {
			t.Errorf("%s: %v, want %v", more, url, want)
		}
	}
	// The example, by its owner.
	s.config("provider \"tidegate\" {\n github {\n owner = \"acme\"\n}\n}\n",
		strings.Replace(example(t, "data-sources", "tidegate_pipeline_run", "data-source.tf"), "acme/fraud", "fraud", 1))
	s.apply().ok().says("The last run on main did not succeed", "/runs/"+show(failed.ID))
}

func TestPipelineRunsOfAWorkflowThatGitHubDoesNotKnowYetAreNone(t *testing.T) {
	s := newStage(t)
	hub, _ := newHub(t, s)
	s.env = append(s.env, "GH_TOKEN="+hub.Token(githubhub.Token{Kind: githubhub.ActionsToken}))
	s.config(strings.Replace(runsOf(""), "fraud.yml", "later.yml", 1))
	s.apply().ok().says("Warning: GitHub knows no such workflow yet", "acme/fraud has no workflow .github/workflows/later.yml")
	if none := s.state(runsAddress); len(none["runs"].([]any)) != 0 {
		t.Errorf("%v", none)
	}
}

func TestPipelineRunsThatCannotBeMeantAreRefusedAtPlan(t *testing.T) {
	s := newStage(t)
	for more, want := range map[string]string{
		`limit = 0`:       "0: want a whole number from 1 to 100",
		`limit = 101`:     "101: want a whole number from 1 to 100",
		`limit = 1.5`:     "1.5: want a whole number",
		`status = "done"`: `"done": want ["completed"`,
		`branch = ""`:     "want a branch, such as main, or leave it out",
		`event = ""`:      "want an event, such as push, or leave it out",
		`workflow = "x"`:  `An argument named "workflow" is not expected here`,
	} {
		s.config(runsOf(more))
		s.plan().fails().says(want)
	}
	for was, now := range map[string]string{
		`"acme/fraud"`:                  `"acme/fraud/x"`,
		`".github/workflows/fraud.yml"`: `"fraud.yml"`,
	} {
		s.config(strings.Replace(runsOf(""), was, now, 1))
		s.plan().fails().says(now + ": want")
	}
	s.config(strings.Replace(runsOf(""), "acme/", "", 1))
	s.plan().fails().says(`Repository "fraud": want OWNER/NAME, or an owner: github.owner of the provider block or of tidegate.json, or the environment variable GITHUB_OWNER`)
}

// What a person meets who connects for the first time.
func TestGitHubThatCannotBeReachedSaysWhatToDo(t *testing.T) {
	s := newStage(t)
	hub, _ := newHub(t, s)
	hub.PrivateRepository("acme/closed", githubhub.Files{".github/workflows/fraud.yml": "on: push\njobs: {}\n"})
	closed := strings.Replace(runsOf(""), "acme/fraud", "acme/closed", 1)
	block := func(github string) string {
		return "provider \"tidegate\" {\n github {\n" + github + "\n}\n}\n" + closed
	}
	with := func(env ...string) outcome {
		t.Helper()
		was := s.env
		defer func() { s.env = was }()
		s.env = append(s.env[:len(s.env):len(s.env)], env...)
		return s.plan()
	}
	s.config(closed)
	with().fails().says("Cannot read the runs of .github/workflows/fraud.yml in acme/closed", "not found", "No token was given, and without one only public repositories are there")

	expired := hub.Token(githubhub.Token{Kind: githubhub.PersonalToken})
	hub.Revoke(expired)
	with("GITHUB_TOKEN="+expired).fails().says("the token was not accepted", "It is expired, was revoked, or is of another server").neverSays(expired)

	elsewhere := hub.Token(githubhub.Token{Kind: githubhub.PersonalToken, Repos: []string{"acme/fraud"}})
	with("GITHUB_TOKEN="+elsewhere).fails().says("not found", "GitHub says the same where a token may not see it").neverSays(elsewhere)

	powerless := hub.Token(githubhub.Token{Kind: githubhub.AppToken, Permissions: githubhub.Permissions{}})
	with("GITHUB_TOKEN="+powerless).fails().says("a permission is missing", `It takes "actions: read"`).neverSays(powerless)

	token := hub.Token(githubhub.Token{Kind: githubhub.PersonalToken})
	with("GITHUB_TOKEN="+token, "GITHUB_API_URL=http://github.acme.io").fails().says("want https: a token would cross the network in the clear").neverSays(token)
	with("GITHUB_TOKEN="+token, "GITHUB_API_URL="+hub.ServerURL).fails().neverSays(token)
	hub.TakeViolations() // the last was no request of the API

	app := hub.App("acme-plans")
	s.write("key.pem", app.PrivateKey)
	asApp := func(id, installation string) {
		s.config(block("app {\n id = \"" + id + "\"\n installation_id = \"" + installation + "\"\n private_key_file = \"key.pem\"\n}"))
	}
	asApp(show(app.ID), show(app.Installation))
	with("GITHUB_TOKEN=" + expired).ok() // the block's App comes before the environment's token
	s.config(block("app {}"))
	with("GITHUB_APP_ID="+show(app.ID), "GITHUB_APP_INSTALLATION_ID="+show(app.Installation), "GITHUB_APP_PEM_FILE="+strings.ReplaceAll(app.PrivateKey, "\n", `\n`)).ok()
	asApp("4711", show(app.Installation))
	with().fails().says("Compare the App's id and its private key with the App's settings")
	asApp(show(app.ID), "4711")
	with().fails().says("The installation's number is the last part of its page's address")

	s.config(block("token = \"" + token + "\""))
	with("GITHUB_TOKEN=" + expired).ok()
	s.config(closed)
	with("GH_TOKEN=" + token).ok()
	with("GITHUB_TOKEN="+expired, "GH_TOKEN="+token).fails().says("the token was not accepted")
}

func TestGitHubThatIsDownIsTriedAgainAndThenSaid(t *testing.T) {
	s := newStage(t)
	hub, _ := newHub(t, s)
	token := hub.Token(githubhub.Token{Kind: githubhub.PersonalToken})
	s.env = append(s.env, "GITHUB_TOKEN="+token)
	s.config(runsOf(""))
	hub.Fail(githubhub.Fault{Status: 503, Times: 2})
	s.plan().ok()
	hub.Fail(githubhub.Fault{Status: 503})
	s.plan().fails().says("GitHub does not answer as it should: GitHub answered 503", "Nothing was changed by it", "See whether GitHub is up").neverSays(token)
}

func TestGitHubThatNobodyListensForIsSaid(t *testing.T) {
	s := newStage(t)
	s.env = append(s.env, "GITHUB_TOKEN=hush", "GITHUB_API_URL=http://127.0.0.1:1")
	s.config(runsOf(""))
	s.plan().fails().says("connect to 127.0.0.1:1: ", "Nothing was changed by it", "See whether GitHub is up").neverSays("hush")
}

// Who looks why a plan takes so long finds it in Terraform's log.
func TestAWaitForGitHubsLimitIsLogged(t *testing.T) {
	s := newStage(t)
	hub, _ := newHub(t, s)
	s.env = append(s.env, "GITHUB_TOKEN="+hub.Token(githubhub.Token{Kind: githubhub.PersonalToken}), "TF_LOG_PROVIDER=warn")
	s.config(runsOf(""))
	hub.Fail(githubhub.Fault{Secondary: true, RetryAfter: time.Second, Times: 1})
	s.plan().ok().says("[WARN] provider.terraform-provider-tidegate", "rate limit")
}
