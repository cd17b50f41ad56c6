// Command client asks a penguin endpoint about the rows of the data set and prints what its
// users would have seen.
//
//	go run ./examples/penguins/client -url http://127.0.0.1:8080 -rate 400 -duration 10s
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"os/signal"
	"slices"
	"syscall"
	"time"

	"github.com/tidegatehq/terraform-provider-tidegate/examples/penguins/replay"
)

func main() {
	if err := play(); err != nil {
		fmt.Fprintln(os.Stderr, "client:", err)
		os.Exit(1)
	}
}

// play reads the flags and asks until the duration is over, or Ctrl-C.
func play() error {
	var c replay.Config
	flag.StringVar(&c.URL, "url", "", "of the endpoint, such as http://127.0.0.1:8080")
	flag.StringVar(&c.Model, "name", "penguins", "of the model")
	flag.Float64Var(&c.Rate, "rate", 100, "requests a second; 0 for as many as the workers can")
	flag.IntVar(&c.Workers, "workers", 8, "requests in flight at most")
	flag.Uint64Var(&c.Seed, "seed", 1, "of the order of the rows")
	duration := flag.Duration("duration", 10*time.Second, "how long to ask; 0 until Ctrl-C")
	asJSON := flag.Bool("json", false, "print the counts as JSON")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	return run(ctx, os.Stdout, c, *duration, *asJSON)
}

// run asks for the duration. Failures of the endpoint are counted, and are no error here.
func run(ctx context.Context, out io.Writer, c replay.Config, duration time.Duration, asJSON bool) error {
	if duration > 0 {
		limited, cancel := context.WithTimeout(ctx, duration)
		defer cancel()
		ctx = limited
	}
	player, err := replay.Start(ctx, c)
	if err != nil {
		return err
	}
	<-player.Done()
	counts := player.Counts()
	if asJSON {
		encoder := json.NewEncoder(out)
		encoder.SetIndent("", "  ")
		return encoder.Encode(counts)
	}
	_, err = io.WriteString(out, text(counts))
	return err
}

func text(c replay.Counts) string {
	s := fmt.Sprintf("%d requests in %.1f s, %d failed, %.1f%% got the right species\n",
		c.Requests, c.Seconds, c.Failed, 100*c.Accuracy())
	for _, name := range slices.Sorted(maps.Keys(c.Versions)) {
		v := c.Versions[name]
		s += fmt.Sprintf("  version %s: %d requests, %d failed, %.1f%% right\n",
			name, v.Requests, v.Failed, 100*v.Accuracy())
	}
	if c.Problem != "" {
		s += "  last failure: " + c.Problem + "\n"
	}
	return s
}
