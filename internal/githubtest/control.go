package githubtest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sort"
	"time"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/githubtest/bare"
)

// A Request of the log; its fields are those of githubhub.Request.
type Request struct {
	At        time.Time
	Method    string
	Path      string
	Operation string
	Status    int
	Actor     string
	Fault     bool
	Body      json.RawMessage `json:",omitempty"`
	UserAgent string
}

// A Violation of GitHub's description; its fields are those of githubhub.Violation.
type Violation struct{ Side, Method, Path, Operation, Why string }

// controls are what a test can have the world do, by name. Their input and output is JSON that githubhub has types for.
var controls map[string]func(*World, json.RawMessage) (any, error)

func init() { // not where it is declared: one of them does others
	controls = map[string]func(*World, json.RawMessage) (any, error){
		"repository": control((*World).controlRepository), "delete-repository": control((*World).controlDelete), "push": control((*World).controlPush),
		"delete-branch": control((*World).controlDeleteBranch), "protect": control((*World).controlProtect),
		"resolve": control((*World).controlResolve), "open": control((*World).controlOpen), "pull": control((*World).controlPull),
		"merge": control((*World).controlMerge), "close-pull": control((*World).controlClosePull),
		"retitle": control((*World).controlRetitle), "token": control((*World).controlToken),
		"revoke": control((*World).controlRevoke), "app": control((*World).controlApp), "fault": control((*World).controlFault),
		"heal": control((*World).controlHeal), "quota": control((*World).controlQuota),
		"get-quota": control((*World).controlGetQuota), "requests": control((*World).controlRequests),
		"forget-requests": control((*World).controlForget), "take-violations": control((*World).controlViolations),
		"comments": control((*World).controlComments), "comment": control((*World).controlComment),
		"edit-comment": control((*World).controlEditComment), "delete-comment": control((*World).controlDeleteComment),
		"check-runs": control((*World).controlCheckRuns), "deployments": control((*World).controlDeployments),
		"run": control((*World).controlRun), "finish": control((*World).controlFinish), "artifacts": control((*World).controlArtifacts),
		"upload": control((*World).controlUpload), "expire-artifact": control((*World).controlExpire),
		"payload": control((*World).controlPayload), "unprotect": control((*World).controlUnprotect), "tag": control((*World).controlTag),
		"role": control((*World).controlRole), "archive": control((*World).controlArchive),
		"rulesets": control((*World).controlRulesets), "add-ruleset": control((*World).controlAddRuleset),
		"delete-ruleset": control((*World).controlDeleteRuleset),
		"team":           control((*World).controlTeam), "user": control((*World).controlUser), "plan": control((*World).controlPlan),
		"environments": control((*World).controlEnvironments), "set-environment": control((*World).controlSetEnvironment),
		"delete-environment": control((*World).controlDeleteEnvironment), "values": control((*World).controlValues),
		"set-value": control((*World).controlSetValue), "delete-value": control((*World).controlDeleteValue),
		"meanwhile": control((*World).controlMeanwhile),
	}
}

// control decodes the input of one.
func control[T any](do func(*World, T) (any, error)) func(*World, json.RawMessage) (any, error) {
	return func(w *World, raw json.RawMessage) (any, error) {
		var in T
		d := json.NewDecoder(bytes.NewReader(raw))
		d.DisallowUnknownFields()
		if err := d.Decode(&in); err != nil && !errors.Is(err, io.EOF) {
			return nil, fmt.Errorf("read %s: %w", raw, err)
		}
		return do(w, in)
	}
}

// Control does what a test asks for: the name is the end of the path. What goes wrong is told in plain words.
func (w *World) Control(out http.ResponseWriter, r *http.Request) {
	name := r.PathValue("what")
	do := controls[name]
	if do == nil {
		names := make([]string, 0, len(controls))
		for n := range controls {
			names = append(names, n)
		}
		sort.Strings(names)
		http.Error(out, fmt.Sprintf("no control %q: want one of %v", name, names), http.StatusNotFound)
		return
	}
	raw, err := io.ReadAll(r.Body)
	if err != nil {
		return // the client is gone
	}
	result, err := w.locked(do, raw)
	if err != nil {
		http.Error(out, words(err), http.StatusBadRequest)
		return
	}
	_ = json.NewEncoder(out).Encode(result)
}

func (w *World) locked(do func(*World, json.RawMessage) (any, error), raw json.RawMessage) (any, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return do(w, raw)
}

func words(err error) string {
	var p *problem
	if errors.As(err, &p) && p.errors != nil {
		return fmt.Sprintf("%s: %v", p.message, p.errors)
	}
	return err.Error()
}

type none struct{}

// contents are files by path, as githubhub.Files has them: Base64 in JSON.
type contents map[string]string

func (c contents) MarshalJSON() ([]byte, error) {
	plain := map[string][]byte{}
	for path, text := range c {
		plain[path] = []byte(text)
	}
	return json.Marshal(plain)
}

func (c *contents) UnmarshalJSON(b []byte) error {
	var plain map[string][]byte
	if err := json.Unmarshal(b, &plain); err != nil {
		return err
	}
	*c = contents{}
	for path, text := range plain {
		(*c)[path] = string(text)
	}
	return nil
}

// named is input that names a repository, and something in it.
type named struct {
	Repo   string
	Number int
	ID     int64
	Run    int64
	SHA    string
	Ref    string
	Branch string
	Title  string
	Name   string
	Author string
	Body   string
	Method string
	Files  contents
}

func (w *World) repo(fullName string) (*repository, error) {
	if r := w.find(fullName); r != nil {
		return r, nil
	}
	return nil, fmt.Errorf("no repository %q", fullName)
}

func (w *World) pullOf(in named) (*pull, error) {
	r, err := w.repo(in.Repo)
	if err != nil {
		return nil, err
	}
	p := r.pull(in.Number)
	if p == nil {
		return nil, fmt.Errorf("%s has no pull request %d", in.Repo, in.Number)
	}
	return p, nil
}

func (w *World) controlRepository(in struct {
	FullName string `json:"full_name"`
	ForkOf   string `json:"fork_of"`
	Owner    string
	Private  bool
	Files    contents
}) (any, error) {
	var r *repository
	var err error
	if in.ForkOf != "" {
		r, err = w.fork(in.ForkOf, in.Owner)
	} else {
		r, err = w.create(in.FullName, in.Private, in.Files)
	}
	if err != nil {
		return nil, err
	}
	return object{"ID": r.id, "FullName": r.fullName(), "Branch": r.branch, "SHA": r.git.Ref("refs/heads/" + r.branch), "CloneURL": w.url + "/" + r.fullName() + ".git"}, nil
}

func (w *World) create(fullName string, private bool, files contents) (*repository, error) {
	r, err := w.add(fullName, private)
	if err != nil {
		return nil, err
	}
	if r.git, err = bare.Init(r.git.Dir); err != nil {
		return nil, err
	}
	if files == nil {
		files = contents{"README.md": "# " + r.name + "\n"}
	}
	_, err = w.commit(r, commit{branch: r.branch, message: "Initial commit", author: "octocat", files: files})
	return r, err
}

func (w *World) fork(of, owner string) (*repository, error) {
	parent, err := w.repo(of)
	if err != nil {
		return nil, err
	}
	r, err := w.add(owner+"/"+parent.name, parent.private)
	if err != nil {
		return nil, err
	}
	r.parent, r.branch = parent, parent.branch
	r.git, err = bare.Fork(parent.git, r.git.Dir)
	return r, err
}

// A commit to be made on a branch.
type commit struct {
	branch, from, message, author string
	force                         bool
	files                         contents
	remove                        []string
}

func (w *World) commit(r *repository, c commit) (string, error) {
	ref := "refs/heads/" + c.branch
	tip := r.git.Ref(ref)
	if tip == "" || c.force {
		tip = r.git.Resolve(orDefault(c.from, r.branch))
		if c.from != "" && tip == "" {
			return "", fmt.Errorf("%s has no %s to start a branch from", r.fullName(), c.from)
		}
	}
	var entries []bare.Entry
	for path, text := range c.files {
		sha, err := r.git.WriteBlob([]byte(text))
		if err != nil {
			return "", err
		}
		entries = append(entries, bare.Entry{Mode: "100644", SHA: sha, Path: path})
	}
	for _, path := range c.remove {
		entries = append(entries, bare.Entry{Path: path})
	}
	tree, err := r.git.Edit(tip, entries)
	if err != nil {
		return "", err
	}
	made := bare.Commit{Tree: tree, Message: c.message, Author: signature(w.account(c.author)), Committer: signature(w.account(c.author))}
	if tip != "" {
		made.Parents = []string{tip}
	}
	sha, err := r.git.Write(made)
	if err != nil {
		return "", err
	}
	if err := r.git.SetRef(ref, sha); err != nil {
		return "", err
	}
	return sha, w.pushed(r, w.account(c.author))
}
