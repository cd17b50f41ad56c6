package gate

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"slices"
)

// Floats is a long list of numbers, most of them 0. In JSON it is a short text, as records are saved each second:
// its length, where the first number stands, and base64 of the numbers up to the last one.
type Floats []float32

type packed struct {
	Length int    `json:"length"`
	From   int    `json:"from"`
	Base64 string `json:"base64"`
}

// longest bounds what a record that was edited by hand can ask for.
const longest = 1 << 16

// MarshalJSON packs.
func (f Floats) MarshalJSON() ([]byte, error) {
	from, to := 0, len(f)
	for from < to && f[from] == 0 {
		from++
	}
	for to > from && f[to-1] == 0 {
		to--
	}
	b := make([]byte, 0, 4*(to-from))
	for _, x := range f[from:to] {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(x))
	}
	return json.Marshal(packed{len(f), from, base64.StdEncoding.EncodeToString(b)})
}

// UnmarshalJSON unpacks.
func (f *Floats) UnmarshalJSON(b []byte) error {
	var p packed
	if err := json.Unmarshal(b, &p); err != nil {
		return fmt.Errorf("packed numbers: %w", err)
	}
	raw, err := base64.StdEncoding.DecodeString(p.Base64)
	if err != nil {
		return fmt.Errorf("packed numbers: %w", err)
	}
	if p.Length < 0 || p.Length > longest || p.From < 0 || p.From > p.Length || len(raw)%4 != 0 || p.From+len(raw)/4 > p.Length {
		return fmt.Errorf("packed numbers: %d bytes from number %d of %d do not fit", len(raw), p.From, p.Length)
	}
	*f = make(Floats, p.Length)
	for i := range len(raw) / 4 {
		(*f)[p.From+i] = finite32(float64(math.Float32frombits(binary.LittleEndian.Uint32(raw[4*i:]))))
	}
	return nil
}

// shaped returns a copy of the length, with numbers only; zeros where the length was another.
func (f Floats) shaped(length int) Floats {
	next := make(Floats, length)
	if len(f) == length {
		copy(next, f)
		for i, x := range next {
			if x-x != 0 { // what is not finite
				next[i] = finite32(float64(x))
			}
		}
	}
	return next
}

// Counts is a long list of counts, with many zeros at its end. These are left out of JSON.
type Counts []uint64

// MarshalJSON leaves out zeros at the end.
func (c Counts) MarshalJSON() ([]byte, error) {
	to := len(c)
	for to > 0 && c[to-1] == 0 {
		to--
	}
	return json.Marshal(append([]uint64{}, c[:to]...))
}

// UnmarshalJSON gives one count for each edge.
func (c *Counts) UnmarshalJSON(b []byte) error {
	var short []uint64
	if err := json.Unmarshal(b, &short); err != nil {
		return fmt.Errorf("counts: %w", err)
	}
	if len(short) > Edges {
		return fmt.Errorf("counts: %d of them, want at most %d", len(short), Edges)
	}
	*c = append(slices.Grow(Counts(short), Edges-len(short)), make(Counts, Edges-len(short))...)
	return nil
}
