package workflow

import (
	"maps"
	"math"
	"regexp"
	"slices"
	"strings"

	metricrules "github.com/tidegatehq/terraform-provider-tidegate/internal/evaluate"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/pipeline"
)

func (c *checker) stages() {
	s := c.s
	if s.Test == nil && s.Data == nil && s.Train == nil && s.Evaluate == nil && s.Package == nil && s.Scan == nil &&
		len(s.Deploys) == 0 && s.Monitor == nil {
		c.bad(at{"test"}, "There is nothing for the workflow to do", "Set at least one of test, data, train, evaluate, package, scan, deploy and monitor, or workflow_yaml.")
		return
	}
	if s.Test != nil {
		c.test(s.Test)
	}
	if s.Data != nil {
		c.data(s.Data)
	}
	if s.Train != nil {
		c.train(s.Train)
	}
	if s.Evaluate != nil {
		c.evaluate(s.Evaluate)
	}
	if s.Package != nil {
		c.publish(s.Package)
	}
	if s.Scan != nil {
		c.stage(at{"scan"}, s.Scan.Stage)
		c.oneOf(at{"scan", "fail_on"}, s.Scan.FailOn, "negligible", "low", "medium", "high", "critical")
	}
	c.deploys()
	if s.Monitor != nil {
		c.monitor(s.Monitor)
	}
	c.actions()
}

// actions finds what is used in two versions, and pins of what is not used.
func (c *checker) actions() {
	if c.failed() {
		return
	}
	used, err := Actions(c.s)
	if err != nil {
		c.bad(at{"pins"}, "An action has two versions", "%v.", err)
		return
	}
	for _, name := range slices.Sorted(maps.Keys(c.s.Pins)) {
		if _, ok := used[name]; !ok {
			c.warn(at{"pins", name}, "This action is not used", "pins has %q, and the workflow uses %s.", name, and(slices.Sorted(maps.Keys(used))))
		}
	}
}

var (
	matrixName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_-]{0,63}$`)
	outputName = matrixName
)

// maxMatrix is the most jobs that GitHub makes of a matrix.
const maxMatrix = 256

func (c *checker) test(t *pipeline.Test) {
	where := at{"test"}
	var context []string
	if len(t.Matrix) > 0 {
		context = []string{"matrix"}
	}
	c.stage(where, t.Stage, context...)
	c.script(where.in("run"), t.Run, true)
	combinations := 1
	seen := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(t.Matrix)) {
		values, at := t.Matrix[name], where.in("matrix", name)
		combinations = min(combinations*max(len(values), 1), math.MaxInt32)
		switch before, twice := seen[envName(name)]; {
		case !matrixName.MatchString(name):
			c.bad(at, "This is no name in a matrix", "matrix has %q: want letters, digits, _ and -, a letter or _ first.", name)
		case name == "include" || name == "exclude":
			c.bad(at, "This name is GitHub's", "matrix has %q, which has a meaning of its own there: choose another name.", name)
		case twice:
			c.bad(at, "Two names become the same", "matrix has %q and %q, which are both MATRIX_%s to the script: choose another name.", before, name, envName(name))
		case len(values) == 0:
			c.bad(at, "A matrix has nothing to vary", "matrix of %s has no values: want at least one.", name)
		}
		seen[envName(name)] = name
		for i, v := range values {
			if c.line(at.in(i), v, 200) && slices.Index(values, v) < i {
				c.bad(at.in(i), "A value is there twice", "matrix of %s has %q twice: leave one out.", name, v)
			}
			if name == "python" {
				c.python(at.in(i), v)
			}
		}
	}
	if combinations > maxMatrix {
		c.bad(where.in("matrix"), "The matrix is too large", "matrix has %d combinations: GitHub makes at most %d jobs of one.", combinations, maxMatrix)
	}
}

func (c *checker) data(d *pipeline.Data) {
	where := at{"data"}
	c.stage(where, d.Stage)
	c.script(where.in("validate"), d.Validate, false)
	if d.Dataset == "" {
		if d.Validate == "" {
			c.bad(where, "There is nothing to check", "Set dataset, validate, a script that checks the data, or both.")
		}
		return
	}
	kind, file, _ := strings.Cut(d.Dataset, ":")
	if !c.line(where.in("dataset"), d.Dataset, maxLine) {
		return
	}
	if kind != "dvc" && kind != "file" {
		c.bad(where.in("dataset"), "There is no such kind of dataset", `dataset is %q: want "file:PATH", a file or folder of the repository, or "dvc:PATH", one that DVC keeps.`, d.Dataset)
		return
	}
	c.file(where.in("dataset"), file, false)
}

func (c *checker) train(t *pipeline.Train) {
	where := at{"train"}
	c.stage(where, t.Stage)
	c.script(where.in("run"), t.Run, true)
	seen := map[string]string{}
	for i, name := range t.Outputs {
		at := where.in("outputs", i)
		before, twice := seen[envName(name)]
		switch {
		case !outputName.MatchString(name):
			c.bad(at, "This is no name of an output", "outputs has %q: want letters, digits, _ and -, a letter or _ first.", name)
		case slices.Contains([]string{"MODEL_SHA256", "METRICS_SHA256"}, envName(name)):
			c.bad(at, "This name is the workflow's", "outputs has %q, by which the workflow hands on a digest: choose another name.", name)
		case twice:
			c.bad(at, "Two names become the same", "outputs has %q and %q, which are both TRAIN_%s to later stages: leave one out.", before, name, envName(name))
		}
		seen[envName(name)] = name
	}
}

func (c *checker) evaluate(e *pipeline.Evaluate) {
	where := at{"evaluate"}
	c.stage(where, e.Stage)
	c.file(where.in("metrics"), e.Metrics, false)
	if e.Reference != "" {
		c.file(where.in("reference"), e.Reference, false)
	}
	if len(e.Min)+len(e.Max)+len(e.MaxRegression) == 0 {
		c.bad(where, "Any model would pass", "Set at least one of min, max and max_regression.")
	}
	if len(e.MaxRegression) > 0 && e.Reference == "" {
		c.bad(where.in("reference"), "There is nothing to compare with", `max_regression compares with the metrics of a model that is good: set reference, a JSON file in the repository, such as "metrics/stable.json".`)
	}
	if len(e.MaxRegression) == 0 && e.Reference != "" {
		c.bad(where.in("reference"), "The reference is not compared with", "reference is %q, and only max_regression compares with it: set that, or leave reference out.", e.Reference)
	}
	c.limits(where.in("min"), e.Min)
	c.limits(where.in("max"), e.Max)
	for _, name := range slices.Sorted(maps.Keys(e.Min)) {
		if most, ok := e.Max[name]; ok && most < e.Min[name] {
			c.bad(where.in("min", name), "No model can pass", "%s has to be at least %v and at most %v.", name, e.Min[name], most)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(e.MaxRegression)) {
		c.regression(where.in("max_regression", name), e, name)
	}
}

func (c *checker) limits(where at, m map[string]float64) {
	for _, name := range slices.Sorted(maps.Keys(m)) {
		if c.metric(where.in(name), name) && (math.IsNaN(m[name]) || math.IsInf(m[name], 0)) {
			c.bad(where.in(name), "This is no number", "%s of %s is %v: want a finite number.", where.name(), name, m[name])
		}
	}
}

func (c *checker) regression(where at, e *pipeline.Evaluate, name string) {
	v := e.MaxRegression[name]
	if !c.metric(where, name) || !c.line(where, v, 100) {
		return
	}
	rule := sign(e, name) + v
	if signed := strings.HasPrefix(rule, "+") || strings.HasPrefix(rule, "-"); !signed {
		c.bad(where, "It is not known which side is worse",
			"max_regression of %s is %q, and %s is in neither min nor max, or in both: want a sign, \"-%s\" if it may fall by that, \"+%s\" if it may rise.", name, v, name, v, v)
		return
	}
	if _, err := metricrules.ParseRules(metricrules.Regression, name+"="+rule); err != nil || strings.ContainsAny(v, ",= ") {
		c.bad(where, "This is no regression", "max_regression of %s is %q: want how far it may be from the reference, such as \"-0.01\" or \"+5%%\".", name, v)
	}
}

// metric looks at a metric's name, which is written on a line with a number.
func (c *checker) metric(where at, name string) bool {
	if !c.line(where, name, 200) {
		return false
	}
	if name == "" || strings.TrimSpace(name) != name || strings.ContainsAny(name, ",") || strings.HasPrefix(name, "#") {
		c.bad(where, "This is no name of a metric", "%q: want the name that the metrics file has, such as \"test.auc\", without commas and spaces around it.", name)
		return false
	}
	return true
}
