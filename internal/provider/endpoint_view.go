package provider

import (
	"context"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/endpoint"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/rollout"
)

// A viewer is an engine that tells an endpoint and its last rollout at once: a refresh of a thousand endpoints asks it a
// thousand times, and not twice as often.
type viewer interface {
	View(ctx context.Context, id string, claim bool) (endpoint.Status, rollout.Record, error)
}

// view returns an endpoint, which is in a state from now on, with its last rollout.
func (b *backend) view(ctx context.Context, id string) (endpoint.Status, rollout.Record, error) {
	if v, ok := b.endpoints.(viewer); ok {
		return v.View(ctx, id, true)
	}
	st, err := b.endpoints.Get(ctx, id, true)
	if err != nil {
		return st, rollout.Record{}, err
	}
	rec, _, err := b.endpoints.Load(ctx, id)
	return st, rec, err
}
