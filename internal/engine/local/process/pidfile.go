package process

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/disk"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/failpoint"
)

// A pidFile says which process a replica is, for a daemon that comes after ours was killed. It is
// written before the process starts, without a pid, and again right after.
type pidFile struct {
	Pid      int      `json:"pid"`
	Start    string   `json:"start"` // startOf(Pid): another process may get the number later
	Command  []string `json:"command"`
	Port     int      `json:"port"`
	Model    string   `json:"model"`
	Revision string   `json:"revision"`
}

func (p pidFile) write(to disk.Disk, path string) error {
	b, err := json.Marshal(p)
	if err != nil {
		return err
	}
	failpoint.Hit("pid.rename")
	return disk.Replace(to, path, b, 0o600)
}

func readPidFile(path string) (p pidFile, err error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return p, err
	}
	if err := json.Unmarshal(b, &p); err != nil {
		return p, fmt.Errorf("%s: %w; end its model server by hand if it still runs, and remove the file", path, err)
	}
	return p, nil
}

// environment returns what only the processes of this replica have in their environment.
func (p pidFile) environment() []string {
	return []string{"PORT=" + strconv.Itoa(p.Port), "MODEL_PATH=" + p.Model, "TIDEGATE_REVISION=" + p.Revision}
}

func reap(ctx context.Context, dir string) error {
	var errs []error
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil // nothing was ever started, or another cleans up
		}
		if err != nil {
			return err
		}
		if !e.IsDir() && strings.HasSuffix(path, ".pid") {
			errs = append(errs, reapOne(ctx, path))
		}
		return ctx.Err()
	})
	if err := errors.Join(append(errs, err)...); err != nil {
		return fmt.Errorf("end model servers that were left running: %w", err)
	}
	return nil
}

// reapOne kills the processes of one pid file, waits until they are gone, and removes it.
func reapOne(ctx context.Context, path string) error {
	p, err := readPidFile(path)
	if err != nil {
		return err
	}
	for p.kill() {
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s: process %d does not end: %w", path, p.Pid, ctx.Err())
		case <-time.After(10 * time.Millisecond):
		}
	}
	return os.Remove(path)
}

// kill kills what is left of the replica, and tells whether there was anything.
func (p pidFile) kill() bool {
	found := false
	if p.Pid > 1 { // 0 and 1 would mean ourselves and everybody
		start, err := startOf(p.Pid)
		if err == nil && start == p.Start && groupAlive(p.Pid) {
			found = true
			_ = syscall.Kill(-p.Pid, syscall.SIGKILL)
		}
	}
	// Those that outlived the leader, or started before their number was written down.
	for _, pid := range withEnvironment(p.environment()) {
		found = true
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
	return found
}
