package simulate

import (
	"math"
	"slices"
)

// higher reports whether a is higher than b as Kayenta's Mann-Whitney classifier says it: the lower
// end of a confidence interval of the shift between them is above tolerance times the Hodges-Lehmann
// estimate of it.
//
// Source: MannWhitneyClassifier.scala and MannWhitney.scala of Kayenta (5e8bc1a, 552aa62), after R's
// wilcox.test, asymptotic and with continuity correction. Instead of searching for the interval's
// end this asks on which side of the tolerance it lies, which is the same question.
func higher(a, b []float64) bool {
	if len(a) == 0 || len(b) == 0 {
		return false // Nodata, which is no failure
	}
	shift := math.Abs(hodgesLehmann(a, b))
	z, ok := wilcoxon(a, b, judgeTolerance*shift)
	return ok && z > math.Sqrt2*math.Erfinv(judgeConfidence)
}

// hodgesLehmann is the median of all differences.
func hodgesLehmann(a, b []float64) float64 {
	differences := make([]float64, 0, len(a)*len(b))
	for _, x := range a {
		for _, y := range b {
			differences = append(differences, x-y)
		}
	}
	return percentile(differences, 0.5)
}

// wilcoxon returns the standardised rank sum of a-shift among b; false where all are tied.
func wilcoxon(a, b []float64, shift float64) (z float64, ok bool) {
	type value struct {
		x     float64
		fromA bool
	}
	all := make([]value, 0, len(a)+len(b))
	for _, x := range a {
		all = append(all, value{x - shift, true})
	}
	for _, y := range b {
		all = append(all, value{y, false})
	}
	slices.SortFunc(all, func(p, q value) int {
		switch {
		case p.x < q.x:
			return -1
		case p.x > q.x:
			return 1
		}
		return 0
	})
	var ranks, ties float64
	for i := 0; i < len(all); {
		j, fromA := i, 0
		for ; j < len(all) && all[j].x == all[i].x; j++ {
			if all[j].fromA {
				fromA++
			}
		}
		n := float64(j - i)
		ranks += float64(fromA) * (float64(i+1) + float64(j)) / 2
		ties += n*n*n - n
		i = j
	}
	n, m := float64(len(a)), float64(len(b))
	d := ranks - n*(n+1)/2 - n*m/2
	variance := n * m / 12 * (n + m + 1 - ties/((n+m)*(n+m-1)))
	if !(variance > 0) {
		return 0, false
	}
	if d != 0 {
		d -= math.Copysign(0.5, d)
	}
	return d / math.Sqrt(variance), true
}

// percentile is a quantile of values, which it sorts; between two it is linear.
func percentile(values []float64, q float64) float64 {
	slices.Sort(values)
	at := q * float64(len(values)-1)
	i := int(at)
	if i+1 >= len(values) {
		return values[len(values)-1]
	}
	return values[i] + (at-float64(i))*(values[i+1]-values[i])
}

// withoutOutliers drops what lies more than 3 interquartile ranges outside the quartiles.
// Source: NetflixACAJudge.scala, IQRDetector(factor = 3.0).
func withoutOutliers(values []float64) []float64 {
	if len(values) < 4 {
		return values
	}
	sorted := slices.Clone(values)
	low, high := percentile(sorted, 0.25), percentile(sorted, 0.75)
	reach := 3 * (high - low)
	return slices.DeleteFunc(slices.Clone(values), func(x float64) bool { return x < low-reach || x > high+reach })
}
