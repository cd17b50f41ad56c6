package local

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"math"
	"os"
)

// bbolt trusts the pages of its file: a list of free pages that names one in use makes the next
// write destroy data, a circle of pages never ends, a count too high takes all memory. So they are
// looked at before bbolt does: https://github.com/etcd-io/bbolt/blob/main/internal/common has the layout.

const (
	boltMagic      = 0xED0CDAED
	boltVersion    = 2
	pageHeader     = 16 // id 8, flags 2, count 2, overflow 4
	pageElement    = 16
	bucketHeader   = 16 // root 8, sequence 8
	flagBranch     = 0x01
	flagLeaf       = 0x02
	flagFreelist   = 0x10
	elementBucket  = 0x01
	noFreelist     = math.MaxUint64
	metaLength     = 64
	metaSumAt      = 56
	mostPageBytes  = 1 << 30
	leastPageBytes = 512
)

var order = binary.NativeEndian

// A boltMeta is one of the two headers: the newer one holds the latest transaction.
type boltMeta struct{ pageSize, root, freelist, pages, tx uint64 }

// pages is a file being looked at.
type pages struct {
	file io.ReaderAt
	meta boltMeta
	used []bool
}

// checkPages refuses a file whose pages do not hang together. What they hold is the seal's to check.
func checkPages(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }() // it was only read
	info, err := f.Stat()
	if err != nil {
		return err
	}
	p := pages{file: f}
	if p.meta, err = newestMeta(f, readMark(path)); err != nil {
		return err
	}
	if p.meta.pages > uint64(info.Size())/p.meta.pageSize {
		return fmt.Errorf("it was cut short: %d bytes are left of %d pages of %d", info.Size(), p.meta.pages, p.meta.pageSize)
	}
	p.used = make([]bool, p.meta.pages)
	p.used[0], p.used[1] = true, true
	if err := p.tree(p.meta.root); err != nil {
		return err
	}
	return p.freelist()
}

// newestMeta returns the header in force. Where only one is whole, the other may be a write that a power
// cut tore, which nobody was told of; or the last thing that was written, such as a roll-back, which bbolt would
// forget in silence. The mark tells.
func newestMeta(f io.ReaderAt, mark uint64) (boltMeta, error) {
	first, why := readMeta(f, 0)
	size := first.pageSize
	if why != nil { // where the second one is has to be found
		for size = leastPageBytes; size <= 64<<10; size *= 2 {
			if m, err := readMeta(f, int64(size)); err == nil && m.pageSize == size {
				break
			}
		}
	}
	second, err := readMeta(f, int64(size))
	switch {
	case why != nil && err != nil:
		return first, why
	case why != nil:
		return second, second.latest(mark)
	case err != nil:
		return first, first.latest(mark)
	case second.pageSize != first.pageSize || first.tx+1 != second.tx && second.tx+1 != first.tx:
		return first, errors.New("its two headers do not belong together")
	case second.tx > first.tx:
		return second, nil
	}
	return first, nil
}

// latest refuses a header that stands alone and is older than the mark.
func (m boltMeta) latest(mark uint64) error {
	if m.tx < mark {
		return fmt.Errorf("one of its two headers is not as it was written: transaction %d was the last, and %d is left", mark, m.tx)
	}
	return nil
}

func readMeta(f io.ReaderAt, at int64) (boltMeta, error) {
	b := make([]byte, metaLength)
	if _, err := f.ReadAt(b, at+pageHeader); err != nil {
		return boltMeta{}, errors.New("it is too short")
	}
	sum := fnv.New64a()
	_, _ = sum.Write(b[:metaSumAt]) // a hash never fails
	m := boltMeta{pageSize: uint64(order.Uint32(b[8:])), root: order.Uint64(b[16:]), freelist: order.Uint64(b[32:]),
		pages: order.Uint64(b[40:]), tx: order.Uint64(b[48:])}
	switch {
	case order.Uint32(b) != boltMagic || order.Uint32(b[4:]) != boltVersion:
		return m, errors.New("it has another format")
	case order.Uint64(b[metaSumAt:]) != sum.Sum64() || m.pages < 4 || m.pageSize < leastPageBytes || m.pageSize > mostPageBytes:
		return m, errors.New("one of its two headers is not as it was written")
	}
	return m, nil
}

// take reads a page with its overflow, once.
func (p *pages) take(id uint64) ([]byte, error) {
	if id >= p.meta.pages {
		return nil, fmt.Errorf("page %d is named, of %d", id, p.meta.pages)
	}
	head := make([]byte, pageHeader)
	if _, err := p.file.ReadAt(head, int64(id*p.meta.pageSize)); err != nil {
		return nil, err
	}
	n := 1 + uint64(order.Uint32(head[12:]))
	if order.Uint64(head) != id || n > p.meta.pages-id {
		return nil, fmt.Errorf("page %d is not as it was written", id)
	}
	for i := id; i < id+n; i++ {
		if err := p.use(i); err != nil {
			return nil, err
		}
	}
	b := make([]byte, n*p.meta.pageSize)
	_, err := p.file.ReadAt(b, int64(id*p.meta.pageSize))
	return b, err
}

func (p *pages) use(id uint64) error {
	if id >= p.meta.pages || p.used[id] {
		return fmt.Errorf("page %d has two uses", id)
	}
	p.used[id] = true
	return nil
}

// tree walks a bucket's pages.
func (p *pages) tree(root uint64) error {
	b, err := p.take(root)
	if err != nil {
		return err
	}
	return p.elements(b)
}

// elements walks what a page names: the pages of a branch, the buckets in a leaf.
func (p *pages) elements(b []byte) error {
	if len(b) < pageHeader {
		return errors.New("a page is too short")
	}
	flags, count := order.Uint16(b[8:]), int(order.Uint16(b[10:]))
	if flags != flagBranch && flags != flagLeaf || pageHeader+count*pageElement > len(b) {
		return fmt.Errorf("page %d is not as it was written", order.Uint64(b))
	}
	for i := range count {
		at := pageHeader + i*pageElement
		if flags == flagBranch {
			if err := p.tree(order.Uint64(b[at+8:])); err != nil {
				return err
			}
			continue
		}
		if err := p.leafElement(b, at); err != nil {
			return err
		}
	}
	return nil
}

// leafElement looks at a key with its value, or with a bucket, which has its own pages or is in
// the value itself.
func (p *pages) leafElement(b []byte, at int) error {
	flags, pos := order.Uint32(b[at:]), uint64(order.Uint32(b[at+4:]))
	key, value := uint64(order.Uint32(b[at+8:])), uint64(order.Uint32(b[at+12:]))
	begin, end := uint64(at)+pos+key, uint64(at)+pos+key+value
	if end > uint64(len(b)) || flags > elementBucket {
		return fmt.Errorf("page %d holds more than a page", order.Uint64(b))
	}
	if flags != elementBucket {
		return nil
	}
	v := b[begin:end]
	if len(v) < bucketHeader {
		return fmt.Errorf("page %d is not as it was written", order.Uint64(b))
	}
	if root := order.Uint64(v); root != 0 {
		return p.tree(root)
	}
	return p.elements(v[bucketHeader:])
}

// freelist refuses a list of free pages that names one in use.
func (p *pages) freelist() error {
	if p.meta.freelist == noFreelist {
		return nil
	}
	b, err := p.take(p.meta.freelist)
	if err != nil {
		return err
	}
	count, at := uint64(order.Uint16(b[10:])), pageHeader
	if count == math.MaxUint16 { // then the first number is the count
		count, at = order.Uint64(b[at:]), at+8
	}
	if order.Uint16(b[8:]) != flagFreelist || count > uint64(len(b)-at)/8 {
		return errors.New("its list of free pages is not as it was written")
	}
	for ; count > 0; count, at = count-1, at+8 {
		if err := p.use(order.Uint64(b[at:])); err != nil {
			return err
		}
	}
	return nil
}
