package local

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"time"

	"go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/cluster"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/disk"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/failpoint"
)

// storeSchema is the number of the store's layout. A store with a greater one is read, as far as that
// goes, and never written.
const storeSchema = 2

var (
	bucketMeta      = []byte("meta")      // schema, program, page_port
	bucketClusters  = []byte("clusters")  // name -> cluster.Spec
	bucketEndpoints = []byte("endpoints") // id -> document
	bucketSecrets   = []byte("secrets")   // id -> map of names and values, in no other place
)

// errLocked: another process has the store open.
var errLocked = errors.New("the store is in use by another process")

// A store is store.db: each transaction is on disk before it returns.
type store struct {
	path string
	db   *bbolt.DB
}

// openStore opens the store of a daemon, and makes it where there is none.
func openStore(path, program string) (*store, error) {
	if err := makeStore(disk.OS, path, program); err != nil {
		return nil, err
	}
	return openWith(&bbolt.Options{Timeout: 5 * time.Second}, path, program)
}

func openWith(o *bbolt.Options, path, program string) (*store, error) {
	if st, err := os.Stat(path); err == nil && st.Size() > 0 {
		if err := checkPages(path); err != nil { // before bbolt reads them; no other daemon writes now
			return nil, damaged(path, err)
		}
	}
	s, err := open(path, o)
	if err != nil {
		return nil, err
	}
	if err = s.prepare(program); err != nil {
		_ = s.close()
		return nil, err
	}
	return s, nil
}

// makeStore makes a store where there is none, aside: half of one, from a power cut, would be damage for ever after.
func makeStore(to disk.Disk, path, program string) error {
	info, err := os.Stat(path)
	if err == nil && info.Size() == 0 {
		err = emptied(path)
	}
	if err == nil || !missing(err) {
		return err
	}
	temp := path + ".new"
	if err := to.Remove(temp); err != nil && !missing(err) {
		return err
	}
	s, err := open(temp, &bbolt.Options{Timeout: 5 * time.Second})
	if err != nil {
		return err
	}
	err = s.update(func(t *tx) error { return t.initialize(program) })
	if err = errors.Join(err, s.close()); err != nil {
		return fmt.Errorf("make %s: %w", path, err)
	}
	_ = os.Remove(markOf(temp)) // it has the mark of nobody's
	if err := to.Rename(temp, path); err != nil {
		return err
	}
	return to.Sync(filepath.Dir(path))
}

// emptied says what an empty file is: a store that an earlier version was killed while it made it, or one
// that was cut. The mark beside it tells them apart.
func emptied(path string) error {
	if _, err := os.Stat(markOf(path)); err == nil {
		return damaged(path, errors.New("it is empty"))
	}
	return fs.ErrNotExist
}

// prepare looks at all there is before anything is written: damage must not spread. A store that
// needs no change is not written, so that an engine starts on a full disk.
func (s *store) prepare(program string) error {
	fresh, same := false, false
	err := s.view(func(t *tx) error {
		if fresh = t.bolt.Bucket(bucketMeta) == nil; fresh {
			return nil
		}
		if err := t.newer(); err != nil {
			return err
		}
		same = t.meta("program") == program && t.meta(metaSeal) != ""
		return t.checkSeal()
	})
	if err == nil {
		err = s.migrate(migrations)
	}
	if err == nil && !fresh {
		err = s.verify()
	}
	if err != nil || same {
		return err
	}
	return s.update(func(t *tx) error { return t.initialize(program) })
}

// readStore opens a store that no daemon has open, for reading alone; fs.ErrNotExist where
// there is none.
func readStore(path string) (*store, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.Size() == 0 {
		return nil, emptied(path)
	}
	s, err := open(path, &bbolt.Options{Timeout: 200 * time.Millisecond, ReadOnly: true})
	if err != nil {
		return nil, err
	}
	if err := checkPages(path); err != nil { // bbolt could walk in circles
		_ = s.close()
		return nil, damaged(path, err)
	}
	err = s.verify()
	if err != nil {
		var newer newerError
		if err2 := s.view(func(t *tx) error { return t.newer() }); errors.As(err2, &newer) {
			err = newer // what looks like damage may be a layout of later
		}
		_ = s.close()
		return nil, err
	}
	return s, nil
}

func open(path string, o *bbolt.Options) (*store, error) {
	s := &store{path: path}
	err := s.guard(func() (err error) {
		s.db, err = bbolt.Open(path, 0o600, o)
		return err
	})
	switch {
	case errors.Is(err, bolterrors.ErrTimeout):
		return nil, errLocked
	case errors.Is(err, bolterrors.ErrInvalid), errors.Is(err, bolterrors.ErrChecksum), errors.Is(err, bolterrors.ErrVersionMismatch):
		return nil, damaged(path, err)
	case err != nil:
		var access *fs.PathError
		if why := checkPages(path); why != nil && !errors.As(why, &access) {
			return nil, damaged(path, why)
		}
		return nil, fmt.Errorf("open %s: %w", path, cause(err))
	}
	return s, nil
}

// guard turns bbolt's panics on damaged pages, and reads beyond the end of a file that was cut
// short, into an error.
func (s *store) guard(fn func() error) (err error) {
	old := debug.SetPanicOnFault(true)
	defer func() {
		debug.SetPanicOnFault(old)
		if r := recover(); r != nil {
			err = damaged(s.path, fmt.Errorf("%v", r))
		}
	}()
	return fn()
}

func damaged(path string, why error) error {
	return fmt.Errorf("%s is damaged or not a store of Tidegate's (%w). Nothing was written to it. "+
		"Not safe: which endpoints, weights and rejections it held. Safe: the model bytes beside it. "+
		"Next: put a copy of it back, or stop the engine, move the data directory away and apply again", path, why)
}

// verify reads all there is, so that damage shows here and not in the middle of a rollout.
func (s *store) verify() error {
	return s.view(func(t *tx) error {
		if err := t.checkSchema(); err != nil {
			return err
		}
		// A later program may seal in another way. It may be read, and is never written.
		if n, err := t.schema(); err != nil || n <= storeSchema {
			if err := errors.Join(err, t.checkSeal()); err != nil {
				return err
			}
		}
		if _, err := t.clusters(); err != nil {
			return err
		}
		docs, err := t.endpoints()
		if err != nil {
			return err
		}
		for _, d := range docs {
			if _, err := t.secrets(d.id()); err != nil {
				return err
			}
		}
		return nil
	})
}

func (s *store) view(fn func(*tx) error) error {
	return s.guard(func() error {
		return s.db.View(func(b *bbolt.Tx) error { return fn(&tx{bolt: b, path: s.path}) })
	})
}

// update runs fn in a transaction that is on disk when update returns nil, or never was.
func (s *store) update(fn func(*tx) error) error {
	failpoint.Hit("store.write")
	defer failpoint.Hit("store.written")
	var refused error
	number := 0
	err := s.guard(func() error {
		return s.db.Update(func(b *bbolt.Tx) error {
			number = b.ID()
			refused = fn(&tx{bolt: b, path: s.path})
			return refused
		})
	})
	if err == nil {
		writeMark(s.path, number)
	}
	if no := fromDisk(err); no != nil && refused == nil {
		dir := dataDir(filepath.Dir(s.path))
		return fmt.Errorf("%s cannot be written (%w): nothing was changed, and what serves goes on serving; %s", s.path, no, dir.way(no))
	}
	return err
}

func (s *store) close() error { return s.db.Close() }

// A tx is one transaction.
type tx struct {
	bolt *bbolt.Tx
	path string
}

// initialize makes the buckets of a new store, and refuses a file of another program.
func (t *tx) initialize(program string) error {
	if t.bolt.Bucket(bucketMeta) == nil {
		if name, _ := t.bolt.Cursor().First(); name != nil {
			return damaged(t.path, errors.New("it holds another program's data"))
		}
		for _, name := range [][]byte{bucketMeta, bucketClusters, bucketEndpoints, bucketSecrets} {
			if _, err := t.bolt.CreateBucket(name); err != nil {
				return err
			}
		}
		if err := t.setMeta("schema", strconv.Itoa(storeSchema)); err != nil {
			return err
		}
	}
	if err := t.checkSchema(); err != nil {
		return err
	}
	return t.setMeta("program", program)
}

func (t *tx) checkSchema() error {
	for _, name := range [][]byte{bucketMeta, bucketClusters, bucketEndpoints, bucketSecrets} {
		if t.bolt.Bucket(name) == nil {
			return damaged(t.path, fmt.Errorf("its part %q is missing", name))
		}
	}
	_, err := t.schema()
	return err
}

func (t *tx) meta(key string) string { return string(t.bolt.Bucket(bucketMeta).Get([]byte(key))) }

func (t *tx) setMeta(key, value string) error {
	return t.write(bucketMeta, key, []byte(value))
}

// get reads a JSON value; false where there is none.
func (t *tx) get(bucket []byte, key string, v any) (bool, error) {
	b := t.bolt.Bucket(bucket).Get([]byte(key))
	if b == nil {
		return false, nil
	}
	b, err := unwrap(bucket, key, b)
	if err == nil {
		err = json.Unmarshal(b, v)
	}
	if err != nil {
		return false, damaged(t.path, fmt.Errorf("%s %q: %w", bucket, key, err))
	}
	return true, nil
}

func (t *tx) set(bucket []byte, key string, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return t.write(bucket, key, wrap(bucket, key, b))
}

// cluster returns cluster.ErrNotFound where there is none.
func (t *tx) cluster(name string) (cluster.Spec, error) {
	var s cluster.Spec
	ok, err := t.get(bucketClusters, name, &s)
	if err == nil && !ok {
		err = fmt.Errorf("cluster %q: %w", name, cluster.ErrNotFound)
	}
	return s, err
}

func (t *tx) putCluster(s cluster.Spec) error { return t.set(bucketClusters, s.Name, s) }

func (t *tx) removeCluster(name string) error {
	return t.write(bucketClusters, name, nil)
}

func (t *tx) clusters() ([]cluster.Spec, error) {
	var all []cluster.Spec
	err := t.bolt.Bucket(bucketClusters).ForEach(func(k, _ []byte) error {
		s, err := t.cluster(string(k))
		all = append(all, s)
		return err
	})
	return all, err
}

// endpoint returns nil where there is none.
func (t *tx) endpoint(id string) (*document, error) {
	d := &document{}
	ok, err := t.get(bucketEndpoints, id, d)
	if err != nil || !ok {
		return nil, err
	}
	return d, nil
}

// put saves the document under a new version. Versions are never used again, not even after
// an endpoint was deleted and made anew.
func (t *tx) put(d *document) error {
	if err := newerDocument(d.id(), d.Schema); err != nil {
		return err
	}
	n, err := t.nextVersion()
	if err != nil {
		return err
	}
	d.Schema, d.Version = documentSchema, n
	if d.Spec.Env.Secrets != nil {
		return errors.New("a document must not hold secrets")
	}
	return t.set(bucketEndpoints, d.id(), d)
}

// remove deletes the document and its secrets.
func (t *tx) remove(id string) error {
	if err := t.write(bucketSecrets, id, nil); err != nil {
		return err
	}
	return t.write(bucketEndpoints, id, nil)
}

func (t *tx) endpoints() ([]*document, error) {
	var all []*document
	err := t.bolt.Bucket(bucketEndpoints).ForEach(func(k, _ []byte) error {
		d, err := t.endpoint(string(k))
		all = append(all, d)
		return err
	})
	return all, err
}

func (t *tx) secrets(id string) (map[string]string, error) {
	var s map[string]string
	_, err := t.get(bucketSecrets, id, &s)
	return s, err
}

// setSecrets keeps s for the endpoint; nil leaves what is there.
func (t *tx) setSecrets(id string, s map[string]string) error {
	switch {
	case s == nil:
		return nil
	case len(s) == 0:
		return t.write(bucketSecrets, id, nil)
	}
	return t.set(bucketSecrets, id, s)
}

// missing reports whether err says that there is no store, or no data directory, at all.
func missing(err error) bool { return errors.Is(err, fs.ErrNotExist) }
