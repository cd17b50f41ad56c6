package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// memory returns what the engine of a root module takes, in MiB: its proportional share of what it maps. It is not ok
// where the system does not say.
func memory(root string) (mib float64, ok bool, err error) {
	b, err := os.ReadFile(filepath.Join(root, ".tidegate", "engine.json"))
	if err != nil {
		return 0, false, err
	}
	var engine struct {
		PID int `json:"pid"`
	}
	if err := json.Unmarshal(b, &engine); err != nil {
		return 0, false, err
	}
	b, err = os.ReadFile(filepath.Join("/proc", strconv.Itoa(engine.PID), "smaps_rollup"))
	if errors.Is(err, fs.ErrNotExist) {
		return 0, false, nil
	}
	if err != nil {
		return 0, false, err
	}
	for line := range strings.Lines(string(b)) {
		var kib float64
		if _, err := fmt.Sscanf(line, "Pss: %f kB", &kib); err == nil {
			return kib / 1024, true, nil
		}
	}
	return 0, false, nil
}
