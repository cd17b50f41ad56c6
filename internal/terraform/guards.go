package terraform

import (
	"context"
	"io"
)

// A Checker holds a plan against rules. Guards is one; policies in a language of their own will be others, which read
// the tool's JSON by show: see Root.ShowJSON.
type Checker interface {
	Check(ctx context.Context, p Plan, show func(context.Context, io.Writer) error) ([]Violation, error)
}

// Guards are what a plan may not do.
type Guards struct {
	// Protect are patterns of addresses that may not be destroyed, replaced or forgotten: "module.db.*",
	// "aws_db_instance.*", "aws_s3_bucket.logs[\"eu\"]". A star stands for anything within or across
	// names; a pattern without an index holds for all instances, one of a module for all in it.
	Protect []string
	// MaxChanges is the most that a plan may add, change, destroy and forget together; 0 is no limit.
	MaxChanges int
	// Forbid are types that may not be created or changed: "aws_iam_user", "aws_iam_*".
	Forbid []string
}

// A Violation of a rule.
type Violation struct {
	Guard   string // "protect", "max_changes", "forbid"; or a policy's name
	Rule    string // the pattern or number
	Address string // "" for one of the whole plan
	Message string // a sentence
}

// Validate says which patterns mean nothing.
func (g Guards) Validate() error { return nil }

// Check holds a plan against the guards. It needs neither ctx nor show.
func (g Guards) Check(_ context.Context, p Plan, _ func(context.Context, io.Writer) error) ([]Violation, error) {
	return nil, errSoon
}
