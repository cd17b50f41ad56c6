package provider

import (
	"errors"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/engine/github"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/pipeline"
)

// errUnknown is an engine that cannot be reached yet: a plan skips what it would have asked it, an apply fails.
var errUnknown = errors.New("the github block or config_file of the provider block depends on a value that is known only after another resource was applied. " +
	"Apply that first, with -target, or write it out")

// github returns the way to GitHub, or errUnknown. It asks nothing.
func (b *backend) github() (*github.Client, error) {
	if b == nil || b.engines == nil || !b.hub {
		return nil, errUnknown
	}
	return b.engines.GitHub()
}

// pipelines returns the engine of a pipeline's place, or errUnknown. It asks nothing.
func (b *backend) pipelines(p pipeline.Place) (pipeline.Engine, error) {
	if b == nil || b.engines == nil || p.Directory == "" && !b.hub {
		return nil, errUnknown
	}
	return b.engines.Pipeline(p)
}

// repository returns a repository's full name, with the owner of the provider block where it is named without one; or
// errUnknown.
func (b *backend) repository(name string) (string, error) {
	if b == nil || b.engines == nil || !b.hub {
		return "", errUnknown
	}
	return b.engines.Config().Repository(name)
}
