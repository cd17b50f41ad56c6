package githubhub_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/githubhub"
)

const workflow = `name: plan
on: [pull_request]
jobs:
  plan:
    runs-on: ubuntu-latest
    outputs:
      sha: ${{ steps.look.outputs.sha }}
    steps:
      - uses: actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1
        with:
          persist-credentials: false
      - id: look
        env:
          TOKEN: ${{ github.token }}
          SECRET: ${{ secrets.KEY }}
        run: |
          echo "files: $(ls | tr '\n' ' ') at $(git rev-parse HEAD) of $GITHUB_REPOSITORY run $GITHUB_RUN_ID $GITHUB_REF by $SECRET"
          curl --silent --fail --header "Authorization: Bearer $TOKEN" --data '{"body": "hello"}' "$GITHUB_API_URL/repos/$GITHUB_REPOSITORY/issues/1/comments" > /dev/null
          { echo 'sha='"$GITHUB_SHA"; echo 'long<<EOF'; printf 'a\nb\n'; echo EOF; } >> "$GITHUB_OUTPUT"
          echo '# Summary' >> "$GITHUB_STEP_SUMMARY"
      - uses: acme/mine@v1
        id: mine
        with:
          who: you
      - id: upload
        uses: actions/upload-artifact@v4
        with:
          name: plan
          path: main.tf
      - if: ${{ github.event.pull_request.head.repo.fork }}
        run: exit 1
  apply:
    needs: plan
    runs-on: ubuntu-latest
    steps:
      - uses: actions/download-artifact@v4
        with:
          name: plan
          path: got
      - run: cat got/main.tf; exit 3
`

func TestWorkflowRunsOnTheHostAgainstTheHub(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("act takes minutes to build where it was never built")
	}
	hub := githubhub.Start(t)
	repo := hub.Repository("acme/infra", githubhub.Files{".github/workflows/plan.yml": workflow, "main.tf": "a = 1\n"})
	repo.Push(githubhub.Commit{Branch: "change", Files: githubhub.Files{"main.tf": "a = 2\n"}})
	pull := repo.Open(githubhub.NewPull{Head: "change"})
	mine := t.TempDir()
	action := "name: mine\ndescription: d\ninputs:\n  who:\n    description: w\noutputs:\n  greeting:\n    description: g\n    value: ${{ steps.greet.outputs.greeting }}\n" +
		"runs:\n  using: composite\n  steps:\n    - id: greet\n      shell: bash\n      run: echo 'greeting=hello ${{ inputs.who }}' >> \"$GITHUB_OUTPUT\"\n"
	if err := os.WriteFile(filepath.Join(mine, "action.yml"), []byte(action), 0o600); err != nil {
		t.Fatal(err)
	}
	r := hub.Act(githubhub.Job{
		Repo: repo, Dir: repo.Clone("refs/pull/1/merge"), Workflow: ".github/workflows/plan.yml",
		Event:   githubhub.Event{Name: "pull_request", Number: pull.Number},
		Secrets: map[string]string{"KEY": "correct horse"}, Actions: map[string]string{"acme/mine@v1": mine},
	})
	if r.ExitCode == 0 || r.Jobs["plan"] != "success" || r.Jobs["apply"] != "failure" {
		t.Fatalf("exit code %d, jobs %v:\n%s", r.ExitCode, r.Jobs, r.Log)
	}
	look := r.Step("look")
	if look.Result != "success" || look.Outputs["sha"] != pull.MergeSHA || look.Outputs["long"] != "a\nb" {
		t.Errorf("%+v, want %s", look, pull.MergeSHA)
	}
	if got := r.Step("mine").Outputs["greeting"]; got != "hello you" {
		t.Errorf("greeting %q", got)
	}
	if strings.TrimSpace(r.Summary) != "# Summary" {
		t.Errorf("summary %q", r.Summary)
	}
	if !strings.Contains(r.Log, "files: main.tf  at "+pull.MergeSHA+" of acme/infra run ") || strings.Contains(r.Log, "correct horse") {
		t.Errorf("log:\n%s", r.Log)
	}
	if c := repo.Comments(pull.Number); len(c) != 1 || c[0].Author != "github-actions[bot]" {
		t.Errorf("comments %+v", c)
	}
	if a := repo.Artifacts(r.Run.ID); len(a) != 1 || a[0].Files["main.tf"] != "a = 2\n" || r.Step("upload").Outputs["artifact-id"] == "" {
		t.Errorf("artifacts %+v", a)
	}
}
