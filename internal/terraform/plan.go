// Package terraform runs Terraform or OpenTofu and reads what they say: what a plan changes, a fingerprint of its
// structure, and which of it must not be shown.
//
// A Root runs the tool in a root module. ReadPlan makes a Plan of what it planned: fit to be shown, since whatever the
// plan marks as sensitive, whatever lies where secrets lie or looks like one, and every other place where the same
// texts appear, is left out or masked. The Plan's Fingerprint covers what was left out as well. It is how a plan that
// was reviewed is found to be the one that is to be applied, and Diff says why it is not. Guards hold a Plan against
// rules; Apply applies its file and says what was done, what failed and what was not begun.
package terraform

// An Action is what a plan does to one object.
type Action string

// The actions, in the order in which people want to see them: the dangerous ones first.
const (
	Delete  Action = "delete"
	Replace Action = "replace" // in either order
	Update  Action = "update"
	Create  Action = "create"
	Forget  Action = "forget" // out of the state, not out of the world
	Read    Action = "read"   // a data source that is read during apply
	NoOp    Action = "no-op"  // only moved or imported
)

// A Plan is what a plan would do, fit to be shown: what is sensitive is not in it.
type Plan struct {
	Tool    string // "terraform" or "tofu"
	Version string // of the tool
	// Changes of resources, sorted by Action and address; those that change nothing, and are neither moved
	// nor imported, are left out.
	Changes     []Change
	Outputs     []OutputChange // those that change, sorted by name
	Drift       []Change       // what changed outside of the tool since the last apply
	Deferred    []string       // addresses whose changes wait for another plan
	Invokes     []string       // provider actions that apply runs
	Fingerprint Fingerprint
	Errored     bool // the plan is not complete
}

// Counts of a plan, as people know them from Terraform: a replacement is one of each of Add and Destroy.
type Counts struct {
	Add, Change, Destroy  int
	Replace, Move, Import int
	Forget, Outputs       int
}

// A Change of one resource instance.
type Change struct {
	Address  string // "module.a.aws_instance.b[\"c\"]"
	Previous string // its address before a move; "" if it did not move
	Module   string // "" for the root module
	Type     string
	Name     string
	Provider string // "registry.terraform.io/hashicorp/aws"
	Deposed  string // key of a deposed object, or ""
	Action   Action
	Imported string // the id that it is imported by, or ""
	Reason   string // why, as Terraform names it: "replace_because_tainted"
	// CreateFirst is true for a replacement that creates before it destroys.
	CreateFirst bool
	Attributes  []Attribute // that change, sorted by Path
	// Note explains a resource of Tidegate's own in a sentence or some: "Endpoint fraud goes from model A to B ...".
	Note []string
}

// An Attribute that changes. Collections are told leaf by leaf.
type Attribute struct {
	Path          string // "tags[\"team\"]", "ingress[0].port"
	Before, After Value
	Forces        bool // replacement
}

// A Value as it may be shown.
type Value struct {
	Kind Kind
	Text string // HCL-like; a text of several lines stands as it is, without quotes; only where Kind is Known
}

// A Kind of value.
type Kind uint8

// The kinds.
const (
	Absent    Kind = iota // null, or not there
	Known                 // Text says it
	Unknown               // known after apply
	Sensitive             // marked so, write-only, or of a shape that leaks
)

// An OutputChange of the root module.
type OutputChange struct {
	Name          string
	Action        Action
	Before, After Value
}
