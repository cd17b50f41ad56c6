package command

import (
	"errors"
	"fmt"
	"io"

	"github.com/tidegatehq/terraform-provider-tidegate/action"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/command/screen"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/rollout"
)

// An ending is how a command ended: in a word, a code and a sentence that says what to do next.
type ending struct {
	endpoint string
	outcome  string
	code     int
	message  string
	rec      rollout.Record
}

// What people's commands end with, besides what a promotion does.
const (
	approved  = "approved"
	cancelled = "cancelled"
	failed    = "error"
)

// driven is the ending of a rollout that was driven.
func driven(e action.Ending) ending {
	return ending{e.Endpoint, e.Word, e.Outcome.Code(), e.Message, e.Record}
}

// tell prints the ending, and returns what Main makes the exit code of: that is what happened, whether or not
// anybody reads. Errors are not endings.
func (e ending) tell(out io.Writer, asJSON bool) error {
	message := errors.New(screen.Clean(e.message))
	switch {
	case asJSON:
		_ = printJSON(out, resultView{"result", e.endpoint, e.outcome, e.code, e.message, viewRollout(e.rec)}, true)
	case e.code == exitRefused:
		return exit(e.code, message) // Main prints it where errors go
	default:
		_, _ = fmt.Fprintln(out, message)
	}
	return exit(e.code, nil)
}
