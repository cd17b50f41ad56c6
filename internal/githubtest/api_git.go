package githubtest

import (
	"encoding/base64"
	"net/http"
	"regexp"
	"sort"
	"strings"
	"time"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/githubtest/bare"
)

var gitOperations = map[string]func(*call) (answer, error){
	"git/get-ref":            (*call).getRef,
	"git/list-matching-refs": (*call).matchingRefs,
	"git/create-ref":         (*call).createRef,
	"git/update-ref":         (*call).updateRef,
	"git/delete-ref":         (*call).deleteRef,
	"git/get-commit":         (*call).getGitCommit,
	"git/create-commit":      (*call).createGitCommit,
	"git/get-tree":           (*call).getTree,
	"git/create-tree":        (*call).createTree,
	"git/get-blob":           (*call).getBlob,
	"git/create-blob":        (*call).createBlob,
	"git/get-tag":            (*call).getTag,
	"git/create-tag":         (*call).createTag,
}

var shaPattern = regexp.MustCompile(`^[0-9a-f]{40}$`)

func (w *World) renderRef(r *repository, name, sha string) object {
	kind := r.git.Type(sha)
	return object{
		"ref": name, "node_id": "REF_" + sha, "url": w.link("/repos/%s/git/%s", r.fullName(), name),
		"object": object{"type": kind, "sha": sha, "url": w.link("/repos/%s/git/%ss/%s", r.fullName(), kind, sha)},
	}
}

func (c *call) getRef() (answer, error) {
	name := "refs/" + c.at.Params["ref"]
	sha := c.repo.git.Ref(name)
	if sha == "" {
		return answer{}, notFound()
	}
	return answer{status: http.StatusOK, value: c.w.renderRef(c.repo, name, sha)}, nil
}

func (c *call) matchingRefs() (answer, error) {
	refs, err := c.repo.git.Refs("refs/" + c.at.Params["ref"])
	if err != nil {
		return answer{}, err
	}
	names := make([]string, 0, len(refs))
	for name := range refs {
		names = append(names, name)
	}
	sort.Strings(names)
	render := func(name string) object { return c.w.renderRef(c.repo, name, refs[name]) }
	return answer{status: http.StatusOK, value: each(names, render)}, nil
}

func (c *call) createRef() (answer, error) {
	var in struct{ Ref, SHA string }
	if err := c.decode(&in); err != nil {
		return answer{}, err
	}
	if !strings.HasPrefix(in.Ref, "refs/heads/") && !strings.HasPrefix(in.Ref, "refs/tags/") {
		return answer{}, &problem{status: http.StatusUnprocessableEntity, message: "Reference name must start with 'refs/heads/' or 'refs/tags/'"}
	}
	if c.repo.git.Ref(in.Ref) != "" {
		return answer{}, &problem{status: http.StatusUnprocessableEntity, message: "Reference already exists"}
	}
	if !shaPattern.MatchString(in.SHA) || c.repo.git.Type(in.SHA) == "" {
		return answer{}, &problem{status: http.StatusUnprocessableEntity, message: "Object does not exist"}
	}
	if err := c.guard(change{ref: in.Ref, new: in.SHA}, http.StatusUnprocessableEntity); err != nil {
		return answer{}, err
	}
	if err := c.repo.git.SetRef(in.Ref, in.SHA); err != nil {
		return answer{}, err
	}
	return answer{status: http.StatusCreated, value: c.w.renderRef(c.repo, in.Ref, in.SHA)}, nil
}

func (c *call) updateRef() (answer, error) {
	var in struct {
		SHA   string
		Force bool
	}
	if err := c.decode(&in); err != nil {
		return answer{}, err
	}
	name := "refs/" + c.at.Params["ref"]
	old := c.repo.git.Ref(name)
	if old == "" {
		return answer{}, &problem{status: http.StatusUnprocessableEntity, message: "Reference does not exist"}
	}
	if !shaPattern.MatchString(in.SHA) || c.repo.git.Type(in.SHA) == "" {
		return answer{}, &problem{status: http.StatusUnprocessableEntity, message: "Object does not exist"}
	}
	if !in.Force && !c.repo.git.IsAncestor(old, in.SHA) {
		return answer{}, &problem{status: http.StatusUnprocessableEntity, message: "Update is not a fast forward"}
	}
	if err := c.guard(change{ref: name, old: old, new: in.SHA, force: in.Force}, http.StatusUnprocessableEntity); err != nil {
		return answer{}, err
	}
	if err := c.repo.git.SetRef(name, in.SHA); err != nil {
		return answer{}, err
	}
	if err := c.w.pushed(c.repo, c.who.who); err != nil {
		return answer{}, err
	}
	return answer{status: http.StatusOK, value: c.w.renderRef(c.repo, name, in.SHA)}, nil
}

func (c *call) deleteRef() (answer, error) {
	name := "refs/" + c.at.Params["ref"]
	old := c.repo.git.Ref(name)
	if old == "" {
		return answer{}, &problem{status: http.StatusUnprocessableEntity, message: "Reference does not exist"}
	}
	if err := c.guard(change{ref: name, old: old}, http.StatusUnprocessableEntity); err != nil {
		return answer{}, err
	}
	if err := c.repo.git.DeleteRef(name); err != nil {
		return answer{}, err
	}
	return answer{status: http.StatusNoContent}, c.w.pushed(c.repo, c.who.who)
}

// gitCommit is a commit as the git database has it; nil if it can not be read.
func (w *World) gitCommit(r *repository, sha string) object {
	c, err := r.git.Commit(sha)
	if err != nil {
		return nil
	}
	parents := []any{}
	for _, p := range c.Parents {
		parents = append(parents, object{
			"sha": p, "url": w.link("/repos/%s/git/commits/%s", r.fullName(), p), "html_url": w.url + "/" + r.fullName() + "/commit/" + p,
		})
	}
	return object{
		"sha": sha, "node_id": "C_" + sha, "url": w.link("/repos/%s/git/commits/%s", r.fullName(), sha),
		"html_url": w.url + "/" + r.fullName() + "/commit/" + sha, "author": person(c.Author), "committer": person(c.Committer),
		"message": c.Message, "tree": object{"sha": c.Tree, "url": w.link("/repos/%s/git/trees/%s", r.fullName(), c.Tree)},
		"parents": parents, "verification": unsigned(),
	}
}

func (c *call) getGitCommit() (answer, error) {
	out := c.w.gitCommit(c.repo, c.at.Params["commit_sha"])
	if out == nil {
		return answer{}, notFound()
	}
	return answer{status: http.StatusOK, value: out}, nil
}

func (c *call) createGitCommit() (answer, error) {
	type signed struct {
		Name, Email string
		Date        *time.Time
	}
	var in struct {
		Message, Tree     string
		Parents           []string
		Author, Committer *signed
	}
	if err := c.decode(&in); err != nil {
		return answer{}, err
	}
	if !shaPattern.MatchString(in.Tree) || c.repo.git.Type(in.Tree) != "tree" {
		return answer{}, &problem{status: http.StatusUnprocessableEntity, message: "Tree SHA does not exist"}
	}
	for _, p := range in.Parents {
		if !shaPattern.MatchString(p) || c.repo.git.Type(p) != "commit" {
			return answer{}, &problem{status: http.StatusUnprocessableEntity, message: "Parent SHA does not exist or is not a commit object"}
		}
	}
	who := func(s *signed, other bare.Signature) bare.Signature {
		if s == nil {
			return other
		}
		when := now()
		put(&when, s.Date)
		return bare.Signature{Name: s.Name, Email: s.Email, When: when}
	}
	author := who(in.Author, signature(c.who.who))
	sha, err := c.repo.git.Write(bare.Commit{Tree: in.Tree, Parents: in.Parents, Message: in.Message, Author: author, Committer: who(in.Committer, author)})
	if err != nil {
		return answer{}, err
	}
	return answer{status: http.StatusCreated, value: c.w.gitCommit(c.repo, sha)}, nil
}

func (w *World) renderTree(r *repository, sha string, entries []bare.Entry) object {
	return object{
		"sha": sha, "url": w.link("/repos/%s/git/trees/%s", r.fullName(), sha), "truncated": false,
		"tree": each(entries, func(e bare.Entry) object {
			out := object{"path": e.Path, "mode": e.Mode, "type": e.Type, "sha": e.SHA, "url": w.link("/repos/%s/git/%ss/%s", r.fullName(), e.Type, e.SHA)}
			if e.Type == "blob" {
				out["size"] = e.Size
			}
			return out
		}),
	}
}

func (c *call) getTree() (answer, error) {
	name := c.at.Params["tree_sha"]
	if sha := c.repo.git.Resolve(name); sha != "" {
		name = sha
	}
	if kind := c.repo.git.Type(name); kind != "tree" && kind != "commit" {
		return answer{}, notFound()
	}
	entries, err := c.repo.git.Tree(name, c.query("recursive") != "")
	if err != nil {
		return answer{}, err
	}
	return answer{status: http.StatusOK, value: c.w.renderTree(c.repo, name, entries)}, nil
}

func (c *call) createTree() (answer, error) {
	var in struct {
		BaseTree string `json:"base_tree"`
		Tree     []struct {
			Path, Mode, Type string
			SHA, Content     *string
		}
	}
	if err := c.decode(&in); err != nil {
		return answer{}, err
	}
	if in.BaseTree != "" && (!shaPattern.MatchString(in.BaseTree) || c.repo.git.Type(in.BaseTree) == "") {
		return answer{}, &problem{status: http.StatusNotFound, message: "base_tree is not a valid tree oid"}
	}
	var entries []bare.Entry
	for _, e := range in.Tree {
		if isWorkflow(e.Path) && !c.writesWorkflows() {
			return answer{}, c.noWorkflows()
		}
		entry := bare.Entry{Mode: e.Mode, Type: e.Type, Path: e.Path}
		switch {
		case e.Content != nil:
			sha, err := c.repo.git.WriteBlob([]byte(*e.Content))
			if err != nil {
				return answer{}, err
			}
			entry.SHA = sha
		case e.SHA != nil:
			if !shaPattern.MatchString(*e.SHA) || c.repo.git.Type(*e.SHA) == "" {
				return answer{}, &problem{status: http.StatusUnprocessableEntity, message: "tree.sha " + *e.SHA + " is not a valid blob"}
			}
			entry.SHA = *e.SHA
		}
		entries = append(entries, entry)
	}
	sha, err := c.repo.git.Edit(in.BaseTree, entries)
	if err != nil {
		return answer{}, &problem{status: http.StatusUnprocessableEntity, message: "tree: " + err.Error()}
	}
	made, err := c.repo.git.Tree(sha, false)
	if err != nil {
		return answer{}, err
	}
	return answer{status: http.StatusCreated, value: c.w.renderTree(c.repo, sha, made)}, nil
}

func (c *call) getBlob() (answer, error) {
	sha := c.at.Params["file_sha"]
	if !shaPattern.MatchString(sha) || c.repo.git.Type(sha) != "blob" {
		return answer{}, notFound()
	}
	b, err := c.repo.git.Blob(sha)
	if err != nil {
		return answer{}, err
	}
	return answer{status: http.StatusOK, value: object{
		"sha": sha, "node_id": "B_" + sha, "size": len(b), "encoding": "base64", "content": base64.StdEncoding.EncodeToString(b),
		"url": c.w.link("/repos/%s/git/blobs/%s", c.repo.fullName(), sha),
	}}, nil
}

func (c *call) createBlob() (answer, error) {
	var in struct{ Content, Encoding string }
	if err := c.decode(&in); err != nil {
		return answer{}, err
	}
	b := []byte(in.Content)
	if in.Encoding == "base64" {
		decoded, err := base64.StdEncoding.DecodeString(in.Content)
		if err != nil {
			return answer{}, &problem{status: http.StatusUnprocessableEntity, message: "content is not valid Base64"}
		}
		b = decoded
	}
	sha, err := c.repo.git.WriteBlob(b)
	if err != nil {
		return answer{}, err
	}
	return answer{status: http.StatusCreated, value: object{"sha": sha, "url": c.w.link("/repos/%s/git/blobs/%s", c.repo.fullName(), sha)}}, nil
}
