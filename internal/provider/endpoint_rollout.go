package provider

import (
	"context"
	"fmt"
	"time"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/endpoint"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/failpoint"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/rollout"
)

// A notPromotedError says that a change went through and other things serve: somebody else
// changed the endpoint meanwhile.
type notPromotedError struct{ stable, want string }

func (e *notPromotedError) Error() string {
	return fmt.Sprintf("revision %s serves, and %s should: somebody else changed the endpoint meanwhile", short(e.stable), short(e.want))
}

// change makes the endpoint what s says, and drives the rollout that follows to its end. The
// Status is what serves afterwards, also on error; zero if that cannot be told. The Record is
// the endpoint's last rollout.
func (r *endpointResource) change(ctx context.Context, s endpoint.Spec) (endpoint.Status, rollout.Record, error) {
	id := endpoint.ID(s.Cluster, s.Name)
	st, err := r.endpoints.Update(ctx, s)
	if err == nil && st.Stable.Digest != s.Expected.Digest {
		err = r.drive(ctx, id, s)
	}
	// What is true must be known even where ctx is over.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 15*time.Second)
	defer cancel()
	if now, getErr := r.endpoints.Get(ctx, id, true); getErr == nil {
		st = now
	}
	rec, _, _ := r.endpoints.Load(ctx, id) // only for words
	if err == nil && st.Stable.Digest != s.Expected.Digest {
		err = &notPromotedError{stable: st.Stable.Digest, want: s.Expected.Digest}
	}
	return st, rec, err
}

// drive runs the rollout that Update began, or that an earlier runner left.
func (r *endpointResource) drive(ctx context.Context, id string, s endpoint.Spec) error {
	p := watch(ctx, s.Name)
	defer p.close()
	failpoint.Hit("run")
	_, err := rollout.Run(ctx, r.endpoints, id, rollout.Options{
		Runner:   r.name,
		Freeze:   s.Rollout.OnCancel == "freeze",
		Progress: p.show,
	})
	return err
}
