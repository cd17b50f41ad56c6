package gate

import "strconv"

// LatencyEdges are the latencies, in seconds, at which slow answers are counted: 1 ms to 60 s, twenty to a
// decade, in the preferred numbers of ISO 3 (R20). The usual buckets of a histogram (5 ms, 250 ms, 1 s) are among
// them. They never change: a record of evidence holds counts by their position.
var LatencyEdges = [Edges]float64{
	.001, .00112, .00125, .0014, .0016, .0018, .002, .00224, .0025, .0028,
	.00315, .00355, .004, .0045, .005, .0056, .0063, .0071, .008, .009,
	.01, .0112, .0125, .014, .016, .018, .02, .0224, .025, .028,
	.0315, .0355, .04, .045, .05, .056, .063, .071, .08, .09,
	.1, .112, .125, .14, .16, .18, .2, .224, .25, .28,
	.315, .355, .4, .45, .5, .56, .63, .71, .8, .9,
	1, 1.12, 1.25, 1.4, 1.6, 1.8, 2, 2.24, 2.5, 2.8,
	3.15, 3.55, 4, 4.5, 5, 5.6, 6.3, 7.1, 8, 9,
	10, 11.2, 12.5, 14, 16, 18, 20, 22.4, 25, 28,
	31.5, 35.5, 40, 45, 50, 56,
	60,
}

// Edges is the number of LatencyEdges.
const Edges = 97

// measured reports whether both arms' histograms can be compared: the edges' number is known, and no edge is exceeded
// by more requests than the one below. Buckets that changed under way, or ran backwards, are no evidence.
func measured(w *Window) bool { return w.Candidate.histogram() && w.Stable.histogram() }

func (a *Arm) histogram() bool {
	if len(a.Slower) != Edges {
		return false
	}
	before := a.timed()
	for _, n := range a.Slower {
		if n > before {
			return false
		}
		before = n
	}
	return true
}

// timed is how many of the requests have a latency.
func (a *Arm) timed() uint64 { return a.Requests - min(a.Untimed, a.Requests) }

// duration writes an edge as people do: 250 ms, 1.25 s.
func duration(seconds float64) string {
	if seconds < 1 {
		return strconv.FormatFloat(1000*seconds, 'g', 4, 64) + " ms"
	}
	return strconv.FormatFloat(seconds, 'g', 4, 64) + " s"
}
