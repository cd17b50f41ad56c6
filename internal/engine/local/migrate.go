package local

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
)

// migrations take a store of the schema that is their index to the next one. Each works on the
// JSON as it was then, not on today's types.
var migrations = []func(*tx) error{
	1: numberDocuments,
}

// numberDocuments: schema 2 added fields that may be missing, so only the number changes. It is what keeps a program
// that would drop those fields from writing.
func numberDocuments(t *tx) error {
	var ids []string
	err := t.bolt.Bucket(bucketEndpoints).ForEach(func(k, _ []byte) error {
		ids = append(ids, string(k))
		return nil
	})
	for _, id := range ids {
		var doc map[string]json.RawMessage
		if _, err := t.get(bucketEndpoints, id, &doc); err != nil {
			return err
		}
		doc["schema"] = json.RawMessage("2")
		if err := t.set(bucketEndpoints, id, doc); err != nil {
			return err
		}
	}
	return err
}

// migrate brings the store to today's schema, all at once or not at all. What it was before stays
// beside it: a program of that time can go on with it.
func (s *store) migrate(migrations []func(*tx) error) error {
	from := 0
	err := s.view(func(t *tx) (err error) {
		from, err = t.schema()
		return err
	})
	if err != nil || from == 0 || from >= storeSchema {
		return err
	}
	if err := s.copyTo(copyOf(s.path, from)); err != nil {
		return fmt.Errorf("copy %s before it is changed to schema %d: %w; it is as it was", s.path, storeSchema, cause(err))
	}
	err = s.update(func(t *tx) error {
		for n := from; n < storeSchema; n++ {
			if err := migrations[n](t); err != nil {
				return err
			}
		}
		return t.setMeta("schema", strconv.Itoa(storeSchema))
	})
	if err != nil {
		return fmt.Errorf("change %s from schema %d to %d: %w; it is as it was", s.path, from, storeSchema, err)
	}
	return nil
}

// copyOf is where a store of an earlier schema is kept.
func copyOf(path string, schema int) string { return fmt.Sprintf("%s.schema-%d", path, schema) }

// copyTo writes the store to another file, which is whole on disk or not there.
func (s *store) copyTo(path string) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".store-*.db") // 0600
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(f.Name()) }() // gone already after the rename
	err = s.view(func(t *tx) error {
		_, err := t.bolt.WriteTo(f)
		return err
	})
	if err == nil {
		err = f.Sync()
	}
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

// schema is the number of the store's layout; 0 where it is still empty.
func (t *tx) schema() (int, error) {
	if t.bolt.Bucket(bucketMeta) == nil {
		return 0, nil
	}
	n, err := strconv.Atoi(t.meta("schema"))
	if err != nil || n < 1 {
		return 0, damaged(t.path, errors.New("it does not say its schema"))
	}
	return n, nil
}

// A newerError says that a later program wrote the store, or something in it.
type newerError string

func (e newerError) Error() string { return string(e) }

// newer returns a newerError where the store holds what this program would lose by writing: it may
// read it, as far as it understands it.
func (t *tx) newer() error {
	n, err := t.schema()
	if err != nil || n == 0 {
		return err
	}
	if n > storeSchema {
		return newerError(fmt.Sprintf("%s was written by a newer program (%s, schema %d; this one knows %d): "+
			"use that version, or move the data directory away and apply again", t.path, t.meta("program"), n, storeSchema))
	}
	if t.bolt.Bucket(bucketEndpoints) == nil {
		return nil // damaged, as others say
	}
	return t.bolt.Bucket(bucketEndpoints).ForEach(func(k, _ []byte) error {
		var d struct {
			Schema int `json:"schema"`
		}
		if _, err := t.get(bucketEndpoints, string(k), &d); err != nil {
			return err
		}
		return newerDocument(string(k), d.Schema)
	})
}

func newerDocument(id string, schema int) error {
	if schema <= documentSchema {
		return nil
	}
	return newerError(fmt.Sprintf("endpoint %s was written by a newer program (schema %d; this one knows %d): use that version", id, schema, documentSchema))
}
