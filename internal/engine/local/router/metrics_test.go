package router

import (
	"strconv"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
)

func TestMetricsAreConventional(t *testing.T) {
	t.Parallel()
	r := open(t, Table{Stable: stable(says(t, "s")), Candidate: candidate(nobody(t)), Weight: 100})
	get(t, r)
	r.Set(Table{Stable: stable(says(t, "s")), Candidate: candidate(nobody(t)), Weight: 25})
	settle(t, r)
	problems, err := testutil.CollectAndLint(r)
	if err != nil || len(problems) > 0 {
		t.Errorf("lint: %v %v", problems, err)
	}
	const want = `
# HELP tidegate_endpoint_requests_total Requests that were answered, by revision. The outcome is bad for 5xx, no connection, no answer in time and answers that broke off.
# TYPE tidegate_endpoint_requests_total counter
tidegate_endpoint_requests_total{cluster="here",endpoint="penguins",outcome="bad",revision="sha256:candidate"} 1
tidegate_endpoint_requests_total{cluster="here",endpoint="penguins",outcome="bad",revision="sha256:stable"} 0
tidegate_endpoint_requests_total{cluster="here",endpoint="penguins",outcome="good",revision="sha256:candidate"} 0
tidegate_endpoint_requests_total{cluster="here",endpoint="penguins",outcome="good",revision="sha256:stable"} 0
# HELP tidegate_endpoint_weight_ratio A revision's share of the traffic, from 0 to 1.
# TYPE tidegate_endpoint_weight_ratio gauge
tidegate_endpoint_weight_ratio{cluster="here",endpoint="penguins",revision="sha256:candidate",role="candidate"} 0.25
tidegate_endpoint_weight_ratio{cluster="here",endpoint="penguins",revision="sha256:stable",role="stable"} 0.75
`
	if err := testutil.CollectAndCompare(r, strings.NewReader(want), "tidegate_endpoint_requests_total", "tidegate_endpoint_weight_ratio"); err != nil {
		t.Error(err)
	}
	if n := testutil.CollectAndCount(r, "tidegate_endpoint_request_duration_seconds"); n != 2 {
		t.Errorf("%d histograms, want 2", n)
	}
}

func TestCountsSurviveSetAndOldRevisionsAreForgotten(t *testing.T) {
	t.Parallel()
	addr := says(t, "s")
	r := open(t, Table{Stable: Arm{"sha256:0", []string{addr}}})
	get(t, r)
	for i := 1; i < 100; i++ {
		r.Set(Table{Stable: Arm{"sha256:" + strconv.Itoa(i), []string{addr}}})
		if i == remembered-1 {
			wantTotals(t, r, "sha256:0", 1, 0)
		}
	}
	wantTotals(t, r, "sha256:0", 0, 0)
	if n := testutil.CollectAndCount(r, "tidegate_endpoint_requests_total", "tidegate_endpoint_request_duration_seconds"); n != 3*remembered {
		t.Errorf("%d series, want %d", n, 3*remembered)
	}
}

func TestRoutersOfTwoEndpointsShareARegistry(t *testing.T) {
	t.Parallel()
	registry := prometheus.NewPedanticRegistry()
	for _, name := range []string{"penguins", "whales"} {
		r, err := Listen("127.0.0.1:0", prometheus.Labels{"cluster": "here", "endpoint": name})
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close(t.Context())
		r.Set(Table{Stable: stable(says(t, "s"))})
		if err := registry.Register(r); err != nil {
			t.Fatal(err)
		}
	}
	if families, err := registry.Gather(); err != nil || len(families) != 4 {
		t.Errorf("%d families, %v", len(families), err)
	}
}
