package terraform

import (
	"context"
	"errors"
)

var errSoon = errors.New("not built yet")

// A Tool is a Terraform or an OpenTofu on this machine.
type Tool struct {
	Name    string // "terraform" or "tofu"
	Path    string // absolute
	Version string // "1.11.4"
}

// Find finds the tool: "terraform" or "tofu" on the PATH, a path to one, or with "" whichever is there, Terraform first.
// env is the environment that it is looked up and asked in; nil is this process's.
func Find(ctx context.Context, name string, env []string) (Tool, error) { return Tool{}, errSoon }
