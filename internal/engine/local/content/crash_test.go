package content

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/endpoint"
)

// order is what a process that is to be killed stages.
type order struct {
	Dir  string
	Spec endpoint.Spec
	Rev  endpoint.Revision
}

// The test binary is also the process that is killed while it stages and collects.
func TestMain(m *testing.M) {
	text := os.Getenv("TEST_STAGE")
	if text == "" {
		os.Exit(m.Run())
	}
	var o order
	if err := json.Unmarshal([]byte(text), &o); err != nil {
		panic(err)
	}
	s, err := Open(o.Dir)
	if err != nil {
		panic(err)
	}
	fmt.Println("begin")
	for {
		if _, err := s.Stage(context.Background(), o.Spec, o.Rev); err != nil {
			panic(err)
		}
		if err := s.Collect(nil); err != nil {
			panic(err)
		}
	}
}

func TestStageSurvivesAKillAnywhere(t *testing.T) {
	t.Parallel()
	s, spec := open(t), project(t, "good")
	for i := range 20 {
		put(t, filepath.Join(spec.Root, fmt.Sprintf("labels/%d", i)), strings.Repeat("x", i*100), 0o644)
	}
	rev := capture(t, spec)
	text, err := json.Marshal(order{Dir: s.dir, Spec: spec, Rev: rev})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 12 {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), "TEST_STAGE="+string(text))
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		if line, err := bufio.NewReader(out).ReadString('\n'); line != "begin\n" {
			t.Fatalf("the process says %q, %v", line, err)
		}
		time.Sleep(time.Duration(i*1700) * time.Microsecond) // each time elsewhere
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait()
		if got := run(t, stage(t, s, spec, rev)); got != "good labels" {
			t.Fatalf("after kill %d the server says %q", i, got)
		}
		if err := s.Collect(map[string]bool{rev.Digest: true}); err != nil {
			t.Fatal(err)
		}
		if left := names(t, s.revisions()); len(left) != 1 {
			t.Fatalf("after kill %d there are %v", i, left)
		}
	}
}
