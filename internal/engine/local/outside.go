package local

import (
	"context"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/engine/local/process"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/engine/local/router"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/gate"
)

// A front is an endpoint's address, which splits and counts what users ask: a *router.Router.
type front interface {
	prometheus.Collector
	Set(router.Table)
	Totals(revision string) gate.Arm
	Misrouted() uint64
	Strays() uint64
	Clients() *gate.Tracker
	Idle(ctx context.Context, addrs []string) error
	Close(ctx context.Context) error
}

// A serverGroup is the model servers of a revision: a *process.Group.
type serverGroup interface {
	State() process.State
	Scale(replicas int, release func(addr string))
	Stop(grace time.Duration)
}

// An outside is what a daemon runs beyond its own memory and files.
type outside struct {
	listen func(addr string, labels prometheus.Labels) (front, error)
	start  func(c process.Config, replicas int, changed func()) serverGroup
}

// machine is the outside of a daemon in production: addresses and processes of this machine.
func machine() outside {
	places := router.NewPlaces()
	return outside{
		listen: func(addr string, labels prometheus.Labels) (front, error) {
			r, err := places.Listen(addr, labels)
			if err != nil {
				return nil, err // a nil *Router would be a front that is not nil
			}
			return r, nil
		},
		start: func(c process.Config, replicas int, changed func()) serverGroup {
			return process.Start(c, replicas, changed)
		},
	}
}

// A reach is how a client gets at the daemon of a data directory.
type reach struct {
	transport func(to info) http.RoundTripper
	spawn     func(dir dataDir) (spawned, error) // starts a daemon
}
