package report

import (
	"time"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/terraform"
)

// Limits of GitHub, in bytes. A comment holds 65,536 characters and the summary of a check run one less, a step's
// summary 1 MiB; what is longer is refused or cut. The room to spare is for what a caller puts below.
const (
	CommentLimit = 65_536 - 512
	SummaryLimit = 1<<20 - 4096
)

// A Page is what one run tells people in a pull request's comment, a check run and a job summary, about one root
// module or several. All texts in it may be anybody's: they are shown as they are, and cannot do more.
type Page struct {
	Name  string // of the comment, which tells it from others of the same pull request: "" for the only one; at most 100 bytes
	Head  string // the commit that was planned
	Run   string // URL of the run, https
	Fork  bool   // the pull request comes from a fork: its plan is never applied
	Roots []Root
}

// A Root is a root module, what a plan found in it, and what became of that.
type Root struct {
	Dir        string // "infra/prod", "." for the repository's own
	Workspace  string // "" and "default" are not told
	Plan       terraform.Plan
	Findings   []terraform.Finding   // of fmt and validate
	Violations []terraform.Violation // of guards: there is a plan, and it is not applied
	Err        error                 // why there is no plan; a *terraform.Error is told in full
	Apply      *Apply                // nil where nothing was to be applied
}

// An Apply is what became of a plan. With neither Refusal nor Err it succeeded.
type Apply struct {
	Commit  string // that was applied, or was to be
	Verify  string // "replan", "saved" or "none"
	Took    time.Duration
	Result  terraform.Applied
	Refusal *Refusal // nothing was applied
	Err     error    // why it failed; a *terraform.Error is told in full
	Staged  []Staged // rollouts that wait to be promoted
}

// A Refusal to apply.
type Refusal struct {
	Why         string // a sentence or two, with the next step
	Differences []terraform.Difference
}

// Staged is a rollout that was staged by an apply and has no traffic.
type Staged struct {
	Endpoint string // its id, "local/here/fraud"
	Model    string // the candidate's
	Next     string // what drives it: "tidegate promote fraud"
}

// A Marker is the data in a comment's first line, hidden from readers. Anybody who may write a comment could have
// written it: it finds a comment, and proves nothing.
type Marker struct {
	Name  string       `json:"name"`
	Head  string       `json:"head"`
	Roots []MarkedRoot `json:"roots"` // the first ones, if there are very many
}

// A MarkedRoot is one plan that a comment tells of.
type MarkedRoot struct {
	Root        string `json:"root"`
	Workspace   string `json:"workspace,omitempty"`
	Fingerprint string `json:"fingerprint,omitempty"` // the sum of all parts
	Keyed       bool   `json:"keyed"`
}
