package githubtest

import (
	"errors"
	"fmt"
	"strings"
)

func (w *World) controlPush(in struct {
	Repo, Branch, From, Message, Author string
	Force                               bool
	Files                               contents
	Remove                              []string
}) (any, error) {
	r, err := w.repo(in.Repo)
	if err != nil {
		return nil, err
	}
	sha, err := w.commit(r, commit{
		branch: orDefault(in.Branch, r.branch), from: in.From, force: in.Force, message: orDefault(in.Message, "Change"),
		author: orDefault(in.Author, "octocat"), files: in.Files, remove: in.Remove,
	})
	return object{"SHA": sha}, err
}

func (w *World) controlDeleteBranch(in named) (any, error) {
	r, err := w.repo(in.Repo)
	if err != nil {
		return nil, err
	}
	if err := r.git.DeleteRef("refs/heads/" + in.Branch); err != nil {
		return nil, err
	}
	return nil, w.pushed(r, w.account("octocat"))
}

// controlDelete removes a repository. Pull requests from it stay open with the commits that they have.
func (w *World) controlDelete(in named) (any, error) {
	r, err := w.repo(in.Repo)
	if err != nil {
		return nil, err
	}
	r.gone = true
	delete(w.repos, strings.ToLower(r.fullName()))
	return nil, nil
}

func (w *World) controlResolve(in named) (any, error) {
	r, err := w.repo(in.Repo)
	if err != nil {
		return nil, err
	}
	sha := r.git.Resolve(in.Ref)
	if sha == "" {
		return nil, fmt.Errorf("%s has no %s", in.Repo, in.Ref)
	}
	return object{"SHA": sha}, nil
}

func (w *World) controlOpen(in struct {
	Repo, Head, Base, Title, Body, Author string
	Draft                                 bool
}) (any, error) {
	r, err := w.repo(in.Repo)
	if err != nil {
		return nil, err
	}
	p, err := w.newPull(r, pull{
		title: orDefault(in.Title, "Change"), body: in.Body, baseRef: in.Base, draft: in.Draft,
		author: w.account(orDefault(in.Author, "octocat")),
	}, in.Head)
	if err != nil {
		return nil, err
	}
	return w.tellPull(p), nil
}

func (w *World) tellPull(p *pull) object {
	return object{
		"Number": p.number, "State": p.state(), "Merged": !p.merged.IsZero(), "Title": p.title, "HeadSHA": p.headSHA,
		"BaseSHA": p.baseSHA, "MergeSHA": p.merge, "UpdatedAt": p.updated,
	}
}

func (w *World) controlPull(in named) (any, error) {
	p, err := w.pullOf(in)
	if err != nil {
		return nil, err
	}
	return w.tellPull(p), nil
}

func (w *World) controlMerge(in named) (any, error) {
	p, err := w.pullOf(in)
	if err != nil {
		return nil, err
	}
	sha, err := w.mergePull(p, merging{method: in.Method, by: w.account("octocat")}, nil)
	return object{"SHA": sha}, err
}

func (w *World) controlClosePull(in named) (any, error) {
	p, err := w.pullOf(in)
	if err != nil {
		return nil, err
	}
	return nil, p.setOpen(false)
}

func (w *World) controlRetitle(in named) (any, error) {
	p, err := w.pullOf(in)
	if err != nil {
		return nil, err
	}
	p.title, p.updated = in.Title, now()
	return nil, nil
}

func (w *World) controlToken(in struct {
	Kind, App, User string
	Permissions     map[string]string
	Repos, Scopes   []string
}) (any, error) {
	t, err := w.newToken(in.Kind, in.App, in.User, in.Permissions, in.Repos)
	if err != nil {
		return nil, err
	}
	if in.Scopes != nil {
		if err := w.classic(t, in.Scopes); err != nil {
			return nil, err
		}
	}
	return object{"Secret": t.secret}, nil
}

func (w *World) tokenOf(secret string) (*token, error) {
	if t := w.tokens[secret]; t != nil {
		return t, nil
	}
	return nil, errors.New("no such token")
}

func (w *World) controlRevoke(in struct{ Secret string }) (any, error) {
	t, err := w.tokenOf(in.Secret)
	if err != nil {
		return nil, err
	}
	t.revoked = true
	return nil, nil
}

func (w *World) controlApp(in struct{ Slug string }) (any, error) {
	if in.Slug == "" || in.Slug == actionsSlug {
		return nil, fmt.Errorf("app %q: want a slug of an app of one's own", in.Slug)
	}
	a := w.app(in.Slug)
	key, err := a.privateKey()
	if err != nil {
		return nil, err
	}
	return object{"ID": a.id, "Slug": a.slug, "Installation": a.installation, "PrivateKey": key}, nil
}
