package local

import (
	"errors"
	"fmt"
	"strings"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/cluster"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/endpoint"
)

// applyCluster creates or changes a cluster.
func (d *daemon) applyCluster(s cluster.Spec) (cluster.Status, error) {
	if err := validName("cluster", s.Name); err != nil {
		return cluster.Status{}, err
	}
	err := d.store.update(func(t *tx) error {
		if old, err := t.cluster(s.Name); err == nil && old == s {
			return errUnchanged
		}
		return t.putCluster(s)
	})
	if err != nil && !errors.Is(err, errUnchanged) {
		return cluster.Status{}, err
	}
	return d.getCluster(s.Name)
}

func (d *daemon) getCluster(name string) (cluster.Status, error) {
	var st cluster.Status
	err := d.store.view(func(t *tx) (err error) {
		st, err = clusterStatus(t, name)
		return err
	})
	st.URL, st.Running = d.self.Page, err == nil
	return st, err
}

// clusterStatus is what the store alone says of a cluster.
func clusterStatus(t *tx, name string) (cluster.Status, error) {
	s, err := t.cluster(name)
	if err != nil {
		return cluster.Status{}, err
	}
	st := cluster.Status{Spec: s}
	if port := t.meta(metaPagePort); port != "" {
		st.URL = "http://127.0.0.1:" + port
	}
	all, err := t.endpoints()
	for _, doc := range all {
		if doc.Spec.Cluster == name && doc.Finished {
			st.Endpoints = append(st.Endpoints, doc.Spec.Name)
		}
	}
	return st, err
}

// deleteCluster removes a cluster without endpoints. With the last one the daemon ends.
func (d *daemon) deleteCluster(name string) error {
	var left []string // endpoints whose makers died before they served
	last := false
	err := d.store.update(func(t *tx) error {
		s, err := t.cluster(name)
		if errors.Is(err, cluster.ErrNotFound) {
			rest, err := t.clusters()
			last = err == nil && len(rest) == 0 // it was deleted, and the daemon that did so was killed before it ended
			return errors.Join(err, errUnchanged)
		}
		if err != nil {
			return err
		}
		if s.DeletionProtection {
			return fmt.Errorf("delete cluster %s: %w: set deletion_protection = false and apply, then delete", name, endpoint.ErrProtected)
		}
		var names []string
		names, left, err = d.endpointsOf(t, name)
		if err != nil {
			return err
		}
		if len(names) > 0 {
			return fmt.Errorf("delete cluster %s: %w: it holds %s; delete them first, then the cluster",
				name, cluster.ErrInUse, strings.Join(names, ", "))
		}
		for _, id := range left {
			if err := t.remove(id); err != nil {
				return err
			}
		}
		if err := t.removeCluster(name); err != nil {
			return err
		}
		rest, err := t.clusters()
		last = len(rest) == 0
		return err
	})
	if err != nil && !errors.Is(err, errUnchanged) {
		return err
	}
	d.changed.fire()
	if last {
		d.stop()
		return nil
	}
	if len(left) > 0 {
		d.collect()
	}
	return nil
}

// endpointsOf returns the names of a cluster's endpoints, and the ids of those that were never
// finished and that nobody is making.
func (d *daemon) endpointsOf(t *tx, name string) (names, left []string, err error) {
	all, err := t.endpoints()
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, doc := range all {
		switch {
		case doc.Spec.Cluster != name:
		case doc.Finished || d.makings[doc.id()] != nil:
			names = append(names, doc.Spec.Name)
		default:
			left = append(left, doc.id())
		}
	}
	return names, left, err
}
