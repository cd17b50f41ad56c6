package simulate

import "time"

// A recent remembers the candidate's last windows, as a metrics server would.
type recent struct {
	keep    time.Duration
	windows []Seen
}

func (m *recent) add(w Seen) {
	m.windows = append(m.windows, w)
	var kept time.Duration
	for i := len(m.windows) - 1; i >= 0; i-- {
		if kept >= m.keep {
			m.windows = m.windows[i+1:]
			return
		}
		kept += m.windows[i].Lasting
	}
}

// over sums up the candidate's answers of the last so long.
func (m *recent) over(last time.Duration) Arm {
	var a Arm
	for i := len(m.windows) - 1; i >= 0 && last > 0; i-- {
		w := m.windows[i]
		a = a.plus(w.Candidate)
		last -= w.Lasting
	}
	return a
}

func (a Arm) plus(b Arm) Arm {
	sum := Arm{Requests: a.Requests + b.Requests, Bad: a.Bad + b.Bad, Latency: a.Latency}
	if b.Latency == nil {
		return sum
	}
	sum.Latency = make([]uint64, len(b.Latency))
	copy(sum.Latency, a.Latency)
	for i, c := range b.Latency {
		sum.Latency[i] += c
	}
	return sum
}

// success is the share of good answers.
func (a Arm) success() float64 { return 1 - float64(a.Bad)/float64(a.Requests) }
