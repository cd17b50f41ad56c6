//go:build !linux

package process

import (
	"errors"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
)

// awaitExit returns when the process has exited, and how.
func awaitExit(cmd *exec.Cmd) (reaped bool, exit error) { return true, cmd.Wait() }

// startOf tells a process from any other that had or will have its number.
func startOf(pid int) (string, error) {
	out, err := exec.Command("ps", "-o", "lstart=", "-p", strconv.Itoa(pid)).Output()
	if err != nil {
		return "", fmt.Errorf("ps: %w", err)
	}
	return strings.TrimSpace(string(out)), nil
}

// groupAlive tells whether a process group has members.
func groupAlive(group int) bool { return !errors.Is(syscall.Kill(-group, 0), syscall.ESRCH) }

// withEnvironment: other processes' environments are not to be had here.
func withEnvironment([]string) []int { return nil }

// listening: whose ports are whose is not to be had here.
func listening(int) []int { return nil }
