package router

import (
	"slices"
	"sync"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/gate"
)

// remembered is how many revisions keep their counters, the table's included: a rollout a
// minute must not fill a Prometheus.
const remembered = 8

// buckets reach from the quickest model to the slowest that a user waits for, in seconds. Each is
// one of gate.LatencyEdges.
var buckets = []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 25, 60}

// metrics are an endpoint's counters, by revision.
type metrics struct {
	requests, weight, begun *prometheus.Desc
	seconds                 *prometheus.HistogramVec

	mu     sync.Mutex
	counts map[string]*counts
	recent []string // revisions, the last used first
}

func newMetrics(labels prometheus.Labels) *metrics {
	return &metrics{
		requests: prometheus.NewDesc("tidegate_endpoint_requests_total",
			"Requests that were answered, by revision. The outcome is bad for 5xx, no connection, no answer in time and answers that broke off.",
			[]string{"revision", "outcome"}, labels),
		weight: prometheus.NewDesc("tidegate_endpoint_weight_ratio",
			"A revision's share of the traffic, from 0 to 1.",
			[]string{"revision", "role"}, labels),
		begun: prometheus.NewDesc("tidegate_endpoint_answer_start_seconds",
			"Time from a request's arrival, without waiting for its body, to the beginning of its answer, of good answers, by revision: what the latency gate compares.",
			[]string{"revision"}, labels),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:        "tidegate_endpoint_request_duration_seconds",
			Help:        "Time from a request's arrival to the end of its answer, by revision.",
			ConstLabels: labels,
			Buckets:     buckets,
		}, []string{"revision"}),
		counts: map[string]*counts{},
	}
}

// of returns a revision's counts, which begin at zero.
func (m *metrics) of(revision string) *counts {
	if revision == "" {
		return nil
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	c, ok := m.counts[revision]
	if !ok {
		c = &counts{seconds: m.seconds.WithLabelValues(revision)}
		m.counts[revision] = c
	}
	return c
}

// prune forgets the revisions that were in no table for the longest time.
func (m *metrics) prune(used ...string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	recent := slices.DeleteFunc(slices.Clone(used), func(r string) bool { return r == "" })
	for _, revision := range m.recent {
		if !slices.Contains(recent, revision) {
			recent = append(recent, revision)
		}
	}
	for len(recent) > remembered {
		last := len(recent) - 1
		delete(m.counts, recent[last])
		m.seconds.DeleteLabelValues(recent[last])
		recent = recent[:last]
	}
	m.recent = recent
}

func (m *metrics) totals(revision string) gate.Arm {
	m.mu.Lock()
	defer m.mu.Unlock()
	c, ok := m.counts[revision]
	if !ok {
		return gate.Arm{}
	}
	return c.total()
}

func (m *metrics) describe(ch chan<- *prometheus.Desc) {
	ch <- m.requests
	ch <- m.weight
	ch <- m.begun
	m.seconds.Describe(ch)
}

func (m *metrics) collect(ch chan<- prometheus.Metric, t *table) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for revision, c := range m.counts {
		total := c.total()
		ch <- prometheus.MustNewConstMetric(m.requests, prometheus.CounterValue, float64(total.Requests-total.Bad), revision, "good")
		ch <- prometheus.MustNewConstMetric(m.requests, prometheus.CounterValue, float64(total.Bad), revision, "bad")
		ch <- c.histogram(m.begun, revision)
	}
	share := 0.0
	if t.candidate != nil {
		share = t.share
		ch <- prometheus.MustNewConstMetric(m.weight, prometheus.GaugeValue, share, t.candidate.revision, "candidate")
	}
	if t.stable.revision != "" {
		ch <- prometheus.MustNewConstMetric(m.weight, prometheus.GaugeValue, 1-share, t.stable.revision, "stable")
	}
	m.seconds.Collect(ch)
}
