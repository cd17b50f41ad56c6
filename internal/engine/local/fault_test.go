package local_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/endpoint"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/rollout"
)

// What the tests of faults share: each fault_*_test.go holds those of one kind.

// lenientPolicy is satisfied with a few dozen good answers: faults are what its tests are about.
func lenientPolicy() rollout.Policy {
	p := quickPolicy()
	p.Steps = []rollout.Step{{Weight: 25, Ratio: 10, Floor: .3}, {Weight: 50, Ratio: 10, Floor: .3}}
	p.Limits.StepMinimum, p.Limits.Bake = rollout.Duration(2*time.Second), rollout.Duration(2*time.Second)
	return p
}

// easily makes an endpoint of v1, and a candidate of the model m that few answers promote.
func easily(t *testing.T, l *lab, m model) endpoint.Status {
	t.Helper()
	st := l.created("penguins")
	l.put("next.json", m)
	s := l.spec("penguins", "next.json")
	s.Rollout.Policy = lenientPolicy().JSON()
	if _, err := l.endpoints().Update(l.ctx(), s); err != nil {
		t.Fatal(err)
	}
	return st
}

// impatient makes a spec's policy notice soon that nobody drives, or that nothing is stored.
func impatient(s endpoint.Spec) endpoint.Spec {
	p := quickPolicy()
	p.Limits.AbandonedAfter = rollout.Duration(10 * time.Second) // the least
	p.Limits.Blind = rollout.Duration(5 * time.Second)           // the least
	p.Limits.Bake, p.Limits.StepMinimum = rollout.Duration(time.Hour), rollout.Duration(time.Hour)
	p.Limits.Step, p.Limits.Total = rollout.Duration(time.Hour), rollout.Duration(2*time.Hour)
	s.Rollout.Policy = p.JSON()
	return s
}

// onTrial is an endpoint with traffic whose candidate of model m gets its first share, and then
// has nobody who drives; and its record.
func onTrial(t *testing.T, l *lab, m model, clients int) (endpoint.Status, rollout.Record) {
	t.Helper()
	st := l.created("penguins")
	l.put("next.json", m)
	if _, err := l.endpoints().Update(l.ctx(), impatient(l.spec("penguins", "next.json"))); err != nil {
		t.Fatal(err)
	}
	startTraffic(t, st.URL, clients)
	ctx, cancel := context.WithCancel(l.ctx())
	o := quick
	o.Freeze = true
	o.Progress = func(r rollout.Record) {
		if r.Weight > 0 {
			cancel()
		}
	}
	r, err := rollout.Run(ctx, l.endpoints(), id, o)
	if !errors.Is(err, context.Canceled) || r.Weight == 0 {
		t.Fatalf("weight %d, %v: want a rollout under way", r.Weight, err)
	}
	return st, r
}

// only waits until all requests are answered by one model.
func only(t *testing.T, url, name string) {
	t.Helper()
	eventually(t, "only "+name+" answers", func() bool {
		for range 30 {
			if a, _, err := ask(url); err != nil || a.Model != name {
				return false
			}
		}
		return true
	})
}

// says fails the test where an error does not tell what a person needs.
func says(t *testing.T, err error, all ...string) {
	t.Helper()
	for _, s := range all {
		if err == nil || !strings.Contains(err.Error(), s) {
			t.Errorf("%v: want %q in it", err, s)
		}
	}
}
