package github

import (
	"bytes"
	"context"
	"crypto/sha1" //nolint:gosec // git names its objects by it
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// A tip is where a branch is.
type tip struct {
	commit, tree string
	protected    bool
}

// tip asks for it. A branch that is not there is ErrNotFound and errNoBranch, with the names of those that are like it.
func (r *Repository) tip(ctx context.Context, branch string) (tip, error) {
	t := task{doing: fmt.Sprintf("read branch %s", branch), needs: "contents: read"}
	var b struct {
		Protected bool
		Commit    struct {
			SHA    string
			Commit struct{ Tree struct{ SHA string } }
		}
	}
	_, err := r.get(ctx, "branches/"+url.PathEscape(branch), &b)
	if err == nil && (!fullSHA.MatchString(b.Commit.SHA) || !fullSHA.MatchString(b.Commit.Commit.Tree.SHA)) {
		err = strange(t)
	}
	if err != nil {
		return tip{}, r.noBranch(ctx, branch, r.failed(t, err))
	}
	return tip{b.Commit.SHA, b.Commit.Commit.Tree.SHA, b.Protected}, nil
}

// errNoBranch is the cause of an error about a branch that is not there, of a repository that is.
var errNoBranch = errors.New("no such branch")

// noBranch says more about a branch that is not there.
func (r *Repository) noBranch(ctx context.Context, branch string, err error) error {
	var e *Error
	if !errors.As(err, &e) || !strings.Contains(e.Message, "Branch not found") {
		return err
	}
	e.Message, e.cause = "there is no such branch", errNoBranch
	e.Next = "Push a first commit to it, or name another branch."
	if near, lost := r.branchesLike(ctx, branch); lost == nil && len(near) > 0 {
		e.Next = fmt.Sprintf("The repository has %s: correct the name, or make the branch first.", strings.Join(near, ", "))
	}
	return e
}

// branchesLike are names of branches, those that are most like a name first, at most five.
func (r *Repository) branchesLike(ctx context.Context, name string) ([]string, error) {
	var list []struct{ Name string }
	if _, err := r.get(ctx, "branches?per_page=100", &list); err != nil {
		return nil, err
	}
	var names []string
	for _, b := range list {
		names = append(names, b.Name)
	}
	return nearest(name, names, 5), nil
}

// A file of a repository at some commit; zero if there is none.
type file struct {
	blob    string // sha
	content string
}

// fileLimit is how long a workflow may be; GitHub takes none that is longer.
const fileLimit = 1 << 20

// file reads one at a commit or branch. None is no error.
func (r *Repository) file(ctx context.Context, path, ref string) (file, error) {
	t := task{doing: fmt.Sprintf("read %s at %s", path, shortRef(ref)), needs: "contents: read"}
	var raw json.RawMessage
	_, err := r.get(ctx, fmt.Sprintf("contents/%s?ref=%s", escapePath(path), url.QueryEscape(ref)), &raw)
	if err := r.failed(t, err); err != nil {
		if errors.Is(err, ErrNotFound) {
			return file{}, nil
		}
		return file{}, err
	}
	var one struct{ Type, SHA, Encoding, Content string }
	if bytes.HasPrefix(raw, []byte("[")) || json.Unmarshal(raw, &one) != nil || one.Type != "file" {
		return file{}, r.failed(t, &Error{Kind: ErrRefused, Message: "it is there and is no file, but a folder, a link or a submodule", Next: "Choose another path, or remove it."})
	}
	content, err := base64.StdEncoding.DecodeString(strings.ReplaceAll(one.Content, "\n", ""))
	if err != nil || one.Encoding != "base64" {
		return file{}, r.failed(t, &Error{Kind: ErrRefused, Message: fmt.Sprintf("it is longer than %d bytes", fileLimit), Next: "It is no workflow. Choose another path, or remove it."})
	}
	return file{one.SHA, string(content)}, nil
}

// folder lists the blobs of a folder at a branch, by path. No such folder is no error, and neither is no such branch. It is one
// request, of a folder: the tree of the whole repository may have a hundred thousand entries, and is cut off there.
func (r *Repository) folder(ctx context.Context, path, branch string) (map[string]string, error) {
	t := task{doing: fmt.Sprintf("list %s on %s", path, branch), needs: "contents: read"}
	var list []struct{ Type, Path, SHA string }
	_, err := r.get(ctx, fmt.Sprintf("contents/%s?ref=%s", escapePath(path), url.QueryEscape(branch)), &list)
	if err := r.failed(t, err); err != nil {
		if errors.Is(err, ErrNotFound) {
			return map[string]string{}, r.visible(ctx)
		}
		return nil, err
	}
	out := map[string]string{}
	for _, f := range list {
		if f.Type == "file" {
			out[f.Path] = f.SHA
		}
	}
	return out, nil
}

// visible tells a repository without something from one that the token may not see. Only the first is known to have nothing.
func (r *Repository) visible(ctx context.Context) error {
	_, err := r.facts(ctx)
	return err
}

// blob reads one by its sha.
func (r *Repository) blob(ctx context.Context, sha string) (string, error) {
	t := task{doing: "read blob " + short(sha), needs: "contents: read"}
	b, _, err := r.c.api.Git.GetBlob(ctx, r.owner, r.name, sha)
	if err != nil {
		return "", r.failed(t, err)
	}
	content, err := base64.StdEncoding.DecodeString(strings.ReplaceAll(b.GetContent(), "\n", ""))
	if err != nil || b.GetEncoding() != "base64" {
		return "", r.failed(t, strange(t))
	}
	return string(content), nil
}

// blobSHA is how git names a content: what has the name of what is known needs not be read.
func blobSHA(content string) string {
	h := sha1.New() //nolint:gosec // as above
	fmt.Fprintf(h, "blob %d\x00%s", len(content), content)
	return hex.EncodeToString(h.Sum(nil))
}

// facts are what a repository says of itself, and of the token that asks.
type facts struct {
	name     string // as it is now: a renamed repository answers to its old name too
	branch   string // the default one
	archived bool
	private  bool
	push     bool     // who has the token may push; of an App's token GitHub does not say
	classic  bool     // the token has scopes
	scopes   []string // of a classic token
}

func (r *Repository) facts(ctx context.Context) (facts, error) {
	t := task{doing: "read the repository", needs: "metadata: read"}
	repo, res, err := r.c.api.Repositories.Get(ctx, r.owner, r.name)
	if err == nil && repo.GetDefaultBranch() == "" {
		err = strange(t)
	}
	if err != nil {
		return facts{}, r.failed(t, err)
	}
	f := facts{
		name: repo.GetFullName(), branch: repo.GetDefaultBranch(), archived: repo.GetArchived(), private: repo.GetPrivate(),
		push: repo.GetPermissions()["push"],
	}
	if said, ok := res.Header[http.CanonicalHeaderKey("X-OAuth-Scopes")]; ok {
		f.classic = true
		f.scopes = strings.FieldsFunc(strings.Join(said, ","), func(c rune) bool { return c == ',' || c == ' ' })
	}
	return f, nil
}

// escapePath keeps the slashes of a path.
func escapePath(path string) string {
	parts := strings.Split(path, "/")
	for i, part := range parts {
		parts[i] = url.PathEscape(part)
	}
	return strings.Join(parts, "/")
}

func shortRef(ref string) string {
	if fullSHA.MatchString(ref) {
		return short(ref)
	}
	return ref
}
