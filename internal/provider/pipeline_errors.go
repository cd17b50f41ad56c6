package provider

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/engine/github"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/pipeline"
)

// unreachable reports whether err is about the way to GitHub and not about what was asked there.
func unreachable(err error) bool {
	return errors.Is(err, github.ErrUnavailable) || errors.Is(err, github.ErrRateLimit)
}

// away is why GitHub cannot be reached at all, from when that was found; nil before. What a plan would ask after that is
// not tried: each try takes its time.
func (b *backend) away() error {
	if err := b.offline.Load(); err != nil {
		return *err
	}
	return nil
}

// warnUnreachable says once that a plan could not ask GitHub.
func (b *backend) warnUnreachable(p pipeline.Place, err error, diags *diag.Diagnostics) {
	var answer *github.Error
	if errors.As(err, &answer) && answer.Status == 0 && errors.Is(err, github.ErrUnavailable) && !b.offline.CompareAndSwap(nil, &err) {
		return
	}
	if _, again := b.warned.LoadOrStore(p.Repository, true); again {
		return
	}
	diags.AddWarning(p.Repository+" could not be looked at", sentence(err)+
		"\nThe plan is made of what is known without: whether repository, branch, environments and reviewers are there and may be written shows at apply.")
}

// explainPipeline says what went wrong with the pipeline at p, and what to do.
func explainPipeline(ctx context.Context, p pipeline.Place, wait time.Duration, err error, diags *diag.Diagnostics) {
	file := where(p)
	switch {
	case errors.Is(err, pipeline.ErrMoved):
		diags.AddAttributeError(path.Root("path"), file+" changed after the plan", sentence(err)+
			"\nOnly what was planned is applied. Make a new plan: it shows what is there now.")
	case errors.Is(err, pipeline.ErrExists):
		diags.AddAttributeError(path.Root("adopt"), "Somebody else made it", sentence(err))
	case errors.Is(err, pipeline.ErrNotProtected):
		diags.AddAttributeError(path.Root("environment"), "A protection is not in place", sentence(err))
	case ctx.Err() != nil:
		diags.AddError("Applying "+file+" was not done", because(ctx, wait, err))
	default:
		diags.AddError("Cannot apply "+file, sentence(err))
	}
}

// explainLeft says what a failed create has made.
func explainLeft(st pipeline.Status, diags *diag.Diagnostics) {
	if len(st.Made) == 0 {
		return
	}
	diags.AddWarning("A part of the pipeline is there", fmt.Sprintf("Made so far: %s. It carries the pipeline's mark, and is not in the state: "+
		"apply again to go on with it, or remove it by hand.", strings.Join(st.Made, ", ")))
}

// informOfPull says what has to happen for an apply to take effect.
func informOfPull(st pipeline.Status, diags *diag.Diagnostics) {
	if p := st.Pull; p != nil && p.State == openPull {
		diags.AddWarning(where(st.Place)+" waits for its pull request", fmt.Sprintf(
			"The workflow is what the configuration says once %s is merged. Terraform does not wait for it; plans show no difference while it is open.", p.URL))
	}
}
