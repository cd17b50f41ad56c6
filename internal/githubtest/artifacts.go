package githubtest

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Upload does for a workflow's step what actions/upload-artifact does: it stores files and folders as an artifact of
// the run. What it needs to know it reads from the runner's environment, GITHUB_TOKEN among it.
func Upload(getenv func(string) string, name string, paths []string) error {
	files := contents{}
	for _, path := range paths {
		if err := collect(files, path); err != nil {
			return err
		}
	}
	if len(files) == 0 {
		return fmt.Errorf("artifact %s: no files were found at %s", name, strings.Join(paths, ", "))
	}
	zip, err := zipped(files)
	if err != nil {
		return err
	}
	answer, err := runner(getenv, http.MethodPut, name, zip)
	if err != nil {
		return err
	}
	return output(getenv, string(answer))
}

// collect adds what is at a path, with names from the folder that a path is of.
func collect(files contents, path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if !info.IsDir() {
		b, err := os.ReadFile(path)
		files[filepath.Base(path)] = string(b)
		return err
	}
	folder := os.DirFS(path)
	return fs.WalkDir(folder, ".", func(at string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := fs.ReadFile(folder, at)
		files[at] = string(b)
		return err
	})
}

// output gives the step its outputs artifact-id and artifact-digest.
func output(getenv func(string) string, answer string) error {
	var id int64
	var digest string
	if _, err := fmt.Sscanf(answer, `{"id":%d,"digest":%q}`, &id, &digest); err != nil {
		return fmt.Errorf("read the answer %q: %w", answer, err)
	}
	path := getenv("GITHUB_OUTPUT")
	if path == "" {
		return nil
	}
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(f, "artifact-id=%d\nartifact-digest=%s\n", id, strings.TrimPrefix(digest, "sha256:"))
	return errorOf(err, f.Close())
}

func errorOf(first, second error) error {
	if first != nil {
		return first
	}
	return second
}

// Download does what actions/download-artifact does: it unpacks an artifact of this run into a folder.
func Download(getenv func(string) string, name, dir string) error {
	b, err := runner(getenv, http.MethodGet, name, nil)
	if err != nil {
		return err
	}
	files, err := unzip(b)
	if err != nil {
		return err
	}
	for path, text := range files {
		if !filepath.IsLocal(path) {
			return fmt.Errorf("artifact %s has a file %q outside of its folder", name, path)
		}
		at := filepath.Join(dir, path)
		if err := os.MkdirAll(filepath.Dir(at), 0o750); err != nil {
			return err
		}
		if err := os.WriteFile(at, []byte(text), 0o644); err != nil { //nolint:gosec // as the action has it
			return err
		}
	}
	return nil
}

// runner asks the runner's interface.
func runner(getenv func(string) string, method, name string, body []byte) ([]byte, error) {
	for _, need := range []string{"GITHUB_SERVER_URL", "GITHUB_REPOSITORY", "GITHUB_RUN_ID", "GITHUB_TOKEN"} {
		if getenv(need) == "" {
			return nil, fmt.Errorf("artifact %s: %s is not set", name, need)
		}
	}
	at := fmt.Sprintf("%s/_runner/%s/runs/%s/artifacts/%s", getenv("GITHUB_SERVER_URL"), getenv("GITHUB_REPOSITORY"), getenv("GITHUB_RUN_ID"), url.PathEscape(name))
	req, err := http.NewRequest(method, at, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+getenv("GITHUB_TOKEN"))
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		return nil, err
	}
	if !slices.Contains([]int{http.StatusOK, http.StatusCreated}, res.StatusCode) {
		return nil, fmt.Errorf("artifact %s: %s: %s", name, res.Status, bytes.TrimSpace(b))
	}
	return b, nil
}
