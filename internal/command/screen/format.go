package screen

import (
	"fmt"
	"strconv"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/gate"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/rollout"
)

// Short writes a revision so that two can be told apart.
func Short(revision string) string { return Clean(rollout.Short(revision)) }

// evidence writes an e-value. Beyond a million nobody needs the digits.
func evidence(e float64) string {
	switch {
	case e > 1e6:
		return "over a million"
	case e >= 100:
		return gate.Grouped(uint64(e))
	case e >= 10:
		return fmt.Sprintf("%.0f", e)
	}
	return fmt.Sprintf("%.1f", e)
}

// latency writes seconds as people do.
func latency(seconds float64) string {
	if seconds < 1 {
		return strconv.FormatFloat(1000*seconds, 'g', 4, 64) + " ms"
	}
	return strconv.FormatFloat(seconds, 'g', 4, 64) + " s"
}
