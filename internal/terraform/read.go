package terraform

import "io"

// A Source is what belongs to a plan and is not in its JSON.
type Source struct {
	Tool      Tool
	Workspace string
	Lineage   string // of the state
	LockFile  []byte // .terraform.lock.hcl
	Key       []byte // of fingerprints; see Fingerprint
	// Scrub hides secrets in all texts of the plan; what the plan itself calls sensitive is added to it.
	Scrub *Scrubber
}

// Parse reads a plan from the JSON that `show -json` writes, as a stream: one change is in memory at a time.
func Parse(r io.Reader, s Source) (Plan, error) { return Plan{}, errSoon }

// Counts are how many of what a plan does.
func (p Plan) Counts() Counts { return Counts{} }

// Changed reports whether applying the plan would do anything: counts that are not all zero.
func (p Plan) Changed() bool { return false }
