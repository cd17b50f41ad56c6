package page

import (
	"fmt"
	"strings"
	"time"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/gate"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/rollout"
)

// evidence writes an e-value. Beyond a million nobody needs the digits.
func evidence(e float64) string {
	switch {
	case e > 1e6:
		return "over 1,000,000"
	case e >= 1000:
		return gate.Grouped(uint64(e))
	case e >= 100:
		return fmt.Sprintf("%.0f", e)
	}
	text := strings.TrimRight(fmt.Sprintf("%.2f", e), "0")
	return strings.TrimSuffix(text, ".")
}

// short writes a digest so that two can be told apart.
func short(full string) digest { return digest{rollout.Short(full), full} }

func when(t time.Time, zone *time.Location) moment {
	if t.IsZero() {
		return moment{}
	}
	return moment{t.In(zone).Format("2 Jan 15:04:05"), t.In(zone).Format(time.RFC3339)}
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
