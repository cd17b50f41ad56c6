package local

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.etcd.io/bbolt"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/rollout"
)

// schema1 unpacks a data directory that the program before schema 2 made: see testdata/README.md.
func schema1(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	f, err := os.Open("testdata/schema-1.tar.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return dir
		}
		if err == nil && h.Name == "store.db" {
			var b []byte
			b, err = io.ReadAll(r)
			err = errors.Join(err, os.WriteFile(filepath.Join(dir, h.Name), b, 0o600))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// contents are all buckets of a store, by path.
func contents(t *testing.T, path string) map[string]string {
	t.Helper()
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{Timeout: 5 * time.Second, ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	all := map[string]string{}
	err = db.View(func(b *bbolt.Tx) error {
		return b.ForEach(func(name []byte, bucket *bbolt.Bucket) error {
			return bucket.ForEach(func(k, v []byte) error {
				all[string(name)+"/"+string(k)] = string(v)
				return nil
			})
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestOlderStoreIsMigratedAndNothingIsLost(t *testing.T) {
	t.Parallel()
	path := filepath.Join(schema1(t), "store.db")
	before := contents(t, path)
	s, err := openStore(path, "test")
	if err != nil {
		t.Fatal(err)
	}
	err = s.view(func(tx *tx) error {
		if n, err := tx.schema(); err != nil || n != storeSchema {
			t.Errorf("schema %d, %v", n, err)
		}
		for key, was := range before {
			bucket, name, _ := strings.Cut(key, "/")
			switch bucket {
			case "meta":
				if name != "schema" && name != "program" && tx.meta(name) != was {
					t.Errorf("%s is %q, was %q", key, tx.meta(name), was)
				}
				continue
			case "endpoints":
				sameDocument(t, tx, name, was)
			}
			var now, old map[string]any
			if ok, err := tx.get([]byte(bucket), name, &now); !ok || err != nil {
				t.Errorf("%s: %v, %v", key, ok, err)
			}
			if err := json.Unmarshal([]byte(was), &old); err != nil {
				t.Fatal(err)
			}
			if bucket == "endpoints" {
				old["schema"] = float64(documentSchema)
			}
			if diff := cmp.Diff(old, now); diff != "" {
				t.Errorf("%s (-was +is):\n%s", key, diff)
			}
		}
		return nil
	})
	if err = errors.Join(err, s.close()); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(before, contents(t, copyOf(path, 1))); diff != "" {
		t.Errorf("the copy that one can go back with differs:\n%s", diff)
	}
	if len(before) < 10 {
		t.Errorf("only %d values were there", len(before))
	}
}

// sameDocument checks what today's program makes of a document of schema 1.
func sameDocument(t *testing.T, tx *tx, id, was string) {
	t.Helper()
	d, err := tx.endpoint(id)
	if err != nil || d.Schema != documentSchema || d.Previous != nil {
		t.Fatalf("%s: %+v, %v", id, d, err)
	}
	d.Schema = 1
	again, err := json.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	var old, now map[string]any
	if err := errors.Join(json.Unmarshal([]byte(was), &old), json.Unmarshal(again, &now)); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(old, now); diff != "" {
		t.Errorf("read and written again, %s loses something (-was +is):\n%s", id, diff)
	}
}

// TestMigrationThatIsKilledNeverWas is also the process that is killed, in its transaction.
func TestMigrationThatIsKilledNeverWas(t *testing.T) {
	if path := os.Getenv("TEST_MIGRATE"); path != "" {
		s, err := open(path, &bbolt.Options{Timeout: 5 * time.Second})
		if err != nil {
			t.Fatal(err)
		}
		t.Fatal(s.migrate([]func(*tx) error{1: func(t *tx) error {
			if err := numberDocuments(t); err != nil {
				return err
			}
			fmt.Println("in the middle")
			select {}
		}}))
	}
	t.Parallel()
	path := filepath.Join(schema1(t), "store.db")
	before := contents(t, path)
	cmd := exec.Command(os.Args[0], "-test.run=^TestMigrationThatIsKilledNeverWas$")
	cmd.Env = append(os.Environ(), "TEST_MIGRATE="+path)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line := make([]byte, len("in the middle"))
	if _, err := io.ReadFull(out, line); err != nil || string(line) != "in the middle" {
		t.Fatalf("%q, %v", line, err)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // killed
	if diff := cmp.Diff(before, contents(t, path)); diff != "" {
		t.Errorf("the migration was half done:\n%s", diff)
	}
	s, err := openStore(path, "test")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.close(); err != nil {
		t.Fatal(err)
	}
}

func TestMigrationThatFailsChangesNothing(t *testing.T) {
	t.Parallel()
	path := filepath.Join(schema1(t), "store.db")
	before := contents(t, path)
	s, err := open(path, &bbolt.Options{Timeout: 5 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	err = s.migrate([]func(*tx) error{1: func(t *tx) error { return errors.Join(numberDocuments(t), errors.New("no more room")) }})
	if err == nil || !strings.Contains(err.Error(), "it is as it was") {
		t.Errorf("%v: want it to say that nothing changed", err)
	}
	if err := s.close(); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(before, contents(t, path)); diff != "" {
		t.Error(diff)
	}
}

func TestEverySchemaHasItsMigration(t *testing.T) {
	for n := 1; n < storeSchema; n++ {
		if len(migrations) <= n || migrations[n] == nil {
			t.Errorf("none from schema %d", n)
		}
	}
}

// newer makes a store as a later program may: one that knows more, of which this one reads what it can.
func newer(t *testing.T, change func(*tx) error) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "store.db")
	s, err := openStore(path, "of later")
	if err != nil {
		t.Fatal(err)
	}
	err = s.update(func(tx *tx) error {
		doc := &document{Finished: true}
		doc.Spec.Cluster, doc.Spec.Name = "here", "penguins"
		doc.Record = rollout.Record{Schema: rollout.Schema + 1, Phase: "dancing"}
		return errors.Join(tx.put(doc), change(tx))
	})
	if err = errors.Join(err, s.close()); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestNewerStoreIsReadAndNeverWritten(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*tx) error{
		"store": func(t *tx) error { return t.setMeta("schema", "3") },
		"document": func(t *tx) error {
			var doc map[string]any
			_, err := t.get(bucketEndpoints, "local/here/penguins", &doc)
			doc["schema"], doc["colour"] = 3, "blue"
			return errors.Join(err, t.set(bucketEndpoints, "local/here/penguins", doc))
		},
	} {
		path := newer(t, change)
		before, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if s, err := openStore(path, "test"); err == nil || !strings.Contains(err.Error(), "newer program") || !strings.Contains(err.Error(), "use that version") {
			t.Errorf("%s: a daemon opened it: %v", name, err)
			if err == nil {
				_ = s.close()
			}
		}
		if after, err := os.ReadFile(path); err != nil || !bytes.Equal(before, after) {
			t.Errorf("%s: the file was changed, %v", name, err)
		}
		s, err := readStore(path)
		if err != nil {
			t.Fatalf("%s: a client cannot read it: %v", name, err)
		}
		var st Status
		if err := s.view(func(tx *tx) error { return st.read(tx, "") }); err != nil || len(st.Endpoints) != 1 || st.Endpoints[0].Record.Phase != "dancing" {
			t.Errorf("%s: %+v, %v", name, st, err)
		}
		_ = s.close()
	}
}

func TestNewerLayoutIsNotTakenForDamage(t *testing.T) {
	t.Parallel()
	path := newer(t, func(t *tx) error {
		return errors.Join(t.setMeta("schema", "7"), t.bolt.DeleteBucket(bucketSecrets))
	})
	s, err := readStore(path)
	if err == nil {
		_ = s.close()
	}
	var newer newerError
	if !errors.As(err, &newer) {
		t.Errorf("%v: want that a newer program wrote it", err)
	}
}
