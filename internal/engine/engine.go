// Package engine says where things are, and is the one place that picks the engine which runs them.
//
// A Config names connections without secrets. The provider block, a file tidegate.json, flags and
// environment variables all end in one (Resolve); Open reaches what it names.
package engine

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/endpoint"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/engine/github"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/engine/local"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/rollout"
)

// A Program is who asks. Command starts the embedded engine's daemon: the program, then "engine",
// "run". Who only reads has none: then nothing is started, and no older daemon is replaced.
type Program struct {
	Version string
	Command []string
	// GitHub is as whom it speaks there; zero: as the environment says.
	GitHub Credential
	// Notice is told what people should know while it happens, such as a wait for GitHub's rate limit. May be nil.
	Notice func(text string)
}

// Engines are what a Config reaches.
type Engines struct {
	config Config
	local  *local.Engine
	github func() (*github.Client, error)
}

// Open returns the engines of a resolved Config. It touches nothing yet.
func Open(c Config, p Program) *Engines {
	return &Engines{
		config: c,
		local:  local.Open(local.Config{DataDir: c.Local.DataDir, Command: p.Command, Version: p.Version}),
		github: sync.OnceValues(func() (*github.Client, error) { return openGitHub(c.GitHub, p) }),
	}
}

// Config is what was opened.
func (e *Engines) Config() Config { return e.config }

// Local returns the embedded engine.
func (e *Engines) Local() *local.Engine { return e.local }

// Endpoint returns the engine that runs the endpoint with this id.
func (e *Engines) Endpoint(id string) (endpoint.Engine, error) {
	kind, _, _ := strings.Cut(id, "/")
	switch kind {
	case "local":
		return e.local.Endpoints(), nil
	default:
		return nil, fmt.Errorf("endpoint %q: kind %q: want local/CLUSTER/NAME", id, kind)
	}
}

// An Endpoint is one that an engine runs, with its present or last rollout.
type Endpoint struct {
	ID     string
	Status endpoint.Status
	Record rollout.Record
}

// Endpoints returns all there are, by id.
func (e *Engines) Endpoints(ctx context.Context) ([]Endpoint, error) {
	st, err := e.local.Status(ctx)
	if err != nil {
		return nil, err
	}
	var all []Endpoint
	for _, one := range st.Endpoints {
		all = append(all, Endpoint{ID: one.ID, Status: one.Status, Record: one.Record})
	}
	return all, nil
}

// Find returns the id of the endpoint that a person means: an id, or the last part of just one.
func (e *Engines) Find(ctx context.Context, name string) (string, error) {
	if strings.Contains(name, "/") {
		if _, err := e.Endpoint(name); err != nil {
			return "", err
		}
	}
	all, err := e.Endpoints(ctx)
	if err != nil {
		return "", err
	}
	var meant, ids []string
	for _, one := range all {
		ids = append(ids, one.ID)
		if one.ID == name || strings.HasSuffix(one.ID, "/"+name) && !strings.Contains(name, "/") {
			meant = append(meant, one.ID)
		}
	}
	switch {
	case len(meant) == 1:
		return meant[0], nil
	case len(meant) > 1:
		return "", fmt.Errorf("endpoint %q: it can be each of %s: name one by its id", name, strings.Join(meant, ", "))
	case len(ids) == 0:
		return "", fmt.Errorf("endpoint %q: %w: %s has none: is it the right data directory? terraform apply makes endpoints", name, errNone, e.config.Local.DataDir)
	}
	return "", fmt.Errorf("endpoint %q: %w in %s: want one of %s", name, errNone, e.config.Local.DataDir, strings.Join(ids, ", "))
}

var errNone = errors.New("there is no such endpoint")
