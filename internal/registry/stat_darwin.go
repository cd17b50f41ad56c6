package registry

import (
	"io/fs"
	"syscall"
	"time"
)

// identity tells a file from another that took its name, and when it last changed in any way.
func identity(info fs.FileInfo) (device, inode uint64, changed time.Time) {
	s, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, 0, info.ModTime()
	}
	return uint64(s.Dev), s.Ino, time.Unix(s.Ctimespec.Sec, s.Ctimespec.Nsec)
}
