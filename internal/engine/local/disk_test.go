package local

import "testing"

func TestDisksThatAreNearlyFull(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		free, total uint64
		want        bool
	}{{1 << 40, 2 << 40, false}, {1 << 30, 1 << 40, true}, {100 << 20, 1 << 30, true}, {10 << 30, 1 << 38, false}, {0, 1 << 30, true}, {0, 0, false}} {
		if got := (Disk{c.free, c.total}).nearlyFull(); got != c.want {
			t.Errorf("%d of %d free: %v", c.free, c.total, got)
		}
	}
}
