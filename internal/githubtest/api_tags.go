package githubtest

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/githubtest/bare"
)

var tagOperations = map[string]func(*call) (answer, error){
	"repos/list-tags":          (*call).listTags,
	"repos/get-latest-release": (*call).latestRelease,
}

// renderTag is an annotated tag, which is an object of its own.
func (w *World) renderTag(r *repository, t bare.Tag) object {
	return object{
		"sha": t.SHA, "node_id": "T_" + t.SHA, "tag": t.Name, "message": t.Message, "tagger": person(t.Tagger), "verification": unsigned(),
		"url":    w.link("/repos/%s/git/tags/%s", r.fullName(), t.SHA),
		"object": object{"sha": t.Object, "type": t.Type, "url": w.link("/repos/%s/git/%ss/%s", r.fullName(), t.Type, t.Object)},
	}
}

func (c *call) getTag() (answer, error) {
	sha := c.at.Params["tag_sha"]
	if !shaPattern.MatchString(sha) || c.repo.git.Type(sha) != "tag" {
		return answer{}, notFound()
	}
	t, err := c.repo.git.Tag(sha)
	return answer{status: http.StatusOK, value: c.w.renderTag(c.repo, t)}, err
}

func (c *call) createTag() (answer, error) {
	var in struct {
		Tag, Message, Object, Type string
		Tagger                     *struct {
			Name, Email string
			Date        *time.Time
		}
	}
	if err := c.decode(&in); err != nil {
		return answer{}, err
	}
	if !shaPattern.MatchString(in.Object) || c.repo.git.Type(in.Object) != in.Type {
		return answer{}, &problem{status: http.StatusUnprocessableEntity, message: "Object does not exist"}
	}
	by := signature(c.who.who)
	if in.Tagger != nil {
		by.Name, by.Email = in.Tagger.Name, in.Tagger.Email
		put(&by.When, in.Tagger.Date)
	}
	sha, err := c.repo.git.WriteTag(bare.Tag{Object: in.Object, Type: in.Type, Name: in.Tag, Message: in.Message, Tagger: by})
	if err != nil {
		return answer{}, &problem{status: http.StatusUnprocessableEntity, message: "tag: " + err.Error()}
	}
	t, err := c.repo.git.Tag(sha)
	return answer{status: http.StatusCreated, value: c.w.renderTag(c.repo, t)}, err
}

// tags are the names of all tags, the last by name first, as GitHub has them.
func (r *repository) tags() ([]string, error) {
	refs, err := r.git.Refs("refs/tags/")
	if err != nil {
		return nil, err
	}
	names := make([]string, 0, len(refs))
	for ref := range refs {
		names = append(names, strings.TrimPrefix(ref, "refs/tags/"))
	}
	slices.Sort(names)
	slices.Reverse(names)
	return names, nil
}

func (c *call) listTags() (answer, error) {
	names, err := c.repo.tags()
	if err != nil {
		return answer{}, err
	}
	at := "/repos/" + c.repo.fullName()
	return answer{status: http.StatusOK, value: each(page(c, names), func(name string) object {
		sha := c.repo.git.Resolve("refs/tags/" + name) // of the commit, also behind an annotated one
		return object{
			"name": name, "node_id": "REF_" + name, "commit": object{"sha": sha, "url": c.w.link("%s/commits/%s", at, sha)},
			"zipball_url": c.w.link("%s/zipball/refs/tags/%s", at, name), "tarball_url": c.w.link("%s/tarball/refs/tags/%s", at, name),
		}
	})}, nil
}

// latestRelease is the release that a test made last.
func (c *call) latestRelease() (answer, error) {
	if c.repo.release == "" {
		return answer{}, notFound()
	}
	api := c.w.link("/repos/%s/releases", c.repo.fullName())
	return answer{status: http.StatusOK, value: object{
		"id": c.repo.id, "node_id": node("RE", c.repo.id), "tag_name": c.repo.release, "name": c.repo.release, "target_commitish": c.repo.branch,
		"draft": false, "prerelease": false, "author": c.w.renderAccount(c.w.account("octocat")), "assets": []any{}, "body": "",
		"created_at": stamp(c.repo.created), "published_at": stamp(c.repo.created), "url": api + "/latest", "assets_url": api + "/latest/assets",
		"html_url": c.w.url + "/" + c.repo.fullName() + "/releases/tag/" + c.repo.release, "upload_url": api + "/latest/assets",
		"tarball_url": nil, "zipball_url": nil,
	}}, nil
}

// controlTag makes a tag, or moves one.
func (w *World) controlTag(in struct {
	Repo, Name, Ref string
	Annotated       bool
	Release         bool
}) (any, error) {
	r, err := w.repo(in.Repo)
	if err != nil {
		return nil, err
	}
	if in.Name == "" {
		return nil, errors.New("a tag without a name")
	}
	commit := r.git.Resolve(orDefault(in.Ref, r.branch))
	if commit == "" {
		return nil, errors.New(in.Repo + " has no " + in.Ref)
	}
	sha := commit
	if in.Annotated {
		sha, err = r.git.WriteTag(bare.Tag{Object: commit, Type: "commit", Name: in.Name, Message: in.Name, Tagger: signature(w.account("octocat"))})
		if err != nil {
			return nil, err
		}
	}
	if in.Release {
		r.release = in.Name
	}
	return object{"SHA": commit, "Object": sha}, r.git.SetRef("refs/tags/"+in.Name, sha)
}
