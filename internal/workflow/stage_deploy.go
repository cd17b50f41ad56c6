package workflow

import (
	"slices"
	"strings"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/pipeline"
)

// deploys brings what was pushed to each root: a job plans, and another applies that very plan and promotes what it
// staged. Reviewers of the environment see the plan before they let the second begin.
func (b *builder) deploys() {
	for _, d := range inOrder(b.s.Deploys) {
		b.planDeploy(d)
		b.deploy(d)
	}
}

// inOrder are deploys with those that others need before them, else as they are written. What is in a circle, which
// Validate refuses, is left out.
func inOrder(deploys []pipeline.Deploy) (sorted []pipeline.Deploy) {
	done := map[string]bool{}
	for range deploys {
		for _, d := range deploys {
			if !done[d.Name] && !slices.ContainsFunc(d.Needs, func(n string) bool { return !done[n] }) {
				sorted, done[d.Name] = append(sorted, d), true
				break
			}
		}
	}
	return sorted
}

func (b *builder) planDeploy(d pipeline.Deploy) {
	s := d.Stage
	s.TimeoutMinutes = 0 // which is for the rollout
	j := newJob("plan-"+d.Name, s, timeoutPlan)
	j.about = "Plans " + d.Root + ". The plan file holds secrets, and goes from job to job sealed with TIDEGATE_KEY."
	before, outputs := []string{"test", "data", "train", "evaluate", "scan", "package", "sbom", "attest", "scan-image"}, []string{}
	for _, n := range d.Needs {
		before = append(before, "deploy-"+n)
	}
	if d.ImageVariable != "" || b.pushed(d.Stage) {
		outputs = append(outputs, "package")
	}
	if b.tells(d.Stage) {
		outputs = append(outputs, "train")
	}
	j.needs = b.after(before, outputs...)
	j.outputs = fields{{name: "plan", value: "${{ steps.upload.outputs.artifact-id }}"}}
	b.trained(j, d.Stage)
	b.image(j, d.Stage)
	b.reach(j, planning(d))
	with := fields{{name: "root", value: d.Root}, {name: "key", value: key}, {name: "save", value: "${{ runner.temp }}/plan.sealed"}}
	if plansApart(d) {
		with = append(with, unlocked)
	}
	if d.ImageVariable != "" {
		with.add("var", d.ImageVariable+"=${{ needs.package.outputs.image }}")
	}
	j.step(tidegate("plan", with))
	j.step(as("upload", upload("plan-"+d.Name, "${{ runner.temp }}/plan.sealed", retentionHandover)))
	j.asked(d.Permissions)
	b.add(j)
}

const key = "${{ secrets.TIDEGATE_KEY }}"

// unlocked lets an identity plan that may not write a lock. A plan of a state that moved on is refused when it is applied.
var unlocked = field{name: "lock", value: quoted("false"), note: "it only reads"}

func (b *builder) deploy(d pipeline.Deploy) {
	j := newJob("deploy-"+d.Name, d.Stage, timeoutDeploy)
	j.about = "Applies that very plan, and then drives what it staged by the gates of its policy. A rollback fails the job."
	j.needs = []string{"plan-" + d.Name}
	j.environment = d.Environment
	j.concurrency = "deploy " + clean(d.Root)
	if b.tells(d.Stage) {
		j.needs = append(j.needs, "train")
	}
	if b.pushed(d.Stage) {
		j.needs = append(j.needs, "package")
	}
	b.trained(j, d.Stage)
	b.image(j, d.Stage)
	j.permit("actions", "read", "to fetch the sealed plan")
	j.permit("checks", "write", "to tell of the apply")
	j.permit("pull-requests", "write", "to tell in the pull request that brought the commit")
	b.reach(j, d)
	j.step(as("apply", tidegate("apply", fields{
		{name: "root", value: d.Root},
		{name: "key", value: key},
		{name: "verify", value: "saved"},
		{name: "artifact", value: "${{ needs.plan-" + d.Name + ".outputs.plan }}"},
	})))
	j.step(promote(d))
	b.add(j.end(d.Stage))
}

// promote drives what the apply staged, in the order that is asked for, if one is.
func promote(d pipeline.Deploy) fields {
	endpoints := field{name: "endpoint", value: "${{ steps.apply.outputs.staged }}"}
	if len(d.Promote) == 0 {
		return tidegate("promote", fields{{name: "root", value: d.Root}, endpoints})
	}
	endpoints.value = script(strings.Join(d.Promote, "\n") + "\n")
	// Who is named and was rolled back, maybe long ago, is refused: that is no matter of an apply that staged nothing.
	return slices.Insert(tidegate("promote", fields{{name: "root", value: d.Root}, endpoints}), 0,
		field{name: "if", value: "steps.apply.outputs.staged != '[]'"})
}

// pushed reports whether a deploy has steps of the user's that could want what was pushed.
func (b *builder) pushed(s pipeline.Stage) bool { return b.s.Package != nil && len(s.Steps) > 0 }

// image tells a job what was pushed.
func (b *builder) image(j *job, s pipeline.Stage) {
	if _, own := s.Env["IMAGE"]; !own && b.pushed(s) {
		j.env.add("IMAGE", "${{ needs.package.outputs.image }}")
	}
}

// reach adds what a job needs to get at a root's cloud: a token of this workflow, exchanged for credentials that last an
// hour. No key is kept anywhere.
func (b *builder) reach(j *job, d pipeline.Deploy) {
	if d.AWS != nil || d.GCP != nil || d.Azure != nil {
		j.permit("id-token", "write", "to sign in to the cloud as this workflow")
	}
	j.begin(d.Stage, d.Python, false)
	if a := d.AWS; a != nil {
		region := field{name: "aws-region", value: a.Region}
		if a.Region == "" {
			region.value, region.note = "${{ vars.AWS_REGION }}", "a variable of the repository"
		}
		j.step(uses(awsAction, fields{{name: "role-to-assume", value: a.RoleARN}, region}))
	}
	if g := d.GCP; g != nil {
		with := fields{{name: "workload_identity_provider", value: g.WorkloadIdentityProvider}}
		with.addIf("service_account", g.ServiceAccount)
		j.step(uses(gcpAction, with))
	}
	if a := d.Azure; a != nil {
		j.step(uses(azureAction, fields{
			{name: "client-id", value: a.ClientID},
			{name: "tenant-id", value: a.TenantID},
			{name: "subscription-id", value: a.SubscriptionID},
		}))
		for _, f := range (fields{
			{name: "ARM_CLIENT_ID", value: a.ClientID},
			{name: "ARM_SUBSCRIPTION_ID", value: a.SubscriptionID},
			{name: "ARM_TENANT_ID", value: a.TenantID},
			{name: "ARM_USE_OIDC", value: quoted("true")},
		}) {
			if _, own := d.Env[f.name]; !own {
				j.env = append(j.env, f)
			}
		}
	}
	j.step(uses(terraformAction, fields{{name: "terraform_wrapper", value: false}}))
}

// monitor plans each root by a schedule. A root that gets the digest of an image by a variable cannot be planned without
// one, and is left out; Validate says so.
func (b *builder) monitor() {
	m := b.s.Monitor
	if m == nil {
		return
	}
	scheduled := "github.event_name == 'schedule' && github.event.schedule == " + literal(m.Schedule)
	for _, d := range b.s.Deploys {
		if d.ImageVariable != "" {
			continue
		}
		d.Env, d.Steps = merged(d.Env, m.Env), append(slices.Clone(d.Steps), m.Steps...)
		s := m.Stage
		s.Env, s.Steps = d.Env, d.Steps
		if len(s.RunsOn) == 0 {
			s.RunsOn = d.RunsOn
		}
		d.Stage = s
		j := newJob("monitor-"+d.Name, s, timeoutMonitor)
		j.about = "Finds what was changed in " + d.Root + " behind the configuration's back."
		j.when = []string{scheduled}
		b.reach(j, planning(d))
		j.step(as("plan", tidegate("plan", fields{{name: "root", value: d.Root}, unlocked})))
		drifted := runs("Fail if it is not what is configured", fields{{name: "ROOT", value: d.Root}}, drift)
		j.step(slices.Insert(drifted, 1, field{name: "if", value: "steps.plan.outputs.changed == 'true'"}))
		b.add(j.end(s))
	}
	if m.Run == "" {
		return
	}
	j := newJob("monitor", m.Stage, timeoutMonitor)
	j.about, j.when = "Looks at what runs.", []string{scheduled}
	j.begin(m.Stage, b.pythonOf(m.Stage, true), false)
	j.step(runs("Look", nil, m.Run))
	b.add(j.end(m.Stage))
}

// merged has what either has, and of both the second.
func merged(a, b map[string]string) map[string]string {
	all := map[string]string{}
	for k, v := range a {
		all[k] = v
	}
	for k, v := range b {
		all[k] = v
	}
	return all
}
