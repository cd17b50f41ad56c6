package local_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/engine/local"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/rollout"
)

// unpack makes a data directory out of one of testdata's.
func unpack(t *testing.T, archive, dir string) {
	t.Helper()
	f, err := os.Open(archive)
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
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, filepath.FromSlash(h.Name))
		if h.FileInfo().IsDir() {
			if err := os.MkdirAll(path, 0o700); err != nil {
				t.Fatal(err)
			}
			continue
		}
		b, err := io.ReadAll(r)
		if err == nil {
			err = os.MkdirAll(filepath.Dir(path), 0o700)
		}
		if err := errors.Join(err, os.WriteFile(path, b, 0o600)); err != nil {
			t.Fatal(err)
		}
	}
}

var (
	moments = regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z`)
	ports   = regexp.MustCompile(`"port":\d+`)
)

// asOfNow moves the documents' times by as much as has passed, so that no limit of a rollout is over, and their ports to
// free ones: the store's own are another test's by now.
func asOfNow(t *testing.T, path string) {
	t.Helper()
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{Timeout: 5 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	err = db.Update(func(b *bbolt.Tx) error {
		docs := b.Bucket([]byte("endpoints"))
		all := map[string][]byte{}
		var last time.Time
		_ = docs.ForEach(func(k, v []byte) error {
			all[string(k)] = bytes.Clone(v)
			for _, m := range moments.FindAll(v, -1) {
				if at, err := time.Parse(time.RFC3339Nano, string(m)); err == nil && at.After(last) {
					last = at
				}
			}
			return nil
		})
		passed := time.Since(last)
		for k, v := range all {
			v = moments.ReplaceAllFunc(v, func(m []byte) []byte {
				at, _ := time.Parse(time.RFC3339Nano, string(m))
				return []byte(at.Add(passed).UTC().Format(time.RFC3339Nano))
			})
			v = ports.ReplaceAll(v, fmt.Appendf(nil, `"port":%d`, freePort(t)))
			if err := docs.Put([]byte(k), v); err != nil {
				return err
			}
		}
		return nil
	})
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
}

func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().(*net.TCPAddr).Port
}

func TestDataDirectoryOfAnEarlierProgramGoesOn(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	unpack(t, "testdata/schema-1.tar.gz", l.data)
	if err := os.Chmod(l.data, 0o700); err != nil {
		t.Fatal(err)
	}
	asOfNow(t, filepath.Join(l.data, "store.db"))
	bin := filepath.Join(l.root, "bin")
	if err := errors.Join(os.Mkdir(bin, 0o700), os.Symlink(self(), filepath.Join(bin, "model-server"))); err != nil {
		t.Fatal(err)
	}
	l.engine = local.Open(local.Config{DataDir: l.data, Version: "dev",
		Command: []string{"env", "PATH=" + bin + ":" + os.Getenv("PATH"), self(), "engine", "run"}})
	offline, err := l.engine.Status(l.ctx())
	if err != nil || offline.Running || len(offline.Endpoints) != 4 {
		t.Fatalf("%+v, %v: want it to be read as it is, without a daemon", offline, err)
	}
	before, _, err := l.endpoints().Load(l.ctx(), "local/here/under-way")
	if err != nil || before.Schema != 2 || before.Weight != 25 {
		t.Fatalf("schema %d, weight %d, %v", before.Schema, before.Weight, err)
	}
	l.cluster() // starts the daemon
	urls := map[string]string{}
	eventually(t, "all endpoints serve", func() bool {
		for _, e := range offline.Endpoints {
			st, err := l.endpoints().Get(l.ctx(), e.ID, false)
			if err != nil || !st.Ready {
				return false
			}
			urls[e.ID] = st.URL
		}
		return true
	})
	for name, want := range map[string]string{"fresh": "fresh v1", "promoted": "promoted v2", "rolled-back": "rolled-back v1"} {
		eventually(t, want+" answers", func() bool {
			a, _, err := ask(urls["local/here/"+name])
			return err == nil && a.Model == want && a.Greeting == "hello"
		})
	}
	startTraffic(t, urls["local/here/under-way"], 4)
	r, err := rollout.Run(l.ctx(), l.endpoints(), "local/here/under-way", quick)
	if err != nil || r.Phase != rollout.Promoted || r.Schema != rollout.Schema || r.ID != before.ID {
		t.Errorf("%s, schema %d, %v: want the rollout to go on to its end", r.Phase, r.Schema, err)
	}
	if r.Evidence.Seen.Candidate.Requests <= before.Evidence.Seen.Candidate.Requests {
		t.Error("its evidence is not added to")
	}
	st, err := l.endpoints().Get(l.ctx(), "local/here/under-way", false)
	if err != nil || st.Previous == nil || st.Previous.Revision.Digest != r.Stable {
		t.Errorf("%+v, %v: want what its policy keeps by default, kept", st.Previous, err)
	}
	st, err = l.endpoints().Get(l.ctx(), "local/here/rolled-back", false)
	if err != nil || len(st.Rejected) != 1 {
		t.Errorf("%+v, %v: want its rejection remembered", st.Rejected, err)
	}
	if _, err := os.Stat(filepath.Join(l.data, "store.db.schema-1")); err != nil {
		t.Errorf("there is no going back: %v", err)
	}
}
