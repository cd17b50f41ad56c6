package local

import (
	"fmt"
	"os"
	"strconv"
	"strings"
)

// The mark is the number of the last transaction that was reported as written, beside the store. It is written
// after the store, and not synced: it may be behind, and is never ahead. Only a store one of whose two headers is
// not whole is held against it, so that an older copy may be put back.

const markLength = 20 // digits, and a line break follows

func markOf(path string) string { return path + ".mark" }

// writeMark is allowed to fail: without a mark a torn write and a damaged header look alike.
func writeMark(path string, tx int) {
	f, err := os.OpenFile(markOf(path), os.O_WRONLY|os.O_CREATE, 0o600)
	if err != nil {
		return
	}
	_, _ = fmt.Fprintf(f, "%0*d\n", markLength, tx)
	_ = f.Close()
}

// readMark returns 0 where there is none that can be read.
func readMark(path string) uint64 {
	b, err := os.ReadFile(markOf(path))
	text, whole := strings.CutSuffix(string(b), "\n")
	if err != nil || !whole || len(text) != markLength {
		return 0
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		return 0
	}
	return n
}
