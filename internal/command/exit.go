package command

import "github.com/tidegatehq/terraform-provider-tidegate/internal/rollout"

// The exit codes of promote and status. Other commands end with 0 when they did what they were asked for.
const (
	exitDone       = 0 // promoted
	exitFailed     = 1
	exitRolledBack = 2
	exitUnderWay   = 3 // it waits, is held or frozen, or goes on without this command
	exitRefused    = 4 // nothing was changed
)

// exitFound is the doctor's, where something is wrong.
const exitFound = 2

// An exitError ends the program with a code of its own. Its err is nil where all is said already.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string {
	if e.err == nil {
		return ""
	}
	return e.err.Error()
}

func (e *exitError) Unwrap() error { return e.err }

// exit returns nil for 0.
func exit(code int, err error) error {
	if code == exitDone {
		return err
	}
	return &exitError{code, err}
}

// codeOf is what a record alone says.
func codeOf(r rollout.Record) int {
	switch {
	case r.Phase == rollout.RolledBack:
		return exitRolledBack
	case r.Phase.Final():
		return exitDone
	}
	return exitUnderWay
}
