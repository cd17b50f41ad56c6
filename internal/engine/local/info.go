package local

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/disk"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/failpoint"
)

// apiVersion is the version of the paths under /v1: clients refuse to guess at another.
const apiVersion = 1

// An info is engine.json, and what /v1/version answers: who runs here and how to reach it.
type info struct {
	PID     int       `json:"pid"`
	Version string    `json:"version"`
	Build   string    `json:"build"` // of the program's bytes: tells development builds apart
	API     int       `json:"api"`
	Socket  string    `json:"socket"`
	Page    string    `json:"page"` // "http://127.0.0.1:PORT"
	Started time.Time `json:"started"`
}

// writeInfo replaces the file in one step: clients read it at any time.
func writeInfo(to disk.Disk, path string, i info) error {
	b, err := json.MarshalIndent(i, "", "  ")
	if err != nil {
		return err
	}
	failpoint.Hit("info.rename")
	return disk.Replace(to, path, append(b, '\n'), 0o600)
}

// errNoInfo: what is in the file says nothing. The next daemon writes it anew.
var errNoInfo = errors.New("it does not say who runs here")

// hung says what to do about a daemon that holds the directory and does not answer.
func (d dataDir) hung() error {
	which, end := "an engine", "end its process"
	if i, err := readInfo(d.info()); err == nil {
		which, end = fmt.Sprintf("its engine, process %d,", i.PID), fmt.Sprintf("end it with kill -9 %d", i.PID)
	}
	return fmt.Errorf("data directory %s: %s holds it and %w. Safe: all that is stored, endpoints, rollouts and their weights. "+
		"Not safe: whether the endpoints answer. Next: see %s; if it hangs, %s and try again: the next engine goes on from what is stored",
		d, which, errSilent, d.log(), end)
}

func readInfo(path string) (info, error) {
	var i info
	b, err := os.ReadFile(path)
	if err != nil {
		return i, err
	}
	if err := json.Unmarshal(b, &i); err != nil {
		return i, fmt.Errorf("%s: %w: %w", path, errNoInfo, err)
	}
	return i, nil
}
