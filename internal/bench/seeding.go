package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/endpoint"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/engine/local"
)

// Terraform writes its whole state after each resource that it makes: a thousand take it a quarter of an hour, whatever
// they are. So it makes ten, and the rest is made as it would: endpoints by the engine, and their state like the first one's.
// That the plan is empty then shows that it is.

// A state is a state file: what is not named here stays as it is.
type state struct {
	all       map[string]json.RawMessage
	resources []map[string]json.RawMessage
}

type instance map[string]json.RawMessage

// seed makes the root's resources n, of which ten are there.
func (p *program) seed(ctx context.Context, root string, n int) error {
	var s state
	if err := s.read(root); err != nil {
		return err
	}
	var made []endpoint.Status
	for _, r := range s.resources {
		var instances []instance
		if err := json.Unmarshal(r["instances"], &instances); err != nil {
			return err
		}
		if len(instances) != sizes[0] {
			continue
		}
		if string(r["type"]) == `"tidegate_model_endpoint"` {
			var err error
			if made, err = p.create(ctx, root, n); err != nil {
				return err
			}
		}
		all, err := multiply(instances[0], n, made)
		if err != nil {
			return err
		}
		if r["instances"], err = json.Marshal(all); err != nil {
			return err
		}
	}
	return s.write(root)
}

// multiply returns n instances like the first, which Terraform made as "m0".
func multiply(first instance, n int, made []endpoint.Status) ([]instance, error) {
	var all []instance
	for i := range n {
		next := instance{}
		for k, v := range first {
			next[k] = v
		}
		name := fmt.Sprintf("m%d", i)
		next["index_key"] = fmt.Appendf(nil, "%q", name)
		var attributes map[string]any
		if err := json.Unmarshal(first["attributes"], &attributes); err != nil {
			return nil, err
		}
		if made == nil {
			digest := digestOf(i)
			for _, k := range []string{"input", "output"} {
				value := attributes[k].(map[string]any)["value"].(map[string]any)
				value["name"] = name
				value["model"] = map[string]any{"uri": "file://models/" + name + ".json", "digest": digest}
			}
		} else {
			st := made[i]
			attributes["id"], attributes["name"], attributes["url"] = endpoint.ID("here", name), name, st.URL
			attributes["model"] = map[string]any{"uri": st.Spec.Model.URI}
			attributes["model_digest"], attributes["revision"] = st.Stable.Model, st.Stable.Digest
			next["identity"] = fmt.Appendf(nil, `{"cluster":"local/here","name":%q}`, name)
		}
		b, err := json.Marshal(attributes)
		if err != nil {
			return nil, err
		}
		next["attributes"] = b
		all = append(all, next)
	}
	return all, nil
}

// create makes the endpoints that are not there, and returns all.
func (p *program) create(ctx context.Context, root string, n int) ([]endpoint.Status, error) {
	engine := local.Open(local.Config{DataDir: filepath.Join(root, ".tidegate"), Version: "dev", Command: []string{p.exe(), "engine", "run"}}).Endpoints()
	all := make([]endpoint.Status, n)
	first, err := engine.Get(ctx, endpoint.ID("here", "m0"), true)
	if err != nil {
		return nil, err
	}
	all[0] = first
	var next atomic.Int64
	var wg sync.WaitGroup
	var mu sync.Mutex
	var failed []error
	for range 10 { // as many as Terraform
		wg.Go(func() {
			for i := int(next.Add(1)); i < n; i = int(next.Add(1)) {
				s := first.Spec
				s.Name, s.Model.URI = fmt.Sprintf("m%d", i), fmt.Sprintf("file://models/m%d.json", i)
				var err error
				if i >= sizes[0] {
					_, err = engine.Create(ctx, s, "bench")
				}
				if err == nil {
					all[i], err = engine.Get(ctx, endpoint.ID("here", s.Name), true)
				}
				if err != nil {
					mu.Lock()
					failed = append(failed, err)
					mu.Unlock()
					return
				}
			}
		})
	}
	wg.Wait()
	return all, errors.Join(failed...)
}

func (s *state) read(root string) error {
	b, err := os.ReadFile(filepath.Join(root, "terraform.tfstate"))
	if err != nil {
		return err
	}
	if err := json.Unmarshal(b, &s.all); err != nil {
		return err
	}
	return json.Unmarshal(s.all["resources"], &s.resources)
}

func (s *state) write(root string) error {
	slices.SortStableFunc(s.resources, func(a, b map[string]json.RawMessage) int { return slices.Compare(a["name"], b["name"]) })
	b, err := json.Marshal(s.resources)
	if err != nil {
		return err
	}
	s.all["resources"] = b
	if b, err = json.Marshal(s.all); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(root, "terraform.tfstate"), b, 0o600)
}
