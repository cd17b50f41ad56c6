// Package action is a library of modes: plan, apply, evaluate, promote. GitHub's runner and the command line run the same
// ones; a mode is one function in one file.
//
// A run has three sides. Inputs are what it is asked, parsed once. A Stage is where it runs: what it prints to, the
// runner's files, and GitHub if there is one. An Outcome is how it ended, which is the exit code and the output
// `result`. Between them stand Terraform (internal/terraform), what people read (internal/report) and GitHub.
//
// Nothing is applied that was not reviewed: review.go says what a review is and why it can be believed, verify.go
// finds it again.
package action

import (
	"context"
	"errors"
	"fmt"
)

// An Outcome is how a run ended.
type Outcome int

// The outcomes.
const (
	// Done is a plan that was made, an apply that was carried out, metrics that are good enough, a model that was promoted.
	Done Outcome = iota
	// Failed is an error: of the inputs, of Terraform, of GitHub.
	Failed
	// Changes is a plan with changes, where that was asked for by --detailed-exitcode.
	Changes
	// RolledBack is an apply or a promotion that failed since a gate closed: the old model has the traffic.
	RolledBack
	// Refused is a plan that guards forbid, an apply of what was not reviewed, metrics that are not good enough.
	// Nothing was changed.
	Refused
	// Held is a rollout that is neither promoted nor rolled back: it waits for an approval, or its weight is frozen for
	// the next runner.
	Held
	// Cancelled is a run that was interrupted. Terraform was waited for and let go of its lock.
	Cancelled
)

// Code is the exit code of an outcome. These are the codes of the other commands, and for changes Terraform's: scripts
// depend on them, so they never change.
func (o Outcome) Code() int {
	switch o {
	case Done:
		return 0
	case Changes, RolledBack:
		return 2
	case Held:
		return 3
	case Refused:
		return 4
	case Cancelled:
		return 130
	default:
		return 1
	}
}

func (o Outcome) String() string {
	switch o {
	case Done:
		return "done"
	case Changes:
		return "changes"
	case Refused:
		return "refused"
	case RolledBack:
		return "rolled back"
	case Held:
		return "held"
	case Cancelled:
		return "cancelled"
	default:
		return "failed"
	}
}

// Main is the Action: it reads its inputs, runs the mode that they name, and says what went wrong.
func Main(ctx context.Context, s *Stage) Outcome {
	in, err := FromAction(s.input)
	if err != nil {
		s.fail(fmt.Errorf("inputs: %w", err))
		return Failed
	}
	return Run(ctx, s, in)
}

// Run runs a mode.
func Run(ctx context.Context, s *Stage, in Inputs) Outcome {
	s.hide(in)
	out, err := dispatch(ctx, s, in)
	if err != nil {
		s.fail(err)
	}
	s.Output("result", out.String())
	if err := s.close(); err != nil {
		s.fail(err)
		if out == Done || out == Changes {
			return Failed
		}
	}
	return out
}

func dispatch(ctx context.Context, s *Stage, in Inputs) (Outcome, error) {
	switch in.Mode {
	case ModePlan:
		return Plan(ctx, s, in)
	case ModeApply:
		return Apply(ctx, s, in)
	case ModeEvaluate:
		return Evaluate(s, in)
	case ModePromote:
		return Promote(ctx, s, in)
	}
	return Failed, fmt.Errorf("mode %q: %s", in.Mode, wantMode)
}

// ended is the outcome of an error.
func ended(ctx context.Context, err error) Outcome {
	if err == nil {
		return Done
	}
	if ctx.Err() != nil || errors.Is(err, context.Canceled) {
		return Cancelled
	}
	return Failed
}
