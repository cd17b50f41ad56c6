package github

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/githubhub"
)

const marker = "<!-- tidegate:infra -->"

func (w *world) sticky(text string) Sticky {
	return Sticky{Number: w.pull.Number, Marker: marker, Body: marker + "\n" + text}
}

func write(t *testing.T, r *Repository, s Sticky) Comment {
	t.Helper()
	c, err := r.WriteComment(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestACommentIsWrittenOnceAndThenUpdatedInPlace(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	first := write(t, w.open(t, w.token), w.sticky("one"))
	if !first.Created || first.Author != "github-actions[bot]" || first.URL == "" {
		t.Errorf("got %+v", first)
	}
	w.ForgetRequests()
	second := write(t, w.open(t, w.token), w.sticky("two")) // another run
	if second.ID != first.ID || second.Created {
		t.Errorf("got %+v, want an update of %d", second, first.ID)
	}
	if n := len(w.Requests()); n != 2 {
		t.Errorf("%d requests, want 2: %v", n, w.Count())
	}
	comments := w.repo.Comments(w.pull.Number)
	if len(comments) != 1 || !strings.HasSuffix(comments[0].Body, "two") {
		t.Errorf("comments: %+v", comments)
	}
}

func TestASecondWriteOfTheSameRunIsOneRequest(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := w.open(t, w.token)
	first := write(t, r, w.sticky("running"))
	w.ForgetRequests()
	if got := write(t, r, w.sticky("done")); got.ID != first.ID || got.Created {
		t.Errorf("got %+v", got)
	}
	if n := len(w.Requests()); n != 1 {
		t.Errorf("%d requests, want 1: %v", n, w.Count())
	}
}

func TestACommentThatSaysTheSameIsLeftAsItIs(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	write(t, w.open(t, w.token), w.sticky("same"))
	write(t, w.open(t, w.token), w.sticky("same"))
	if n := w.Count()["issues/update-comment"]; n != 0 {
		t.Errorf("%d updates, want none", n)
	}
}

func TestCommentsOfOthersAreLeftAloneWhateverTheyBeginWith(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	// A person and another app both wrote our marker; one of them is named as the remembered comment, too.
	theirs := w.repo.Comment(w.pull.Number, "octocat", marker+"\nfake")
	app := w.open(t, w.Token(githubhub.Token{Kind: githubhub.AppToken, App: "other-app"}))
	if _, err := app.CreateCheckRun(t.Context(), CheckRun{Name: "x", Commit: w.pull.HeadSHA}); err != nil {
		t.Fatal(err)
	}
	other := write(t, app, w.sticky("another app's"))

	s := w.sticky("ours")
	s.ID = theirs.ID
	ours := write(t, w.open(t, w.token), s)
	if !ours.Created || ours.ID == theirs.ID || ours.ID == other.ID {
		t.Errorf("wrote over another's: %+v", ours)
	}
	for _, c := range w.repo.Comments(w.pull.Number) {
		if c.ID == theirs.ID && c.Body != theirs.Body || c.ID == other.ID && !strings.HasSuffix(c.Body, "another app's") {
			t.Errorf("changed: %+v", c)
		}
	}
}

func TestARememberedCommentIsFoundWithoutLookingThroughAll(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for i := range 101 {
		w.repo.Comment(w.pull.Number, "octocat", fmt.Sprint("me too ", i))
	}
	s := w.sticky("one")
	s.ID = write(t, w.open(t, w.token), s).ID
	w.ForgetRequests()
	s.Body += " and two"
	if got := write(t, w.open(t, w.token), s); got.ID != s.ID {
		t.Errorf("got %+v, want %d", got, s.ID)
	}
	if n := w.Count(); len(w.Requests()) != 2 || n["issues/list-comments"] != 0 {
		t.Errorf("asked %v, want it read and written", n)
	}
	// Without its number it is found on the second page.
	s.ID, s.Body = 0, s.Body+" and three"
	if got := write(t, w.open(t, w.token), s); got.Created {
		t.Errorf("got %+v, want an update", got)
	}
}

func TestARememberedCommentOfAnotherPullRequestIsNotWrittenOver(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.repo.Push(githubhub.Commit{Branch: "other", Files: githubhub.Files{"x": "y"}})
	other := w.repo.Open(githubhub.NewPull{Head: "other"})
	r := w.open(t, w.token)
	elsewhere := write(t, r, Sticky{Number: other.Number, Marker: marker, Body: marker + "other"})
	s := w.sticky("here")
	s.ID = elsewhere.ID
	if got := write(t, w.open(t, w.token), s); got.ID == elsewhere.ID {
		t.Error("wrote over the comment of another pull request")
	}
}

func TestADeletedCommentIsMadeAnew(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := w.open(t, w.token)
	first := write(t, r, w.sticky("one"))
	w.repo.DeleteComment(first.ID)
	s := w.sticky("two")
	s.ID = first.ID
	other := write(t, w.open(t, w.token), s) // another run, which was told its number
	if !other.Created {
		t.Errorf("got %+v", other)
	}
	w.repo.DeleteComment(other.ID)
	if again := write(t, r, w.sticky("three")); !again.Created { // the run that wrote it
		t.Errorf("got %+v", again)
	}
	if n := len(w.repo.Comments(w.pull.Number)); n != 1 {
		t.Errorf("%d comments, want 1", n)
	}
}

func TestOfSeveralCommentsTheFirstIsKeptAndPeopleAreTold(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	first := w.repo.Comment(w.pull.Number, "github-actions[bot]", marker+"\none")
	second := w.repo.Comment(w.pull.Number, "github-actions[bot]", marker+"\ntwo")
	var n notices
	r := repository(t, w.client(t, Config{Token: w.token, Notice: n.tell}), "acme/infra")
	got := write(t, r, w.sticky("three"))
	if got.ID != first.ID || len(got.Duplicates) != 1 || got.Duplicates[0] != second.ID {
		t.Errorf("got %+v", got)
	}
	if !strings.Contains(n.text(), fmt.Sprint(second.ID)) {
		t.Errorf("people were told %q", n.text())
	}
}

func TestACommentEditedByHandIsPutRight(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	first := write(t, w.open(t, w.token), w.sticky("destroys 3"))
	w.repo.EditComment(first.ID, marker+"\ndestroys nothing")
	write(t, w.open(t, w.token), w.sticky("destroys 3"))
	if body := w.repo.Comments(w.pull.Number)[0].Body; !strings.HasSuffix(body, "destroys 3") {
		t.Errorf("it says %q", body)
	}
}

func TestACommentThatGitHubWroteWithoutAnsweringIsNotWrittenTwice(t *testing.T) {
	t.Parallel()
	for name, f := range map[string]githubhub.Fault{
		"502":     {Status: 502, Applied: true},
		"cut":     {Cut: true, Applied: true},
		"dropped": {Drop: true, Applied: true},
		"not yet": {Status: 503},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			f.Operation, f.Times = "issues/create-comment", 1
			w.Fail(f)
			got := write(t, w.open(t, w.token), w.sticky("once"))
			comments := w.repo.Comments(w.pull.Number)
			if len(comments) != 1 || comments[0].ID != got.ID {
				t.Errorf("got %+v, and the pull request has %+v", got, comments)
			}
		})
	}
}

func TestCommentsThatCouldNotBeFoundAgainAreRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for why, s := range map[string]Sticky{
		"begin with its marker": {Number: 1, Marker: marker, Body: "no marker"},
		`its marker ""`:         {Number: 1, Body: "text"},
		"65537 characters":      w.sticky(strings.Repeat("é", CommentLimit-len(marker))),
		"numbered from 1":       {Number: 0, Marker: marker, Body: marker},
	} {
		_, err := w.open(t, w.token).WriteComment(t.Context(), s)
		wantError(t, err, ErrRefused, why, "acme/infra")
	}
	if n := len(w.Requests()); n != 0 {
		t.Errorf("%d requests, want none", n)
	}
	longest := w.sticky("")
	longest.Body += strings.Repeat("é", CommentLimit-len(longest.Body))
	write(t, w.open(t, w.token), longest)
}

func TestAPersonsTokenFindsItsOwnComment(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	token := w.Token(githubhub.Token{Kind: githubhub.PersonalToken, User: "hubot"})
	first := write(t, w.open(t, token), w.sticky("one"))
	second := write(t, w.open(t, token), w.sticky("two"))
	if first.Author != "hubot" || second.ID != first.ID {
		t.Errorf("got %+v, then %+v", first, second)
	}
}

func TestAReadOnlyTokenSaysWhichPermissionACommentTakes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	token := w.Token(githubhub.Token{Kind: githubhub.ActionsToken, Permissions: githubhub.Permissions{"pull_requests": "read"}})
	_, err := w.open(t, token).WriteComment(within(t, time.Minute), w.sticky("x"))
	wantError(t, err, ErrPermission, "comment on pull request #1 in acme/infra", `"pull-requests: write"`, "forks", "Resource not accessible by integration")
}
