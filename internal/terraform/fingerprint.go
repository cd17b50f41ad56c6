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

// Equal reports whether two plans have the same structure, as far as both fingerprints saw it. Fingerprints of different
// versions or kinds (keyed or not) are never equal.
func (f Fingerprint) Equal(g Fingerprint) bool { return false }

// Diff says what makes two fingerprints differ, sorted by part; nil if they are equal.
func Diff(reviewed, now Fingerprint) []Difference { return nil }

// Encode writes a fingerprint in at most limit characters (letters, digits, "-", "_" and "."). Where there is no room
// it first leaves out attributes, then folds resources into groups by module and type: Diff then names the group.
// The least that it needs is 200 characters.
func (f Fingerprint) Encode(limit int) (string, error) { return "", errSoon }

// DecodeFingerprint reads what Encode wrote, and nothing else.
func DecodeFingerprint(text string) (Fingerprint, error) { return Fingerprint{}, errSoon }

// DeriveKey makes a key for one purpose of a secret, by HKDF-SHA256, so that no key is used for two things. The secret
// needs at least 16 bytes.
func DeriveKey(secret []byte, purpose string) ([]byte, error) { return nil, errSoon }

// A Difference between a reviewed plan and the present one.
type Difference struct {
	Part string
	How  string // "was not reviewed", "is gone", "is another"
	// Attributes that differ, where both sides know them.
	Attributes []string
}
