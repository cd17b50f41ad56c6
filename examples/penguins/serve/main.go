// Command serve answers for one model by the Open Inference Protocol, version 2, over REST.
//
//	go run ./examples/penguins/serve -model models/v1.json -name penguins -port 8080
//
// Tidegate starts it with PORT, MODEL_PATH and TIDEGATE_ENDPOINT in the environment; flags
// win over them.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/tidegatehq/terraform-provider-tidegate/examples/penguins/classifier"
)

// drain is how long answers that have begun may take after SIGTERM.
const drain = 5 * time.Second

func main() {
	if err := start(); err != nil {
		slog.Error("serve", "error", err)
		os.Exit(1)
	}
}

// start reads flags and environment, and serves until SIGTERM.
func start() error {
	port := flag.String("port", cmp.Or(os.Getenv("PORT"), "8080"), "to listen on, on 127.0.0.1; by default $PORT")
	path := flag.String("model", os.Getenv("MODEL_PATH"), "model `file`; by default $MODEL_PATH")
	name := flag.String("name", cmp.Or(os.Getenv("TIDEGATE_ENDPOINT"), "penguins"), "of the model; by default $TIDEGATE_ENDPOINT")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	return run(ctx, net.JoinHostPort("127.0.0.1", *port), *path, *name)
}

// run serves until ctx ends, and lets answers that have begun end well.
func run(ctx context.Context, addr, path, name string) error {
	if path == "" {
		return errors.New("no model: set -model or MODEL_PATH to a file that train wrote")
	}
	m, err := classifier.Read(path)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return fmt.Errorf("listen on %s: %w", addr, err)
	}
	slog.Info("serving", "model", name, "version", m.Version, "address", listener.Addr().String())
	server := &http.Server{Handler: newServer(name, m), ReadHeaderTimeout: 5 * time.Second}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	draining, cancel := context.WithTimeout(context.Background(), drain)
	defer cancel()
	slog.Info("stopping", "model", name, "version", m.Version)
	return server.Shutdown(draining)
}
