package github

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/pipeline"
)

// plans says what GitHub's plans have, as its documentation does.
const plans = "On a public repository every plan has all of them. On a private one reviewers, wait_minutes and prevent_self_review take " +
	"GitHub Enterprise, and branches take Pro, Team or Enterprise. Make the repository public, change the plan, or take them out of the environment block."

// protectionRefused explains why GitHub did not take the protections of an environment.
func (r *Repository) protectionRefused(ctx context.Context, t task, want pipeline.Environment, err error) error {
	said := r.failed(t, err)
	var e *Error
	if !errors.As(said, &e) {
		return said
	}
	switch {
	case e.Status == http.StatusUnprocessableEntity && strings.Contains(strings.ToLower(e.Message), "plan"):
		e.Kind, e.Next = pipeline.ErrNotProtected, "Nothing was written. "+asked(want)+plans
	case e.Status == http.StatusNotFound:
		return withPlans(e)
	case e.Status == http.StatusUnprocessableEntity && len(want.Reviewers) > 0:
		e.Next = "Nothing was written. " + r.whoCannotRead(ctx, want.Reviewers)
	}
	return e
}

// withPlans says of a 404 what else it may mean.
func withPlans(err error) error {
	var e *Error
	if errors.As(err, &e) && e.Status == http.StatusNotFound {
		e.Next += " GitHub also says it of environments on a private repository whose plan has none: they take Pro, Team or Enterprise."
	}
	return err
}

func asked(want pipeline.Environment) string {
	all := unkept(want, pipeline.EnvironmentStatus{})
	if len(all) == 0 {
		return ""
	}
	return "Asked for were " + strings.Join(all, ", ") + ". "
}

// notKept is what the environment lacks of what was written, or nil. It is there by now, and says so.
func (r *Repository) notKept(ctx context.Context, want pipeline.Environment, have pipeline.EnvironmentStatus) error {
	lacks := unkept(want, have)
	if have.AdminsBypass {
		lacks = append(lacks, "that administrators wait too (can_admins_bypass = false)")
	}
	if len(lacks) == 0 {
		return nil
	}
	next := fmt.Sprintf("GitHub took the request, and the environment lacks: %s. It is there without them, so a workflow that names it deploys without waiting for them; "+
		"none of the secrets of this change was written to it. ", strings.Join(lacks, ", "))
	if len(want.Reviewers) > 0 && len(have.Reviewers) > 0 {
		next += r.whoCannotRead(ctx, want.Reviewers) + " "
	}
	return r.failed(protecting(want.Name), &Error{Kind: pipeline.ErrNotProtected, Next: next + plans})
}

// whoCannotRead says which reviewers have no access to the repository, as far as GitHub tells.
func (r *Repository) whoCannotRead(ctx context.Context, words []string) string {
	const rule = "Reviewers need read access to the repository: "
	var without []string
	for _, word := range words {
		if strings.HasPrefix(word, "@") {
			continue // GitHub tells it only to administrators of the organization
		}
		level, _, err := r.c.api.Repositories.GetPermissionLevel(ctx, r.owner, r.name, word)
		if missing(err) || (err == nil && level.GetPermission() == "none") {
			without = append(without, word)
		}
	}
	if len(without) == 0 {
		return rule + "see that each of " + strings.Join(words, ", ") + " has it, teams by the team's page."
	}
	return rule + strings.Join(without, ", ") + " has none. Add them as collaborators, or name others."
}
