package githubtest

import (
	"encoding/json"
	"errors"
	"fmt"
)

// A meanwhile is something that somebody else does right before a request is carried out, once.
type meanwhile struct {
	Operation string
	Skip      int    // so many of such requests come first
	What      string // a control
	Input     json.RawMessage
	met       int
}

// before does what is to happen before a request of an operation.
func (w *World) before(operation string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	var errs []error
	var left []*meanwhile
	for _, m := range w.meanwhiles {
		if m.Operation != operation {
			left = append(left, m)
			continue
		}
		if m.met++; m.met <= m.Skip {
			left = append(left, m)
			continue
		}
		if _, err := controls[m.What](w, m.Input); err != nil {
			errs = append(errs, fmt.Errorf("%s before %s: %w", m.What, operation, err))
		}
	}
	w.meanwhiles = left
	return errors.Join(errs...)
}

func (w *World) controlMeanwhile(in meanwhile) (any, error) {
	if _, ok := operations[in.Operation]; !ok {
		return nil, fmt.Errorf("before %q: it is no operation that the GitHub of this test has", in.Operation)
	}
	if _, ok := controls[in.What]; !ok || in.What == "meanwhile" {
		return nil, fmt.Errorf("before %s: no control %q", in.Operation, in.What)
	}
	w.meanwhiles = append(w.meanwhiles, &in)
	return nil, nil
}
