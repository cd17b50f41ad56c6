package githubtest

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"time"
)

// The runner's own interface, by which actions/upload-artifact and actions/download-artifact speak with GitHub, is not
// documented and is no part of the API. What the stand-ins in actions/ use in its place is this:
//
//	PUT /_runner/OWNER/REPO/runs/RUN/artifacts/NAME   the zip; 201, or 409 if the run has the name already
//	GET /_runner/OWNER/REPO/runs/RUN/artifacts/NAME   the zip
//
// with the token of the run's job. As on GitHub, the runner has no artifact of another run.

// runnerRun is the run that a request is for, if its token may.
func (w *World) runnerRun(out http.ResponseWriter, r *http.Request) (*repository, *run) {
	repo := w.find(r.PathValue("owner") + "/" + r.PathValue("repo"))
	who := w.gitUser(r)
	if who == nil || who.kind != kindActions || repo == nil || !who.reaches(repo) {
		http.Error(out, "the runner's interface wants the token of a workflow that belongs to the repository", http.StatusUnauthorized)
		return nil, nil
	}
	id, _ := strconv.ParseInt(r.PathValue("run"), 10, 64)
	x := repo.run(id)
	if x == nil {
		http.Error(out, "no such run", http.StatusNotFound)
		return nil, nil
	}
	return repo, x
}

func (w *World) serveUpload(out http.ResponseWriter, r *http.Request) {
	b, err := io.ReadAll(io.LimitReader(r.Body, largest))
	if err != nil {
		return // the client is gone
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	repo, x := w.runnerRun(out, r)
	if x == nil {
		return
	}
	name := r.PathValue("name")
	if slices.ContainsFunc(repo.artifacts, func(a *artifact) bool { return a.run == x && a.name == name }) {
		http.Error(out, "an artifact with this name already exists on the workflow run", http.StatusConflict)
		return
	}
	a := w.addArtifact(repo, x, name, b)
	out.WriteHeader(http.StatusCreated)
	_, _ = fmt.Fprintf(out, `{"id":%d,"digest":%q}`, a.id, a.digest)
}

func (w *World) addArtifact(repo *repository, x *run, name string, zip []byte) *artifact {
	sum := sha256.Sum256(zip)
	a := &artifact{id: w.id(), run: x, repo: repo, name: name, zip: zip, created: now(), digest: "sha256:" + hex.EncodeToString(sum[:])}
	repo.artifacts = append(repo.artifacts, a)
	return a
}

func (w *World) serveRunnerDownload(out http.ResponseWriter, r *http.Request) {
	w.mu.Lock()
	defer w.mu.Unlock()
	repo, x := w.runnerRun(out, r)
	if x == nil {
		return
	}
	for _, a := range repo.artifacts {
		if a.run == x && a.name == r.PathValue("name") && !a.expired {
			_, _ = out.Write(a.zip)
			return
		}
	}
	http.Error(out, "artifact not found for name: "+r.PathValue("name"), http.StatusNotFound)
}

// serveBlob is the storage that a download is sent to: it refuses a token that is meant for GitHub.
func (w *World) serveBlob(out http.ResponseWriter, r *http.Request) {
	w.mu.Lock()
	a := w.downloads[r.PathValue("secret")]
	w.mu.Unlock()
	if a == nil {
		http.NotFound(out, r)
		return
	}
	if r.Header.Get("Authorization") != "" {
		http.Error(out, "InvalidAuthenticationInfo: the address is signed; a token was sent to where it does not belong", http.StatusBadRequest)
		return
	}
	out.Header().Set("Content-Type", "application/zip")
	http.ServeContent(out, r, a.name+".zip", time.Time{}, newReader(a.zip))
}
