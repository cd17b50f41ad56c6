package local

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
)

// socketLimit is the longest path of a unix socket that all systems take: sun_path holds 104
// bytes on macOS, 108 on Linux, with a zero at the end.
const socketLimit = 100

// socket returns where the daemon listens: in the data directory, or, where that path is too
// long, in a private folder of the runtime directory. Clients read the choice in engine.json.
func (d dataDir) socket(runtimeDir string) (string, error) {
	if p := d.path("engine.sock"); len(p) <= socketLimit {
		return p, nil
	}
	sum := sha256.Sum256([]byte(d))
	folder := "tidegate-" + strconv.Itoa(os.Geteuid()) + "-" + hex.EncodeToString(sum[:6])
	for _, base := range []string{runtimeDir, os.TempDir(), "/tmp"} {
		dir := filepath.Join(base, folder)
		if base == "" || len(dir)+len("/engine.sock") > socketLimit {
			continue
		}
		if err := private(dir); err != nil {
			return "", err
		}
		return filepath.Join(dir, "engine.sock"), nil
	}
	return "", fmt.Errorf("data directory %s: no folder with a path short enough for its socket: set XDG_RUNTIME_DIR to one", d)
}

// private makes dir for this user alone. In a folder that all can write to, somebody else may
// have put one there first, or a link.
func private(dir string) error {
	if err := os.Mkdir(dir, 0o700); err != nil && !os.IsExist(err) {
		return fmt.Errorf("socket folder %s: %w", dir, cause(err))
	}
	info, err := os.Lstat(dir)
	if err != nil {
		return fmt.Errorf("socket folder %s: %w", dir, cause(err))
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok || !info.IsDir() || int(st.Uid) != os.Geteuid() || info.Mode().Perm() != 0o700 {
		return fmt.Errorf("socket folder %s: is not a private folder of user %d: remove it, or set XDG_RUNTIME_DIR", dir, os.Geteuid())
	}
	return nil
}
