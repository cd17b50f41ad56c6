package screen

import (
	"fmt"
	"strconv"
	"strings"
)

// Short writes a digest so that two can be told apart.
func Short(digest string) string {
	const enough = 12
	hex, ok := strings.CutPrefix(digest, "sha256:")
	if !ok || len(hex) < enough {
		return Clean(digest)
	}
	return hex[:enough]
}

// percent writes a share with the digits that it deserves.
func percent(share float64) string {
	p := 100 * share
	switch {
	case p == 0 || p == 100:
		return fmt.Sprintf("%.0f%%", p)
	case p < 10:
		return fmt.Sprintf("%.2f%%", p)
	}
	return fmt.Sprintf("%.1f%%", p)
}

// evidence writes an e-value. Beyond a million nobody needs the digits.
func evidence(e float64) string {
	switch {
	case e > 1e6:
		return "over a million"
	case e >= 100:
		return count(uint64(e))
	case e >= 10:
		return fmt.Sprintf("%.0f", e)
	}
	return fmt.Sprintf("%.1f", e)
}

// count writes 1234567 as 1,234,567.
func count(n uint64) string {
	s := strconv.FormatUint(n, 10)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// latency writes seconds as people do.
func latency(seconds float64) string {
	if seconds < 1 {
		return strconv.FormatFloat(1000*seconds, 'g', 4, 64) + " ms"
	}
	return strconv.FormatFloat(seconds, 'g', 4, 64) + " s"
}
