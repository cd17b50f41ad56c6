// Command demo shows Tidegate's main job with real processes and real requests: a model goes
// live, a better one is promoted under traffic, and a broken one is rolled back, so that the
// apply fails and names the gate. At the end Terraform writes the workflow of such a repository, and finds what
// was changed in it. Every number that it prints was measured in the run, and a story that does not go as it
// should is an error.
//
//	go run ./examples/penguins/demo          # leaves the engine running, to look at its page
//	go run ./examples/penguins/demo -clean   # stops it and removes all that the demo made
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"
)

func main() {
	if err := start(); err != nil {
		fmt.Fprintln(os.Stderr, "\ndemo:", err)
		os.Exit(1)
	}
}

// start reads the flags, and tells the story or cleans.
func start() error {
	var o options
	clean := flag.Bool("clean", false, "stop what an earlier run left running, and remove it")
	flag.StringVar(&o.dir, "dir", filepath.Join(".cache", "demo"), "work `folder`, below the project's")
	flag.Float64Var(&o.rate, "rate", 1000, "requests a second that users send")
	flag.StringVar(&o.record, "record", "", "write the run as a picture to this SVG `file`")
	flag.Parse()

	ctx, stop := interruptible()
	defer stop()
	t := newTeller(os.Stdout)
	defer t.close()
	d, err := newDemo(o, t)
	if err != nil {
		return err
	}
	return d.do(ctx, *clean)
}

var errInterrupted = errors.New("interrupted")

// interruptible returns a context that ends with the first Ctrl-C. A second one kills what
// the demo runs, and the demo.
func interruptible() (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(context.Background())
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	go func() {
		<-signals
		cancel(errInterrupted)
		<-signals
		killRunning()
		fmt.Fprintln(os.Stderr, "\ndemo: killed; what is left goes with: make demo-clean")
		os.Exit(130)
	}()
	return ctx, func() { signal.Stop(signals); cancel(nil) }
}

// do runs the demo, or only cleans. An interrupted run leaves nothing behind.
func (d *demo) do(ctx context.Context, cleanOnly bool) error {
	if cleanOnly && !exists(d.dir) {
		d.say(plain("Nothing to clean: there is no " + d.options.dir + "."))
	}
	if cleanOnly {
		return d.clean(ctx)
	}
	err := d.run(ctx)
	if err == nil {
		return nil
	}
	if !errors.Is(context.Cause(ctx), errInterrupted) {
		return fmt.Errorf("%w\nWhat it made is in %s, and its engine may be running. Remove both: make demo-clean", err, d.dir)
	}
	d.say(plain("Interrupted: cleaning up. Ctrl-C again kills, and leaves that to make demo-clean."))
	cleaning, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Minute)
	defer cancel()
	return errors.Join(errInterrupted, d.clean(cleaning))
}
