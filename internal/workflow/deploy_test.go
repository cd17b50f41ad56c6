package workflow_test

import (
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/pipeline"
)

func TestDeploysOwnStepsAreToldTheDigestThatWasPushed(t *testing.T) {
	t.Parallel()
	fetch := []pipeline.Step{{Name: "Fetch", Run: `oras pull "$IMAGE"`}}
	for name, c := range map[string]struct {
		stage pipeline.Stage
		want  string
	}{
		"steps":       {pipeline.Stage{Steps: fetch}, "${{ needs.package.outputs.image }}"},
		"its own":     {pipeline.Stage{Steps: fetch, Env: map[string]string{"IMAGE": "mine"}}, "mine"},
		"no own step": {pipeline.Stage{}, ""},
	} {
		s := pipeline.Spec{
			Place: inRepository, Triggers: usual,
			Package: &pipeline.Package{Image: "ghcr.io/acme/fraud", Model: "out"},
			Deploys: []pipeline.Deploy{{Name: "prod", Root: "infra", Stage: c.stage}},
		}
		var w struct {
			Jobs map[string]struct {
				Needs []string
				Env   map[string]string
			}
		}
		if err := yaml.Unmarshal([]byte(render(t, s)), &w); err != nil {
			t.Fatal(err)
		}
		for _, id := range []string{"plan-prod", "deploy-prod"} {
			job := w.Jobs[id]
			if job.Env["IMAGE"] != c.want || strings.Contains(c.want, "needs.package") && !slices.Contains(job.Needs, "package") {
				t.Errorf("%s, %s: IMAGE is %q, needs %v; want %q", name, id, job.Env["IMAGE"], job.Needs, c.want)
			}
		}
	}
}
