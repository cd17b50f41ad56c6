package local

import (
	"context"
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/engine/local/page"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/rollout"
)

// page answers people and Prometheus at the engine's address.
func (d *daemon) page() http.Handler {
	d.metrics.MustRegister(
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		collector{d},
	)
	metrics := promhttp.HandlerFor(d.metrics, promhttp.HandlerOpts{ErrorHandling: promhttp.ContinueOnError})
	return page.New(d.snapshot, d.changesFor, metrics)
}

func (d *daemon) snapshot() page.Snapshot {
	st, err := d.status()
	if err != nil {
		d.log.Error("cannot read the store for the page", "error", err)
	}
	s := page.Snapshot{Version: st.Version, DataDir: st.DataDir}
	for _, e := range st.Endpoints {
		p := page.Endpoint{
			ID:            e.ID,
			URL:           e.Status.URL,
			Ready:         e.Status.Ready,
			Problem:       e.Status.Problem,
			Stable:        page.Revision{Digest: e.Status.Stable.Digest, Model: e.Status.Stable.Model, Requests: e.Counted.Stable.Requests, Bad: e.Counted.Stable.Bad},
			Weight:        e.Record.Weight,
			Record:        e.Record,
			Rejected:      e.Status.Rejected,
			Previous:      e.Status.Previous,
			ReplicasReady: e.Ready,
			Replicas:      e.Status.Spec.Replicas,
		}
		if !e.Record.Phase.Final() {
			p.Candidate = page.Revision{Digest: e.Record.Candidate, Model: e.ModelOnTrial, Requests: e.Counted.Candidate.Requests, Bad: e.Counted.Candidate.Bad}
		}
		s.Endpoints = append(s.Endpoints, p)
	}
	return s
}

// changesFor returns true when something changed, false when ctx or the daemon ended.
func (d *daemon) changesFor(ctx context.Context) bool {
	select {
	case <-d.changed.next():
		return true
	case <-ctx.Done():
	case <-d.stopping:
	}
	return false
}

var (
	descBuild = prometheus.NewDesc("tidegate_build_info", "The engine's version; always 1.", []string{"version"}, nil)
	descPhase = prometheus.NewDesc("tidegate_rollout_phase", "1 for the phase that the endpoint's rollout, present or last, is in.",
		[]string{"cluster", "endpoint", "phase"}, nil)
	descApproved = prometheus.NewDesc("tidegate_rollout_approved_percent", "The highest weight that the candidate may have.",
		[]string{"cluster", "endpoint"}, nil)
	descReplicas = prometheus.NewDesc("tidegate_endpoint_replicas", "Model servers of the stable revision, by state.",
		[]string{"cluster", "endpoint", "state"}, nil)
)

// A collector sends what is not counted by requests: it is read when somebody asks.
type collector struct{ d *daemon }

func (c collector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{descBuild, descPhase, descApproved, descReplicas} {
		ch <- d
	}
}

func (c collector) Collect(ch chan<- prometheus.Metric) {
	ch <- prometheus.MustNewConstMetric(descBuild, prometheus.GaugeValue, 1, c.d.self.Version)
	st, err := c.d.status()
	if err != nil {
		ch <- prometheus.NewInvalidMetric(descPhase, err)
		return
	}
	for _, e := range st.Endpoints {
		s := e.Status.Spec
		gauge := func(d *prometheus.Desc, v int, more ...string) {
			ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, float64(v), append([]string{s.Cluster, s.Name}, more...)...)
		}
		gauge(descReplicas, s.Replicas, "wanted")
		gauge(descReplicas, e.Ready, "ready")
		gauge(descApproved, e.Record.Approved)
		for _, p := range rollout.Phases() {
			is := 0
			if p == e.Record.Phase {
				is = 1
			}
			gauge(descPhase, is, string(p))
		}
	}
}
