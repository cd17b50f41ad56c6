package local

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"time"

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
func writeInfo(path string, i info) error {
	b, err := json.MarshalIndent(i, "", "  ")
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".engine-*.json") // 0600
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(f.Name()) }() // gone already after the rename
	if _, err := f.Write(append(b, '\n')); err != nil {
		_ = f.Close()
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	failpoint.Hit("info.rename")
	return os.Rename(f.Name(), path)
}

func readInfo(path string) (info, error) {
	var i info
	b, err := os.ReadFile(path)
	if err != nil {
		return i, err
	}
	if err := json.Unmarshal(b, &i); err != nil {
		return i, fmt.Errorf("%s: %w", path, err)
	}
	return i, nil
}
