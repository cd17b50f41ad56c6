package provider

import (
	"slices"

	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/pipeline"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/workflow"
)

// writeSecrets puts into c the secrets that are to be written: all of an environment that is new or whose version moved, else
// those that are not there. config has the values, which plan and state never have.
func (m pipelineModel) writeSecrets(c *pipeline.Change, config pipelineModel, was *pipelineModel) {
	for i, e := range m.Environment {
		if i >= len(config.Environment) {
			return // Terraform plans the blocks that are configured
		}
		var old environmentModel
		if was != nil {
			if at := was.environment(e.Name.ValueString()); at >= 0 {
				old = was.Environment[at]
			}
		}
		there := texts(old.Secrets)
		if !e.SecretsWOVersion.Equal(old.SecretsWOVersion) {
			there = nil
		}
		for name, value := range pairs(config.Environment[i].SecretsWO) {
			if slices.Contains(there, name) {
				continue
			}
			if c.Environments[i].Secrets == nil {
				c.Environments[i].Secrets = map[string]string{}
			}
			c.Environments[i].Secrets[name] = value
		}
	}
}

// environment is the index of the block of that name; -1 for none.
func (m pipelineModel) environment(name string) int {
	return slices.IndexFunc(m.Environment, func(e environmentModel) bool { return e.Name.ValueString() == name })
}

// done fills in what a plan could not know. What it knew stays: what else changed meanwhile is the next Read's.
func (m *pipelineModel) done(st pipeline.Status) {
	var url types.String
	var merged types.Bool
	if p := st.Pull; p != nil {
		url, merged = types.StringValue(p.URL), types.BoolValue(p.State == mergedPull)
	}
	if m.ID.IsUnknown() {
		m.ID = types.StringValue(m.address(st.Place))
	}
	if m.PullRequestURL.IsUnknown() {
		m.PullRequestURL = url
	}
	if m.Merged.IsUnknown() {
		m.Merged = merged
	}
	if m.Commit.IsUnknown() {
		m.Commit = text(st.Commit, types.StringNull())
	}
}

// after is the state of an update that failed, before it is read: m's arguments if its file was written, else those that were.
// Versions of secrets are the old ones, so that the next apply writes them.
func (m pipelineModel) after(was pipelineModel, content string, st pipeline.Status) pipelineModel {
	now := was
	if workflow.Same(content, st.Content) {
		now = m
	}
	now.Environment = nil
	for _, e := range m.Environment {
		e.SecretsWOVersion, e.Secrets = types.StringNull(), types.ListNull(types.StringType)
		if at := was.environment(e.Name.ValueString()); at >= 0 {
			e.SecretsWOVersion, e.Secrets = was.Environment[at].SecretsWOVersion, was.Environment[at].Secrets
		}
		now.Environment = append(now.Environment, e)
	}
	for _, e := range was.Environment {
		if m.environment(e.Name.ValueString()) < 0 {
			now.Environment = append(now.Environment, e)
		}
	}
	return now
}
