package rollout

import (
	"time"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/gate"
)

// An Event is something that happened to a rollout. The time is part of it: Next has no clock.
type Event interface{ event() }

// The events. TakenOver, Counted, Unseen and Cancelled come from a runner; Ready, Failed,
// Superseded and Abandoned from the engine, which is the only one to see them.
type (
	// TakenOver: a runner begins to drive. It gets the next epoch.
	TakenOver struct {
		Runner string
		At     time.Time
	}
	// Ready: the candidate can serve.
	Ready struct{ At time.Time }
	// Counted: what users saw since the record's cursor.
	Counted struct {
		Windows []gate.Window
		Cursor  Cursor
		At      time.Time
	}
	// Unseen: counting failed. Why is for people.
	Unseen struct {
		Why string
		At  time.Time
	}
	// Failed: the candidate cannot serve.
	Failed struct {
		Why string
		At  time.Time
	}
	// Cancelled: whoever asked for the rollout asks for its end.
	Cancelled struct {
		Why string
		At  time.Time
	}
	// Superseded: another revision, or the stable one, was asked for.
	Superseded struct {
		Why string
		At  time.Time
	}
	// Abandoned: no runner wrote for the policy's abandoned_after.
	Abandoned struct{ At time.Time }
)

func (TakenOver) event()  {}
func (Ready) event()      {}
func (Counted) event()    {}
func (Unseen) event()     {}
func (Failed) event()     {}
func (Cancelled) event()  {}
func (Superseded) event() {}
func (Abandoned) event()  {}
