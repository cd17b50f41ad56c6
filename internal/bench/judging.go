package main

import (
	"fmt"
	"math"
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
	all, allocations := together()
	fmt.Printf("judging: errors and latency at %d edges: %.1f microseconds, %d allocations\n", gate.Edges, all/1e3, allocations)
	return []figure{
		{name: "judging_errors_and_latency", value: all / 1e3, unit: "microseconds", most: true, goal: 100},
		{name: "judging_allocations", value: float64(allocations), unit: "allocations", most: true, goal: 0},
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

// together returns the nanoseconds and allocations of taking in and judging a window by all gates.
func together() (nanoseconds float64, allocations int64) {
	weights := []int{1, 5, 10, 25, 50, 90}
	errors, latency := gate.NewErrors(weights), gate.NewLatency(gate.MarginsFor(weights))
	g := gate.Gates{Alpha: 0.01, Beta: 0.05, Errors: &errors, Latency: &latency}
	w := gate.Window{
		Candidate: gate.Arm{Requests: 100, Bad: 1, Slower: slower(100)},
		Stable:    gate.Arm{Requests: 900, Bad: 9, Slower: slower(900)},
	}
	r := testing.Benchmark(func(b *testing.B) {
		b.ReportAllocs()
		e := g.Start()
		var board gate.Board
		for range b.N {
			g.Add(&e, 2, &w)
			g.Decide(&e, 2, &board)
		}
	})
	return float64(r.NsPerOp()), r.AllocsPerOp()
}

// slower is a histogram of n answers: half of them slower than 80 ms, and fewer by the edge.
func slower(n float64) []uint64 {
	counts := make([]uint64, gate.Edges)
	for i, edge := range gate.LatencyEdges {
		counts[i] = uint64(n / (1 + math.Exp(3*math.Log(edge/0.08))))
	}
	return counts
}
