package process

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// awaitExit returns when the process has exited and leaves it a zombie, so that its number stays
// its own until its whole group is gone.
func awaitExit(cmd *exec.Cmd) (reaped bool, exit error) {
	for {
		err := unix.Waitid(unix.P_PID, cmd.Process.Pid, nil, unix.WEXITED|unix.WNOWAIT, nil)
		if err == nil {
			return false, nil
		}
		if !errors.Is(err, unix.EINTR) {
			return true, cmd.Wait()
		}
	}
}

// startOf tells a process from any other that ever had or will have its number.
func startOf(pid int) (string, error) {
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return "", err
	}
	s, err := statOf(pid)
	if err != nil {
		return "", err
	}
	return strings.TrimSpace(string(boot)) + "/" + s.start, nil
}

type stat struct {
	state string
	group int
	start string // clock ticks since the machine's start
}

// statOf reads /proc/PID/stat. The command's name in it may hold blanks and brackets.
func statOf(pid int) (stat, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return stat{}, err
	}
	fields := strings.Fields(string(b[bytes.LastIndexByte(b, ')')+1:]))
	if len(fields) < 20 {
		return stat{}, fmt.Errorf("/proc/%d/stat has %d fields after the name, not 20", pid, len(fields))
	}
	group, err := strconv.Atoi(fields[2])
	return stat{state: fields[0], group: group, start: fields[19]}, err
}

// living returns the processes that are not dead, which zombies are.
func living() map[int]stat {
	all := map[int]stat{}
	dirs, _ := filepath.Glob("/proc/[0-9]*")
	for _, d := range dirs {
		pid, err := strconv.Atoi(filepath.Base(d))
		if err != nil {
			continue
		}
		if s, err := statOf(pid); err == nil && s.state != "Z" && s.state != "X" {
			all[pid] = s
		}
	}
	return all
}

// groupAlive tells whether a process group has members that are not dead.
func groupAlive(group int) bool {
	for _, s := range living() {
		if s.group == group {
			return true
		}
	}
	return false
}

// withEnvironment returns the processes that have all of vars, "NAME=value", in their environment.
func withEnvironment(vars []string) []int {
	var found []int
	for pid := range living() {
		b, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", pid))
		if err != nil || pid == os.Getpid() {
			continue
		}
		env := strings.Split(string(b), "\x00")
		if !slices.ContainsFunc(vars, func(v string) bool { return !slices.Contains(env, v) }) {
			found = append(found, pid)
		}
	}
	return found
}

// listening returns the TCP ports that a process group listens on, if it can be found out.
func listening(group int) []int {
	sockets := map[string]bool{}
	for pid, s := range living() {
		if s.group != group {
			continue
		}
		links, _ := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", pid))
		for _, l := range links {
			to, _ := os.Readlink(l)
			if inode, ok := strings.CutPrefix(to, "socket:["); ok {
				sockets[strings.TrimSuffix(inode, "]")] = true
			}
		}
	}
	var ports []int
	for _, table := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		b, _ := os.ReadFile(table)
		for line := range strings.Lines(string(b)) {
			f := strings.Fields(line)
			if len(f) < 10 || f[3] != "0A" || !sockets[f[9]] {
				continue
			}
			_, hex, _ := strings.Cut(f[1], ":")
			if port, err := strconv.ParseUint(hex, 16, 16); err == nil {
				ports = append(ports, int(port))
			}
		}
	}
	return ports
}
