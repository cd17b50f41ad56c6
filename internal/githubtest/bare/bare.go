// Package bare is git as GitHub's servers use it: bare repositories, into which commits are merged without a work tree.
package bare

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"
)

// A Repository is a folder with a bare git repository.
type Repository struct{ Dir string }

// A Signature says who and when.
type Signature struct {
	Name, Email string
	When        time.Time
}

// ErrConflict is of a merge that git cannot do by itself.
var ErrConflict = errors.New("merge conflict")

// Init makes a repository whose HEAD is main.
func Init(dir string) (Repository, error) {
	r := Repository{dir}
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return r, err
	}
	if _, err := r.git(nil, "init", "--quiet", "--bare", "--initial-branch", "main", "."); err != nil {
		return r, err
	}
	return r, r.configure()
}

// Fork copies another repository's branches and tags.
func Fork(from Repository, dir string) (Repository, error) {
	r, err := Init(dir)
	if err != nil {
		return r, err
	}
	_, err = r.git(nil, "fetch", "--quiet", from.Dir, "+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*")
	return r, err
}

// configure lets the repository be pushed to and any of its commits be fetched, and keeps git from tidying up behind
// a test's back.
func (r Repository) configure() error {
	config := "\n[http]\n\treceivepack = true\n[uploadpack]\n\tallowAnySHA1InWant = true\n\tallowFilter = true\n" +
		"[receive]\n\tautogc = false\n[gc]\n\tauto = 0\n[transfer]\n\thideRefs = refs/hub\n"
	f, err := os.OpenFile(r.Dir+"/config", os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	if _, err := f.WriteString(config); err != nil {
		_ = f.Close()
		return err
	}
	return f.Close()
}

// Env is the environment of every git process: nobody's own settings, and not those of a hook that runs the tests.
func Env() []string {
	inherited := slices.DeleteFunc(os.Environ(), func(kv string) bool { return strings.HasPrefix(kv, "GIT_") })
	return append(inherited, "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_NOSYSTEM=1", "GIT_TERMINAL_PROMPT=0",
		"GIT_AUTHOR_NAME=GitHub", "GIT_AUTHOR_EMAIL=noreply@github.com",
		"GIT_COMMITTER_NAME=GitHub", "GIT_COMMITTER_EMAIL=noreply@github.com")
}

// git runs git in the repository and returns what it printed, without white space around it.
func (r Repository) git(stdin []byte, args ...string) (string, error) {
	out, err := r.run(nil, stdin, args...)
	return strings.TrimSpace(string(out)), err
}

func (r Repository) run(env []string, stdin []byte, args ...string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "git", args...)
	cmd.Dir = r.Dir
	cmd.Env = append(Env(), env...)
	cmd.Stdin = bytes.NewReader(stdin)
	var out, words bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &words
	if err := cmd.Run(); err != nil {
		return out.Bytes(), fmt.Errorf("git %s: %w: %s", strings.Join(args, " "), err, bytes.TrimSpace(words.Bytes()))
	}
	return out.Bytes(), nil
}

// Resolve returns the commit that a ref, branch, tag or sha means; "" if there is none.
func (r Repository) Resolve(ref string) string {
	for _, name := range []string{ref, "refs/heads/" + ref, "refs/tags/" + ref, "refs/" + ref} {
		if sha, err := r.git(nil, "rev-parse", "--verify", "--quiet", "--end-of-options", name+"^{commit}"); err == nil {
			return sha
		}
	}
	return ""
}

// Ref returns the object that a full ref points at; "" if there is none.
func (r Repository) Ref(name string) string {
	sha, err := r.git(nil, "rev-parse", "--verify", "--quiet", "--end-of-options", name)
	if err != nil {
		return ""
	}
	return sha
}

// Refs returns all refs that start with a prefix, by name.
func (r Repository) Refs(prefix string) (map[string]string, error) {
	out, err := r.git(nil, "for-each-ref", "--format=%(objectname) %(refname)")
	if err != nil {
		return nil, err
	}
	refs := map[string]string{}
	for line := range strings.Lines(out) {
		sha, name, _ := strings.Cut(strings.TrimSpace(line), " ")
		if strings.HasPrefix(name, prefix) {
			refs[name] = sha
		}
	}
	return refs, nil
}

// SetRef moves a ref, whatever it was.
func (r Repository) SetRef(name, sha string) error {
	_, err := r.git(nil, "update-ref", name, sha)
	return err
}

// DeleteRef removes a ref.
func (r Repository) DeleteRef(name string) error {
	_, err := r.git(nil, "update-ref", "-d", name)
	return err
}

// Fetch takes a commit of another repository over under a name.
func (r Repository) Fetch(from Repository, sha, ref string) error {
	_, err := r.git(nil, "fetch", "--quiet", "--no-tags", from.Dir, "+"+sha+":"+ref)
	return err
}

// IsAncestor says whether a is b or came before it.
func (r Repository) IsAncestor(a, b string) bool {
	_, err := r.git(nil, "merge-base", "--is-ancestor", a, b)
	return err == nil
}

// MergeBase returns the best common ancestor, "" if there is none.
func (r Repository) MergeBase(a, b string) string {
	sha, err := r.git(nil, "merge-base", a, b)
	if err != nil {
		return ""
	}
	return sha
}

// Between lists the commits of to that are not in from, oldest first.
func (r Repository) Between(from, to string) ([]string, error) {
	out, err := r.git(nil, "rev-list", "--reverse", "--topo-order", to, "^"+from)
	return strings.Fields(out), err
}

// Log lists a commit and what came before it, newest first.
func (r Repository) Log(from string, limit int) ([]string, error) {
	out, err := r.git(nil, "rev-list", fmt.Sprintf("--max-count=%d", limit), from)
	return strings.Fields(out), err
}
