package workflow

import (
	"cmp"
	"slices"
	"strings"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/pipeline"
)

// planning is a deploy as the jobs see it that plan its root: with the identity that may only read, where there is one.
func planning(d pipeline.Deploy) pipeline.Deploy {
	if d.AWS != nil {
		a := *d.AWS
		a.RoleARN = cmp.Or(a.PlanRoleARN, a.RoleARN)
		d.AWS = &a
	}
	if d.GCP != nil {
		g := *d.GCP
		g.ServiceAccount = cmp.Or(g.PlanServiceAccount, g.ServiceAccount)
		d.GCP = &g
	}
	if d.Azure != nil {
		a := *d.Azure
		a.ClientID = cmp.Or(a.PlanClientID, a.ClientID)
		d.Azure = &a
	}
	return d
}

// plansApart reports whether a deploy is planned by other identities than it is applied by.
func plansApart(d pipeline.Deploy) bool {
	return d.AWS != nil && d.AWS.PlanRoleARN != "" || d.GCP != nil && d.GCP.PlanServiceAccount != "" || d.Azure != nil && d.Azure.PlanClientID != ""
}

// identities warns of who could be whom.
func (c *checker) identities() {
	for i, d := range c.s.Deploys {
		c.planIdentity(at{"deploy", i}, d)
	}
	for i, e := range c.s.Environments {
		c.guarded(at{"environment", i}, e)
	}
}

// planIdentity warns of reviewers who guard the door while the key is under the mat: a plan runs before their review, and with
// the identity of the deploy could do all that they are to approve.
func (c *checker) planIdentity(where at, d pipeline.Deploy) {
	i := slices.IndexFunc(c.s.Environments, func(e pipeline.Environment) bool { return strings.EqualFold(e.Name, d.Environment) })
	if i < 0 || len(c.s.Environments[i].Reviewers) == 0 {
		return
	}
	warn := func(is bool, block, name, identity string) {
		if is {
			c.warn(where.in(block), "Who plans can do all that reviewers are to approve",
				"Deploy %q waits for the reviewers of environment %q, and its plan does not: it runs before, with %s, which writes. "+
					"Set %s to one that only reads, and let the first trust nothing but the environment (oidc_subjects); the second trusts the branch (oidc_ref_subjects).",
				d.Name, d.Environment, identity, name)
		}
	}
	if a := d.AWS; a != nil {
		warn(a.PlanRoleARN == "" || a.PlanRoleARN == a.RoleARN, "aws", "plan_role_arn", "role_arn")
	}
	if g := d.GCP; g != nil { // without a service account the token's subject is the identity, and tells the two apart
		warn(g.ServiceAccount != "" && (g.PlanServiceAccount == "" || g.PlanServiceAccount == g.ServiceAccount), "gcp", "plan_service_account", "service_account")
	}
	if a := d.Azure; a != nil {
		warn(a.PlanClientID == "" || strings.EqualFold(a.PlanClientID, a.ClientID), "azure", "plan_client_id", "client_id")
	}
}

// guarded warns of what a name of an environment stands for where the environment lets every branch in: whoever may push one writes a
// workflow there that names it.
func (c *checker) guarded(where at, e pipeline.Environment) {
	if len(e.Reviewers) > 0 || len(e.Branches) > 0 {
		return
	}
	var gets []string
	if len(e.Secrets)+len(e.SecretNames) > 0 {
		gets = append(gets, "its secrets")
	}
	for _, d := range c.s.Deploys {
		if strings.EqualFold(d.Environment, e.Name) && (d.AWS != nil || d.GCP != nil || d.Azure != nil) {
			gets = append(gets, "the identity of deploy "+d.Name)
		}
	}
	if len(gets) > 0 {
		c.warn(where.in("branches"), "Every branch gets what the environment guards",
			"Environment %q has neither reviewers nor branches: a workflow on any branch may name it, and gets %s. Set branches = [\"main\"], or reviewers.", e.Name, and(gets))
	}
}
