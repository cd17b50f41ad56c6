// Package cluster is where endpoints run: this machine, for now.
package cluster

import (
	"context"
	"errors"
)

// What an Engine may answer. Errors are wrapped with a sentence; use errors.Is.
var (
	// ErrNotFound says that there is no such cluster.
	ErrNotFound = errors.New("no such cluster")
	// ErrInUse says that it holds endpoints.
	ErrInUse = errors.New("the cluster is in use")
)

// A Spec is what a user asks of a cluster.
type Spec struct {
	Name               string `json:"name"`
	DeletionProtection bool   `json:"deletion_protection,omitempty"`
}

// A Status is a cluster as it is.
type Status struct {
	Spec
	// URL is the address of the engine's page, "http://127.0.0.1:PORT"; "" until it first ran.
	URL string `json:"url"`
	// Running is false while the engine is stopped: its endpoints do not answer then.
	Running bool `json:"running"`
	// Endpoints are the names of those that it holds.
	Endpoints []string `json:"endpoints,omitempty"`
}

// An Engine keeps clusters.
type Engine interface {
	// Apply creates or changes a cluster. Applying the same Spec again changes nothing.
	Apply(ctx context.Context, s Spec) (Status, error)
	// Get returns a cluster as it is now, or ErrNotFound.
	Get(ctx context.Context, name string) (Status, error)
	// Delete removes a cluster, and refuses while it holds endpoints. It succeeds if there is none.
	Delete(ctx context.Context, name string) error
}
