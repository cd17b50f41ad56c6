package githubtest

import (
	"encoding/base64"
	"net/http"
	"path"
	"sort"
	"strings"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/githubtest/bare"
)

var repoOperations = map[string]func(*call) (answer, error){
	"repos/get": func(c *call) (answer, error) {
		out := c.w.renderRepo(c.repo)
		if c.who != nil {
			out["permissions"] = c.permissions()
		}
		return answer{status: http.StatusOK, value: out}, nil
	},
	"repos/get-branch":                     (*call).getBranch,
	"repos/list-branches":                  (*call).listBranches,
	"repos/get-commit":                     (*call).getCommit,
	"repos/list-commits":                   (*call).listCommits,
	"repos/compare-commits-with-basehead":  (*call).compare,
	"repos/get-content":                    (*call).getContent,
	"repos/create-or-update-file-contents": (*call).putContent,
}

func (w *World) renderBranch(r *repository, name, sha string) object {
	return object{
		"name": name, "protected": r.isProtected(name),
		"commit": object{"sha": sha, "url": w.link("/repos/%s/commits/%s", r.fullName(), sha)},
	}
}

func (c *call) getBranch() (answer, error) {
	name := c.at.Params["branch"]
	sha := c.repo.git.Ref("refs/heads/" + name)
	if sha == "" {
		return answer{}, &problem{status: http.StatusNotFound, message: "Branch not found"}
	}
	commit, err := c.w.renderCommit(c.repo, sha)
	if err != nil {
		return answer{}, err
	}
	out := c.w.renderBranch(c.repo, name, sha)
	out["commit"] = commit
	out["_links"] = object{
		"self": c.w.link("/repos/%s/branches/%s", c.repo.fullName(), name), "html": c.w.url + "/" + c.repo.fullName() + "/tree/" + name,
	}
	out["protection"] = object{"enabled": c.repo.protected[name] != nil}
	out["protection_url"] = c.w.link("/repos/%s/branches/%s/protection", c.repo.fullName(), name)
	return answer{status: http.StatusOK, value: out}, nil
}

func (c *call) listBranches() (answer, error) {
	refs, err := c.repo.git.Refs("refs/heads/")
	if err != nil {
		return answer{}, err
	}
	var names []string
	for ref := range refs {
		name := strings.TrimPrefix(ref, "refs/heads/")
		if only := c.query("protected"); only == "" || (only == "true") == c.repo.isProtected(name) {
			names = append(names, name)
		}
	}
	sort.Strings(names)
	render := func(name string) object { return c.w.renderBranch(c.repo, name, refs["refs/heads/"+name]) }
	return answer{status: http.StatusOK, value: each(page(c, names), render)}, nil
}

// resolve finds a commit by what the client calls it.
func (c *call) resolve(ref string) (string, error) {
	if ref == "" {
		ref = c.repo.branch
	}
	if sha := c.repo.git.Resolve(ref); sha != "" {
		return sha, nil
	}
	return "", &problem{status: http.StatusUnprocessableEntity, message: "No commit found for SHA: " + ref}
}

func (c *call) getCommit() (answer, error) {
	sha, err := c.resolve(c.at.Params["ref"])
	if err != nil {
		return answer{}, err
	}
	if accept := c.r.Header.Get("Accept"); strings.Contains(accept, "vnd.github") && strings.Contains(accept, "sha") {
		c.header.Set("Content-Type", "application/vnd.github.sha; charset=utf-8")
		return answer{status: http.StatusOK, value: []byte(sha), plain: true}, nil
	}
	out, err := c.w.renderCommit(c.repo, sha)
	if err != nil {
		return answer{}, err
	}
	full, err := c.repo.git.Commit(sha)
	if err != nil {
		return answer{}, err
	}
	parent := ""
	if len(full.Parents) > 0 {
		parent = full.Parents[0]
	}
	files, err := c.repo.git.Diff(parent, sha)
	if err != nil {
		return answer{}, err
	}
	added, removed := lines(files)
	out["stats"] = object{"additions": added, "deletions": removed, "total": added + removed}
	out["files"] = each(files, func(f bare.File) object { return c.w.renderFile(c.repo, f) })
	return answer{status: http.StatusOK, value: out}, nil
}

func (c *call) listCommits() (answer, error) {
	sha, err := c.resolve(c.query("sha"))
	if err != nil {
		return answer{}, &problem{status: http.StatusNotFound, message: "Not Found"}
	}
	shas, err := c.repo.git.Log(sha, 1000)
	if err != nil {
		return answer{}, err
	}
	return c.commits(shas)
}

func (c *call) compare() (answer, error) {
	from, to, ok := strings.Cut(c.at.Params["basehead"], "...")
	if !ok {
		return answer{}, notFound()
	}
	base, head := c.repo.git.Resolve(from), c.repo.git.Resolve(to)
	if base == "" || head == "" {
		return answer{}, notFound()
	}
	common := c.repo.git.MergeBase(base, head)
	if common == "" {
		return answer{}, &problem{status: http.StatusNotFound, message: "No common ancestor between " + from + " and " + to + "."}
	}
	ahead, err := c.repo.git.Between(base, head)
	if err != nil {
		return answer{}, err
	}
	behind, err := c.repo.git.Between(head, base)
	if err != nil {
		return answer{}, err
	}
	files, err := c.repo.git.Diff(common, head)
	if err != nil {
		return answer{}, err
	}
	status := "identical"
	switch {
	case len(ahead) > 0 && len(behind) > 0:
		status = "diverged"
	case len(ahead) > 0:
		status = "ahead"
	case len(behind) > 0:
		status = "behind"
	}
	baseCommit, err := c.w.renderCommit(c.repo, base)
	if err != nil {
		return answer{}, err
	}
	mergeBase, err := c.w.renderCommit(c.repo, common)
	if err != nil {
		return answer{}, err
	}
	commits, err := c.commits(ahead)
	if err != nil {
		return answer{}, err
	}
	api := c.w.link("/repos/%s/compare/%s...%s", c.repo.fullName(), from, to)
	web := c.w.url + "/" + c.repo.fullName() + "/compare/" + from + "..." + to
	return answer{status: http.StatusOK, value: object{
		"url": api, "html_url": web, "permalink_url": web, "diff_url": web + ".diff", "patch_url": web + ".patch",
		"base_commit": baseCommit, "merge_base_commit": mergeBase, "status": status, "ahead_by": len(ahead),
		"behind_by": len(behind), "total_commits": len(ahead), "commits": commits.value,
		"files": each(files, func(f bare.File) object { return c.w.renderFile(c.repo, f) }),
	}}, nil
}

func (c *call) getContent() (answer, error) {
	at := strings.Trim(c.at.Params["path"], "/")
	sha := c.repo.git.Resolve(orDefault(c.query("ref"), c.repo.branch))
	if sha == "" {
		return answer{}, &problem{status: http.StatusNotFound, message: "No commit found for the ref " + c.query("ref")}
	}
	entries, err := c.repo.git.Tree(sha, true)
	if err != nil {
		return answer{}, err
	}
	below := []any{}
	for _, e := range entries {
		if e.Path == at && e.Type == "blob" {
			return c.file(e, c.query("ref"))
		}
		if path.Dir("/"+e.Path) == path.Clean("/"+at) {
			below = append(below, c.w.renderEntry(c.repo, e, c.query("ref")))
		}
	}
	if len(below) == 0 {
		return answer{}, notFound()
	}
	return answer{status: http.StatusOK, value: below}, nil
}

func orDefault(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

// file is one file with its contents, or the contents alone where the client asks for them so.
func (c *call) file(e bare.Entry, ref string) (answer, error) {
	b, err := c.repo.git.Blob(e.SHA)
	if err != nil {
		return answer{}, err
	}
	if accept := c.r.Header.Get("Accept"); strings.Contains(accept, "vnd.github") && strings.Contains(accept, "raw") {
		c.header.Set("Content-Type", "application/vnd.github.raw; charset=utf-8")
		return answer{status: http.StatusOK, value: b, plain: true}, nil
	}
	out := c.w.renderEntry(c.repo, e, ref)
	out["encoding"], out["content"] = "base64", base64.StdEncoding.EncodeToString(b)
	if len(b) > 1<<20 { // GitHub leaves larger ones out
		out["encoding"], out["content"] = "none", ""
	}
	return answer{status: http.StatusOK, value: out}, nil
}

func (w *World) renderEntry(r *repository, e bare.Entry, ref string) object {
	kind := map[string]string{"blob": "file", "tree": "dir", "commit": "submodule"}[e.Type]
	api := w.link("/repos/%s/contents/%s?ref=%s", r.fullName(), e.Path, orDefault(ref, r.branch))
	web := w.url + "/" + r.fullName() + "/blob/" + orDefault(ref, r.branch) + "/" + e.Path
	git := w.link("/repos/%s/git/%ss/%s", r.fullName(), e.Type, e.SHA)
	out := object{
		"type": kind, "name": path.Base(e.Path), "path": e.Path, "sha": e.SHA, "size": e.Size, "url": api, "git_url": git,
		"html_url": web, "download_url": nil, "_links": object{"self": api, "git": git, "html": web},
	}
	if kind == "file" {
		out["download_url"] = w.url + "/" + r.fullName() + "/raw/" + orDefault(ref, r.branch) + "/" + e.Path
	}
	return out
}

func (c *call) putContent() (answer, error) {
	var in struct{ Message, Content, SHA, Branch string }
	if err := c.decode(&in); err != nil {
		return answer{}, err
	}
	content, err := base64.StdEncoding.DecodeString(in.Content)
	if err != nil {
		return answer{}, &problem{status: http.StatusUnprocessableEntity, message: "content is not valid Base64"}
	}
	branch := "refs/heads/" + orDefault(in.Branch, c.repo.branch)
	tip := c.repo.git.Ref(branch)
	if tip == "" {
		return answer{}, &problem{status: http.StatusNotFound, message: "Branch " + in.Branch + " not found"}
	}
	at := strings.Trim(c.at.Params["path"], "/")
	status, old := http.StatusCreated, ""
	entries, err := c.repo.git.Tree(tip, true)
	if err != nil {
		return answer{}, err
	}
	for _, e := range entries {
		if e.Path == at {
			status, old = http.StatusOK, e.SHA
		}
	}
	if old != in.SHA {
		return answer{}, &problem{status: http.StatusConflict, message: at + " does not match " + in.SHA}
	}
	if isWorkflow(at) && !c.writesWorkflows() {
		return answer{}, c.noWorkflows()
	}
	blob, err := c.repo.git.WriteBlob(content)
	if err != nil {
		return answer{}, err
	}
	tree, err := c.repo.git.Edit(tip, []bare.Entry{{Mode: "100644", SHA: blob, Path: at}})
	if err != nil {
		return answer{}, err
	}
	sha, err := c.repo.git.Write(bare.Commit{Tree: tree, Parents: []string{tip}, Author: signature(c.who.who), Committer: hubSignature(), Message: in.Message})
	if err != nil {
		return answer{}, err
	}
	if err := c.guard(change{ref: branch, old: tip, new: sha}, http.StatusConflict); err != nil {
		return answer{}, err
	}
	if err := c.repo.git.SetRef(branch, sha); err != nil {
		return answer{}, err
	}
	if err := c.w.pushed(c.repo, c.who.who); err != nil {
		return answer{}, err
	}
	return answer{status: status, value: object{
		"content": c.w.renderEntry(c.repo, bare.Entry{Mode: "100644", Type: "blob", SHA: blob, Size: len(content), Path: at}, in.Branch),
		"commit":  c.w.gitCommit(c.repo, sha),
	}}, nil
}
