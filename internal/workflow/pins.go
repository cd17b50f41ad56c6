package workflow

import "strings"

// Pins are what actions are pinned to, by their name: "actions/checkout".
type Pins map[string]Pin

// A Pin is a full commit and the version that people know it by.
type Pin struct {
	Commit  string // 40 hex digits
	Version string // "v7.0.1"; "" where none is known
}

// Own is the name of Tidegate's own Action.
const Own = "tidegatehq/terraform-provider-tidegate"

// Known returns the built-in pin of an action: of the repository's newest version when this program was written.
func Known(action string) (Pin, bool) {
	k, ok := knownPins[strings.ToLower(repositoryOf(action))]
	return k.Pin, ok
}

// A knownPin names where commit and version were read together: two files that agree. A source is repository, path and
// commit of a public file, or the number under which a public index of code holds one.
type knownPin struct {
	Pin
	sources [2]string
}

const (
	ghAwPins = "github/gh-aw pkg/workflow/data/action_pins.json @0e6d629962d4dc424d7a6043ee375aa1d6248ec3"
	ghAwLock = "github/gh-aw .github/aw/actions-lock.json @011f02467ee9666ca9e08d41c2036c42671fb676"
)

// knownPins are of the actions that a rendered workflow uses, read in November 2026.
var knownPins = map[string]knownPin{
	"actions/attest": {
		Pin{"1e69f48acb82d1966a394da916b4c1698aa569d6", "v4.2.2"},
		[2]string{"indexed file 69016566632", "indexed file 69397216007"},
	},
	"actions/checkout": {
		Pin{"3d3c42e5aac5ba805825da76410c181273ba90b1", "v7.0.1"},
		[2]string{ghAwPins, "indexed file 71651361796"},
	},
	"actions/download-artifact": {
		Pin{"3e5f45b2cfb9172054b4087a40e8e0b5a5461e7c", "v8.0.1"},
		[2]string{ghAwPins, "indexed file 54487731307"},
	},
	"actions/setup-python": {
		Pin{"5fda3b95a4ea91299a34e894583c3862153e4b97", "v7.0.0"},
		[2]string{ghAwLock, "indexed file 68344568193"},
	},
	"actions/upload-artifact": {
		Pin{"043fb46d1a93c77aae656e7c1c64a875d1fc6a0a", "v7.0.1"},
		[2]string{ghAwPins, "indexed file 56171373092"},
	},
	"anchore/sbom-action": {
		Pin{"66cbf4bc1f1c0d2edc94016e65bc221b6bb0ad6c", "v0.24.3"},
		[2]string{ghAwPins, "indexed file 71141732151"},
	},
	"anchore/scan-action": {
		Pin{"27805bf3b4e84b4a5c980df22ed233c00390a439", "v7.4.2"},
		[2]string{"chainguard-actions/anchore-scan-action download-grype/source.json @771570842dd6dc0aec4a74f6226a15e7178ae83d", "indexed file 70882503591"},
	},
	"aws-actions/configure-aws-credentials": {
		Pin{"e1253824e5c10ff9df46874f81ed3ec929e19cfd", "v6.3.0"},
		[2]string{"indexed file 70892625360", "indexed file 70943371686"},
	},
	"azure/login": {
		Pin{"a641126d1b8aa4d1fa005f4f92df94a3a4c4c906", "v3.1.0"},
		[2]string{"chainguard-actions/azure-login source.json @81584d21bc04dd02706f41b697de7b4995e50a8d", "indexed file 70425116437"},
	},
	"docker/build-push-action": {
		Pin{"c3c9e263c25d99ce0380d002d59b67737d91b0dc", "v7.4.0"},
		[2]string{ghAwPins, "indexed file 70411725447"},
	},
	"docker/login-action": {
		Pin{"dbcb813823bdd20940b903addbd779551569679f", "v4.6.0"},
		[2]string{ghAwPins, "indexed file 71272637787"},
	},
	"docker/setup-buildx-action": {
		Pin{"f87e5991a6d7451dcb8d9637bfbc97413f497069", "v4.4.1"},
		[2]string{ghAwPins, "indexed file 70698015589"},
	},
	"google-github-actions/auth": {
		Pin{"7c6bc770dae815cd3e89ee6cdf493a5fab2cc093", "v3.0.0"},
		[2]string{"indexed file 54490744753", "indexed file 70411725447"},
	},
	"hashicorp/setup-terraform": {
		Pin{"dfe3c3f87815947d99a8997f908cb6525fc44e9e", "v4.0.1"},
		[2]string{"chainguard-actions/hashicorp-setup-terraform source.json @56bfc4a2bdd44f67d642111f2c5c742b2a02f11a", "indexed file 59666651882"},
	},
	"oras-project/setup-oras": {
		Pin{"1d808f7d7f6995cc68b7bf507bfe5c5446e1dc9d", "v2.0.1"},
		[2]string{"indexed file 55892274530", "indexed file 70145415496"},
	},
	"sigstore/cosign-installer": {
		Pin{"6f9f17788090df1f26f669e9d70d6ae9567deba6", "v4.1.2"},
		[2]string{"prometheus-operator/prometheus-operator .github/workflows/publish.yaml @097727fe93eada031fbaa2342d23e632a80648c5", "indexed file 71141732151"},
	},
}
