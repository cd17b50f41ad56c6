package action

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/report"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/terraform"
)

const endpointType = "tidegate_model_endpoint"

// A stagedChange is a rollout that an apply would stage.
type stagedChange struct {
	address string
	report.Staged
}

// shower writes the plan's JSON.
func (r *run) shower(p *rootPlan) func(context.Context, io.Writer) error {
	return func(ctx context.Context, w io.Writer) error { return p.tf.ShowJSON(ctx, p.file, w) }
}

// staged are the endpoints whose new model the plan stages without traffic. Only a plan that changes endpoints is
// read for them.
func (r *run) staged(ctx context.Context, p *rootPlan) ([]stagedChange, error) {
	if !slices.ContainsFunc(p.Plan.Changes, func(c terraform.Change) bool { return c.Type == endpointType && c.Action == terraform.Update }) {
		return nil, nil
	}
	in, out := io.Pipe()
	failed := make(chan error, 1)
	go func() {
		err := r.shower(p)(ctx, out)
		_ = out.CloseWithError(err)
		failed <- err
	}()
	found, err := findStaged(in)
	_ = in.CloseWithError(io.ErrClosedPipe)
	if shown := <-failed; shown != nil && err == nil {
		err = shown
	}
	if err != nil {
		return nil, fmt.Errorf("read which rollouts the plan stages: %w", err)
	}
	return found, nil
}

type endpointValues struct {
	ID     string `json:"id"`
	Digest string `json:"model_digest"`
	Model  one    `json:"model"`
	Run    one    `json:"rollout"`
}

// one is a block's object, by itself or the only one of a list.
type one struct {
	URI string `json:"uri"`
	Run string `json:"run"`
}

func (o *one) UnmarshalJSON(b []byte) error {
	type plain one
	if len(b) > 0 && b[0] == '[' {
		var list []plain
		if err := json.Unmarshal(b, &list); err != nil || len(list) == 0 {
			return err
		}
		*o = one(list[0])
		return nil
	}
	return json.Unmarshal(b, (*plain)(o))
}

// findStaged reads the JSON of a plan: it is decoded whole but for what is not ours, which is skipped.
func findStaged(r io.Reader) ([]stagedChange, error) {
	var plan struct {
		Changes []struct {
			Address string `json:"address"`
			Type    string `json:"type"`
			Change  struct {
				Actions []string        `json:"actions"`
				Before  json.RawMessage `json:"before"`
				After   json.RawMessage `json:"after"`
			} `json:"change"`
		} `json:"resource_changes"`
	}
	if err := json.NewDecoder(r).Decode(&plan); err != nil {
		return nil, err
	}
	var found []stagedChange
	for _, c := range plan.Changes {
		if c.Type != endpointType || !slices.Equal(c.Change.Actions, []string{"update"}) {
			continue
		}
		var before, after endpointValues
		if err := json.Unmarshal(c.Change.Before, &before); err != nil {
			return nil, fmt.Errorf("%s: %w", c.Address, err)
		}
		if err := json.Unmarshal(c.Change.After, &after); err != nil {
			return nil, fmt.Errorf("%s: %w", c.Address, err)
		}
		if after.Run.Run == "staged" && after.Digest != before.Digest {
			found = append(found, stagedChange{c.Address, report.Staged{Endpoint: before.ID, Model: after.Model.URI, Next: "tidegate promote " + before.ID}})
		}
	}
	return found, nil
}

// done are the staged rollouts whose endpoint was changed.
func done(staged []stagedChange, result terraform.Applied) []report.Staged {
	var out []report.Staged
	for _, s := range staged {
		if slices.ContainsFunc(result.Done, func(c terraform.AppliedChange) bool { return c.Address == s.address }) {
			out = append(out, s.Staged)
		}
	}
	return out
}

// stagedOutput is a list for a matrix of jobs that promote.
func (a *application) stagedOutput() string {
	type entry struct {
		Root     string `json:"root"`
		Endpoint string `json:"endpoint"`
		Model    string `json:"model"`
	}
	list := []entry{}
	for _, p := range a.plans {
		if p.Apply == nil {
			continue
		}
		for _, s := range p.Apply.Staged {
			list = append(list, entry{p.Path, s.Endpoint, s.Model})
		}
	}
	b, err := json.Marshal(list)
	if err != nil {
		return "[]"
	}
	return string(b)
}
