// Package router splits an endpoint's requests between two arms by weight, and counts the answers.
package router

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/gate"
)

// An Arm is a revision and the model servers that answer for it.
type Arm struct {
	Revision string   // its digest
	Addrs    []string // "127.0.0.1:PORT" of the replicas that are ready
}

// A Table says who gets what.
type Table struct {
	Stable    Arm
	Candidate Arm // zero: none
	Weight    int // the candidate's percent

	StickyHeader, StickyCookie string        // at most one
	Salt                       string        // of the sticky hash: the endpoint's id
	Timeout                    time.Duration // for an answer to begin
}

// A Router is one endpoint's address.
type Router struct{}

// Listen opens addr ("127.0.0.1:PORT", 0 for any) and answers 503 until Set is called.
func Listen(addr string, labels prometheus.Labels) (*Router, error) { panic("contract only") }

// Addr is the address that it listens on.
func (r *Router) Addr() string { panic("contract only") }

// Set replaces the table for the requests that begin from now on.
func (r *Router) Set(t Table) { panic("contract only") }

// Totals returns what a revision answered since the router began.
func (r *Router) Totals(revision string) gate.Arm { panic("contract only") }

// Idle returns when no request is in flight to any of addrs, or with ctx's error.
func (r *Router) Idle(ctx context.Context, addrs []string) error { panic("contract only") }

// Close stops listening, waits for requests in flight until ctx ends, then drops them.
func (r *Router) Close(ctx context.Context) error { panic("contract only") }

// Describe and Collect make a Router a prometheus.Collector.
func (r *Router) Describe(ch chan<- *prometheus.Desc) { panic("contract only") }

// Collect sends the counters.
func (r *Router) Collect(ch chan<- prometheus.Metric) { panic("contract only") }
