//go:build unix

package terraform

import (
	"os/exec"
	"syscall"
)

// apart puts a command into a process group of its own: an interrupt from the terminal goes to this process only, which
// passes it on once. A second one would make the tool drop its lock and its state.
func apart(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }
