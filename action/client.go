package action

import "errors"

// openForge opens GitHub.
func openForge(_ *Stage, _ event, _ string) (forge, error) {
	return nil, errors.New("not built yet")
}
