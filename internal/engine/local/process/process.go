// Package process runs model servers: a Group is the replicas of one revision.
package process

import (
	"context"
	"time"
)

// A Config says what every replica of a group runs.
type Config struct {
	Name     string   // the endpoint's
	Revision string   // digest
	Dir      string   // working folder
	Command  []string // {port}, {model} and {name} are replaced
	Model    string   // path of the captured model
	Env      []string // "NAME=value": what was declared; PATH, HOME, LANG, PORT, ... are added

	Protocol     string // "v2" or "http"
	ReadyPath    string // for "http"
	StartTimeout time.Duration
	State        string // folder for logs and pid files, the group's own
}

// A Group is replicas under supervision.
type Group struct{}

// A State is a group as it is now.
type State struct {
	Addrs    []string // of the replicas that are ready
	Restarts int
	// Problem says why it is not serving as it should, with the tail of the log; "" if all is well.
	Problem string
	// Failed is true when a start failed for good: the command is missing, or no replica was
	// ready within StartTimeout, or they died three times in a row before they were ready.
	Failed bool
}

// Start begins to run replicas and returns at once; changed is called, never concurrently,
// after each change of State.
func Start(c Config, replicas int, changed func()) *Group { panic("contract only") }

// State returns the group's state.
func (g *Group) State() State { panic("contract only") }

// Scale changes the number of replicas. Replicas that go are stopped after release (their address) returns.
func (g *Group) Scale(replicas int, release func(addr string)) { panic("contract only") }

// Stop ends all replicas: SIGTERM, then after grace SIGKILL to the whole process group. It returns when none is left.
func (g *Group) Stop(grace time.Duration) { panic("contract only") }

// Reap kills what an earlier daemon left running, by the pid files below dir. A process that
// merely has the number of a dead one is left alone.
func Reap(ctx context.Context, dir string) error { panic("contract only") }
