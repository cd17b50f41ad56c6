package workflow

// Checks returns the names of the checks that a workflow's jobs report on a pull request.
func Checks(yaml string) ([]string, error) { return nil, errNotBuilt }
