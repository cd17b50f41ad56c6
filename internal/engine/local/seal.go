package local

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
)

// What bbolt keeps of a page has no checksum. A disk that returns other bytes than were written
// must not become another weight, so the store carries its own: each JSON value begins with the
// sum of itself, its key and its bucket, and the seal in bucketMeta is the sum of all entries there
// are, so that none is missing and none came back.

const (
	metaSeal   = "seal"
	sealPrefix = "sha256:" // then 64 hex digits, a space, and the JSON; values without it are from before there were seals
	sealLength = len(sealPrefix) + 2*sha256.Size + 1
)

var errSum = errors.New("its bytes are not those that were written")

// sumOf is what stands for one entry.
func sumOf(bucket []byte, key string, value []byte) [sha256.Size]byte {
	h := sha256.New()
	fmt.Fprintf(h, "%d %d %d ", len(bucket), len(key), len(value))
	h.Write(bucket)
	h.Write([]byte(key))
	h.Write(value)
	return [sha256.Size]byte(h.Sum(nil))
}

// wrap puts a value's sum before it.
func wrap(bucket []byte, key string, value []byte) []byte {
	sum := sumOf(bucket, key, value)
	b := make([]byte, 0, sealLength+len(value))
	b = append(b, sealPrefix...)
	b = hex.AppendEncode(b, sum[:])
	b = append(b, ' ')
	return append(b, value...)
}

// unwrap returns the value behind its sum, if it is the one that was written.
func unwrap(bucket []byte, key string, b []byte) ([]byte, error) {
	if !bytes.HasPrefix(b, []byte(sealPrefix)) {
		return b, nil
	}
	if len(b) < sealLength {
		return nil, errSum
	}
	value := b[sealLength:]
	if !bytes.Equal(wrap(bucket, key, value)[:sealLength], b[:sealLength]) {
		return nil, errSum
	}
	return value, nil
}

// A seal is the sum of all entries, in any order, and the number of the latest version.
type seal struct {
	sum  [sha256.Size]byte
	last uint64
}

// add takes an entry in that is not there, or out that is.
func (s *seal) add(bucket []byte, key string, value []byte) {
	sum := sumOf(bucket, key, value)
	for i := range s.sum {
		s.sum[i] ^= sum[i]
	}
}

func (s seal) String() string { return fmt.Sprintf("%x %d", s.sum, s.last) }

// write writes one entry, nil to remove it, and the seal with it.
func (t *tx) write(bucket []byte, key string, value []byte) error {
	s, err := t.seal()
	if err != nil {
		return err
	}
	b := t.bolt.Bucket(bucket)
	if old := b.Get([]byte(key)); old != nil {
		s.add(bucket, key, old)
	}
	if value == nil {
		err = b.Delete([]byte(key))
	} else {
		s.add(bucket, key, value)
		err = b.Put([]byte(key), value)
	}
	if err != nil {
		return err
	}
	return t.setSeal(s)
}

// nextVersion counts on. Versions are never used again, not even after an endpoint was deleted
// and made anew.
func (t *tx) nextVersion() (uint64, error) {
	s, err := t.seal()
	if err != nil {
		return 0, err
	}
	if s.last, err = t.bolt.Bucket(bucketEndpoints).NextSequence(); err != nil {
		return 0, err
	}
	return s.last, t.setSeal(s)
}

// seal reads the seal; that of a store from before there were seals is made of what is there.
func (t *tx) seal() (seal, error) {
	text := t.meta(metaSeal)
	if text == "" {
		return t.count()
	}
	var s seal
	var sum []byte
	if n, err := fmt.Sscanf(text, "%x %d", &sum, &s.last); n != 2 || err != nil || len(sum) != len(s.sum) {
		return s, damaged(t.path, errors.New("its seal cannot be read"))
	}
	copy(s.sum[:], sum)
	return s, nil
}

func (t *tx) setSeal(s seal) error {
	return t.bolt.Bucket(bucketMeta).Put([]byte(metaSeal), []byte(s.String()))
}

// count makes the seal of what is there. It also finds entries that can be listed but not looked up.
func (t *tx) count() (seal, error) {
	var s seal
	for _, bucket := range [][]byte{bucketMeta, bucketClusters, bucketEndpoints, bucketSecrets} {
		b := t.bolt.Bucket(bucket)
		if b == nil {
			return s, damaged(t.path, fmt.Errorf("its part %q is missing", bucket))
		}
		if bytes.Equal(bucket, bucketEndpoints) {
			s.last = b.Sequence()
		}
		err := b.ForEach(func(k, v []byte) error {
			if v == nil || !bytes.Equal(b.Get(k), v) {
				return damaged(t.path, fmt.Errorf("%s %q is not where it belongs", bucket, k))
			}
			if !bytes.Equal(bucket, bucketMeta) || string(k) != metaSeal {
				s.add(bucket, string(k), v)
			}
			return nil
		})
		if err != nil {
			return s, err
		}
	}
	return s, nil
}

// checkSeal refuses a store whose entries are not all there, and as they were written.
func (t *tx) checkSeal() error {
	s, err := t.count()
	if err != nil {
		return err
	}
	switch text := t.meta(metaSeal); {
	case text == s.String():
		return nil
	case text != "" || t.wrapped():
		return damaged(t.path, errors.New("its entries are not those that were written last"))
	}
	return nil // from before there were seals
}

// wrapped reports whether a value has a sum, so that there was a seal too.
func (t *tx) wrapped() bool {
	found := false
	for _, bucket := range [][]byte{bucketClusters, bucketEndpoints, bucketSecrets} {
		_ = t.bolt.Bucket(bucket).ForEach(func(_, v []byte) error {
			found = found || strings.HasPrefix(string(v), sealPrefix)
			return nil
		})
	}
	return found
}
