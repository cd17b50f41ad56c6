package checkout

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/pipeline"
)

// Check looks at the folder. Nothing in it is asked over a network, so it never fails.
func (Pipelines) Check(_ context.Context, s pipeline.Spec, known pipeline.Status) ([]pipeline.Problem, error) {
	problems := only(s)
	f, err := locate(s.Place)
	if errors.Is(err, fs.ErrNotExist) {
		return append(problems, pipeline.Problem{
			Path: []any{"directory"}, Warning: true, Summary: "There is no such folder",
			Detail: fmt.Sprintf("%s is not there, and Tidegate makes no checkouts. Unless it is there by then, apply fails: clone the repository, or correct the path.", s.Directory),
		}), nil
	}
	if err != nil {
		return append(problems, pipeline.Problem{Path: []any{"directory"}, Summary: "The file cannot be there", Detail: err.Error() + "."}), nil //nolint:nilerr // it is what was asked
	}
	now, err := f.read()
	switch {
	case err != nil:
		problems = append(problems, pipeline.Problem{Path: []any{"path"}, Summary: "The file cannot be read", Detail: err.Error() + "."})
	case now != "" && !pipeline.Ours(now, s.Path) && known.Place != s.Place && !s.Adopt:
		problems = append(problems, pipeline.Problem{
			Path: []any{"path"}, Summary: "The file is there already",
			Detail: fmt.Sprintf("%s was not written by Tidegate. Choose another path, or set adopt = true to take it over: it is then overwritten, and stays when the pipeline is destroyed.", f.path),
		})
	}
	return append(problems, beginning(s)...), nil
}

// beginning warns of a folder whose workflows GitHub will not see.
func beginning(s pipeline.Spec) []pipeline.Problem {
	begin := top(s.Directory)
	switch begin {
	case s.Directory:
		return nil
	case "":
		return []pipeline.Problem{{
			Path: []any{"directory"}, Warning: true, Summary: "The folder is no checkout of a repository",
			Detail: fmt.Sprintf("%s has no .git in it, nor has a folder above. The file is written all the same; a workflow runs once it is pushed to a repository.", s.Directory),
		}}
	}
	return []pipeline.Problem{{
		Path: []any{"directory"}, Warning: true, Summary: "GitHub does not look for workflows there",
		Detail: fmt.Sprintf("%s is inside the checkout %s, and workflows are read at a repository's top only. Set directory to that folder, unless this one becomes a repository of its own.", s.Directory, begin),
	}}
}

// only says what a Spec asks that there is on GitHub only.
func only(s pipeline.Spec) (problems []pipeline.Problem) {
	const detail = " A folder has the workflow's file and no more: set repository = \"OWNER/NAME\" instead of directory, or remove it."
	add := func(summary, what string, path ...any) {
		problems = append(problems, pipeline.Problem{Path: path, Summary: summary, Detail: what + detail})
	}
	if s.Delivery != (pipeline.Delivery{}) {
		add("A folder has no delivery", "Whoever works in the folder commits and pushes the file.", "delivery")
	}
	for i, e := range s.Environments {
		add("A folder has no environments", fmt.Sprintf("Environment %q is kept by GitHub, with its reviewers and secrets.", e.Name), "environment", i)
	}
	if len(s.RequiredChecks) > 0 {
		add("A folder has no required checks", "Which checks a pull request has to pass is a rule of the repository on GitHub.", "required_checks")
	}
	return problems
}
