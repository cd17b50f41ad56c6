package provider

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"
)

// The framework's own harness checks after every step that nothing is left to plan, and that an
// import finds what create had written. The other tests use terraform itself (stage): the
// harness runs the provider in this process and hides warnings.
func TestEndpointLivesThroughTheFrameworksHarness(t *testing.T) {
	s := newStage(t)
	s.models(behaviour{Version: "v1"}, behaviour{Version: "v2"})
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	config := func(replicas int, model string) string {
		return fmt.Sprintf(`
provider "tidegate" {
  local {
    data_dir = %q
  }
}
`+clusterHCL+quick+`
resource "tidegate_model_endpoint" "penguins" {
  name     = "penguins"
  cluster  = tidegate_cluster.here.id
  replicas = %d
  model {
    uri = %q
  }
  runtime {
    command = [%q, "{port}", "{model}"]
  }
  rollout {
    policy = tidegate_rollout_policy.quick.json
  }
}

data "tidegate_rollout" "penguins" {
  endpoint = tidegate_model_endpoint.penguins.id
}
`, s.dataDir(), replicas, "file://"+filepath.Join(s.dir, "models", model), filepath.Join(bin, modelServer))
	}
	expect := func(attribute string, v knownvalue.Check) statecheck.StateCheck {
		return statecheck.ExpectKnownValue(endpointAddress, tfjsonpath.New(attribute), v)
	}
	inPlace := resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{
		plancheck.ExpectResourceAction(endpointAddress, plancheck.ResourceActionUpdate),
	}}
	digest := knownvalue.StringRegexp(regexp.MustCompile(`^sha256:[0-9a-f]{64}$`))
	resource.Test(t, resource.TestCase{
		ProtoV6ProviderFactories: map[string]func() (tfprotov6.ProviderServer, error){
			"tidegate": providerserver.NewProtocol6WithError(New("test", []string{self, "engine", "run"})()),
		},
		Steps: []resource.TestStep{
			{
				Config: config(1, "v1.json"),
				ConfigStateChecks: []statecheck.StateCheck{
					expect("id", knownvalue.StringExact("local/here/penguins")),
					expect("url", knownvalue.StringRegexp(regexp.MustCompile(`^http://127\.0\.0\.1:\d+$`))),
					expect("model_digest", digest), expect("revision", digest),
					expect("rejected", knownvalue.ListSizeExact(0)),
					statecheck.ExpectKnownValue("data.tidegate_rollout.penguins", tfjsonpath.New("history"), knownvalue.ListSizeExact(0)),
				},
			},
			{
				ResourceName: endpointAddress, ImportState: true, ImportStateVerify: true,
				ImportStateVerifyIgnore: []string{"runtime.start_timeout"}, // 60s is imported as 1m0s, which is no change
			},
			{ResourceName: "tidegate_cluster.here", ImportState: true, ImportStateId: "local/here", ImportStateVerify: true},
			{
				Config: config(2, "v1.json"), ConfigPlanChecks: inPlace,
				ConfigStateChecks: []statecheck.StateCheck{expect("replicas", knownvalue.Int64Exact(2))},
			},
			{Config: config(2, "v3.json"), ExpectError: regexp.MustCompile(`models/v3\.json`)}, // there is none
			{Config: config(2, "v1.json"), ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{plancheck.ExpectEmptyPlan()}}},
		},
	})
}
