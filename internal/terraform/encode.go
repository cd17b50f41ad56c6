package terraform

import (
	"bytes"
	"compress/flate"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"maps"
	"slices"
	"sort"
	"strings"
)

// An encoded fingerprint is "1." and base64 of deflated bytes: the version, whether it has a key, the sum; then the parts'
// names and attributes' paths, each as how much of the one before it begins with and the rest; then all hashes. Names
// in a row are alike and hashes are not, so they are kept apart.
const encoded = "1."

const (
	leastEncoded = 200      // characters that are enough for a fingerprint without parts
	mostEncoded  = 1 << 20  // characters that Decode looks at
	mostDecoded  = 16 << 20 // bytes that it makes of them
)

// Encode writes a fingerprint in at most limit characters (letters, digits, "-", "_" and "."). Where there is no room
// it first leaves out attributes, then folds resources into groups by module and type: Diff then names the group.
// The least that it needs is 200 characters.
func (f Fingerprint) Encode(limit int) (string, error) {
	if limit < leastEncoded {
		return "", fmt.Errorf("a fingerprint in %d characters: it needs at least %d", limit, leastEncoded)
	}
	limit = min(limit, mostEncoded)
	fits := func(parts []Part) (string, bool) {
		if hashes(parts)*4/3 > limit {
			return "", false // they do not shrink: no need to try
		}
		text := f.encode(parts)
		return text, len(text) <= limit
	}
	if text, ok := fits(f.Parts); ok {
		return text, nil
	}
	// The first n of what costs most go, the fewest that are enough.
	steps := []func(n int) []Part{f.without}
	bare := f.without(len(f.Parts))
	for level := byType; level <= together; level++ {
		steps = append(steps, func(n int) []Part { return foldLargest(bare, level, n) })
	}
	for _, step := range steps {
		text, ok := fits(step(len(bare)))
		if !ok {
			continue
		}
		n := sort.Search(len(bare), func(n int) bool { _, ok := fits(step(n)); return ok })
		if best, ok := fits(step(n)); ok {
			return best, nil
		}
		return text, nil
	}
	if text, ok := fits(nil); ok {
		return text, nil
	}
	return "", fmt.Errorf("a fingerprint does not fit into %d characters", limit)
}

// hashes is how many bytes of hashes there are.
func hashes(parts []Part) (bytes int) {
	for _, p := range parts {
		bytes += sumBytes + leafSum*len(p.Attributes)
	}
	return bytes
}

// without leaves out the attributes of the n parts that have most of them.
func (f Fingerprint) without(n int) []Part {
	order := make([]int, len(f.Parts))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return len(f.Parts[b].Attributes) - len(f.Parts[a].Attributes) })
	out := slices.Clone(f.Parts)
	for _, i := range order[:n] {
		out[i].Attributes = nil
	}
	return out
}

// foldLargest folds the n groups with most members.
func foldLargest(parts []Part, level, n int) []Part {
	size := map[string]int{}
	for _, p := range parts {
		if g := group(p.Name, level); g != "" {
			size[g]++
		}
	}
	names := slices.Sorted(maps.Keys(size))
	slices.SortStableFunc(names, func(a, b string) int { return size[b] - size[a] })
	chosen := map[string]bool{}
	for _, name := range names[:min(n, len(names))] {
		chosen[name] = true
	}
	return fold(parts, level, func(g string) bool { return chosen[g] })
}

func (f Fingerprint) encode(parts []Part) string {
	var names, sums []byte
	names = binary.AppendUvarint(names, uint64(len(parts)))
	last := ""
	for _, p := range parts {
		names = appendName(names, last, p.Name)
		last = p.Name
		sums = appendHex(sums, p.Sum)
		names = binary.AppendUvarint(names, uint64(len(p.Attributes)))
		path := ""
		for _, next := range slices.Sorted(maps.Keys(p.Attributes)) {
			names = appendName(names, path, next)
			path = next
			sums = appendHex(sums, p.Attributes[next])
		}
	}
	head := []byte{byte(f.Version), 0}
	if f.Keyed {
		head[1] = 1
	}
	head = appendHex(head, f.Sum)
	var b bytes.Buffer
	w, err := flate.NewWriter(&b, flate.DefaultCompression)
	if err != nil {
		panic(err) // the level is a constant
	}
	all := slices.Concat(head, names, sums)
	_, _ = w.Write(binary.BigEndian.AppendUint32(all, crc32.ChecksumIEEE(all))) // a buffer takes all
	_ = w.Close()
	return encoded + base64.RawURLEncoding.EncodeToString(b.Bytes())
}

// appendName writes a name as the length of what it shares with the one before, and the rest.
func appendName(to []byte, last, name string) []byte {
	n := 0
	for n < min(len(last), len(name)) && last[n] == name[n] {
		n++
	}
	return appendText(binary.AppendUvarint(to, uint64(n)), name[n:])
}

func appendHex(to []byte, digits string) []byte {
	b, _ := hex.DecodeString(digits) // of our own making
	return append(to, b...)
}

var errNoFingerprint = errors.New("this is no fingerprint, or only a piece of one")

// DecodeFingerprint reads what Encode wrote, and nothing else.
func DecodeFingerprint(text string) (Fingerprint, error) {
	version, body, ok := strings.Cut(text, ".")
	switch {
	case !ok || len(text) > mostEncoded || strings.Trim(version, "0123456789") != "":
		return Fingerprint{}, errNoFingerprint
	case version+"." != encoded:
		return Fingerprint{}, fmt.Errorf("a fingerprint of format %.10q: this program reads format \"1\"; another version of Tidegate wrote it", version)
	}
	packed, err := base64.RawURLEncoding.Strict().DecodeString(body)
	if err != nil || strings.ContainsAny(body, "\r\n") {
		return Fingerprint{}, errNoFingerprint
	}
	b, err := io.ReadAll(io.LimitReader(flate.NewReader(bytes.NewReader(packed)), mostDecoded+1))
	if err != nil || len(b) > mostDecoded {
		return Fingerprint{}, errNoFingerprint
	}
	f, err := unpack(b)
	if err != nil {
		return Fingerprint{}, err
	}
	if f.encode(f.Parts) != text {
		return Fingerprint{}, errNoFingerprint // another way to write the same: nobody of ours did
	}
	return f, nil
}

// unpack reads the bytes of a fingerprint.
func unpack(b []byte) (Fingerprint, error) {
	const head, check = 2 + 32, 4
	if len(b) < head+check || b[1] > 1 || crc32.ChecksumIEEE(b[:len(b)-check]) != binary.BigEndian.Uint32(b[len(b)-check:]) {
		return Fingerprint{}, errNoFingerprint
	}
	f := Fingerprint{Version: int(b[0]), Keyed: b[1] == 1, Sum: hex.EncodeToString(b[2:head])}
	u := &unpacker{b: b[head : len(b)-check]}
	count := u.count()
	paths := make([][]string, 0, count)
	last := ""
	for range count {
		last = u.name(last)
		f.Parts = append(f.Parts, Part{Name: last})
		var list []string
		path := ""
		for range u.count() {
			path = u.name(path)
			list = append(list, path)
		}
		paths = append(paths, list)
	}
	for i := range f.Parts {
		f.Parts[i].Sum = u.hex(sumBytes)
		for _, path := range paths[i] {
			if f.Parts[i].Attributes == nil {
				f.Parts[i].Attributes = map[string]string{}
			}
			f.Parts[i].Attributes[path] = u.hex(leafSum)
		}
	}
	if u.bad || len(u.b) > 0 {
		return Fingerprint{}, errNoFingerprint
	}
	return f, nil
}

// An unpacker takes bytes from the front. Once there were too few, all that it gives is empty.
type unpacker struct {
	b    []byte
	bad  bool
	made int // bytes of names
}

func (u *unpacker) take(n uint64) []byte {
	if u.bad || n > uint64(len(u.b)) {
		u.bad, u.b = true, nil
		return nil
	}
	out := u.b[:n]
	u.b = u.b[n:]
	return out
}

// count is a number of things that take at least a byte each.
func (u *unpacker) count() int {
	n, size := binary.Uvarint(u.b)
	if size <= 0 || n > uint64(len(u.b)) {
		u.bad, u.b = true, nil
		return 0
	}
	u.b = u.b[size:]
	return int(n)
}

func (u *unpacker) name(last string) string {
	shared := u.count()
	rest := string(u.take(uint64(u.count())))
	// Names that share much with the one before could grow without end.
	if u.made += shared + len(rest); shared > len(last) || u.made > mostDecoded {
		u.bad, u.b = true, nil
		return ""
	}
	return last[:shared] + rest
}

func (u *unpacker) hex(n uint64) string { return hex.EncodeToString(u.take(n)) }
