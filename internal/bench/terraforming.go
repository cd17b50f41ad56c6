package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/rollout"
)

// sizes are how many endpoints a root has.
var sizes = []int{10, 100, 1000}

// operations of Terraform that people wait for.
var operations = []struct {
	name string
	args []string
}{
	{"plan", []string{"plan", "-input=false", "-detailed-exitcode", "-lock=false"}},
	{"plan_without_refresh", []string{"plan", "-input=false", "-detailed-exitcode", "-lock=false", "-refresh=false"}},
	{"refresh", []string{"apply", "-refresh-only", "-auto-approve", "-input=false"}},
}

// terraforming measures what Terraform takes with many endpoints, whose engine and model servers run, against as many
// terraform_data of the same arguments: what Terraform costs by itself.
func terraforming() ([]figure, error) {
	ctx := context.Background()
	p, err := build(ctx)
	if err != nil {
		return nil, err
	}
	figures, err := p.terraforming(ctx)
	return figures, errors.Join(err, p.remove())
}

func (p *program) terraforming(ctx context.Context) (figures []figure, err error) {
	figures, err = p.starting(ctx)
	if err != nil {
		return nil, err
	}
	ours, theirs := map[string][]float64{}, map[string][]float64{}
	for _, n := range sizes {
		more, err := p.sized(ctx, n, ours, theirs)
		if err != nil {
			return nil, err
		}
		figures = append(figures, more...)
	}
	for _, o := range operations {
		figures = append(figures,
			figure{name: "terraform_" + o.name + "_over_terraform_data", value: per(ours[o.name], 0, 2) / per(theirs[o.name], 0, 2),
				unit: "times", most: true, goal: 3},
			figure{name: "terraform_" + o.name + "_1000_over_100", value: per(ours[o.name], 1, 2) / per(ours[o.name], 0, 1),
				unit: "times", most: true, goal: 1.5})
	}
	return figures, nil
}

// per is the time that a resource adds between two sizes.
func per(seconds []float64, from, to int) float64 {
	return (seconds[to] - seconds[from]) / float64(sizes[to]-sizes[from])
}

// sized measures a root with n endpoints, beside one with n terraform_data.
func (p *program) sized(ctx context.Context, n int, ours, theirs map[string][]float64) (figures []figure, err error) {
	dir := filepath.Join(p.dir, strconv.Itoa(n))
	if err := os.MkdirAll(filepath.Join(dir, "models"), 0o700); err != nil {
		return nil, err
	}
	all, err := serveModels(dir, func(string) http.Handler { return http.HandlerFunc(answer) })
	if err != nil {
		return nil, err
	}
	defer all.close()
	endpoints, data := filepath.Join(dir, "endpoints"), filepath.Join(dir, "data")
	defer func() { err = errors.Join(err, p.run(context.Background(), endpoints, p.exe(), "engine", "stop")) }()
	for _, root := range []string{data, endpoints} {
		began := time.Now()
		if err := p.fill(ctx, root, n, all); err != nil {
			return nil, err
		}
		fmt.Printf("terraform: %d of %s made in %.1f s\n", n, filepath.Base(root), time.Since(began).Seconds())
	}
	if n == 100 {
		mib, ok, err := memory(endpoints)
		switch {
		case err != nil:
			return nil, err
		case ok:
			figures = append(figures, figure{name: "daemon_memory_100_endpoints", value: mib, unit: "MiB", most: true, goal: 50})
		default:
			fmt.Println("terraform: this system does not say how much memory the engine takes")
		}
	}
	for _, o := range operations {
		a, b, err := p.beside(ctx, n, endpoints, data, o.args)
		if err != nil {
			return nil, err
		}
		ours[o.name], theirs[o.name] = append(ours[o.name], a), append(theirs[o.name], b)
		fmt.Printf("terraform: %s of %d: endpoints %.2f s, terraform_data %.2f s\n", strings.ReplaceAll(o.name, "_", " "), n, a, b)
	}
	return figures, nil
}

// beside returns the median seconds of an operation in both roots, in turn.
func (p *program) beside(ctx context.Context, n int, one, other string, args []string) (a, b float64, err error) {
	var both [2][]float64
	times := 5
	if n == 1000 {
		times = 1 // it is long enough for what disturbs it to be small
	}
	for range times {
		for i, root := range []string{one, other} {
			began := time.Now()
			if err := p.run(ctx, root, p.terraform, args...); err != nil {
				return 0, 0, err
			}
			both[i] = append(both[i], time.Since(began).Seconds())
		}
	}
	return median(both[0]), median(both[1]), nil
}

// fill makes a root of n resources: Terraform ten, and the rest is seeded.
func (p *program) fill(ctx context.Context, root string, n int, all *models) error {
	text := dataRoot
	if filepath.Base(root) == "endpoints" {
		text = endpointsRoot
	}
	if err := write(root, text, sizes[0], all); err != nil {
		return err
	}
	if text == dataRoot {
		if err := p.run(ctx, root, p.terraform, "init", "-input=false"); err != nil {
			return err
		}
	}
	if err := p.run(ctx, root, p.terraform, "apply", "-auto-approve", "-input=false"); err != nil || n == sizes[0] {
		return err
	}
	if err := write(root, text, n, all); err != nil {
		return err
	}
	return p.seed(ctx, root, n)
}

// write makes a root module of n resources, with their model files.
func write(root, text string, n int, all *models) error {
	if err := os.MkdirAll(filepath.Join(root, "models"), 0o700); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(root, "main.tf"), fmt.Appendf(nil, text, rollout.DefaultPolicy().JSON(), n), 0o600); err != nil {
		return err
	}
	for i := range n {
		if err := os.WriteFile(filepath.Join(root, "models", fmt.Sprintf("m%d.json", i)), modelOf(i), 0o600); err != nil {
			return err
		}
	}
	return all.command(root)
}

func modelOf(i int) []byte { return fmt.Appendf(nil, `{"version":%d}`, i) }

func digestOf(i int) string { return fmt.Sprintf("%x", sha256.Sum256(modelOf(i))) }

// Neither root refers to another resource in each of its many: Terraform's own time for that grows by the square of
// their number, and would hide ours.

const endpointsRoot = `terraform {
  required_providers {
    tidegate = { source = "tidegatehq/tidegate" }
  }
}

locals {
  policy = %q
}

resource "tidegate_cluster" "here" {
  name = "here"
  local {}
}

resource "tidegate_model_endpoint" "all" {
  for_each = toset([for i in range(%d) : "m${i}"])
  name     = each.key
  cluster  = "local/here"
  model {
    uri = "file://models/${each.key}.json"
  }
  runtime {
    command = ["./serve"]
  }
  rollout {
    policy = local.policy
  }
  depends_on = [tidegate_cluster.here]
}
`

const dataRoot = `locals {
  policy = %q
}

resource "terraform_data" "here" {
  input = "here"
}

resource "terraform_data" "all" {
  for_each = toset([for i in range(%d) : "m${i}"])
  input = {
    name    = each.key
    cluster = "local/here"
    model = {
      uri    = "file://models/${each.key}.json"
      digest = filesha256("models/${each.key}.json")
    }
    runtime = {
      command = ["./serve"]
      digest  = filesha256("serve")
    }
    rollout = {
      policy = local.policy
    }
  }
  depends_on = [terraform_data.here]
}
`
