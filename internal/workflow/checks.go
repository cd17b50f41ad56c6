package workflow

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// Checks returns the names of the checks that a workflow's jobs report on a pull request, in the order of the jobs. Jobs
// that surely do not run there are left out, and so are those whose checks are named elsewhere: by a called workflow, or by
// an expression that only a run can answer.
func Checks(text string) ([]string, error) {
	m, err := meaning(text)
	if err != nil {
		return nil, err
	}
	if !onPullRequest(m) {
		return nil, nil
	}
	root, err := parse(text)
	if err != nil {
		return nil, err
	}
	jobs := lookup(root, "jobs")
	if jobs == nil {
		return nil, nil
	}
	skipped := skippedJobs(jobs)
	var names []string
	pairs(jobs, func(id, job *yaml.Node) {
		if skipped[id.Value] || lookup(job, "uses") != nil || err != nil {
			return
		}
		var of []string
		if of, err = namesOf(id.Value, job); err != nil {
			err = fmt.Errorf("job %q: %w", id.Value, err)
		}
		names = append(names, of...)
	})
	if err != nil {
		return nil, err
	}
	return names, nil
}

// onPullRequest reports whether pull requests start the workflow.
func onPullRequest(m any) bool {
	root, _ := m.(map[string]any)
	on, _ := root["on"].(map[string]any)
	_, ok := on["pull_request"]
	return ok
}

// skippedJobs are those that surely do not run on a pull request: their own condition says so, or a job that they
// need is skipped and they do not say that they run all the same.
func skippedJobs(jobs *yaml.Node) map[string]bool {
	skipped := map[string]bool{}
	for again := true; again; {
		again = false
		pairs(jobs, func(id, job *yaml.Node) {
			if skipped[id.Value] {
				return
			}
			condition := lookup(job, "if")
			anyway := condition != nil && asksForStatus(condition.Value)
			after := !anyway && slices.ContainsFunc(needsOf(job), func(n string) bool { return skipped[n] })
			if after || condition != nil && condition.Kind == yaml.ScalarNode && onPull(condition.Value) == never {
				skipped[id.Value], again = true, true
			}
		})
	}
	return skipped
}

func needsOf(job *yaml.Node) []string {
	n := lookup(job, "needs")
	if n == nil {
		return nil
	}
	if n.Kind == yaml.ScalarNode {
		return []string{n.Value}
	}
	var all []string
	for _, c := range items(n) {
		all = append(all, resolve(c).Value)
	}
	return all
}

var matrixValue = regexp.MustCompile(`\$\{\{\s*matrix\.([A-Za-z_][A-Za-z0-9_-]*)\s*\}\}`)

// namesOf are the names of a job's checks: its name, or its id; once for each combination of its matrix, with the
// combination's values behind it unless the name uses them.
func namesOf(id string, job *yaml.Node) ([]string, error) {
	name := id
	if n := lookup(job, "name"); n != nil && n.Value != "" {
		name = plainScalar(n).text
	}
	matrix := lookup(lookup(job, "strategy"), "matrix")
	if matrix == nil {
		if strings.Contains(name, "${{") {
			return nil, nil
		}
		return []string{name}, nil
	}
	combinations, known, err := combinationsOf(matrix)
	if err != nil || !known {
		return nil, err
	}
	var names []string
	for _, c := range combinations {
		full := name + " (" + strings.Join(c.texts(), ", ") + ")"
		if strings.Contains(name, "${{") {
			full = matrixValue.ReplaceAllStringFunc(name, func(s string) string { return c.text(matrixValue.FindStringSubmatch(s)[1]) })
		}
		if !strings.Contains(full, "${{") && !slices.Contains(names, full) {
			names = append(names, full)
		}
	}
	return names, nil
}
