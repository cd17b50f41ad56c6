package githubtest

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-github/v60/github"
)

func status(t *testing.T, err error) int {
	t.Helper()
	switch e := err.(type) { //nolint:errorlint // go-github returns them as they are
	case nil:
		return http.StatusOK
	case *github.ErrorResponse:
		return e.Response.StatusCode
	case *github.RateLimitError:
		return e.Response.StatusCode
	case *github.AbuseRateLimitError:
		return e.Response.StatusCode
	}
	t.Fatalf("no answer: %v", err)
	return 0
}

func TestCommentKeepsItsAuthorWhoeverEditsIt(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	s.push("change", "b.tf", "b\n")
	number := s.open("change")
	c := s.workflow()
	made, _, err := c.Issues.CreateComment(t.Context(), "acme", "infra", number, &github.IssueComment{Body: github.String("plan")})
	if err != nil || made.GetUser().GetLogin() != "github-actions[bot]" || made.GetUser().GetType() != "Bot" {
		t.Fatalf("%v, %v", made, err)
	}
	s.must("edit-comment", object{"repo": repoName, "id": made.GetID(), "body": "forged"})
	got, _, err := c.Issues.GetComment(t.Context(), "acme", "infra", made.GetID())
	if err != nil || got.GetBody() != "forged" || got.GetUser().GetLogin() != "github-actions[bot]" || !got.GetUpdatedAt().After(got.GetCreatedAt().Time) {
		t.Errorf("%v, %v", got, err)
	}
	longest := strings.Repeat("ü", 65536)
	if _, _, err = c.Issues.EditComment(t.Context(), "acme", "infra", made.GetID(), &github.IssueComment{Body: &longest}); err != nil {
		t.Errorf("65,536 characters: %v", err)
	}
	longer := longest + "x"
	if _, _, err = c.Issues.EditComment(t.Context(), "acme", "infra", made.GetID(), &github.IssueComment{Body: &longer}); status(t, err) != 422 || !strings.Contains(err.Error(), "too long") {
		t.Errorf("65,537 characters: %v", err)
	}
	if _, err = c.Issues.DeleteComment(t.Context(), "acme", "infra", made.GetID()); err != nil {
		t.Error(err)
	}
	if _, _, err = c.Issues.GetComment(t.Context(), "acme", "infra", made.GetID()); status(t, err) != 404 {
		t.Errorf("a deleted comment: %v", err)
	}
}

func TestListsComeInPages(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	s.push("change", "b.tf", "b\n")
	number := s.open("change")
	for range 7 {
		s.must("comment", object{"repo": repoName, "number": number, "body": "x"})
	}
	c := s.workflow()
	seen, pages := 0, 0
	opts := &github.IssueListCommentsOptions{ListOptions: github.ListOptions{PerPage: 3}}
	for {
		list, res, err := c.Issues.ListComments(t.Context(), "acme", "infra", number, opts)
		if err != nil {
			t.Fatal(err)
		}
		seen, pages = seen+len(list), pages+1
		if res.NextPage == 0 {
			break
		}
		if res.LastPage != 3 {
			t.Errorf("the last page is %d", res.LastPage)
		}
		opts.Page = res.NextPage
	}
	if seen != 7 || pages != 3 {
		t.Errorf("%d comments on %d pages", seen, pages)
	}
}

func TestCheckRunsBelongToTheAppThatWroteThem(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	sha := s.push("change", "b.tf", "b\n")
	actions, other := s.workflow(), s.client(s.token(object{"kind": "app", "app": "acme-bot"}))
	opts := github.CreateCheckRunOptions{
		Name: "plan", HeadSHA: sha, ExternalID: github.String("e"), Status: github.String("completed"), Conclusion: github.String("success"),
		CompletedAt: &github.Timestamp{Time: time.Now()},
		Output: &github.CheckRunOutput{
			Title: github.String("t"), Summary: github.String("s"), Text: github.String("x"),
			Annotations: annotations(50),
		},
	}
	mine, _, err := actions.Checks.CreateCheckRun(t.Context(), "acme", "infra", opts)
	if err != nil || mine.GetApp().GetID() != 15368 || mine.GetApp().GetSlug() != "github-actions" || mine.GetOutput().GetAnnotationsCount() != 50 {
		t.Fatalf("%v, %v", mine, err)
	}
	if _, _, err := other.Checks.CreateCheckRun(t.Context(), "acme", "infra", opts); err != nil {
		t.Fatal(err)
	}
	update := github.UpdateCheckRunOptions{Name: "plan", Conclusion: github.String("failure"), Output: &github.CheckRunOutput{Title: github.String("t"), Summary: github.String("s"), Annotations: annotations(20)}}
	if _, _, err := other.Checks.UpdateCheckRun(t.Context(), "acme", "infra", mine.GetID(), update); status(t, err) != 403 {
		t.Errorf("another app changes it: %v", err)
	}
	if got, _, err := actions.Checks.UpdateCheckRun(t.Context(), "acme", "infra", mine.GetID(), update); err != nil || got.GetConclusion() != "failure" || got.GetOutput().GetAnnotationsCount() != 70 {
		t.Errorf("%v, %v", got, err)
	}
	person := s.client(s.token(object{"kind": "personal"}))
	if _, _, err := person.Checks.CreateCheckRun(t.Context(), "acme", "infra", opts); status(t, err) != 403 || !strings.Contains(err.Error(), "authenticate via a GitHub App") {
		t.Errorf("a person writes a check run: %v", err)
	}
	list, _, err := person.Checks.ListCheckRunsForRef(t.Context(), "acme", "infra", "change", &github.ListCheckRunsOptions{CheckName: github.String("plan"), AppID: github.Int64(15368)})
	if err != nil || list.GetTotal() != 1 || list.CheckRuns[0].GetID() != mine.GetID() || list.CheckRuns[0].GetExternalID() != "e" {
		t.Errorf("%v, %v", list, err)
	}
	all, _, err := person.Checks.ListCheckRunAnnotations(t.Context(), "acme", "infra", mine.GetID(), &github.ListOptions{PerPage: 100})
	if err != nil || len(all) != 70 {
		t.Errorf("%d annotations, %v", len(all), err)
	}
}

func annotations(n int) []*github.CheckRunAnnotation {
	var list []*github.CheckRunAnnotation
	for i := range n {
		list = append(list, &github.CheckRunAnnotation{
			Path: github.String("main.tf"), StartLine: github.Int(i + 1), EndLine: github.Int(i + 1),
			AnnotationLevel: github.String("warning"), Message: github.String("m"), Title: github.String("t"),
		})
	}
	return list
}

func TestWhatTheDescriptionForbidsIsRefusedAndRemembered(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	sha := s.push("change", "b.tf", "b\n")
	c := s.workflow()
	bad := map[string]func() error{
		"51 annotations": func() error {
			_, _, err := c.Checks.CreateCheckRun(t.Context(), "acme", "infra", github.CreateCheckRunOptions{Name: "plan", HeadSHA: sha, Output: &github.CheckRunOutput{Title: github.String("t"), Summary: github.String("s"), Annotations: annotations(51)}})
			return err
		},
		"a conclusion that there is not": func() error {
			_, _, err := c.Checks.CreateCheckRun(t.Context(), "acme", "infra", github.CreateCheckRunOptions{Name: "plan", HeadSHA: sha, Conclusion: github.String("fine")})
			return err
		},
		"a state that there is not": func() error {
			_, _, err := c.Repositories.CreateDeploymentStatus(t.Context(), "acme", "infra", 1, &github.DeploymentStatusRequest{State: github.String("done")})
			return err
		},
		"a parameter that there is not": func() error {
			req, _ := c.NewRequest("GET", "repos/acme/infra/pulls?stat=open", nil)
			_, err := c.Do(t.Context(), req, nil)
			return err
		},
		"a field that there is not": func() error {
			req, _ := c.NewRequest("POST", "repos/acme/infra/issues/1/comments", object{"body": "b", "boby": "b"})
			_, err := c.Do(t.Context(), req, nil)
			return err
		},
		"an operation that there is not": func() error {
			req, _ := c.NewRequest("POST", "repos/acme/infra/comments", nil)
			_, err := c.Do(t.Context(), req, nil)
			return err
		},
	}
	for what, do := range bad {
		if got := status(t, do()); got != 422 && got != 404 {
			t.Errorf("%s: %d", what, got)
		}
		if v := s.taken(); len(v) != 1 || v[0].Side != "request" {
			t.Errorf("%s: %+v", what, v)
		}
	}
}
