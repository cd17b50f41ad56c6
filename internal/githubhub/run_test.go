package githubhub_test

import (
	"testing"
	"time"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/githubhub"
)

func TestRunsThatAreOverSayHowLongTheyTook(t *testing.T) {
	t.Parallel()
	hub := githubhub.Start(t)
	repo := hub.Repository("acme/infra", nil)
	const file = ".github/workflows/fraud.yml"
	repo.Run(githubhub.NewRun{Workflow: file, Conclusion: "failure", Duration: 3 * time.Minute})
	repo.Run(githubhub.NewRun{Workflow: file, Status: "queued", Created: time.Now().Add(-time.Hour)})
	last := repo.Run(githubhub.NewRun{Workflow: file})
	repo.Finish(last, "success")
	token := hub.Token(githubhub.Token{Kind: githubhub.AppToken})
	var list struct {
		Runs []struct {
			ID                 int64
			Status, Conclusion string
			Started            time.Time `json:"run_started_at"`
			Updated            time.Time `json:"updated_at"`
		} `json:"workflow_runs"`
	}
	if got := ask(t, hub, token, "GET", "/repos/acme/infra/actions/workflows/fraud.yml/runs", nil, &list); got != 200 || len(list.Runs) != 3 {
		t.Fatalf("%d, %+v", got, list)
	}
	newest, failed, queued := list.Runs[0], list.Runs[1], list.Runs[2]
	if newest.ID != last.ID || newest.Conclusion != "success" || queued.Status != "queued" {
		t.Errorf("%+v", list)
	}
	if failed.Conclusion != "failure" || failed.Updated.Sub(failed.Started) != 3*time.Minute {
		t.Errorf("%+v", failed)
	}
}

func TestAnOutageInTheMiddleLeavesWhatWasDone(t *testing.T) {
	t.Parallel()
	hub := githubhub.Start(t)
	repo := hub.Repository("acme/infra", nil)
	token := hub.Token(githubhub.Token{Kind: githubhub.AppToken})
	put := func(name string) int {
		return ask(t, hub, token, "PUT", "/repos/acme/infra/environments/"+name, object{}, nil)
	}
	get := func() int { return ask(t, hub, token, "GET", "/repos/acme/infra", nil, nil) }
	hub.Fail(githubhub.Fault{Writes: true, Skip: 1, Outage: true, Status: 502})
	if got := []int{get(), put("a"), get(), put("b"), get()}; got[1] != 200 || got[2] != 200 || got[3] != 502 || got[4] != 502 {
		t.Errorf("%v", got)
	}
	hub.Heal()
	hub.Fail(githubhub.Fault{Writes: true, Times: 1, Applied: true, Drop: true})
	if got := []int{get(), put("c"), put("d")}; got[1] != 0 || got[2] != 200 {
		t.Errorf("%v", got)
	}
	if got := repo.Environments(); len(got) != 3 || got[1].Name != "c" {
		t.Errorf("%+v", got)
	}
}
