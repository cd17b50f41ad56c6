package main

import (
	"fmt"
	"testing"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/gate"
)

// judging weighs one judgement of the errors gate by the requests that it judges: it must be
// nothing beside them, and hardly grow with their number.
func judging() ([]figure, error) {
	fmt.Println("judging: one window of the errors gate, default steps")
	small := judgement(gate.Window{
		Candidate: gate.Arm{Requests: 100, Bad: 1},
		Stable:    gate.Arm{Requests: 900, Bad: 9},
	})
	large := judgement(gate.Window{
		Candidate: gate.Arm{Requests: 100_000_000, Bad: 1_000_000},
		Stable:    gate.Arm{Requests: 900_000_000, Bad: 9_000_000},
	})
	fmt.Printf("  1,000 requests: %.1f microseconds; 1,000,000,000: %.1f\n", small/1e3, large/1e3)
	return []figure{
		{name: "judging_1e9_requests_over_1e3", value: large / small, unit: "times", most: true, goal: 10},
		{name: "judging_share_of_a_1s_window", value: small / 1e9 * 100, unit: "percent", most: true, goal: 0.1},
	}, nil
}

// judgement returns the nanoseconds that it takes to take in a window and judge.
func judgement(w gate.Window) float64 {
	g := gate.NewErrors([]int{1, 5, 10, 25, 50, 90})
	return float64(testing.Benchmark(func(b *testing.B) {
		e := g.Start()
		for range b.N {
			g.Judge(g.Observe(e, 2, w), 2)
		}
	}).NsPerOp())
}
