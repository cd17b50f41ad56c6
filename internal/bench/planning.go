package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/terraform"
)

const (
	planBytes = 100 << 20
	// readPlan has this very program read the plan that it names, and end: so that its memory can be seen.
	readPlan = "TIDEGATE_BENCH_READ_PLAN"
)

// planning measures what a run of the Action costs besides Terraform's own time.
func planning() ([]figure, error) {
	dir, err := os.MkdirTemp("", "tidegate-bench-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	start, err := planStart(dir)
	if err != nil {
		return nil, fmt.Errorf("measure the start of a plan: %w", err)
	}
	seconds, memory, err := bigPlan(dir)
	if err != nil {
		return nil, fmt.Errorf("read a big plan: %w", err)
	}
	return []figure{
		{name: "plan_start_to_terraform", value: start, unit: "ms", most: true, goal: 300},
		{name: "plan_json_100MB_read", value: seconds, unit: "s", most: true, goal: 10},
		{name: "plan_json_100MB_memory", value: memory, unit: "MiB", most: true, goal: 1024},
	}, nil
}

// planStart is the median time from the start of the program to that of `terraform init`, warm.
func planStart(dir string) (float64, error) {
	tool, err := terraform.Find(context.Background(), "", nil)
	if err != nil {
		return 0, err
	}
	program := filepath.Join(dir, "tidegate")
	if out, err := exec.Command("go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		return 0, fmt.Errorf("build the program, in the project's folder: %w: %s", err, out)
	}
	began := filepath.Join(dir, "began")
	// The shell's own start is in the figure: some milliseconds too many.
	wrapper := fmt.Sprintf("#!/bin/sh\n[ \"$1\" = init ] && : > %q\nexec %q \"$@\"\n", began, tool.Path)
	wrapped := filepath.Join(dir, tool.Name)
	if err := os.WriteFile(wrapped, []byte(wrapper), 0o700); err != nil { //nolint:gosec // it is a program
		return 0, err
	}
	root := filepath.Join(dir, "root")
	if err := os.Mkdir(root, 0o700); err != nil {
		return 0, err
	}
	if err := os.WriteFile(filepath.Join(root, "main.tf"), []byte("resource \"terraform_data\" \"a\" {}\n"), 0o600); err != nil {
		return 0, err
	}
	var times []float64
	for range 6 { // the first warms up
		_ = os.Remove(began)
		cmd := exec.Command(program, "plan", "--tool", wrapped)
		cmd.Dir = root
		at := time.Now()
		if out, err := cmd.CombinedOutput(); err != nil {
			return 0, fmt.Errorf("%w: %s", err, out)
		}
		info, err := os.Stat(began)
		if err != nil {
			return 0, err
		}
		times = append(times, float64(info.ModTime().Sub(at))/float64(time.Millisecond))
	}
	return median(times[1:]), nil
}

// bigPlan is the time and the memory in which a plan's JSON of 100 MB is read.
func bigPlan(dir string) (seconds, mebibytes float64, err error) {
	path := filepath.Join(dir, "plan.json")
	if err := writePlan(path); err != nil {
		return 0, 0, err
	}
	self, err := os.Executable()
	if err != nil {
		return 0, 0, err
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), readPlan+"="+path)
	at := time.Now()
	if out, err := cmd.CombinedOutput(); err != nil {
		return 0, 0, fmt.Errorf("%w: %s", err, out)
	}
	seconds = time.Since(at).Seconds()
	usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	if !ok {
		return 0, 0, fmt.Errorf("no figures of a process on %s", runtime.GOOS)
	}
	unit := 1024.0 // Linux counts in KiB
	if runtime.GOOS == "darwin" {
		unit = 1
	}
	return seconds, float64(usage.Maxrss) * unit / (1 << 20), nil
}

// readBigPlan is what the child does.
func readBigPlan(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	p, err := terraform.Parse(bufio.NewReaderSize(f, 1<<20), terraform.Source{
		Tool: terraform.Tool{Name: "terraform", Version: "1.11.4"}, Key: []byte(strings.Repeat("k", 32)), Scrub: terraform.NewScrubber("a-secret-value"),
	})
	if err != nil {
		return err
	}
	if !p.Changed() {
		return fmt.Errorf("%s: no changes were read", path)
	}
	_, err = p.Fingerprint.Encode(60_000)
	return err
}

// writePlan makes a plan's JSON with resources of some 2 KiB, as the tool writes it.
func writePlan(path string) (err error) {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer func() {
		if closed := f.Close(); err == nil {
			err = closed
		}
	}()
	w := bufio.NewWriterSize(f, 1<<20)
	size := 0
	add := func(text string) {
		n, _ := io.WriteString(w, text)
		size += n
	}
	add(`{"format_version":"1.2","terraform_version":"1.11.4","resource_changes":[`)
	long := strings.Repeat("some text of a policy, ", 40)
	for i := 0; size < planBytes; i++ {
		if i > 0 {
			add(",")
		}
		n := strconv.Itoa(i)
		value := func(v string) string {
			return `{"id":"r-` + n + `","name":"resource ` + n + `","tags":{"team":"` + v + `","n":"` + n + `"},"policy":"` + long + v + `","ports":[80,443,` + n + `]}`
		}
		add(`{"address":"aws_thing.t[` + n + `]","mode":"managed","type":"aws_thing","name":"t","index":` + n +
			`,"provider_name":"registry.terraform.io/hashicorp/aws","change":{"actions":["update"],"before":` + value("old") +
			`,"after":` + value("new") + `,"after_unknown":{},"before_sensitive":{"tags":{}},"after_sensitive":{"tags":{}}}}`)
	}
	add(`]}`)
	return w.Flush()
}
