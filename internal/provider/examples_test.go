package provider

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// example returns the HCL of the documentation.
func example(t *testing.T, path ...string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(append([]string{"..", "..", "examples"}, path...)...))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// What the documentation shows is applied, imported and read as it stands there.
func TestExamplesOfTheDocumentationWork(t *testing.T) {
	s := newStage(t)
	s.write("models/penguins-v1.json", behaviour{Version: "v1"})
	s.write("labels.txt", "Adelie")
	s.write("model-server", "#!/bin/sh\nexec tg-model \"$2\" \"$4\"\n")
	if err := os.Chmod(filepath.Join(s.dir, "model-server"), 0o755); err != nil {
		t.Fatal(err)
	}
	provider := strings.SplitN(example(t, "provider", "provider.tf"), "\n}\n", 2)[1] // without the terraform block
	hcl := provider + example(t, "resources", "tidegate_model_endpoint", "resource.tf")
	s.config(hcl)
	s.apply("-var=api_token=s3cret").ok().neverSays("s3cret")
	url := s.text(endpointAddress, "url")
	serves(t, url, "v1")
	if got := get(t, url+"/env?name=API_TOKEN"); got != "s3cret" {
		t.Errorf("API_TOKEN %q", got)
	}
	s.plan().ok()

	s.terraform("state", "rm", endpointAddress, "tidegate_cluster.here").ok()
	s.config(hcl, example(t, "resources", "tidegate_cluster", "import-by-string-id.tf"),
		example(t, "resources", "tidegate_model_endpoint", "import-by-string-id.tf"))
	s.apply().ok().says("2 imported, 0 added, 0 changed, 0 destroyed")
	s.write("models/owls-v1.json", behaviour{Version: "o1"})
	s.config(hcl, example(t, "resources", "tidegate_model_endpoint", "resource_staged.tf"))
	s.apply().ok().says("2 added, 0 changed, 0 destroyed")
	s.config(hcl, example(t, "data-sources", "tidegate_rollout", "data-source.tf"))
	s.apply().ok().says(`rollout = "no rollout yet: "`)

	s.config(example(t, "resources", "tidegate_rollout_policy", "resource.tf"),
		example(t, "resources", "tidegate_rollout_policy", "import-by-string-id.tf"))
	s.terraform("state", "rm", "tidegate_rollout_policy.careful").ok()
	s.apply().ok().says("1 imported, 2 added, 0 changed, 2 destroyed")
	s.config(example(t, "resources", "tidegate_cluster", "resource.tf"))
	s.apply().ok()
}
