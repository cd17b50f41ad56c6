package action

import (
	"context"
	"fmt"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/endpoint"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/engine"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/failpoint"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/rollout"
)

// What a runner does when it is told to stop.
const (
	OnCancelRollback = "rollback"
	OnCancelFreeze   = "freeze"
)

// A Drive is the rollout of one endpoint, to be driven to its end.
type Drive struct {
	ID        string
	Endpoints endpoint.Engine
	OnCancel  string // OnCancelRollback, OnCancelFreeze, or "": what the endpoint says
	NoWait    bool   // leave where an approval is needed
	Runner    string
	// Tell returns what is told each saved change of the rollout. It is called once, where there is something to drive.
	Tell func(endpoint.Status) *Teller
}

// Meant is the id of the endpoint that a person means, and its engine.
func Meant(ctx context.Context, engines *engine.Engines, name string) (string, endpoint.Engine, error) {
	id, err := engines.Find(ctx, name)
	if err != nil {
		return "", nil, err
	}
	endpoints, err := engines.Endpoint(id)
	return id, endpoints, err
}

// ValidOnCancel refuses what is no value of Drive.OnCancel.
func ValidOnCancel(value string) error {
	switch value {
	case "", OnCancelRollback, OnCancelFreeze:
		return nil
	}
	return fmt.Errorf("%q: want %s or %s", value, OnCancelRollback, OnCancelFreeze)
}

// Run drives the rollout by the steps of its policy, as long as its gates pass, until it is promoted or rolled back, or
// until ctx ends it as OnCancel says. An error is what is no ending; the Ending has what is known even so.
func (d Drive) Run(ctx context.Context) (Ending, error) {
	st, err := d.Endpoints.Get(ctx, d.ID, false)
	if err != nil {
		return Ending{}, err
	}
	r, _, err := d.Endpoints.Load(ctx, d.ID)
	if err != nil {
		return Ending{}, err
	}
	if e, none := nothingStaged(d.ID, r); none {
		return e, nil
	}
	onCancel := d.OnCancel
	if onCancel == "" {
		onCancel = st.Spec.Rollout.OnCancel
	}
	t := d.Tell(st)
	failpoint.Hit("run")
	r, err = rollout.Run(ctx, d.Endpoints, d.ID, rollout.Options{
		Runner:          d.Runner,
		Freeze:          onCancel == OnCancelFreeze,
		LeaveAtApproval: d.NoWait,
		Progress:        t.Show,
	})
	t.Close()
	return endingOf(ctx, d.ID, d.Runner, r, err)
}
