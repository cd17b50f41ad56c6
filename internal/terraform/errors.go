package terraform

import "time"

// An Error is a tool that failed.
type Error struct {
	Doing       string // "plan", "init", ...
	Dir         string
	Tool        string
	Code        int // exit code; -1 for a signal
	Diagnostics []Diagnostic
	Said        string // the last lines that it said, scrubbed; where there are no diagnostics
	Lock        *Lock  // set where the state was locked by somebody else
	Canceled    bool   // the context ended
}

func (e *Error) Error() string { return "" }

// A Lock on a state that somebody else holds.
type Lock struct {
	ID        string
	Path      string
	Operation string // "OperationTypeApply"
	Who       string // "runner@host"
	Version   string // of the tool that holds it
	Created   time.Time
	Info      string
}
