package provider

import (
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"

	"github.com/hashicorp/terraform-plugin-framework/diag"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/cluster"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/endpoint"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/engine"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/registry"
)

// A backend is what the resources of one provider process share.
type backend struct {
	root  string // absolute: the root module's folder
	name  string // of this process, for people: "terraform on HOST (pid N)"
	owner string // of this process, for none but it: numbers of processes come again

	clusters  cluster.Engine  // nil while the data directory is unknown
	endpoints endpoint.Engine // likewise

	engines *engine.Engines // nil while the configuration is unknown or wrong
	hub     bool            // whether it is known where GitHub is, and as whom to speak
	commit  string          // of this build, 40 hex digits; "" if it is not known

	digests *registry.Cache
	offline atomic.Pointer[error] // why GitHub cannot be reached, once that was found
	warned  sync.Map              // repositories of which it was said that they cannot be asked

	mu   sync.Mutex
	read map[string]bool // ids of the endpoints that were read by this process
}

func newBackend(root string) *backend {
	host, err := os.Hostname()
	if err != nil {
		host = "this machine"
	}
	b := &backend{root: root, name: fmt.Sprintf("terraform on %s (pid %d)", host, os.Getpid()), read: map[string]bool{}}
	b.owner = b.name + " " + rand.Text()
	if dir, err := os.UserCacheDir(); err == nil {
		b.digests = &registry.Cache{Path: filepath.Join(dir, "tidegate", "digests.json")}
	}
	return b
}

func (b *backend) use(e *engine.Engines, k known) {
	b.engines, b.hub = e, k.hub
	if k.local {
		b.clusters, b.endpoints = e.Local().Clusters(), e.Local().Endpoints()
	}
}

// ready reports whether there is an engine to talk to, and explains it if not. Terraform asks
// for that only where a value of the provider block comes from what is not applied yet.
func (b *backend) ready(diags *diag.Diagnostics) bool {
	if b != nil && b.endpoints != nil {
		return true
	}
	diags.AddAttributeError(dataDirPath, "The data directory is not known yet",
		"local.data_dir or config_file of the provider block depends on a value that is known only after another resource was applied. "+
			"Apply that first, with -target, or write the path out.")
	return false
}

// known reports whether there is an engine to read from.
func (b *backend) known() bool { return b != nil && b.endpoints != nil }

func (b *backend) noteRead(id string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.read[id] = true
}

func (b *backend) wasRead(id string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.read[id]
}

// look captures what s runs. changed names what is no longer what the last look saw.
func (b *backend) look(ctx context.Context, s endpoint.Spec) (rev endpoint.Revision, changed []seen, err error) {
	if b.digests == nil {
		rev, err = endpoint.Capture(ctx, s)
		return rev, nil, err
	}
	rev, err = endpoint.CaptureWith(ctx, s, func(ctx context.Context, path string) (registry.Reference, error) {
		now, was, err := b.digests.Hash(ctx, path)
		if was.Digest != "" && was.Digest != now.Digest {
			changed = append(changed, seen{path: path, was: was.Digest, now: now.Digest})
		}
		return now, err
	})
	return rev, changed, err
}

// A seen is a file that changed between two looks; now is "" if it is gone or cannot be read.
type seen struct{ path, was, now string }
