// Package local is the embedded engine: one daemon a data directory, which runs model servers
// on this machine, routes requests to them by weight, and keeps the record of every rollout.
//
// Engine is the client's side: it starts the daemon when something is to be made, talks to it
// over a unix socket, and reads the store itself while no daemon runs. Serve is the daemon's:
// a unit for every endpoint makes routers and model servers equal to the stored document, so
// that a change is saved first and carried out second, by the same code as after a crash.
package local

import (
	"fmt"
	"path/filepath"
	"sync"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/cluster"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/endpoint"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/rollout"
)

// A Config says where an engine's data is, and how its daemon is started.
type Config struct {
	DataDir string   // made if it is not there
	Command []string // starts the daemon: the program, then "engine", "run"; "--data-dir" DIR is added
	Version string   // of this program; an older daemon is replaced
}

// dataDir is the directory as an absolute path: daemon and clients run in different folders.
func (c Config) dataDir() (dataDir, error) {
	abs, err := filepath.Abs(c.DataDir)
	if err != nil || c.DataDir == "" {
		return "", fmt.Errorf("data directory %q: not a usable path", c.DataDir)
	}
	return dataDir(abs), nil
}

// An Engine reaches the daemon of a data directory.
type Engine struct {
	config Config
	reach  reach

	mu      sync.Mutex
	checked bool // a daemon of the right version answered

	lineLock sync.Mutex
	line     *line // to the daemon that was asked last
}

// Open returns the engine. It touches nothing yet.
func Open(c Config) *Engine {
	e := &Engine{config: c}
	e.reach = reach{transport: e.transport, spawn: e.spawn}
	return e
}

// Clusters returns the engine's clusters. Applying one starts the daemon.
func (e *Engine) Clusters() cluster.Engine { return clusters{e} }

// Endpoints returns the engine's endpoints.
func (e *Engine) Endpoints() endpoint.Engine { return endpoints{e} }

// Runners need not poll this engine.
var _ rollout.Watcher = endpoints{}
