package local

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/cluster"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/endpoint"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/gate"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/rollout"
)

// holdings are all that a store says.
type holdings struct {
	clusters  []cluster.Spec
	documents []*document
	secrets   []map[string]string
	page      string
}

func (s *store) holdings() (h holdings, err error) {
	err = s.view(func(t *tx) error {
		h.page = t.meta(metaPagePort)
		if h.clusters, err = t.clusters(); err != nil {
			return err
		}
		if h.documents, err = t.endpoints(); err != nil {
			return err
		}
		for _, d := range h.documents {
			s, err := t.secrets(d.id())
			if err != nil {
				return err
			}
			h.secrets = append(h.secrets, s)
		}
		return nil
	})
	return h, err
}

// midRollout is a document whose candidate has traffic after some windows.
func midRollout(t *testing.T, name string, windows int) *document {
	t.Helper()
	policy := rollout.DefaultPolicy()
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	d := &document{Port: 40000, Owner: "the test", Finished: true, Claimed: true}
	d.setSpec(endpoint.Spec{Cluster: "here", Name: name, Replicas: 2})
	d.Stable.Revision.Digest = "sha256:" + strings.Repeat("a", 64)
	d.Candidate = &deployed{Revision: endpoint.Revision{Digest: "sha256:" + strings.Repeat("b", 64)}}
	for i := range 5 {
		d.reject(endpoint.Revision{Digest: fmt.Sprintf("sha256:%064d", i)}, rollout.Failure{Kind: rollout.KindGate, Gate: "errors", Reason: "It failed too often.", At: at})
	}
	d.Record = rollout.Begin(d.Candidate.Revision.Digest, d.Stable.Revision.Digest, policy, at)
	events := []rollout.Event{rollout.TakenOver{Runner: "the test", At: at}, rollout.Ready{At: at}}
	for i := range windows {
		at = at.Add(10 * time.Second)
		w := gate.Window{Stable: gate.Arm{Requests: 900, Bad: 1}, Candidate: gate.Arm{Requests: 100}}
		events = append(events, rollout.Counted{Windows: []gate.Window{w}, Cursor: []byte(fmt.Sprintf(`{"cut":%d}`, i)), At: at})
	}
	for _, e := range events {
		d.Record = rollout.Next(policy, d.Record, e)
	}
	if d.Record.Weight == 0 || d.Record.Weight == 100 {
		t.Fatalf("%s is not in mid-rollout: %s, weight %d", name, d.Record.Phase, d.Record.Weight)
	}
	return d
}

// writtenStore is a store with rollouts in several states, written again and again as rollouts do; the
// file as it was before the last writes comes too.
func writtenStore(t *testing.T, path string) (want holdings, now, before []byte) {
	t.Helper()
	s, err := openStore(path, "test")
	if err != nil {
		t.Fatal(err)
	}
	update := func(fn func(*tx) error) {
		t.Helper()
		if err := s.update(fn); err != nil {
			t.Fatal(err)
		}
	}
	update(func(t *tx) error {
		if err := t.setMeta(metaPagePort, "40404"); err != nil {
			return err
		}
		for i := range 40 {
			if err := t.putCluster(cluster.Spec{Name: fmt.Sprintf("cluster-%d-%s", i, strings.Repeat("x", 150))}); err != nil {
				return err
			}
		}
		return t.putCluster(cluster.Spec{Name: "here"})
	})
	for i := range 40 {
		d := midRollout(t, fmt.Sprintf("penguins-%d", i%8), 4+i/4)
		if i == 36 {
			if before, err = os.ReadFile(path); err != nil {
				t.Fatal(err)
			}
		}
		update(func(t *tx) error {
			if err := t.setSecrets(d.id(), map[string]string{"TOKEN": strings.Repeat("s", 40+i)}); err != nil {
				return err
			}
			return t.put(d)
		})
	}
	update(func(t *tx) error { return t.remove("local/here/penguins-3") })
	if want, err = s.holdings(); err != nil {
		t.Fatal(err)
	}
	if err := s.close(); err != nil {
		t.Fatal(err)
	}
	if now, err = os.ReadFile(path); err != nil {
		t.Fatal(err)
	}
	if len(want.documents) != 7 || reflect.DeepEqual(now, before) {
		t.Fatalf("%d documents", len(want.documents))
	}
	return want, now, before
}

const pageSize = 4096

// A damage changes a file's bytes, and says how.
func damage(r *rand.Rand, b, before []byte) ([]byte, string) {
	b = append([]byte(nil), b...)
	at := r.IntN(len(b))
	if r.IntN(2) == 0 { // most of a page's bytes are values: the headers get their share
		at = at/pageSize*pageSize + r.IntN(200)
	}
	n := min(1+r.IntN(600), len(b)-at)
	page := func() (int, int) { p := r.IntN(len(b)/pageSize) * pageSize; return p, p + pageSize }
	switch kind := r.IntN(8); kind {
	case 0, 1, 2:
		b[at] ^= 1 << r.IntN(8)
		return b, fmt.Sprintf("a bit at %d", at)
	case 3:
		clear(b[at : at+n])
		return b, fmt.Sprintf("%d zeros at %d", n, at)
	case 4:
		for i := range n {
			b[at+i] = byte(r.Uint32())
		}
		return b, fmt.Sprintf("%d random bytes at %d", n, at)
	case 5:
		return b[:at], fmt.Sprintf("cut at %d", at)
	case 6:
		to, end := page()
		from, _ := page()
		copy(b[to:end], b[from:])
		return b, fmt.Sprintf("page %d written to %d", from/pageSize, to/pageSize)
	default:
		to, end := page()
		if end > len(before) {
			return b[:to], fmt.Sprintf("cut at page %d", to/pageSize)
		}
		copy(b[to:end], before[to:end])
		return b, fmt.Sprintf("page %d as it was before", to/pageSize)
	}
}

// TestDamagedStoreIsRefusedOrRight damages a store at random: whoever opens it is told, or gets
// exactly what was written. A daemon that opens it may write, and nothing is lost by that either.
func TestDamagedStoreIsRefusedOrRight(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	want, now, before := writtenStore(t, filepath.Join(dir, "whole.db"))
	seed := rand.Uint64()
	r := rand.New(rand.NewPCG(seed, 0))
	path := filepath.Join(dir, "store.db")
	mark, err := os.ReadFile(markOf(filepath.Join(dir, "whole.db")))
	if err != nil {
		t.Fatal(err)
	}
	tries, refused, harmless := 1500, 0, 0
	if testing.Short() || Raced {
		tries = 300
	}
	for i := range tries {
		b, how := damage(r, now, before)
		if err := errors.Join(os.WriteFile(path, b, 0o600), os.WriteFile(markOf(path), mark, 0o600)); err != nil {
			t.Fatal(err)
		}
		opener, open := "a client", func() (*store, error) { return readStore(path) }
		if i%2 == 0 {
			opener, open = "a daemon", func() (*store, error) { return openStore(path, "test") }
		}
		err := opened(open, want, i%2 == 0 && i%20 == 0)
		switch {
		case err == nil:
			harmless++
		case strings.Contains(err.Error(), path+" is damaged") && strings.Contains(err.Error(), "data directory away"):
			refused++
		default:
			t.Fatalf("seed %d, %s, opened by %s: %v", seed, how, opener, err)
		}
	}
	if refused < tries/4 || harmless < tries/20 {
		t.Errorf("%d of %d refused, %d harmless: this test does not do what it says", refused, tries, harmless)
	}
	t.Logf("%d of %d refused, %d harmless", refused, tries, harmless)
}

// opened opens a store and compares what it says, at the end also after some writes.
func opened(open func() (*store, error), want holdings, write bool) error {
	s, err := open()
	if err != nil {
		return err
	}
	defer func() { _ = s.close() }()
	got, err := s.holdings()
	if err != nil {
		return fmt.Errorf("it opened, and then: %w", err)
	}
	if !reflect.DeepEqual(got, want) {
		return fmt.Errorf("WRONG: it says %+v", got)
	}
	if !write {
		return nil
	}
	for i := range 4 {
		err := s.update(func(t *tx) error { return t.putCluster(cluster.Spec{Name: fmt.Sprintf("new-%d", i)}) })
		if err != nil {
			return fmt.Errorf("write %d: %w", i, err)
		}
	}
	for i := range 4 {
		if err := s.update(func(t *tx) error { return t.removeCluster(fmt.Sprintf("new-%d", i)) }); err != nil {
			return fmt.Errorf("remove %d: %w", i, err)
		}
	}
	if got, err = s.holdings(); err != nil || !reflect.DeepEqual(got, want) {
		return fmt.Errorf("WRONG after writes: %w, it says %+v", err, got)
	}
	return s.verify()
}

func TestStoreFromBeforeThereWereSealsIsReadAndSealed(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "store.db")
	want, _, _ := writtenStore(t, path)
	s, err := openStore(path, "test")
	if err != nil {
		t.Fatal(err)
	}
	err = s.update(func(tx *tx) error { // as an earlier program wrote
		for _, bucket := range [][]byte{bucketClusters, bucketEndpoints, bucketSecrets} {
			b, all := tx.bolt.Bucket(bucket), map[string][]byte{}
			if err := b.ForEach(func(k, v []byte) error { all[string(k)] = append([]byte(nil), v[sealLength:]...); return nil }); err != nil {
				return err
			}
			for k, v := range all {
				if err := b.Put([]byte(k), v); err != nil {
					return err
				}
			}
		}
		return tx.bolt.Bucket(bucketMeta).Delete([]byte(metaSeal))
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.close(); err != nil {
		t.Fatal(err)
	}
	if err := opened(func() (*store, error) { return readStore(path) }, want, false); err != nil {
		t.Error(err)
	}
	if err := opened(func() (*store, error) { return openStore(path, "test") }, want, true); err != nil {
		t.Error(err)
	}
	s, err = readStore(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.close() }()
	_ = s.view(func(tx *tx) error {
		if tx.meta(metaSeal) == "" {
			t.Error("it was opened by a daemon and has no seal")
		}
		return nil
	})
}
