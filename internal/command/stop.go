package command

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

// stoppable returns a context that the first SIGINT, SIGTERM or SIGHUP ends. The second one does what it does
// elsewhere: it ends the process at once. A signal that was ignored before, as by nohup, stays ignored.
func stoppable(parent context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(parent)
	var signals []os.Signal
	for _, s := range []os.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP} {
		if !signal.Ignored(s) {
			signals = append(signals, s)
		}
	}
	got := make(chan os.Signal, 1)
	if len(signals) > 0 {
		signal.Notify(got, signals...)
	}
	go func() {
		defer signal.Stop(got)
		select {
		case s := <-got:
			cancel(&stoppedError{s})
		case <-ctx.Done():
		}
	}()
	return ctx, func() { cancel(context.Canceled) }
}

// A stoppedError is why a context ended.
type stoppedError struct{ signal os.Signal }

func (e *stoppedError) Error() string {
	names := map[os.Signal]string{syscall.SIGINT: "SIGINT (Ctrl-C)", syscall.SIGTERM: "SIGTERM", syscall.SIGHUP: "SIGHUP"}
	return fmt.Sprintf("told to stop by %s", names[e.signal])
}
