package provider

import (
	"context"
	"fmt"
	"time"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/endpoint"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/failpoint"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/rollout"
)

// A notPromotedError says that a change went through, and that another revision serves or is staged.
type notPromotedError struct{ is, want string }

func (e *notPromotedError) Error() string {
	return fmt.Sprintf("revision %s was asked for, and %s is there: somebody else changed the endpoint meanwhile", short(e.want), short(e.is))
}

// change makes the endpoint what s says, and drives the rollout that follows to its end, or stages
// it. The Status is what the state holds afterwards, also on error; zero if that cannot be told. The
// Record is the endpoint's last rollout.
func (r *endpointResource) change(ctx context.Context, s endpoint.Spec) (endpoint.Status, rollout.Record, error) {
	id := endpoint.ID(s.Cluster, s.Name)
	st, err := r.endpoints.Update(ctx, s)
	if err == nil && st.Stable.Digest != s.Expected.Digest {
		follow := r.drive
		if s.Rollout.Run == endpoint.Staged {
			follow = r.stage
		}
		err = follow(ctx, id, s)
	}
	// What is true must be known even where ctx is over.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 15*time.Second)
	defer cancel()
	if now, getErr := r.endpoints.Get(ctx, id, true); getErr == nil {
		st = now
	}
	rec, _, _ := r.endpoints.Load(ctx, id) // only for words
	st = shown(st, rec)
	if err == nil && st.Stable.Digest != s.Expected.Digest {
		err = &notPromotedError{is: st.Stable.Digest, want: s.Expected.Digest}
		if rec.Candidate == s.Expected.Digest && rec.Phase == rollout.RolledBack {
			err = &rollout.RolledBackError{Record: rec}
		}
	}
	return st, rec, err
}

// drive runs the rollout that Update began, or that an earlier runner left. It waits for no
// approval: one that began as a staged rollout may want it.
func (r *endpointResource) drive(ctx context.Context, id string, s endpoint.Spec) error {
	p := watch(ctx, s.Name)
	defer p.close()
	failpoint.Hit("run")
	_, err := rollout.Run(ctx, r.endpoints, id, rollout.Options{
		Runner: r.name,
		Freeze: s.Rollout.OnCancel == "freeze",

		LeaveAtApproval: true,
		Progress:        p.show,
	})
	return err
}
