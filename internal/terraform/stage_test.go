package terraform

import (
	"bytes"
	"cmp"
	"context"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// Tests run the real tool with what is built into it: terraform_data needs no provider.

var theTool = sync.OnceValues(func() (Tool, error) {
	return Find(context.Background(), os.Getenv("TIDEGATE_TERRAFORM"), nil)
})

// A stage is a root module in a folder of its own.
type stage struct {
	*Root
	t   *testing.T
	log *syncBuffer
}

// newStage writes files into a new folder; one without a name is main.tf.
func newStage(t *testing.T, main string) *stage {
	t.Helper()
	tool, err := theTool()
	if err != nil {
		t.Fatal(err)
	}
	log := &syncBuffer{}
	s := &stage{t: t, log: log, Root: &Root{Tool: tool, Dir: t.TempDir(), Log: log, Scrub: NewScrubber()}}
	s.write("main.tf", main)
	return s
}

func (s *stage) write(name, text string) {
	s.t.Helper()
	if err := os.WriteFile(filepath.Join(s.Dir, name), []byte(text), 0o600); err != nil {
		s.t.Fatal(err)
	}
}

// env adds to the tool's environment.
func (s *stage) env(more ...string) { s.Env = append(s.Env[:len(s.Env):len(s.Env)], more...) }

func (s *stage) init() {
	s.t.Helper()
	if s.Env == nil {
		s.Env = os.Environ()
	}
	if err := s.Init(within(s.t)); err != nil {
		s.t.Fatalf("init: %v\n%s", err, s.log)
	}
}

// plan plans and reads the plan.
func (s *stage) plan(o ...PlanOptions) Plan {
	s.t.Helper()
	if _, err := s.Plan(within(s.t), "tfplan", append(o, PlanOptions{})[0]); err != nil {
		s.t.Fatalf("plan: %v\n%s", err, s.log)
	}
	p, err := s.ReadPlan(within(s.t), "tfplan", testKey)
	if err != nil {
		s.t.Fatal(err)
	}
	return p
}

// apply applies the plan that was made last.
func (s *stage) apply() Applied {
	s.t.Helper()
	a, err := s.Apply(within(s.t), "tfplan")
	if err != nil {
		s.t.Fatalf("apply: %v\n%s", err, s.log)
	}
	return a
}

var testKey = []byte("a key for tests, 32 bytes of text")

// within bounds what a test waits for, on a slow machine too.
func within(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// change finds a change of a plan.
func (p Plan) change(t *testing.T, address string) Change {
	t.Helper()
	for _, c := range p.Changes {
		if c.Address == address {
			return c
		}
	}
	t.Fatalf("no change of %s among %+v", address, p.Changes)
	return Change{}
}

// attribute finds an attribute of a change.
func (c Change) attribute(t *testing.T, path string) Attribute {
	t.Helper()
	for _, a := range c.Attributes {
		if a.Path == path {
			return a
		}
	}
	t.Fatalf("no %s among %+v", path, c.Attributes)
	return Attribute{}
}

type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return cmp.Or(b.b.String(), "(nothing was said)")
}
