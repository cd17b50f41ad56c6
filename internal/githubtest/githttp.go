package githubtest

import (
	"bytes"
	"encoding/base64"
	"io"
	"net/http"
	"net/http/cgi" //nolint:gosec // what was wrong with it was mended in Go 1.6.3
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/githubtest/bare"
)

// serveGit is smart HTTP: clone, fetch and push, by git's own program.
func (w *World) serveGit(out http.ResponseWriter, r *http.Request) {
	owner, name := r.PathValue("owner"), strings.TrimSuffix(r.PathValue("repo"), ".git")
	_, rest, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	_, rest, _ = strings.Cut(rest, "/")
	service := r.URL.Query().Get("service")
	if rest != "info/refs" {
		service = rest
	}
	if service != "git-upload-pack" && service != "git-receive-pack" {
		http.NotFound(out, r)
		return
	}
	w.mu.Lock()
	repo := w.find(owner + "/" + name)
	who := w.gitUser(r)
	status := gitStatus(repo, who, service == "git-receive-pack")
	w.mu.Unlock()
	switch status {
	case http.StatusUnauthorized:
		out.Header().Set("WWW-Authenticate", `Basic realm="GitHub"`)
		http.Error(out, "Repository not found, or authentication failed.", status)
		return
	case http.StatusForbidden:
		http.Error(out, "Permission to "+repo.fullName()+" denied.", status)
		return
	case http.StatusNotFound:
		http.Error(out, "Repository not found.", status)
		return
	}
	body, err := io.ReadAll(r.Body) // CGI has no chunks, in which git sends what is large
	if err != nil {
		return // the client is gone
	}
	r.Body, r.ContentLength, r.TransferEncoding = io.NopCloser(bytes.NewReader(body)), int64(len(body)), nil
	git, err := exec.LookPath("git")
	if err != nil {
		http.Error(out, err.Error(), http.StatusInternalServerError)
		return
	}
	env := append(bare.Env(), "GIT_PROJECT_ROOT="+repo.git.Dir, "GIT_HTTP_EXPORT_ALL=1", "REMOTE_USER=hub",
		"GIT_PROTOCOL="+r.Header.Get("Git-Protocol"))
	handler := &cgi.Handler{Path: git, Args: []string{"http-backend"}, Dir: repo.git.Dir, Env: env, Root: "/" + owner + "/" + filepath.Base(r.PathValue("repo"))}
	handler.ServeHTTP(out, r)
	if rest == "git-receive-pack" {
		w.mu.Lock()
		defer w.mu.Unlock()
		if err := w.pushed(repo, who.who); err != nil {
			w.violations = append(w.violations, Violation{"answer", r.Method, r.URL.Path, "git push", err.Error()})
		}
	}
}

// gitUser is whose token the request has: as a password, as git sends it, or as a bearer.
func (w *World) gitUser(r *http.Request) *token {
	kind, value, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if strings.EqualFold(kind, "basic") {
		b, _ := base64.StdEncoding.DecodeString(value)
		_, value, _ = strings.Cut(string(b), ":")
	}
	t := w.tokens[value]
	if t == nil || t.revoked || !time.Now().Before(t.expires) {
		return nil
	}
	return t
}

// gitStatus says whether somebody may read or push.
func gitStatus(repo *repository, who *token, push bool) int {
	switch {
	case who == nil && (push || repo == nil || repo.private):
		return http.StatusUnauthorized
	case repo == nil || who != nil && repo.private && !who.reaches(repo):
		return http.StatusNotFound
	case push && (!who.reaches(repo) || !who.may("contents", "write")):
		return http.StatusForbidden
	case !push && repo.private && !who.may("contents", "read"):
		return http.StatusForbidden
	}
	return http.StatusOK
}
