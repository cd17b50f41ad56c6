// Command bench measures what matters. Of speed each thing side by side with something that everybody has, in
// one run: on another machine the numbers differ, the ratios hardly do. Of judgement by simulated rollouts,
// whose numbers are the same everywhere.
//
// With names of parts (routing, judging, simulating, terraforming, deciding, planning, refreshing) it measures only these.
//
// It ends in a line a figure: name, value, unit, "goal" and the goal, then "ok" or "short".
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
)

// A figure is a measured number and what it should be.
type figure struct {
	name  string
	value float64
	unit  string
	most  bool // the goal is a most, not a least
	goal  float64
}

func (f figure) String() string {
	sign, ok := ">=", f.value >= f.goal
	if f.most {
		sign, ok = "<=", f.value <= f.goal
	}
	verdict := "short"
	if ok {
		verdict = "ok"
	}
	return fmt.Sprintf("%s %.3g %s goal %s%g %s", f.name, f.value, f.unit, sign, f.goal, verdict)
}

func main() {
	if path := os.Getenv(readPlan); path != "" {
		if err := readBigPlan(path); err != nil {
			fmt.Fprintln(os.Stderr, "bench:", err)
			os.Exit(1)
		}
		return
	}
	if filepath.Base(os.Args[0]) == modelServer && len(os.Args) == 4 {
		fmt.Fprintln(os.Stderr, serveModel(os.Args[1], os.Args[2], os.Args[3])) // returns only if it fails
		os.Exit(1)
	}
	if len(os.Args) == 4 && os.Args[1] == proxyWord {
		if err := serveProxy(os.Args[2], os.Args[3]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	parts := map[string]func() ([]figure, error){"routing": routing, "judging": judging, "simulating": simulating,
		"terraforming": terraforming, "deciding": deciding, "planning": planning, "refreshing": refreshing}
	names := os.Args[1:]
	if len(names) == 0 {
		names = []string{"routing", "judging", "simulating", "terraforming", "deciding", "planning", "refreshing"}
	}
	var figures []figure
	for _, name := range names {
		measure, ok := parts[name]
		if !ok {
			fmt.Fprintf(os.Stderr, "bench: %q: want routing, judging, simulating, terraforming, deciding, planning or refreshing\n", name)
			os.Exit(1)
		}
		fs, err := measure()
		if err != nil {
			fmt.Fprintln(os.Stderr, "bench:", err)
			os.Exit(1)
		}
		figures = append(figures, fs...)
	}
	fmt.Println()
	for _, f := range figures {
		fmt.Println(f)
	}
}

// median of an odd number of values; it forgets the run in which the machine did something else.
func median(values []float64) float64 {
	slices.Sort(values)
	return values[len(values)/2]
}
