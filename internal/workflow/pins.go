package workflow

// Pins are what actions are pinned to, by their name: "actions/checkout".
type Pins map[string]Pin

// A Pin is a full commit and the version that people know it by.
type Pin struct {
	Commit  string // 40 hex digits
	Version string // "v7.0.1"; "" where none is known
}

// Own is the name of Tidegate's own Action.
const Own = "tidegatehq/terraform-provider-tidegate"

// Known returns the built-in pin of an action.
func Known(action string) (Pin, bool) { return Pin{}, false }
