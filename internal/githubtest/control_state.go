package githubtest

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"
)

func (w *World) controlFault(in Fault) (any, error) {
	if in.Status != 0 && (in.Status < 400 || in.Status > 599) {
		return nil, fmt.Errorf("fault with status %d: want one of 400 to 599", in.Status)
	}
	w.faults = append(w.faults, &fault{Fault: in})
	return nil, nil
}

func (w *World) controlHeal(none) (any, error) {
	w.faults = nil
	return nil, nil
}

func (w *World) controlQuota(in struct {
	Secret       string
	Remaining    int
	ResetSeconds int `json:"reset_seconds"`
}) (any, error) {
	t, err := w.tokenOf(in.Secret)
	if err != nil {
		return nil, err
	}
	t.quota.remaining, t.quota.reset = in.Remaining, now().Add(time.Duration(in.ResetSeconds)*time.Second)
	return nil, nil
}

func (w *World) controlGetQuota(in struct{ Secret string }) (any, error) {
	t, err := w.tokenOf(in.Secret)
	if err != nil {
		return nil, err
	}
	return object{"Remaining": t.quota.remaining}, nil
}

func (w *World) controlRequests(none) (any, error) { return slices.Clone(w.log), nil }

func (w *World) controlForget(none) (any, error) {
	w.log = nil
	return nil, nil
}

func (w *World) controlViolations(none) (any, error) {
	out := w.violations
	w.violations = nil
	return out, nil
}

func tellComment(c *comment) object {
	return object{"ID": c.id, "Author": c.author.login, "Body": c.body, "CreatedAt": c.created, "UpdatedAt": c.updated}
}

func (w *World) controlComments(in named) (any, error) {
	p, err := w.pullOf(in)
	if err != nil {
		return nil, err
	}
	return each(p.comments, tellComment), nil
}

func (w *World) controlComment(in named) (any, error) {
	p, err := w.pullOf(in)
	if err != nil {
		return nil, err
	}
	var by *app
	for _, a := range w.apps {
		if a.bot.login == in.Author {
			by = a
		}
	}
	c, err := w.newComment(p, w.account(orDefault(in.Author, "octocat")), by, in.Body)
	if err != nil {
		return nil, err
	}
	return tellComment(c), nil
}

func (w *World) commentOf(in named) (*pull, *comment, error) {
	r, err := w.repo(in.Repo)
	if err != nil {
		return nil, nil, err
	}
	p, c := r.comment(in.ID)
	if c == nil {
		return nil, nil, fmt.Errorf("%s has no comment %d", in.Repo, in.ID)
	}
	return p, c, nil
}

func (w *World) controlEditComment(in named) (any, error) {
	_, c, err := w.commentOf(in)
	if err != nil {
		return nil, err
	}
	return nil, c.edit(in.Body)
}

func (w *World) controlDeleteComment(in named) (any, error) {
	p, c, err := w.commentOf(in)
	if err != nil {
		return nil, err
	}
	p.remove(c)
	return nil, nil
}

func (w *World) controlCheckRuns(in named) (any, error) {
	r, err := w.repo(in.Repo)
	if err != nil {
		return nil, err
	}
	of := slices.DeleteFunc(slices.Clone(r.checks), func(k *checkRun) bool { return k.sha != in.SHA || k.job })
	return each(of, func(k *checkRun) object {
		return object{
			"ID": k.id, "Name": k.name, "HeadSHA": k.sha, "AppID": k.app.id, "AppSlug": k.app.slug, "Status": k.status,
			"Conclusion": k.conclusion, "ExternalID": k.externalID, "DetailsURL": k.details, "Title": k.title,
			"Summary": k.summary, "Text": k.text,
			"Annotations": each(k.annotations, func(a object) object {
				return object{
					"Path": a["path"], "StartLine": a["start_line"], "EndLine": a["end_line"], "Level": a["annotation_level"],
					"Title": a["title"], "Message": a["message"],
				}
			}),
		}
	}), nil
}

func (w *World) controlDeployments(in named) (any, error) {
	r, err := w.repo(in.Repo)
	if err != nil {
		return nil, err
	}
	return each(r.deployments, func(d *deployment) object {
		return object{
			"ID": d.id, "SHA": d.sha, "Ref": d.ref, "Environment": d.environment, "Description": d.words, "Creator": d.creator.login,
			"Statuses": each(d.statuses, func(s *deploymentStatus) object {
				return object{"State": s.state, "Description": s.words, "LogURL": s.logURL, "EnvironmentURL": s.envURL}
			}),
		}
	}), nil
}

func (w *World) controlRun(in struct {
	Repo, Workflow, Event, Branch, SHA, Job string
	Number                                  int
	timing
}) (any, error) {
	r, err := w.repo(in.Repo)
	if err != nil {
		return nil, err
	}
	file := orDefault(in.Workflow, ".github/workflows/ci.yml")
	x := &run{
		id: w.id(), job: w.id(), workflow: w.workflowID(r, file), number: len(r.runs) + 1, file: file,
		event: orDefault(in.Event, "push"), branch: orDefault(in.Branch, r.branch), sha: in.SHA, actor: w.account("octocat"), created: now(),
	}
	if in.Number != 0 {
		if x.pull = r.pull(in.Number); x.pull == nil {
			return nil, fmt.Errorf("%s has no pull request %d", in.Repo, in.Number)
		}
		x.event, x.branch, x.sha = orDefault(in.Event, "pull_request"), x.pull.headRef, orDefault(in.SHA, x.pull.headSHA)
	}
	if x.sha == "" {
		if x.sha = r.git.Ref("refs/heads/" + x.branch); x.sha == "" {
			return nil, fmt.Errorf("%s has no branch %s", in.Repo, x.branch)
		}
	}
	x.check = &checkRun{
		id: x.job, job: true, app: w.app(actionsSlug), sha: x.sha, name: orDefault(in.Job, "job"), status: "in_progress", started: now(),
		details: fmt.Sprintf("%s/%s/actions/runs/%d/job/%d", w.url, r.fullName(), x.id, x.job),
	}
	if err := x.at(in.timing); err != nil {
		return nil, err
	}
	r.checks = append(r.checks, x.check)
	r.runs = append(r.runs, x)
	var permissions map[string]string
	if x.pull != nil && x.pull.head != r && x.event == "pull_request" {
		permissions = readOnly() // whatever the workflow asks for
	}
	t, err := w.newToken(kindActions, "", "", permissions, []string{in.Repo})
	if err != nil {
		return nil, err
	}
	return object{
		"ID": x.id, "JobID": x.job, "SHA": x.sha, "Token": t.secret, "Protected": x.pull == nil && r.isProtected(x.branch),
	}, nil
}

func (w *World) controlFinish(in struct {
	Repo       string
	Run        int64
	Conclusion string
}) (any, error) {
	r, err := w.repo(in.Repo)
	if err != nil {
		return nil, err
	}
	x := r.run(in.Run)
	if x == nil {
		return nil, fmt.Errorf("%s has no run %d", in.Repo, in.Run)
	}
	x.check.status, x.check.conclusion, x.check.completed = "completed", in.Conclusion, now()
	return nil, nil
}

func tellArtifact(a *artifact) (object, error) {
	files, err := unzip(a.zip)
	return object{"ID": a.id, "Name": a.name, "Files": files}, err
}

func (w *World) controlArtifacts(in named) (any, error) {
	r, err := w.repo(in.Repo)
	if err != nil {
		return nil, err
	}
	out := []object{}
	for _, a := range r.artifacts {
		if a.run.id != in.Run {
			continue
		}
		one, err := tellArtifact(a)
		if err != nil {
			return nil, err
		}
		out = append(out, one)
	}
	return out, nil
}

// An upload is an artifact of a run. Contents are any bytes, so they are not texts, which JSON would change.
type upload struct {
	Repo  string
	Run   int64
	Name  string
	Files map[string][]byte
}

func (w *World) controlUpload(in upload) (any, error) {
	r, err := w.repo(in.Repo)
	if err != nil {
		return nil, err
	}
	x := r.run(in.Run)
	if x == nil {
		return nil, fmt.Errorf("%s has no run %d", in.Repo, in.Run)
	}
	files := map[string]string{}
	for name, content := range in.Files {
		files[name] = string(content)
	}
	zipped, err := zipped(files)
	if err != nil {
		return nil, err
	}
	return tellArtifact(w.addArtifact(r, x, in.Name, zipped))
}

func (w *World) controlExpire(in named) (any, error) {
	r, err := w.repo(in.Repo)
	if err != nil {
		return nil, err
	}
	for _, a := range r.artifacts {
		if a.id == in.ID {
			a.expired = true
			return nil, nil
		}
	}
	return nil, fmt.Errorf("%s has no artifact %d", in.Repo, in.ID)
}

func newReader(b []byte) io.ReadSeeker { return bytes.NewReader(b) }

func zipped(files contents) ([]byte, error) {
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		f, err := z.Create(name)
		if err != nil {
			return nil, err
		}
		if _, err := io.WriteString(f, files[name]); err != nil {
			return nil, err
		}
	}
	err := z.Close() // writes the end, so it goes first
	return out.Bytes(), err
}

func unzip(b []byte) (contents, error) {
	z, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		return nil, err
	}
	files := contents{}
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			return nil, err
		}
		text, err := io.ReadAll(io.LimitReader(r, largest))
		_ = r.Close()
		if err != nil {
			return nil, err
		}
		files[f.Name] = string(text)
	}
	return files, nil
}
