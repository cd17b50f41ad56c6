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

// byPull brings the file by our pull request: the one that is open, or a new one. Each step is found again by the next
// delivery if this one ends after it: the commit on a branch of our name, then the pull request by its marker.
func (d *delivery) byPull(ctx context.Context) (delivered, error) {
	unlock, err := d.c.turn(ctx, d.Repository)
	if err != nil {
		return delivered{}, err
	}
	defer unlock()
	if d.change.done(d.file) { // on the branch already
		pull, err := d.supersede(ctx)
		return delivered{pull: pull, file: d.file}, err
	}
	if d.pull == nil {
		if err := d.allow(d.file, d.branch); err != nil {
			return delivered{}, err
		}
	}
	for try := range commitTries {
		if err = sleep(ctx, d.c.pause*time.Duration(try)); err != nil {
			return delivered{}, err
		}
		var out delivered
		if out, err = d.tryPull(ctx); !errors.Is(err, errBehind) {
			return out, err
		}
		if lost := d.findPull(ctx); lost != nil { // what it is now
			return delivered{}, lost
		}
	}
	return delivered{}, err
}

func (d *delivery) tryPull(ctx context.Context) (delivered, error) {
	if d.pull == nil {
		return d.openPull(ctx)
	}
	if err := d.allow(d.head, d.pull.GetHead().GetRef()); err != nil && !d.change.done(d.head) && !d.unfinished() {
		return delivered{}, err
	}
	out := delivered{pull: statusOf(d.pull), file: d.head}
	sha, err := d.pushHead(ctx, head{name: d.pull.GetHead().GetRef(), commit: d.pull.GetHead().GetSHA()}, d.head)
	if err != nil {
		return out, err
	}
	out.commit, out.file = sha, d.wanted()
	return out, d.updatePull(ctx)
}

// unfinished reports whether the pull request is that of a create which was killed, before Terraform could write it down: then
// the plan was made against the branch.
func (d *delivery) unfinished() bool { return !d.known && d.file.content == d.planned }

// openPull opens a pull request from a branch of our own.
func (d *delivery) openPull(ctx context.Context) (delivered, error) {
	h, err := d.freeHead(ctx)
	if err != nil {
		return delivered{}, err
	}
	now := file{}
	if h.commit != "" { // an unfinished delivery's
		if now, err = d.Repository.file(ctx, d.path, h.commit); err != nil {
			return delivered{}, err
		}
	}
	sha, err := d.pushHead(ctx, h, now)
	if err != nil {
		return delivered{}, err
	}
	pull, err := d.createPull(ctx, h.name)
	if err != nil {
		return delivered{}, err
	}
	d.pull, d.head = pull, d.wanted()
	return delivered{commit: sha, pull: statusOf(pull), file: d.head}, nil
}

// pushHead commits to the branch that a pull request comes from, which is made if it has no commit yet. "" is the commit if the
// file is there already.
func (d *delivery) pushHead(ctx context.Context, h head, now file) (string, error) {
	if h.commit != "" && d.change.done(now) {
		return "", nil
	}
	tree, parents, err := d.under(ctx, h)
	if err != nil {
		return "", err
	}
	sha, err := d.commit(ctx, tree, parents, d.message(), d.change)
	if err != nil {
		return "", err
	}
	if h.commit == "" {
		return sha, d.create(ctx, h.name, sha)
	}
	return sha, d.move(ctx, h.name, sha)
}

// under is what a commit on a head branch is made on. Where the branch has nothing but our file, and the base moved on since, that
// is both of them with the tree of the base: then the pull request cannot conflict. Where people added to it, theirs stays.
func (d *delivery) under(ctx context.Context, h head) (tree string, parents []string, err error) {
	base, err := d.tip(ctx, d.branch)
	if err != nil {
		return "", nil, err
	}
	if h.commit == "" {
		return base.tree, []string{base.commit}, nil
	}
	c, err := d.compare(ctx, base.commit, h.commit)
	if err != nil {
		return "", nil, err
	}
	if c.behind > 0 && c.only(d.path) {
		return base.tree, []string{h.commit, base.commit}, nil
	}
	at, err := d.tip(ctx, h.name)
	if err != nil {
		return "", nil, err
	}
	return at.tree, []string{at.commit}, nil
}

// A comparison is what a branch has that its base has not.
type comparison struct {
	ahead, behind int
	files         []string // that it changes, at most 300
}

func (c comparison) only(path string) bool {
	for _, f := range c.files {
		if f != path {
			return false
		}
	}
	return true
}

func (r *Repository) compare(ctx context.Context, base, head string) (comparison, error) {
	t := task{doing: fmt.Sprintf("compare %s with %s", short(base), short(head)), needs: "contents: read"}
	var c struct {
		Ahead  int `json:"ahead_by"`
		Behind int `json:"behind_by"`
		Files  []struct {
			Filename string
			Before   string `json:"previous_filename"` // of one that was renamed, and is gone
		}
	}
	if _, err := r.get(ctx, fmt.Sprintf("compare/%s...%s?per_page=1", base, head), &c); err != nil {
		return comparison{}, r.failed(t, err)
	}
	out := comparison{ahead: c.Ahead, behind: c.Behind}
	for _, f := range c.Files {
		out.files = append(out.files, f.Filename)
		if f.Before != "" {
			out.files = append(out.files, f.Before)
		}
	}
	return out, nil
}

// headsLimit is how many branches of our name there may be that are not ours.
const headsLimit = 20

// freeHead chooses the branch for a new pull request: one that is not there yet, or that an unfinished delivery left. One whose
// pull request was merged or closed is made anew: its commits stay in refs/pull. Anybody else's is left alone.
func (d *delivery) freeHead(ctx context.Context) (head, error) {
	there := map[string]head{}
	for _, h := range d.heads {
		there[h.name] = h
	}
	for n := 1; n <= headsLimit; n++ {
		name := headName(d.path)
		if n > 1 {
			name = fmt.Sprintf("%s-%d", name, n)
		}
		h, ok := there[name]
		if !ok {
			return head{name: name}, nil
		}
		switch h.kind() {
		case headOver:
			return head{name: name}, d.drop(ctx, name)
		case headBusy:
			continue
		case headLeft:
		}
		base, err := d.tip(ctx, d.branch)
		if err != nil {
			return head{}, err
		}
		c, err := d.compare(ctx, base.commit, h.commit)
		if err != nil {
			return head{}, err
		}
		if c.only(d.path) {
			return h, nil
		}
	}
	return head{}, d.failed(task{doing: "choose a branch for a pull request"}, &Error{
		Kind: ErrRefused, Message: fmt.Sprintf("%s and %d more of that name are somebody else's", headName(d.path), headsLimit-1), Next: "Remove branches that nobody needs.",
	})
}

type headKind int

const (
	headLeft headKind = iota // no pull request came from it as it is
	headOver                 // its pull request is merged or closed
	headBusy                 // a pull request is open from it, which is not ours
)

func (h head) kind() headKind {
	for _, p := range h.pulls {
		if p.GetState() == "open" {
			return headBusy
		}
	}
	for _, p := range h.pulls {
		if p.GetHead().GetSHA() == h.commit {
			return headOver
		}
	}
	return headLeft
}

// createPull opens a pull request. One that is there since a moment ago, by a lost answer, is it.
func (d *delivery) createPull(ctx context.Context, from string) (*gh.PullRequest, error) {
	t := task{doing: "open a pull request from branch " + from, needs: "pull-requests: write", write: true}
	title, body := d.words.title, d.words.body
	find := func() (*gh.PullRequest, bool, error) {
		found, err := d.pullsFrom(ctx, from)
		for _, p := range found {
			if p.GetState() == "open" && d.isOurs(p) {
				return p, true, nil
			}
		}
		return nil, false, err
	}
	pull, err := once(ctx, d.c.pause, func() (*gh.PullRequest, error) {
		made, _, err := d.c.api.PullRequests.Create(ctx, d.owner, d.name, &gh.NewPullRequest{
			Title: &title, Head: &from, Base: &d.branch, Body: &body,
		})
		if err == nil && made.GetNumber() == 0 {
			err = strange(t)
		}
		return made, d.pullRefused(d.failed(t, err))
	}, find)
	if err == nil {
		d.c.learn(userIdentity(pull.GetUser()))
		return pull, nil
	}
	var e *Error
	if errors.As(err, &e) && strings.Contains(e.Message, "already exists") {
		if found, ok, lost := find(); ok && lost == nil {
			return found, nil
		}
	}
	return nil, err
}

// pullRefused says what to do where a token may push and may open no pull request.
func (d *delivery) pullRefused(err error) error {
	var e *Error
	if !errors.As(err, &e) || e.Status != http.StatusForbidden && e.Status != http.StatusNotFound {
		return err
	}
	if strings.Contains(e.Message, "not permitted to create") {
		e.Next = "The repository's settings keep workflows from opening pull requests. " + neverByActions
		return e
	}
	e.Kind = ErrPermission
	e.Next = fmt.Sprintf("The commit is on its branch already, and is taken up by the next run. The token needs %q. %s", e.Permission, neverByActions)
	return e
}

// updatePull keeps title and text of our open pull request up to date.
func (d *delivery) updatePull(ctx context.Context) error {
	title, body := d.words.title, d.words.body
	if d.pull.GetTitle() == title && d.pull.GetBody() == body {
		return nil
	}
	t := task{doing: fmt.Sprintf("update pull request #%d", d.pull.GetNumber()), needs: "pull-requests: write", write: true}
	_, _, err := d.c.api.PullRequests.Edit(mayRepeat(ctx), d.owner, d.name, d.pull.GetNumber(), &gh.PullRequest{Title: &title, Body: &body})
	return d.pullRefused(d.failed(t, err))
}

func (r *Repository) closePull(ctx context.Context, number int) (*gh.PullRequest, error) {
	t := task{doing: fmt.Sprintf("close pull request #%d", number), needs: "pull-requests: write", write: true}
	closed, _, err := r.c.api.PullRequests.Edit(mayRepeat(ctx), r.owner, r.name, number, &gh.PullRequest{State: text("closed")})
	return closed, r.failed(t, err)
}
