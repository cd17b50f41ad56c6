package terraform

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// mostValue bounds what is held of a plan's JSON at once: one resource change, with its before and after.
const mostValue = 256 << 20

// A skimmer walks over JSON without building it: what nobody asks for costs a look at each byte and no memory.
// Plans name everything three times, and only one of these is wanted. What is taken is checked by encoding/json,
// what is skipped only for its brackets and strings.
type skimmer struct {
	r    *bufio.Reader
	read int64 // bytes so far
}

func newSkimmer(r io.Reader) *skimmer { return &skimmer{r: bufio.NewReaderSize(r, 1<<16)} }

// object calls f for every member of the object that comes next. f must take or skip the member's value.
func (s *skimmer) object(f func(key string) error) error {
	return s.members('{', '}', func() error {
		var key string
		if err := s.take(&key); err != nil {
			return err
		}
		if err := s.expect(':'); err != nil {
			return err
		}
		return f(key)
	})
}

// array calls f for every element of the array that comes next, or not at all for null.
func (s *skimmer) array(f func() error) error {
	c, err := s.peek()
	if err != nil {
		return err
	}
	if c == 'n' {
		return s.skip()
	}
	return s.members('[', ']', f)
}

func (s *skimmer) members(from, to byte, f func() error) error {
	if err := s.expect(from); err != nil {
		return err
	}
	c, err := s.peek()
	if err != nil {
		return err
	}
	if c == to {
		return s.expect(to)
	}
	for {
		if err := f(); err != nil {
			return err
		}
		c, err := s.next()
		switch {
		case err != nil:
			return err
		case c == to:
			return nil
		case c != ',':
			return s.unexpected(c)
		}
	}
}

// take decodes the value that comes next. Numbers in it stay text.
func (s *skimmer) take(into any) error {
	var b bytes.Buffer
	if err := s.value(&b); err != nil {
		return err
	}
	dec := json.NewDecoder(&b)
	dec.UseNumber()
	if err := dec.Decode(into); err != nil {
		return fmt.Errorf("value before byte %d: %w", s.read, tame(err))
	}
	if dec.More() {
		return fmt.Errorf("value before byte %d: more than one", s.read)
	}
	return nil
}

// tame keeps what encoding/json says of types, without the values that it quotes.
func tame(err error) error {
	var wrong *json.UnmarshalTypeError
	if errors.As(err, &wrong) {
		return fmt.Errorf("field %q is not what a plan has there", wrong.Field)
	}
	return errors.New("not valid JSON")
}

func (s *skimmer) skip() error { return s.value(nil) }

// value moves behind the value that comes next, and copies it if there is somewhere to.
func (s *skimmer) value(to *bytes.Buffer) error {
	c, err := s.peek()
	if err != nil {
		return err
	}
	switch c {
	case '"', '{', '[':
		return s.nested(to)
	case ',', ':', '}', ']':
		return s.unexpected(c)
	}
	for { // a number, true, false, null
		c, err := s.r.ReadByte()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if c == ',' || c == '}' || c == ']' || isSpace(c) {
			return s.r.UnreadByte()
		}
		s.read++
		if to != nil {
			to.WriteByte(c)
		}
	}
}

// nested moves behind a string, an object or an array.
func (s *skimmer) nested(to *bytes.Buffer) error {
	depth, quoted := 0, false
	for {
		chunk, err := s.chunk()
		if err != nil {
			return err
		}
		n, end := 0, false
		for n < len(chunk) && !end {
			c := chunk[n]
			n++
			switch {
			case quoted && c == '\\':
				if n == len(chunk) && n > 1 {
					n-- // the escaped character is in the next chunk: look at both again
					chunk = chunk[:n]
					continue
				}
				n++
			case c == '"':
				quoted = !quoted
				end = !quoted && depth == 0
			case quoted:
			case c == '{' || c == '[':
				depth++
			case c == '}' || c == ']':
				depth--
				end = depth <= 0
			}
		}
		n = min(n, len(chunk))
		if to != nil {
			if to.Len()+n > mostValue {
				return fmt.Errorf("a value at byte %d is longer than %d MiB", s.read, mostValue>>20)
			}
			to.Write(chunk[:n])
		}
		if _, err := s.r.Discard(n); err != nil {
			return err
		}
		s.read += int64(n)
		if end {
			return nil
		}
	}
}

// chunk is what is at hand, at least two bytes unless the stream ends: a backslash needs its companion.
func (s *skimmer) chunk() ([]byte, error) {
	if _, err := s.r.Peek(2); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	b, err := s.r.Peek(max(s.r.Buffered(), 1))
	if len(b) == 0 {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return nil, err
	}
	if len(b) == 1 && b[0] == '\\' {
		return nil, io.ErrUnexpectedEOF
	}
	return b, nil
}

// end checks that nothing follows.
func (s *skimmer) end() error {
	c, err := s.peek()
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return nil
	}
	if err != nil {
		return err
	}
	return s.unexpected(c)
}

func (s *skimmer) expect(want byte) error {
	c, err := s.next()
	if err == nil && c != want {
		return s.unexpected(c)
	}
	return err
}

func (s *skimmer) next() (byte, error) {
	if _, err := s.peek(); err != nil {
		return 0, err
	}
	s.read++
	return s.r.ReadByte()
}

// peek is the next byte that is not white space.
func (s *skimmer) peek() (byte, error) {
	for {
		c, err := s.r.ReadByte()
		if errors.Is(err, io.EOF) {
			return 0, io.ErrUnexpectedEOF
		}
		if err != nil {
			return 0, err
		}
		if !isSpace(c) {
			return c, s.r.UnreadByte()
		}
		s.read++
	}
}

func (s *skimmer) unexpected(c byte) error {
	return fmt.Errorf("byte %d: unexpected %q", s.read, rune(c))
}

func isSpace(c byte) bool { return c == ' ' || c == '\n' || c == '\t' || c == '\r' }
