package workflow_test

import (
	"crypto/sha1"
	"encoding/hex"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/pipeline"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/workflow"
)

var update = flag.Bool("update", false, "write the golden workflows")

// pins are commits that nobody has: what is rendered is not to change with the table of known ones.
func pins() workflow.Pins {
	all := workflow.Pins{}
	for _, name := range []string{
		workflow.Own, "actions/checkout", "actions/setup-python", "actions/upload-artifact", "actions/download-artifact",
		"actions/attest", "hashicorp/setup-terraform", "oras-project/setup-oras", "docker/setup-buildx-action",
		"sigstore/cosign-installer", "anchore/sbom-action/download-syft", "anchore/scan-action/download-grype",
		"aws-actions/configure-aws-credentials", "google-github-actions/auth", "azure/login", "acme/setup",
	} {
		sum := sha1.Sum([]byte(name))
		all[name] = workflow.Pin{Commit: hex.EncodeToString(sum[:]), Version: "v1.2.3"}
	}
	return all
}

func render(t *testing.T, s pipeline.Spec) string {
	t.Helper()
	yaml, err := workflow.Render(s, pins())
	if err != nil {
		t.Fatal(err)
	}
	return yaml
}

func golden(name string) string { return filepath.Join("testdata", "render", name+".yml") }

func TestRenderedWorkflowsAreTheGoldenOnes(t *testing.T) {
	t.Parallel()
	for name, s := range specs() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if problems := workflow.Validate(s); len(problems) > 0 {
				t.Fatalf("the configuration is refused: %+v", problems)
			}
			got := render(t, s)
			if *update {
				if err := os.WriteFile(golden(name), []byte(got), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden(name))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("render again with -update if this is meant (-golden +rendered):\n%s", diff)
			}
			findings, err := workflow.Lint(s.Path, got)
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range findings {
				t.Errorf("%s:%d:%d: %s: %s", golden(name), f.Line, f.Column, f.Kind, f.Message)
			}
		})
	}
}

// With the pins that users get, actionlint knows the inputs and outputs of the actions.
func TestActionsHaveTheInputsThatTheyAreGiven(t *testing.T) {
	t.Parallel()
	for name, s := range specs() {
		p := pins()
		for action := range p {
			if known, ok := workflow.Known(action); ok {
				p[action] = known
			}
		}
		yaml, err := workflow.Render(s, p)
		if err != nil {
			t.Fatal(err)
		}
		findings, err := workflow.Lint(s.Path, yaml)
		if err != nil || len(findings) > 0 {
			t.Errorf("%s: %+v, %v", name, findings, err)
		}
	}
}
