package workflow

import (
	"strings"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/pipeline"
)

// usesSecrets reports whether a stage's job is given secrets.
func usesSecrets(s pipeline.Stage) bool {
	given := func(m map[string]string) bool {
		for _, v := range m {
			if strings.Contains(v, "${{") && strings.Contains(strings.ToLower(v), "secrets") {
				return true
			}
		}
		return false
	}
	if given(s.Env) {
		return true
	}
	for _, step := range s.Steps {
		if given(step.Env) || given(step.With) {
			return true
		}
	}
	return false
}
