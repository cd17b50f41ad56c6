package page

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// count writes 1234567 as 1,234,567.
func count(n uint64) string {
	digits := strconv.FormatUint(n, 10)
	var b strings.Builder
	for i, d := range digits {
		if i > 0 && (len(digits)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteRune(d)
	}
	return b.String()
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
		return "over 1,000,000"
	case e >= 1000:
		return count(uint64(e))
	case e >= 100:
		return fmt.Sprintf("%.0f", e)
	}
	text := strings.TrimRight(fmt.Sprintf("%.2f", e), "0")
	return strings.TrimSuffix(text, ".")
}

// short writes a digest so that two can be told apart.
func short(full string) digest {
	hex, ok := strings.CutPrefix(full, "sha256:")
	if !ok || len(hex) < 12 {
		return digest{full, full}
	}
	return digest{hex[:12], full}
}

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
