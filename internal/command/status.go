package command

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tidegatehq/terraform-provider-tidegate/action"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/command/screen"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/endpoint"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/engine"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/rollout"
)

type statusOptions struct {
	*where
	watch, asJSON bool
}

func newEndpointStatus(w *where) *cobra.Command {
	o := statusOptions{where: w}
	cmd := &cobra.Command{
		Use:   "status [ENDPOINT]",
		Short: "Show endpoints and their rollouts",
		Long: `Show a table of all endpoints, or one endpoint: weights, steps, each gate with its evidence toward harm and
toward health and with both arms' rates, who drives, and the history. It reads the store where no engine
runs, and starts none.

--watch draws again whenever the rollout changes, until it is over; without a terminal it prints a line for
each change. --json prints JSON, with --watch a line for each change. Colors are for terminals, and not where
NO_COLOR is set.

Exit codes with ENDPOINT: 0 promoted or no rollout yet, 1 error, 2 rolled back, 3 under way, waiting or held.
Without: 0, 1 error.`,
		Example: `  tidegate status
  tidegate status penguins --watch
  tidegate status penguins --json | jq '.rollout.weight'`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			engines, err := o.look()
			if err != nil {
				return err
			}
			if len(args) == 0 && !o.watch {
				return o.table(cmd.Context(), cmd.OutOrStdout(), engines)
			}
			return o.one(cmd.Context(), cmd.OutOrStdout(), engines, strings.Join(args, ""))
		},
	}
	f := cmd.Flags()
	o.flags(f)
	f.BoolVarP(&o.watch, "watch", "w", false, "go on until the rollout is over; ENDPOINT may be left out where there is only one")
	f.BoolVar(&o.asJSON, "json", false, "print JSON")
	return cmd
}

// table shows all endpoints.
func (o statusOptions) table(ctx context.Context, out io.Writer, engines *engine.Engines) error {
	found, err := engines.Endpoints(ctx)
	if err != nil {
		return err
	}
	all := []screen.Endpoint{}
	views := []statusView{}
	for _, e := range found {
		all = append(all, screen.Endpoint(e))
		views = append(views, viewStatus(screen.Endpoint(e)))
	}
	if o.asJSON {
		return printJSON(out, struct {
			Schema    int          `json:"schema"`
			Endpoints []statusView `json:"endpoints"`
		}{viewSchema, views}, false)
	}
	text := painter(out).Table(all)
	if len(all) == 0 {
		text = "There is no endpoint in " + engines.Config().Local.DataDir + ".\n"
	}
	_, err = io.WriteString(out, text)
	return err
}

// one shows an endpoint, once or until its rollout is over.
func (o statusOptions) one(ctx context.Context, out io.Writer, engines *engine.Engines, name string) error {
	if name == "" {
		only, err := theOnly(ctx, engines)
		if err != nil {
			return err
		}
		name = only
	}
	id, endpoints, err := action.Meant(ctx, engines, name)
	if err != nil {
		return err
	}
	show := o.shower(out)
	if o.watch {
		var stop func()
		ctx, stop = stoppable(ctx)
		defer stop()
	}
	for {
		e, v, err := glance(ctx, endpoints, id)
		if err != nil && ctx.Err() == nil {
			return err
		}
		if err == nil {
			if err := show(e); err != nil {
				return err
			}
		}
		if !o.watch || e.Record.Phase.Final() || ctx.Err() != nil || changed(ctx, endpoints, id, v) != nil {
			return exit(codeOf(e.Record), nil)
		}
	}
}

// shower returns what shows the endpoint, once or again and again.
func (o statusOptions) shower(out io.Writer) func(screen.Endpoint) error {
	lines, c := plain(out), canvas(out)
	return func(e screen.Endpoint) error {
		switch {
		case o.asJSON:
			return printJSON(out, viewStatus(e), o.watch)
		case o.watch && redraws(out):
			return c.Draw(nil, fitting(painter(out), e, c.Size))
		case o.watch:
			return lines(e.Record)
		}
		_, err := io.WriteString(out, painter(out).Endpoint(e))
		return err
	}
}

// fitting draws as much of the history as the terminal is high.
func fitting(p screen.Painter, e screen.Endpoint, size func() (int, int)) string {
	_, rows := size()
	for p.Most = 12; p.Most > 0; p.Most-- {
		if text := p.Endpoint(e); strings.Count(text, "\n") < rows {
			return text
		}
	}
	return p.Progress(e)
}

// glance is the endpoint as it is now, and the version of its record.
func glance(ctx context.Context, endpoints endpoint.Engine, id string) (screen.Endpoint, rollout.Version, error) {
	e := screen.Endpoint{ID: id}
	r, v, err := endpoints.Load(ctx, id)
	if err != nil {
		return e, v, err
	}
	e.Record = r
	e.Status, err = endpoints.Get(ctx, id, false)
	return e, v, err
}

// retry is how often a store is read that nobody serves, and so cannot say when it changes.
const retry = time.Second

// changed returns when the record may have changed, or with ctx's error.
func changed(ctx context.Context, endpoints endpoint.Engine, id string, v rollout.Version) error {
	if watcher, ok := endpoints.(rollout.Watcher); ok && watcher.Changed(ctx, id, v) == nil {
		return nil
	}
	select {
	case <-time.After(retry):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// theOnly is the id of the only endpoint there is.
func theOnly(ctx context.Context, engines *engine.Engines) (string, error) {
	all, err := engines.Endpoints(ctx)
	if err != nil {
		return "", err
	}
	var ids []string
	for _, e := range all {
		ids = append(ids, e.ID)
	}
	switch len(ids) {
	case 1:
		return ids[0], nil
	case 0:
		return "", errors.New("there is no endpoint to watch: terraform apply makes them")
	}
	return "", fmt.Errorf("which endpoint to watch: want one of %s", strings.Join(ids, ", "))
}
