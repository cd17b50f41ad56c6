package provider

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/hashicorp/terraform-plugin-log/tflog"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/rollout"
)

// A progress tells a rollout as it goes. Terraform itself prints nothing but "Still modifying",
// so its lines go to the terminal directly, where there is one, and to Terraform's log.
type progress struct {
	ctx  context.Context // only for the log, which finds its logger in it
	name string
	tty  *os.File      // nil without a terminal
	last rollout.Entry // shown
}

func watch(ctx context.Context, name string) *progress {
	// A terminal may be set to stop background programs that write to it. A runner that is
	// stopped would abandon its rollout.
	signal.Ignore(syscall.SIGTTOU)
	tty, err := os.OpenFile("/dev/tty", os.O_WRONLY|syscall.O_NOCTTY|syscall.O_NONBLOCK, 0)
	if err != nil {
		tty = nil
	}
	return &progress{ctx: ctx, name: name, tty: tty}
}

// show writes what is new in r's history. It never fails, and a terminal that takes nothing
// (Ctrl-S) does not hold up the rollout.
func (p *progress) show(r rollout.Record) {
	for _, e := range news(r.History, p.last) {
		line := progressLine(p.name, p.last.Weight, e)
		p.last = e
		tflog.Info(p.ctx, line)
		if p.tty != nil {
			_ = p.tty.SetWriteDeadline(time.Now().Add(time.Second))
			_, _ = p.tty.WriteString(line + "\r\n")
		}
	}
}

// news are the entries behind last. The first look is at the latest entry alone: what an
// earlier runner did is old.
func news(history []rollout.Entry, last rollout.Entry) []rollout.Entry {
	for i := len(history) - 1; i >= 0; i-- {
		if history[i].Sentence == last.Sentence && history[i].At.Equal(last.At) {
			return history[i+1:]
		}
	}
	return history[max(0, len(history)-1):]
}

func (p *progress) close() {
	if p.tty != nil {
		_ = p.tty.Close()
	}
}

func progressLine(name string, weight int, e rollout.Entry) string {
	share := fmt.Sprintf("%d%%", e.Weight)
	if e.Weight != weight {
		share = fmt.Sprintf("%d%% → %d%%", weight, e.Weight)
	}
	return fmt.Sprintf("tidegate: %s %s: %s", name, share, e.Sentence)
}
