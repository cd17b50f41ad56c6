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
	Name  string // of the comment, which tells it from others of the same pull request: "" for the only one
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

// Comment is the page for a pull request: at most CommentLimit, the marker in its first line. What has no room is
// summarised, and is in the summary of the same run.
func (p Page) Comment() string { return "" }

// Summary is the page for a job summary, at most SummaryLimit, without a marker.
func (p Page) Summary() string { return "" }

// A Marker is the data in a comment's first line, hidden from readers. Anybody who may write a comment could have
// written it: it finds a comment, and proves nothing.
type Marker struct {
	Name  string       `json:"name"`
	Head  string       `json:"head"`
	Roots []MarkedRoot `json:"roots"`
}

// A MarkedRoot is one plan that a comment tells of.
type MarkedRoot struct {
	Root        string `json:"root"`
	Workspace   string `json:"workspace,omitempty"`
	Fingerprint string `json:"fingerprint,omitempty"` // the sum of all parts
	Keyed       bool   `json:"keyed"`
}

// MarkerOf is the beginning of each comment with this name, and of no other's: by it a comment is found.
func MarkerOf(name string) string { return "" }

// ParseMarker reads the marker of a comment. It is false for a comment without one, or with one of a newer program.
func ParseMarker(body string) (Marker, bool) { return Marker{}, false }

// An Evaluation is how a model's metrics were judged.
type Evaluation struct {
	Metrics   string // where they come from: a file's name
	Reference string // "" for none
	Rows      []Metric
}

// A Metric and its limits; nil is no limit, or no number.
type Metric struct {
	Name             string
	Value            *float64
	Minimum, Maximum *float64
	Regression       *float64 // the most by which it may be worse than the reference
	Reference        *float64
	Pass             bool
	Why              string // a sentence, where it does not pass
}

// Markdown is the evaluation as a table, the failed ones first, at most limit bytes.
func (e Evaluation) Markdown(limit int) string { return "" }
