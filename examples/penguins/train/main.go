// Command train fits one version of the penguin model and measures it on rows held out.
//
//	go run ./examples/penguins/train -version 2 -out models/v2.json
//
// The same version and seed give the same file. Version 3 holds a real mistake: its recipe
// drops incomplete rows before it splits, so that it looks best and cannot answer for a bird
// with a missing value. Version 4 is right, and takes thousands of times as long for an answer.
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"github.com/tidegatehq/terraform-provider-tidegate/examples/penguins/data"
)

func main() {
	version := flag.String("version", "1", "what to train: 1, 2, 3 or 4")
	out := flag.String("out", "", "model `file` to write (default models/vVERSION.json)")
	metricsOut := flag.String("metrics", "", "metrics `file` to write (default: none)")
	seed := flag.Uint64("seed", 1, "of the split into training and test rows")
	flag.Parse()
	if *out == "" {
		*out = filepath.Join("models", "v"+*version+".json")
	}
	if err := run(*version, *out, *metricsOut, *seed); err != nil {
		fmt.Fprintln(os.Stderr, "train:", err)
		os.Exit(1)
	}
}

func run(version, out, metricsOut string, seed uint64) error {
	rows, err := data.Load()
	if err != nil {
		return err
	}
	m, got, err := train(rows, version, seed)
	if err != nil {
		return err
	}
	if err := write(out, m); err != nil {
		return err
	}
	if metricsOut != "" {
		if err := write(metricsOut, got); err != nil {
			return err
		}
	}
	fmt.Printf("version %s, %s: accuracy %.3f and log loss %.3f on %d rows held out, written to %s\n",
		version, got.About, got.Accuracy, got.LogLoss, got.TestRows, out)
	return nil
}

func write(path string, v any) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	f, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("write: %w", err)
	}
	encoder := json.NewEncoder(f)
	encoder.SetIndent("", "  ")
	if err := errors.Join(encoder.Encode(v), f.Close()); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}
