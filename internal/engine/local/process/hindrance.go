package process

import (
	"errors"
	"syscall"
)

// A hindrance is why a start failed that is not the command's fault.
type hindrance struct{ error }

func (h hindrance) Unwrap() error { return h.error }

// wants are what a machine may be out of when it starts a process.
var wants = []syscall.Errno{syscall.EMFILE, syscall.ENFILE, syscall.ENOMEM, syscall.EAGAIN, syscall.ENOSPC, syscall.EDQUOT}

// hinder notes whether a start failed for want of something of the machine's; nil is a start that did not fail.
func (g *Group) hinder(err error) {
	var h hindrance
	hindered := errors.As(err, &h)
	for _, no := range wants {
		hindered = hindered || errors.Is(err, no)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.hindered = hindered
}
