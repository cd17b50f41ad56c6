package engine

import (
	"fmt"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/disk"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/engine/checkout"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/pipeline"
)

// Pipeline returns the engine that keeps the pipeline of a place.
func (e *Engines) Pipeline(p pipeline.Place) (pipeline.Engine, error) {
	switch {
	case (p.Repository == "") == (p.Directory == ""):
		return nil, fmt.Errorf("pipeline %s: want a repository or a directory, one of them", p.Path)
	case p.Directory != "":
		return checkout.Open(disk.OS), nil
	}
	c, err := e.GitHub()
	if err != nil {
		return nil, err
	}
	return c.Pipelines(), nil
}
