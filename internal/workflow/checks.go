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
// an expression that only a run can answer. MayReport knows of these.
func Checks(text string) ([]string, error) {
	jobs, err := checkingJobs(text)
	var names []string
	for _, j := range jobs {
		names = append(names, j.names...)
	}
	return names, err
}

// MayReport reports whether a workflow can report a check of that name on a pull request, as far as its text tells.
func MayReport(text, check string) (bool, error) {
	jobs, err := checkingJobs(text)
	return slices.ContainsFunc(jobs, func(j checkingJob) bool {
		return slices.Contains(j.names, check) || j.others != nil && j.others.MatchString(check)
	}), err
}

// mayReport is MayReport of a workflow whose checks have been read.
func mayReport(text, check string) bool {
	may, err := MayReport(text, check)
	return may || err != nil
}

// A checkingJob is one that may run on a pull request.
type checkingJob struct {
	names  []string
	others *regexp.Regexp // what further names look like; nil for none
}

func checkingJobs(text string) ([]checkingJob, error) {
	m, err := meaning(text)
	if err != nil || !onPullRequest(m) {
		return nil, err
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
	var found []checkingJob
	pairs(jobs, func(id, job *yaml.Node) {
		if skipped[id.Value] || err != nil {
			return
		}
		var j checkingJob
		if j, err = checksOf(id.Value, job); err != nil {
			err = fmt.Errorf("job %q: %w", id.Value, err)
		}
		found = append(found, j)
	})
	if err != nil {
		return nil, err
	}
	return found, nil
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
	waiting := map[string][]string{} // by the job that they need, those that are skipped with it
	var ends []string
	pairs(jobs, func(id, job *yaml.Node) {
		condition := lookup(job, "if")
		if condition != nil && condition.Kind == yaml.ScalarNode && onPull(condition.Value) == never {
			ends = append(ends, id.Value)
		}
		if condition == nil || !asksForStatus(condition.Value) {
			for _, n := range needsOf(job) {
				waiting[n] = append(waiting[n], id.Value)
			}
		}
	})
	for len(ends) > 0 {
		id := ends[0]
		ends = ends[1:]
		if !skipped[id] {
			skipped[id] = true
			ends = append(ends, waiting[id]...)
		}
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

// checksOf are a job's checks: its name, or its id; once for each combination of its matrix, with the combination's
// values behind it unless the name uses them. Jobs of a called workflow have its name before theirs.
func checksOf(id string, job *yaml.Node) (checkingJob, error) {
	name := id
	if n := lookup(job, "name"); n != nil && n.Value != "" {
		name = plainScalar(n).text
	}
	full, known := []string{name}, true
	if matrix := lookup(lookup(job, "strategy"), "matrix"); matrix != nil {
		combinations, complete, err := combinationsOf(matrix)
		if err != nil {
			return checkingJob{}, err
		}
		full, known = namesWith(name, combinations), complete
	}
	var j checkingJob
	for _, n := range full {
		if strings.Contains(n, "${{") {
			known = false
		} else if known && lookup(job, "uses") == nil {
			j.names = append(j.names, n)
		}
	}
	switch {
	case lookup(job, "uses") != nil:
		j.others = looksLike(name, "( \\(.*\\))? / .+")
	case !known:
		j.others = looksLike(name, "( \\(.*\\))?")
	}
	return j, nil
}

// namesWith are the names of a job for each of its combinations.
func namesWith(name string, combinations []combination) []string {
	var names []string
	for _, c := range combinations {
		full := name + " (" + strings.Join(c.texts(), ", ") + ")"
		if strings.Contains(name, "${{") {
			full = matrixValue.ReplaceAllStringFunc(name, func(s string) string { return c.text(matrixValue.FindStringSubmatch(s)[1]) })
		}
		if !slices.Contains(names, full) {
			names = append(names, full)
		}
	}
	return names
}

var anyExpression = regexp.MustCompile(`\$\{\{.*?\}\}`)

// looksLike is what a name can become, with anything for its expressions, and what follows it.
func looksLike(name, after string) *regexp.Regexp {
	var b strings.Builder
	b.WriteString("^(?s)")
	for i, part := range anyExpression.Split(name, -1) {
		if i > 0 {
			b.WriteString(".*")
		}
		b.WriteString(regexp.QuoteMeta(part))
	}
	like, err := regexp.Compile(b.String() + after + "$")
	if err != nil {
		return nil // no name of a job is so odd
	}
	return like
}
