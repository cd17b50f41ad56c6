package main

import (
	"os"
	"strings"
)

// sdkLog is the level of the plugin SDK's own log.
const sdkLog = "TF_LOG_SDK"

// quiet turns the log of Terraform's SDK off where nobody asked for a log. It would write everything, for Terraform to read
// and to throw away: a fifth of the time of a plan with many endpoints. Messages of this program are not in it.
func quiet(environment []string) error {
	for _, kv := range environment {
		if name, level, _ := strings.Cut(kv, "="); level != "" && (name == "TF_LOG" || strings.HasPrefix(name, "TF_LOG_")) {
			return nil
		}
	}
	return os.Setenv(sdkLog, "off")
}
