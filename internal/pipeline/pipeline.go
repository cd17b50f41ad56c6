// Package pipeline is the way of a model from a repository to production: a workflow in that repository, with the
// environments it deploys to, their secrets, and the rules of its branch.
//
// A Spec is what a user asks. Package workflow makes the file of it; an Engine puts file, environments and rules where
// they belong (a GitHub repository, or a folder that is a checkout of one), and reads them back.
package pipeline

import (
	"context"
	"errors"
	"time"
)

// A Spec is what a user asks of a pipeline. Blocks that are nil are not asked for.
type Spec struct {
	Place
	Delivery Delivery
	Adopt    bool // take over a file or an environment that is there already

	Name     string // of the workflow, as GitHub lists it; "": the file's name without its ending
	Triggers Triggers
	Test     *Test
	Data     *Data
	Train    *Train
	Evaluate *Evaluate
	Package  *Package
	Scan     *Scan
	Deploys  []Deploy // in the order in which they are written
	Monitor  *Monitor
	// YAML is a workflow in the user's own words, instead of triggers and stages.
	YAML string

	Environments   []Environment
	RequiredChecks []string // names of jobs that a pull request has to pass

	// Pins are refs that the user wants for actions: "actions/checkout": "v7.0.1", or a full commit.
	Pins map[string]string
}

// A Place is where a pipeline's file is: in a repository of GitHub, or in a folder that is a checkout.
type Place struct {
	Repository string // "acme/fraud"; "" if in a folder
	Directory  string // absolute; "" if in a repository
	Path       string // ".github/workflows/fraud.yml"
}

// Delivery says how the file gets onto its branch.
type Delivery struct {
	Mode   string // PullRequest or Commit; "" in a folder
	Branch string // "": the repository's default branch
}

// The values of Delivery.Mode.
const (
	PullRequest = "pull_request"
	Commit      = "commit"
)

// Triggers say when the workflow runs. It can always be started by hand (workflow_dispatch).
type Triggers struct {
	Push        []string // branches, or patterns of such
	PullRequest bool
	Schedule    []string // cron, five fields, UTC
}

// A Stage is what every stage can say about its job.
type Stage struct {
	RunsOn         []string // labels; nil: ubuntu-latest
	TimeoutMinutes int      // 0: the stage's default
	Python         string   // version to set up, "3.13"; "": that of the test stage, or none
	Env            map[string]string
	Permissions    map[string]string // of GITHUB_TOKEN, besides what the stage itself needs: "packages": "read"
	Steps          []Step
}

// A Step is one that the user adds to a stage.
type Step struct {
	After bool // run it after the stage's own work; else before it
	Name  string
	Run   string // either a script of bash
	Uses  string // or an action, "acme/setup@v1", which is pinned like all others
	With  map[string]string
	Env   map[string]string
}

// Test runs the project's tests.
type Test struct {
	Stage
	Run    string
	Matrix map[string][]string // "python": ["3.12", "3.13"]; each value is $MATRIX_NAME in Run
}

// Data fetches and checks a dataset.
type Data struct {
	Stage
	Validate string // script; finds the dataset in $DATASET
	Dataset  string // "dvc:data/tx.parquet" or "file:data/tx.csv"; "" for none
}

// Train makes a model.
type Train struct {
	Stage
	Run     string
	Outputs []string // names that Run writes to $GITHUB_OUTPUT, which later stages find as $TRAIN_NAME
}

// Evaluate judges the model's metrics, by the Action's mode of that name.
type Evaluate struct {
	Stage
	Metrics   string // JSON file that Train writes, or that is in the repository
	Reference string // JSON file in the repository to compare with; "" for none
	Min, Max  map[string]float64
	// MaxRegression is how far from Reference: "auc": "-0.005" may fall, "loss": "+5%" may rise. Without a sign a metric of
	// Min may fall and one of Max may rise.
	MaxRegression map[string]string
}

// Package puts the model into an OCI registry.
type Package struct {
	Stage
	Image      string // "ghcr.io/acme/fraud"
	Model      string // file or folder, made by Train or in the repository
	Dockerfile string // builds an image with the model in it; "": the model itself is the artifact
	SBOM       string // "spdx-json", "cyclonedx-json" or "" for none
	Sign       string // "keyless" or "" for none
	Provenance bool
}

// Scan looks for known vulnerabilities: in what a pull request has, and in what was packaged.
type Scan struct {
	Stage
	FailOn string // "negligible", "low", "medium", "high" or "critical"
}

// Deploy brings what was packaged to one root module, by the Action: plan, apply, promote. Its own steps run in both jobs, and
// find what was packaged in $IMAGE, "IMAGE@DIGEST".
type Deploy struct {
	Stage
	Name        string
	Root        string // folder of the root module
	Environment string // of GitHub; "" for none
	Needs       []string
	// ImageVariable names the root module's variable that gets "IMAGE@DIGEST"; "" for none.
	ImageVariable string
	// Promote names the endpoints whose staged rollouts are driven, in this order; nil: all that the apply staged.
	Promote []string
	AWS     *AWS
	GCP     *GCP
	Azure   *Azure
}

// AWS is as whom a deploy speaks to that cloud, by OIDC, as are GCP and Azure. Jobs that plan run before anybody has reviewed
// anything: each cloud has an identity for them, which needs to read only; "" is the deploy's own.
type AWS struct{ RoleARN, PlanRoleARN, Region string }

// GCP is Google's cloud.
type GCP struct {
	WorkloadIdentityProvider string // "projects/N/locations/global/workloadIdentityPools/P/providers/X"
	ServiceAccount           string // "" for direct access
	PlanServiceAccount       string
}

// Azure is Microsoft's cloud.
type Azure struct{ ClientID, PlanClientID, TenantID, SubscriptionID string }

// Monitor plans every deploy's root by a schedule, and fails when something was changed behind the configuration's back.
type Monitor struct {
	Stage
	Schedule string // cron
	Run      string // script to run besides; "" for none
}

// An Environment of a repository.
type Environment struct {
	Name              string
	Reviewers         []string // "octocat", "@acme/ml-leads"; at most 6
	WaitMinutes       int      // 0..43200
	PreventSelfReview bool
	Branches          []string // patterns of branches that may deploy; nil: all
	Variables         map[string]string
	// Secrets are values to write; nil where they stay as they are. SecretNames are all that have to be there.
	Secrets     map[string]string
	SecretNames []string
}

// A Status is a pipeline as it is.
type Status struct {
	Place
	// Content is the file: on the pull request's branch while one of ours is open, else on the branch. "" if there is none.
	Content string
	Branch  string // that the file belongs on
	Commit  string // that this engine made last, as far as it is known; "" in a folder
	// Pull is the pull request that brings the file, or the last that did; nil if there never was one.
	Pull         *Pull
	Environments []EnvironmentStatus
	// RequiredChecks of our own ruleset; nil if there is none.
	RequiredChecks []string
	// ChecksOn is the branch that they were asked for, "" for the default one: our ruleset is of no use on another.
	ChecksOn string
	// Made names what came into being by this pipeline and goes with it: "file", "environment/production", "ruleset/7".
	Made []string
	// Behind are names of what GitHub's plan does not give this repository. Apply makes an error of it.
	Behind []string
}

// A Pull request that brings a pipeline's file.
type Pull struct {
	Number int
	URL    string
	State  string // "open", "merged" or "closed"
}

// An EnvironmentStatus is an environment as it is. Secrets' values cannot be read.
type EnvironmentStatus struct {
	Environment
	SecretsUpdated map[string]time.Time // when each secret was last written, by whomever
	// AdminsBypass is true if somebody let administrators deploy without reviewers and waiting. Apply takes it back.
	AdminsBypass bool
}

// A Change is what Apply makes real.
type Change struct {
	Spec
	Content string // of the file
	// Base is the content that the plan was made against, "" for no file: another one means that the branch moved on.
	Base string
	// Before is what an earlier Apply left, zero for a new pipeline: what of it the Spec no longer has is removed.
	Before Status
}

// A Problem is about one attribute of a Spec.
type Problem struct {
	// Path is the attribute's in HCL: {"deploy", 1, "needs"}; names, numbers of blocks in their order, keys of maps.
	Path    []any
	Summary string // "A deploy waits for itself"
	Detail  string // the value, the choices, the next step
	Warning bool   // else an error
}

// An Engine keeps pipelines somewhere.
type Engine interface {
	// Check says what a plan can know of the place where s would go: whether repository or folder and branch are there and
	// may be written, whether file and environments are somebody else's, who reviewers are, whether deploys name environments
	// that exist. An error is a place that could not be asked: then nothing is known, and a plan goes on with a warning.
	Check(ctx context.Context, s Spec, known Status) ([]Problem, error)
	// Apply creates or changes a pipeline: first environments, secrets and variables, then the file in one commit, then
	// required checks. Applying the same Change again changes nothing. On error the Status is what is true by then, or
	// zero if nothing came into being.
	Apply(ctx context.Context, c Change) (Status, error)
	// Get returns a pipeline as it is now, or ErrNotFound if neither file nor pull request is there. known is the last Status, whose
	// environments and rules are looked at.
	Get(ctx context.Context, known Status) (Status, error)
	// Delete removes what known.Made says, and nothing else: the file by commit or pull request, as d says.
	// It succeeds if there is none. A removal that waits in a pull request is a Pull with State open.
	Delete(ctx context.Context, known Status, d Delivery) (*Pull, error)
}

// What an Engine may answer. Errors are wrapped with a sentence; use errors.Is.
var (
	// ErrNotFound: there is no such pipeline.
	ErrNotFound = errors.New("no such pipeline")
	// ErrExists: file or environment is there and somebody else made it.
	ErrExists = errors.New("it exists already and was not made by this pipeline")
	// ErrMoved: the file changed after it was planned.
	ErrMoved = errors.New("the file changed after the plan was made")
	// ErrNotProtected: GitHub took an environment's protection without keeping it.
	ErrNotProtected = errors.New("GitHub did not keep a protection that was asked for")
)

// Marker is the second line of each file that Tidegate writes; the path follows. A file without it is somebody else's.
const Marker = "# Written by Tidegate, tidegate_pipeline "

// A Run of a workflow.
type Run struct {
	ID         int64
	Number     int
	Event      string
	Branch     string
	Commit     string
	Status     string // "queued", "in_progress", "completed", ...
	Conclusion string // "success", "failure", ...; "" until completed
	Created    time.Time
	Duration   time.Duration // until now, if it still runs
	URL        string
}
