package action

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// An event is what made a workflow run, as far as it matters to us.
type event struct {
	Name      string // "push", "pull_request", ...
	Owner     string
	Repo      string
	SHA       string // that the job is of; of a pull request it is the trial merge
	Branch    string // that was pushed to, or that a pull request is to be merged into
	Protected bool   // Branch
	RunID     int64
	RunURL    string
	Actor     string
	Pull      *eventPull // of a pull request
}

type eventPull struct {
	Number  int
	HeadSHA string
	Fork    bool // the head is in another repository, or in one that was deleted
	Merged  bool
	Closed  bool
	// MergeSHA is the commit by which it was merged.
	MergeSHA string
}

// FullName is the repository: "acme/infra".
func (e event) FullName() string { return e.Owner + "/" + e.Repo }

// Fork reports whether the run is of a fork's code.
func (e event) Fork() bool { return e.Pull != nil && e.Pull.Fork }

// Head is the commit that is reviewed: a pull request's head, not the merge that was tried.
func (e event) Head() string {
	if e.Pull != nil {
		return e.Pull.HeadSHA
	}
	return e.SHA
}

type payload struct {
	PullRequest *struct {
		Number   int    `json:"number"`
		State    string `json:"state"`
		Merged   bool   `json:"merged"`
		MergeSHA string `json:"merge_commit_sha"`
		Head     struct {
			SHA  string `json:"sha"`
			Repo *struct {
				ID int64 `json:"id"`
			} `json:"repo"`
		} `json:"head"`
		Base struct {
			Ref  string `json:"ref"`
			Repo struct {
				ID int64 `json:"id"`
			} `json:"repo"`
		} `json:"base"`
	} `json:"pull_request"`
}

// readEvent reads the runner's environment and the event's payload.
func readEvent(getenv func(string) string) (event, error) {
	e := event{Name: getenv("GITHUB_EVENT_NAME"), SHA: getenv("GITHUB_SHA"), Actor: getenv("GITHUB_ACTOR")}
	var ok bool
	if e.Owner, e.Repo, ok = strings.Cut(getenv("GITHUB_REPOSITORY"), "/"); !ok {
		return e, fmt.Errorf("GITHUB_REPOSITORY %q: want owner/name; is this a job of GitHub's runner?", getenv("GITHUB_REPOSITORY"))
	}
	if e.SHA == "" {
		return e, errors.New("GITHUB_SHA is not set; is this a job of GitHub's runner?")
	}
	if branch, ok := strings.CutPrefix(getenv("GITHUB_REF"), "refs/heads/"); ok {
		e.Branch = branch
	}
	e.Protected = getenv("GITHUB_REF_PROTECTED") == "true"
	e.RunID, _ = strconv.ParseInt(getenv("GITHUB_RUN_ID"), 10, 64) // 0 where a stand-in has none
	if server := getenv("GITHUB_SERVER_URL"); server != "" && e.RunID != 0 {
		e.RunURL = fmt.Sprintf("%s/%s/actions/runs/%d", server, e.FullName(), e.RunID)
	}
	return e, e.readPayload(getenv("GITHUB_EVENT_PATH"))
}

func (e *event) readPayload(path string) error {
	if path == "" {
		return nil
	}
	b, err := read("event's payload", path)
	if err != nil {
		return err
	}
	var p payload
	if err := json.Unmarshal(b, &p); err != nil {
		return fmt.Errorf("read the event's payload %s: %w", path, err)
	}
	pr := p.PullRequest
	if pr == nil {
		return nil
	}
	e.Branch = pr.Base.Ref
	e.Pull = &eventPull{
		Number: pr.Number, HeadSHA: pr.Head.SHA, MergeSHA: pr.MergeSHA,
		Merged: pr.Merged, Closed: pr.State == "closed",
		Fork: pr.Head.Repo == nil || pr.Head.Repo.ID != pr.Base.Repo.ID,
	}
	return nil
}
