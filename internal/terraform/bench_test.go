package terraform

import (
	"fmt"
	"io"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// largePlan writes the JSON of a plan of about size bytes, the way Terraform does: everything three times.
func largePlan(w io.Writer, size int) error {
	values := func(i int) string {
		var b strings.Builder
		for a := range 20 {
			fmt.Fprintf(&b, `"attribute_%d":"value of resource %d, which is long enough to be one",`, a, i)
		}
		return fmt.Sprintf(`{%s"tags":{"team":"a","name":"n%d"},"size":%d,"list":[1,2,{"a":null}],"password":"secret-of-%d"}`, b.String(), i, i, i)
	}
	n := size / (4 * len(values(10000)))
	list := func(format string) error {
		for i := range n {
			comma := ","
			if i == 0 {
				comma = ""
			}
			if _, err := fmt.Fprintf(w, comma+strings.ReplaceAll(format, "VALUES", "%[2]s"), i, values(i)); err != nil {
				return err
			}
		}
		return nil
	}
	resource := `{"address":"module.m.aws_thing.x[%[1]d]","mode":"managed","type":"aws_thing","name":"x","index":%[1]d,"provider_name":"p",`
	for _, part := range []string{
		`{"format_version":"1.2","terraform_version":"1.11.4","planned_values":{"root_module":{"resources":[`, resource + `"values":VALUES}`,
		`]}},"resource_changes":[`, resource + `"change":{"actions":["update"],"before":VALUES,"after":VALUES,"after_unknown":{"size":true},"before_sensitive":{"password":true},"after_sensitive":{"password":true}}}`,
		`],"prior_state":{"values":{"root_module":{"resources":[`, resource + `"values":VALUES}`,
		`]}}},"configuration":{"root_module":{}}}`,
	} {
		var err error
		if strings.Contains(part, "%[1]d") {
			err = list(part)
		} else {
			_, err = io.WriteString(w, part)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// parseLarge reads a plan of size bytes, and says how long it took and the most memory that was in use meanwhile.
func parseLarge(tb testing.TB, size int) (Plan, time.Duration, uint64) {
	tb.Helper()
	r, w := io.Pipe()
	go func() { w.CloseWithError(largePlan(w, size)) }()
	var most atomic.Uint64
	over := make(chan struct{})
	go func() {
		var m runtime.MemStats
		for {
			runtime.ReadMemStats(&m)
			most.Store(max(most.Load(), m.HeapInuse+m.StackInuse))
			select {
			case <-over:
				return
			case <-time.After(20 * time.Millisecond):
			}
		}
	}()
	start := time.Now()
	p, err := Parse(r, Source{Key: testKey})
	took := time.Since(start)
	close(over)
	if err != nil {
		tb.Fatal(err)
	}
	return p, took, most.Load()
}

// A plan of 20 MB needs a fifth of what one of 100 MB may: see BenchmarkHundredMegabytes.
func TestALargePlanFitsIntoMemory(t *testing.T) {
	p, took, most := parseLarge(t, 20<<20)
	t.Logf("%d changes, %v, %d MiB", len(p.Changes), took, most>>20)
	if len(p.Changes) < 2000 {
		t.Errorf("%d changes", len(p.Changes))
	}
	if most > 400<<20 {
		t.Errorf("%d MiB in use, want at most 400", most>>20)
	}
}

func BenchmarkHundredMegabytes(b *testing.B) {
	for b.Loop() {
		_, took, most := parseLarge(b, 100<<20)
		b.ReportMetric(took.Seconds(), "s/plan")
		b.ReportMetric(float64(most>>20), "MiB")
	}
}
