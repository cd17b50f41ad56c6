package github

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	gh "github.com/google/go-github/v60/github"
)

// A fileChange is what a commit does with one file.
type fileChange struct {
	path    string
	content string // "" removes it: no workflow is empty
}

// done reports whether a file is what the change would make of it.
func (f fileChange) done(now file) bool {
	return now.content == f.content && (now.blob != "") == (f.content != "")
}

// Why a branch did not take a commit.
var (
	errBehind    = errors.New("the branch moved meanwhile")
	errProtected = errors.New("the branch refuses pushes")
)

// commitTries is how often a commit is made anew on a branch that keeps moving.
const commitTries = 6

// commit makes a commit of files on top of parents, the first of which has the tree. No branch has it yet, so doing it twice
// does no harm.
func (r *Repository) commit(ctx context.Context, tree string, parents []string, message string, files ...fileChange) (string, error) {
	var paths []string
	var entries []*gh.TreeEntry
	for _, f := range files {
		paths = append(paths, f.path)
		e := &gh.TreeEntry{Path: text(f.path), Mode: text("100644"), Type: text("blob")}
		if f.content != "" {
			e.Content = text(f.content)
		}
		entries = append(entries, e)
	}
	t := task{doing: "commit " + strings.Join(paths, ", "), needs: "contents: write", write: true}
	if err := r.mayWrite(t); err != nil {
		return "", err
	}
	made, _, err := r.c.api.Git.CreateTree(mayRepeat(ctx), r.owner, r.name, tree, entries)
	if err == nil && !fullSHA.MatchString(made.GetSHA()) {
		err = strange(t)
	}
	if err != nil {
		return "", r.workflowsRefused(r.failed(t, err))
	}
	commit := &gh.Commit{Message: &message, Tree: &gh.Tree{SHA: made.SHA}}
	for _, p := range parents {
		commit.Parents = append(commit.Parents, &gh.Commit{SHA: &p})
	}
	// Whose token it is, is the author: nobody is named here.
	out, _, err := r.c.api.Git.CreateCommit(mayRepeat(ctx), r.owner, r.name, commit, nil)
	if err == nil && !fullSHA.MatchString(out.GetSHA()) {
		err = strange(t)
	}
	if err != nil {
		return "", r.workflowsRefused(r.failed(t, err))
	}
	return out.GetSHA(), nil
}

// move makes a branch point at a commit that has its present one among its parents; never otherwise. The error wraps errBehind
// or errProtected where it is that.
func (r *Repository) move(ctx context.Context, branch, commit string) error {
	t := task{doing: fmt.Sprintf("push commit %s to branch %s", short(commit), branch), needs: "contents: write", write: true}
	ref := &gh.Reference{Ref: text("refs/heads/" + branch), Object: &gh.GitObject{SHA: &commit}}
	_, _, err := r.c.api.Git.UpdateRef(mayRepeat(ctx), r.owner, r.name, ref, false) // the second time it is there already
	if err == nil {
		return nil
	}
	return r.pushRefused(ctx, branch, r.failed(t, err))
}

// create makes a branch. One that is there already, and elsewhere, is errBehind.
func (r *Repository) create(ctx context.Context, branch, commit string) error {
	t := task{doing: fmt.Sprintf("make branch %s at %s", branch, short(commit)), needs: "contents: write", write: true}
	ref := &gh.Reference{Ref: text("refs/heads/" + branch), Object: &gh.GitObject{SHA: &commit}}
	there := func() (struct{}, bool, error) {
		now, _, err := r.c.api.Git.GetRef(ctx, r.owner, r.name, "heads/"+branch)
		return struct{}{}, err == nil && now.GetObject().GetSHA() == commit, passOver404(err)
	}
	_, err := once(ctx, r.c.pause, func() (struct{}, error) {
		_, _, err := r.c.api.Git.CreateRef(ctx, r.owner, r.name, ref)
		return struct{}{}, r.failed(t, err)
	}, there)
	if err == nil {
		return nil
	}
	var e *Error
	if errors.As(err, &e) && strings.Contains(e.Message, "already exists") {
		if _, is, lost := there(); lost == nil && is {
			return nil
		}
		e.cause = errBehind
		return e
	}
	return r.pushRefused(ctx, branch, err)
}

// drop removes a branch; it succeeds if there is none.
func (r *Repository) drop(ctx context.Context, branch string) error {
	t := task{doing: "remove branch " + branch, needs: "contents: write", write: true}
	_, err := r.c.api.Git.DeleteRef(mayRepeat(ctx), r.owner, r.name, "heads/"+branch)
	err = r.failed(t, err)
	var e *Error
	if errors.As(err, &e) && (e.Status == http.StatusNotFound || strings.Contains(e.Message, "does not exist")) {
		return nil
	}
	return err
}

func passOver404(err error) error {
	var status *gh.ErrorResponse
	if errors.As(err, &status) && status.Response.StatusCode == http.StatusNotFound {
		return nil
	}
	return err
}

// pushRefused finds out why a branch did not take a commit.
func (r *Repository) pushRefused(ctx context.Context, branch string, err error) error {
	var e *Error
	if !errors.As(err, &e) || e.Status < 400 || e.Status >= 500 {
		return err
	}
	said := strings.ToLower(e.Message)
	has := func(words ...string) bool {
		for _, w := range words {
			if strings.Contains(said, w) {
				return true
			}
		}
		return false
	}
	switch {
	case has("fast forward", "fast-forward"):
		e.cause = errBehind
		e.Next = "Somebody pushes to it all the time. Run again when it is quiet: nothing was overwritten."
	case has("refusing to allow", "`workflow` scope", "`workflows` permission"), e.Status == http.StatusNotFound:
		return r.workflowsRefused(err)
	case has("protected", "rule violation", "pull request", "status check", "review is required", "approving review", "not authorized to push",
		"push declined", "signature", "merge queue", "gh006", "gh013"):
		e.cause = errProtected
	case e.Status == http.StatusConflict, e.Status == http.StatusUnprocessableEntity, e.Status == http.StatusForbidden && !has("resource not accessible"):
		if at, lost := r.tip(ctx, branch); lost == nil && at.protected {
			e.cause = errProtected
		}
	}
	if errors.Is(e, errProtected) {
		e.Next = fmt.Sprintf("Branch %s is protected: deliver by pull request (delivery mode \"pull_request\"), or let this token bypass the protection.", branch)
	}
	return err
}

// workflowsRefused says what GitHub does not: it answers 404 or 403 where a token may write files but no workflows.
func (r *Repository) workflowsRefused(err error) error {
	var e *Error
	if !errors.As(err, &e) {
		return err
	}
	named := strings.Contains(e.Message, "workflow")
	if !named && (e.Status != http.StatusNotFound && e.Status != http.StatusForbidden || strings.Contains(e.Message, "archived")) {
		return err
	}
	e.Kind, e.Permission = ErrPermission, "workflows: write"
	e.Next = `A file in .github/workflows takes "contents: write" and "workflows: write" of an App or a fine-grained token, and the scopes repo and workflow of a classic one; without them GitHub says that it is not there. ` + neverByActions
	return e
}

// neverByActions is what to know about the token of a workflow.
const neverByActions = "The GITHUB_TOKEN of a workflow can never write workflow files, and starts no checks on the pull requests that it opens: give the token of an App (actions/create-github-app-token) or of a person."

// commitTo puts a file onto a branch in one commit. may says whether what is there now may be replaced; it is asked again if the
// branch moves meanwhile. "" is the commit where the file is what it should be already.
func (r *Repository) commitTo(ctx context.Context, branch string, f fileChange, message string, may func(file) error) (string, error) {
	unlock, err := r.c.turn(ctx, r)
	if err != nil {
		return "", err
	}
	defer unlock()
	for try := range commitTries {
		if err = sleep(ctx, r.c.pause*time.Duration(try)); err != nil {
			return "", err
		}
		sha, moved := r.tryCommit(ctx, branch, f, message, may)
		if err = moved; !errors.Is(err, errBehind) {
			return sha, err
		}
	}
	return "", err
}

func (r *Repository) tryCommit(ctx context.Context, branch string, f fileChange, message string, may func(file) error) (string, error) {
	at, err := r.tip(ctx, branch)
	if err != nil {
		return "", err
	}
	now, err := r.file(ctx, f.path, at.commit)
	if err != nil || f.done(now) {
		return "", err
	}
	if err := may(now); err != nil {
		return "", err
	}
	sha, err := r.commit(ctx, at.tree, []string{at.commit}, message, f)
	if err != nil {
		return "", err
	}
	return sha, r.move(ctx, branch, sha)
}
