package workflow

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/pipeline"
)

// limits are minima or maxima, one a line.
func limits(m map[string]float64) string {
	var b strings.Builder
	for _, k := range slices.Sorted(maps.Keys(m)) {
		b.WriteString(k + "=" + strconv.FormatFloat(m[k], 'g', -1, 64) + "\n")
	}
	return b.String()
}

// regressions are those of an evaluation with their signs, one a line.
func regressions(e *pipeline.Evaluate) string {
	var b strings.Builder
	for _, k := range slices.Sorted(maps.Keys(e.MaxRegression)) {
		b.WriteString(k + "=" + sign(e, k) + e.MaxRegression[k] + "\n")
	}
	return b.String()
}

// sign is the one that a metric's regression needs before it, "" if it has one or none can be told: what has a minimum gets
// worse by falling, what has a maximum by rising.
func sign(e *pipeline.Evaluate, metric string) string {
	if v := e.MaxRegression[metric]; v == "" || v[0] == '+' || v[0] == '-' {
		return ""
	}
	_, low := e.Min[metric]
	_, high := e.Max[metric]
	switch {
	case low && !high:
		return "-"
	case high && !low:
		return "+"
	}
	return ""
}
