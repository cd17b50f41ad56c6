package provider

import (
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/rollout"
)

// Terraform imports by identity from 1.12 on. Here the provider is asked as it would be.
func TestImportByIdentity(t *testing.T) {
	t.Parallel()
	server := providerserver.NewProtocol6(New("test", nil)())()
	schemas, err := server.GetProviderSchema(t.Context(), &tfprotov6.GetProviderSchemaRequest{})
	if err != nil || len(schemas.Diagnostics) > 0 {
		t.Fatal(err, schemas.Diagnostics)
	}
	for resource, c := range map[string]struct{ identity, want map[string]string }{
		"tidegate_cluster": {
			map[string]string{"name": "here"},
			map[string]string{"name": "here"},
		},
		"tidegate_model_endpoint": {
			map[string]string{"cluster": "local/here", "name": "penguins"},
			map[string]string{"cluster": "local/here", "name": "penguins"},
		},
		"tidegate_pipeline": {
			map[string]string{"repository": "acme/fraud", "directory": "", "path": ".github/workflows/fraud.yml"},
			map[string]string{"repository": "acme/fraud", "path": ".github/workflows/fraud.yml"},
		},
		"tidegate_rollout_policy": {
			map[string]string{"json": rollout.DefaultPolicy().JSON()},
			map[string]string{"json": rollout.DefaultPolicy().JSON(), "strategy": "canary", "longest": "2h0m0s"},
		},
	} {
		resp, err := server.ImportResourceState(t.Context(), &tfprotov6.ImportResourceStateRequest{
			TypeName: resource, Identity: &tfprotov6.ResourceIdentityData{IdentityData: object(t, c.identity)},
		})
		if err != nil || len(resp.Diagnostics) > 0 || len(resp.ImportedResources) != 1 {
			t.Fatalf("%s: %v, %v", resource, err, resp.Diagnostics)
		}
		state, err := resp.ImportedResources[0].State.Unmarshal(schemas.ResourceSchemas[resource].ValueType())
		if err != nil {
			t.Fatal(err)
		}
		var values map[string]tftypes.Value
		if err := state.As(&values); err != nil {
			t.Fatal(err)
		}
		for name, want := range c.want {
			var got string
			if err := values[name].As(&got); err != nil || got != want {
				t.Errorf("%s: %s is %q, %v; want %q", resource, name, got, err, want)
			}
		}
		if resp.ImportedResources[0].Identity == nil {
			t.Errorf("%s: no identity", resource)
		}
	}
}

// object is an object of texts; "" is null.
func object(t *testing.T, texts map[string]string) *tfprotov6.DynamicValue {
	t.Helper()
	kinds, values := map[string]tftypes.Type{}, map[string]tftypes.Value{}
	for name, text := range texts {
		kinds[name], values[name] = tftypes.String, tftypes.NewValue(tftypes.String, nil)
		if text != "" {
			values[name] = tftypes.NewValue(tftypes.String, text)
		}
	}
	kind := tftypes.Object{AttributeTypes: kinds}
	v, err := tfprotov6.NewDynamicValue(kind, tftypes.NewValue(kind, values))
	if err != nil {
		t.Fatal(err)
	}
	return &v
}
