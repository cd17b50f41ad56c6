package workflow

import "github.com/tidegatehq/terraform-provider-tidegate/internal/pipeline"

// Actions returns the names of the actions that the workflow of s uses, each once, sorted, with the ref that the user wrote
// ("" where the renderer chose it): what has to be pinned before Render.
func Actions(s pipeline.Spec) (map[string]string, error) { return nil, errNotBuilt }
