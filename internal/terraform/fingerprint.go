package terraform

// FingerprintVersion is the number of the recipe by which plans are hashed. Two fingerprints of different versions
// are never equal.
const FingerprintVersion = 1

// A Fingerprint stands for the whole structure of a plan: every action, address, value before and after with sensitive
// ones, unknowns as such, provider versions, the lock file, the tool's version, the workspace, variables, the state's
// lineage. With a key it is HMAC-SHA256, so that nobody can guess a sensitive value by trying; without one, sensitive
// values are left out.
type Fingerprint struct {
	Version int
	Keyed   bool
	Sum     string // 64 hexadecimal digits over all parts
	Parts   []Part // sorted by Name
}

// A Part of a plan with a hash of its own, so that two plans can be compared without their values.
type Part struct {
	Name string // "resource aws_instance.b", "output url", "variable region", "provider hashicorp/aws", "lock file", ...
	Sum  string // 16 hexadecimal digits
	// Attributes are hashes of a changed resource's leaves, by path; nil where there was no room for them.
	Attributes map[string]string
}

// A Difference between a reviewed plan and the present one.
type Difference struct {
	Part string
	How  string // "was not reviewed", "is gone", "is another"
	// Attributes that differ, where both sides know them.
	Attributes []string
}
