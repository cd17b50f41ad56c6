package github

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/githubhub"
)

func TestADeploymentGoesThroughItsStates(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := w.open(t, w.token)
	// A check that failed does not keep us from saying what happened.
	check(t, r, CheckRun{Name: "lint", Commit: w.repo.SHA, Conclusion: Failure})
	d, err := r.CreateDeployment(t.Context(), Deployment{Commit: w.repo.SHA, Environment: "production", Description: strings.Repeat("é", 150), Production: true})
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []DeploymentStatus{
		{State: InProgress, LogURL: r.RunURL(7, 0)},
		{State: FailedTo, Description: strings.Repeat("x", 150), LogURL: r.RunURL(7, 0), EnvironmentURL: "https://example.com"},
	} {
		if err := r.SetDeploymentStatus(t.Context(), d.ID, s); err != nil {
			t.Fatal(err)
		}
	}
	log := w.ServerURL + "/acme/infra/actions/runs/7"
	want := []githubhub.Deployment{{
		ID: d.ID, SHA: w.repo.SHA, Ref: w.repo.SHA, Environment: "production", Description: strings.Repeat("é", 68) + "...", Creator: "github-actions[bot]",
		Statuses: []githubhub.DeploymentStatus{
			{State: "in_progress", LogURL: log},
			{State: "failure", Description: strings.Repeat("x", 137) + "...", LogURL: log, EnvironmentURL: "https://example.com"},
		},
	}}
	if d := cmp.Diff(want, w.repo.Deployments()); d != "" {
		t.Error(d)
	}
}

func TestALostAnswerMakesNoSecondDeployment(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.Fail(githubhub.Fault{Operation: "repos/create-deployment", Times: 1, Drop: true, Applied: true})
	w.Fail(githubhub.Fault{Operation: "repos/create-deployment-status", Times: 2, Status: 503})
	r := w.open(t, w.token)
	d, err := r.CreateDeployment(t.Context(), Deployment{Commit: w.repo.SHA, Environment: "staging", Transient: true})
	if err != nil {
		t.Fatal(err)
	}
	if err := r.SetDeploymentStatus(t.Context(), d.ID, DeploymentStatus{State: Succeeded}); err != nil {
		t.Fatal(err)
	}
	if all := w.repo.Deployments(); len(all) != 1 || all[0].ID != d.ID || len(all[0].Statuses) != 1 {
		t.Errorf("got %+v, and there is %+v", d, all)
	}
}

func TestADeploymentSaysWhatItTakes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := w.open(t, w.Token(githubhub.Token{Kind: githubhub.ActionsToken, Permissions: githubhub.Permissions{"contents": "read"}}))
	_, err := r.CreateDeployment(t.Context(), Deployment{Commit: w.repo.SHA, Environment: "production"})
	wantError(t, err, ErrPermission, `create a deployment of `+w.repo.SHA[:7]+` to "production" in acme/infra`, `"deployments: write"`)
	err = r.SetDeploymentStatus(t.Context(), 4711, DeploymentStatus{State: Succeeded})
	wantError(t, err, ErrPermission, "set deployment 4711 to success", `"deployments: write"`)
	err = w.open(t, w.token).SetDeploymentStatus(t.Context(), 4711, DeploymentStatus{State: Succeeded})
	wantError(t, err, ErrNotFound, "set deployment 4711", `has "deployments: write"`)
}
