package github

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strings"
)

// A Pin is an action at one commit.
type Pin struct {
	Action  string // "actions/checkout", "anchore/scan-action/download-grype"
	Version string // that was asked for or found: "v7.0.1", a branch's name, or the commit itself
	Commit  string // full sha
	// Branch is true if Version is a branch: then it names no version, and is another commit tomorrow.
	Branch bool
}

var (
	actionName  = regexp.MustCompile(`^([A-Za-z0-9][A-Za-z0-9_-]*/[A-Za-z0-9._-]+)((?:/[A-Za-z0-9._-]+)*)$`)
	shortSHA    = regexp.MustCompile(`^[0-9a-f]{7,39}$`)
	refName     = regexp.MustCompile(`^[^\s~^:?*\[\\\x00-\x1f\x7f]+$`)
	tagsOfATag  = 5 // how often a tag may be of a tag
	refsOfBadly = []string{"..", "//", "@{"}
)

// Resolve finds the commit of a ref of an action: a tag (an annotated one is followed to its commit), a branch where no tag is
// called so, or a full commit, which is looked up. A short sha is refused. Works without a token for public repositories. One to three
// requests, once for each ref of a Client.
func (c *Client) Resolve(ctx context.Context, action, ref string) (Pin, error) {
	r, t, err := c.action(action, ref)
	if err != nil {
		return Pin{}, err
	}
	return c.pins.get(action+"@"+ref, func() (Pin, error) {
		pin, err := r.resolve(ctx, ref)
		if err != nil {
			return Pin{}, r.pinFailed(t, ref, err)
		}
		pin.Action = action
		return pin, nil
	})
}

// action checks the words for an action and its ref, and names the repository.
func (c *Client) action(action, ref string) (*Repository, task, error) {
	t := task{doing: fmt.Sprintf("find the commit of %q at %q", action, ref), needs: "contents: read"}
	m := actionName.FindStringSubmatch(action)
	if m == nil || strings.Contains(action, "..") {
		return nil, t, &Error{Doing: t.doing, Kind: ErrRefused, Message: "want OWNER/REPOSITORY or OWNER/REPOSITORY/FOLDER, such as actions/checkout",
			Next: "Actions of the repository itself (./...) and images (docker://...) have no ref: images are pinned by their digest."}
	}
	bad := !refName.MatchString(ref) || strings.HasPrefix(ref, "-") || strings.HasPrefix(ref, "/") || strings.HasSuffix(ref, "/")
	for _, part := range refsOfBadly {
		bad = bad || strings.Contains(ref, part)
	}
	if bad {
		return nil, t, &Error{Doing: t.doing, Kind: ErrRefused, Message: "no tag can be called so", Next: "Give a tag such as v4.1.0, or a full commit."}
	}
	r, err := c.Repository(m[1])
	if err != nil {
		return nil, t, &Error{Doing: t.doing, Kind: ErrRefused, Message: err.Error()}
	}
	return r, t, nil
}

// A gitObject is what a ref or an annotated tag leads to.
type gitObject struct {
	Type string `json:"type"`
	SHA  string `json:"sha"`
}

func (r *Repository) resolve(ctx context.Context, ref string) (Pin, error) {
	if fullSHA.MatchString(ref) {
		var commit struct{ SHA string }
		_, err := r.get(ctx, "git/commits/"+ref, &commit)
		if err == nil && commit.SHA != ref {
			err = strange(task{})
		}
		return Pin{Version: ref, Commit: ref}, err
	}
	for _, kind := range []string{"tags", "heads"} {
		var found struct {
			Ref    string    `json:"ref"`
			Object gitObject `json:"object"`
		}
		_, err := r.get(ctx, "git/ref/"+kind+"/"+escapeRef(ref), &found)
		if missing(err) {
			continue
		}
		if err != nil {
			return Pin{}, err
		}
		if found.Ref != "refs/"+kind+"/"+ref {
			return Pin{}, strange(task{})
		}
		commit, err := r.peel(ctx, found.Object)
		return Pin{Version: ref, Commit: commit, Branch: kind == "heads"}, err
	}
	return Pin{}, errNoRef
}

var errNoRef = errors.New("no such ref")

// peel follows annotated tags, which may be of tags, to a commit.
func (r *Repository) peel(ctx context.Context, o gitObject) (string, error) {
	for range tagsOfATag {
		if o.Type != "tag" {
			break
		}
		var tag struct {
			Object gitObject `json:"object"`
		}
		if _, err := r.get(ctx, "git/tags/"+url.PathEscape(o.SHA), &tag); err != nil {
			return "", err
		}
		o = tag.Object
	}
	if o.Type != "commit" {
		return "", &Error{Kind: ErrRefused, Message: oneLine(fmt.Sprintf("it leads to a %s, not to a commit", o.Type))}
	}
	if !fullSHA.MatchString(o.SHA) {
		return "", strange(task{})
	}
	return o.SHA, nil
}

// escapeRef keeps the slashes of a ref.
func escapeRef(ref string) string {
	parts := strings.Split(ref, "/")
	for i := range parts {
		parts[i] = url.PathEscape(parts[i])
	}
	return strings.Join(parts, "/")
}

// pinFailed says how else an action can be pinned.
func (r *Repository) pinFailed(t task, ref string, err error) error {
	if errors.Is(err, errNoRef) {
		e := &Error{Kind: ErrNotFound, Message: "there is neither a tag nor a branch of this name", Next: fmt.Sprintf("See the releases of %s/%s; or the token may not see the repository.", r.c.server, r)}
		if shortSHA.MatchString(ref) {
			e.Kind, e.Next = ErrRefused, "A shortened commit can be that of something else tomorrow: give all 40 digits."
		}
		return r.failed(t, e)
	}
	failed := r.failed(t, err)
	var e *Error
	switch {
	case !errors.As(failed, &e):
	case errors.Is(e.Kind, ErrNotFound) && r.c.server != "https://github.com":
		e.Next += " Actions of github.com are not at this server's API: pin them to full commits in pins."
	case errors.Is(e.Kind, ErrRateLimit) && r.c.nobody:
		e.Next = "Without a token GitHub answers 60 requests an hour to an address: give a token, or full commits in pins."
	}
	return failed
}
