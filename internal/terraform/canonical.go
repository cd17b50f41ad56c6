package terraform

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash"
	"maps"
	"slices"
)

const (
	leastKey = 16 // bytes of a secret that keys are made of
	sumBytes = 8  // of a part
	leafSum  = 4  // bytes of an attribute: it only names what differs, equality goes by the whole sum
)

// DeriveKey makes a key for one purpose of a secret, by HKDF-SHA256, so that no key is used for two things. The secret
// needs at least 16 bytes.
func DeriveKey(secret []byte, purpose string) ([]byte, error) {
	if len(secret) < leastKey {
		return nil, fmt.Errorf("the secret that keys are made of has %d bytes: it needs at least %d; make one with: openssl rand -base64 32", len(secret), leastKey)
	}
	return hkdf.Key(sha256.New, secret, nil, "tidegate "+purpose, sha256.Size)
}

// A hasher makes the sums of a fingerprint. It is for one goroutine.
type hasher struct {
	mac   hash.Hash
	buf   []byte
	keyed bool
}

// newHasher makes a hasher with a key of its own; without a secret, with one that everybody knows.
func newHasher(secret []byte) (*hasher, error) {
	key := []byte("tidegate fingerprint without a key")
	if len(secret) > 0 {
		var err error
		if key, err = DeriveKey(secret, "fingerprint"); err != nil {
			return nil, err
		}
	}
	return &hasher{mac: hmac.New(sha256.New, key), keyed: len(secret) > 0}, nil
}

// sum of values, told apart by kind and length, so that no two lists of values have the same bytes.
func (h *hasher) sum(values ...any) [sha256.Size]byte {
	h.buf = h.buf[:0]
	for _, v := range values {
		h.buf = canonical(h.buf, v)
	}
	h.mac.Reset()
	h.mac.Write(h.buf)
	var out [sha256.Size]byte
	h.mac.Sum(out[:0])
	return out
}

// canonical appends the one way to write a value: a letter for its kind, its length, its bytes; keys sorted, numbers as
// the tool wrote them.
func canonical(to []byte, v any) []byte {
	switch v := v.(type) {
	case nil:
		return append(to, 'z')
	case bool:
		if v {
			return append(to, 't')
		}
		return append(to, 'f')
	case string:
		return appendText(append(to, 's'), v)
	case json.Number:
		return appendText(append(to, 'n'), v.String())
	case []byte:
		return append(binary.AppendUvarint(append(to, 'b'), uint64(len(v))), v...)
	case []any:
		to = binary.AppendUvarint(append(to, 'l'), uint64(len(v)))
		for _, e := range v {
			to = canonical(to, e)
		}
		return to
	case map[string]any:
		to = binary.AppendUvarint(append(to, 'm'), uint64(len(v)))
		for _, k := range slices.Sorted(maps.Keys(v)) {
			to = canonical(appendText(to, k), v[k])
		}
		return to
	case cell:
		return canonicalCell(to, v)
	}
	panic(fmt.Sprintf("no canonical form of %T", v)) // a slip of the caller's: JSON has none of it
}

// canonicalCell keeps apart what is absent, unknown, sensitive and known, also where the value is the same.
func canonicalCell(to []byte, c cell) []byte {
	to = append(to, 'c', byte('0'+c.kind))
	if c.marked {
		to = append(to, 'x')
	}
	return canonical(to, c.value)
}

func appendText(to []byte, s string) []byte {
	return append(binary.AppendUvarint(to, uint64(len(s))), s...)
}
