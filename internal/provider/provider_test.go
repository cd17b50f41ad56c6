package provider

import (
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
)

// The documentation is made of the schema.
func TestEveryArgumentIsDescribed(t *testing.T) {
	t.Parallel()
	server := providerserver.NewProtocol6(New("test", nil)())()
	all, err := server.GetProviderSchema(t.Context(), &tfprotov6.GetProviderSchemaRequest{})
	if err != nil || len(all.Diagnostics) > 0 {
		t.Fatal(err, all.Diagnostics)
	}
	described(t, "provider", all.Provider.Block)
	for name, s := range all.ResourceSchemas {
		described(t, name, s.Block)
	}
	for name, s := range all.DataSourceSchemas {
		described(t, name, s.Block)
	}
}

func described(t *testing.T, at string, b *tfprotov6.SchemaBlock) {
	t.Helper()
	if b.Description == "" {
		t.Errorf("%s has no description", at)
	}
	attributesDescribed(t, at, b.Attributes)
	for _, n := range b.BlockTypes {
		described(t, at+"."+n.TypeName, n.Block)
	}
}

func attributesDescribed(t *testing.T, at string, attributes []*tfprotov6.SchemaAttribute) {
	t.Helper()
	for _, a := range attributes {
		if a.Description == "" {
			t.Errorf("%s.%s has no description", at, a.Name)
		}
		if a.NestedType == nil {
			continue
		}
		if a.Required || a.Optional {
			t.Errorf("%s.%s is a nested argument: Terraform would drop misspelt keys in silence", at, a.Name)
		}
		attributesDescribed(t, at+"."+a.Name, a.NestedType.Attributes)
	}
}
