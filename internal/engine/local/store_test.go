package local

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/cluster"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/endpoint"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/registry"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/rollout"
)

func testStore(t *testing.T) *store {
	t.Helper()
	s, err := openStore(filepath.Join(t.TempDir(), "store.db"), "test")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.close() })
	return s
}

func TestVersionsAreNeverUsedAgain(t *testing.T) {
	s := testStore(t)
	doc := &document{}
	doc.setSpec(endpoint.Spec{Cluster: "here", Name: "a"})
	seen := map[version]bool{}
	for range 3 {
		err := s.update(func(tx *tx) error {
			if err := tx.put(doc); err != nil {
				return err
			}
			return tx.remove(doc.id())
		})
		if err != nil || seen[doc.version()] {
			t.Fatalf("version %s again, or %v", doc.version(), err)
		}
		seen[doc.version()] = true
	}
}

func TestDocumentsNeverHoldSecrets(t *testing.T) {
	s := testStore(t)
	doc := &document{Spec: endpoint.Spec{Cluster: "here", Name: "a", Env: endpoint.Env{Secrets: map[string]string{"a": "b"}}}}
	if err := s.update(func(tx *tx) error { return tx.put(doc) }); err == nil {
		t.Error("a document with secrets was saved")
	}
}

func TestStoresOfOtherProgramsAreRefused(t *testing.T) {
	for name, change := range map[string]func(*bbolt.Tx) error{
		"no schema":      func(b *bbolt.Tx) error { return b.Bucket(bucketMeta).Delete([]byte("schema")) },
		"is missing":     func(b *bbolt.Tx) error { return b.DeleteBucket(bucketSecrets) },
		"another prog":   func(b *bbolt.Tx) error { return b.DeleteBucket(bucketMeta) },
		"here":           func(b *bbolt.Tx) error { return b.Bucket(bucketClusters).Put([]byte("here"), []byte("{")) },
		"local/here/pen": func(b *bbolt.Tx) error { return b.Bucket(bucketEndpoints).Put([]byte("local/here/pen"), []byte("[]")) },
	} {
		path := filepath.Join(t.TempDir(), "store.db")
		s, err := openStore(path, "test")
		if err != nil {
			t.Fatal(err)
		}
		if err := s.db.Update(change); err != nil {
			t.Fatal(err)
		}
		if err := s.close(); err != nil {
			t.Fatal(err)
		}
		if s, err := openStore(path, "test"); err == nil {
			_ = s.close()
			t.Errorf("%s: a daemon opened it", name)
		}
		s, err = readStore(path)
		if err == nil {
			_ = s.close()
			t.Errorf("%s: a client read it", name)
			continue
		}
		if !strings.Contains(err.Error(), "move the data directory away") {
			t.Errorf("%s: %v: want a way out", name, err)
		}
	}
}

// A daemon may be killed between making the file and writing to it, and a plan may look just then.
func TestAStoreThatWasOnlyBegunIsNone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store.db")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := readStore(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a client read %v, want that there is none", err)
	}
	s, err := openStore(path, "test")
	if err != nil {
		t.Fatalf("the next daemon: %v", err)
	}
	if err := s.close(); err != nil {
		t.Error(err)
	}
}

func TestOnlyTheNewestRejectionsAreKept(t *testing.T) {
	doc := &document{}
	for i := range 30 {
		digest := fmt.Sprintf("sha256:%d", i%25)
		doc.reject(endpoint.Revision{Digest: digest}, rollout.Failure{Kind: rollout.KindGate, Gate: "errors", At: time.Unix(int64(i), 0)})
	}
	if len(doc.Rejected) != rejectionsKept || doc.Rejected[0].At.Unix() != 29 {
		t.Errorf("%d kept, newest of %d", len(doc.Rejected), doc.Rejected[0].At.Unix())
	}
	seen := map[string]bool{}
	for _, r := range doc.Rejected {
		if seen[r.Revision] {
			t.Errorf("%s is kept twice", r.Revision)
		}
		seen[r.Revision] = true
	}
}

func TestErrorsKeepTheirMeaningAcrossTheSocket(t *testing.T) {
	for _, want := range []error{
		endpoint.ErrNotFound, endpoint.ErrExists, endpoint.ErrBusy, cluster.ErrInUse, endpoint.ErrChanged, endpoint.ErrProtected,
		rollout.ErrConflict, rollout.ErrNewer, cluster.ErrNotFound, registry.ErrNotExist,
	} {
		a, code := toAnswer(fmt.Errorf("do something: %w", want))
		got := a.err(nil)
		if !errors.Is(got, want) || got.Error() != "do something: "+want.Error() || code < 400 || code >= 500 {
			t.Errorf("%v came over as %v (%d)", want, got, code)
		}
	}
	a, _ := toAnswer(fmt.Errorf("x: %w", &endpoint.RejectedError{Rejection: endpoint.Rejection{Reason: "why"}}))
	var rejected *endpoint.RejectedError
	if !errors.As(a.err(nil), &rejected) || rejected.Rejection.Reason != "why" {
		t.Errorf("%v", a.err(nil))
	}
	if a, code := toAnswer(errors.New("a bug")); code != 500 || a.err(nil).Error() != "a bug" {
		t.Errorf("%+v, %d", a, code)
	}
}
