// Package local is the embedded engine: one daemon a data directory, which runs model servers
// on this machine, routes requests to them by weight, and keeps the record of every rollout.
//
// Engine is the client's side: it starts the daemon when something is to be made, talks to it
// over a unix socket, and reads the store itself while no daemon runs.
package local

import (
	"context"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/cluster"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/endpoint"
)

// A Config says where an engine's data is, and how its daemon is started.
type Config struct {
	DataDir string   // made if it is not there
	Command []string // starts the daemon: the program, then "engine", "run"; "--data-dir" DIR is added
	Version string   // of this program; an older daemon is replaced
}

// An Engine reaches the daemon of a data directory.
type Engine struct{}

// Open returns the engine. It touches nothing yet.
func Open(c Config) *Engine { panic("contract only") }

// Clusters returns the engine's clusters. Applying one starts the daemon.
func (e *Engine) Clusters() cluster.Engine { panic("contract only") }

// Endpoints returns the engine's endpoints.
func (e *Engine) Endpoints() endpoint.Engine { panic("contract only") }

// Serve is the daemon: it returns when ctx ends, after its model servers have stopped.
func Serve(ctx context.Context, c Config) error { panic("contract only") }
