package process

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// A Server is a model server as its pid file tells of it.
type Server struct {
	Folder   string // of its pid file: the group's Config.State
	PID      int
	Port     int
	Revision string
	Since    time.Time
	Alive    bool // it runs, or what it started does
}

// Servers returns the model servers that the pid files below dir tell of, and touches none.
func Servers(dir string) ([]Server, error) {
	var all []Server
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil // nothing was ever started, or one has just ended
		}
		if err != nil || e.IsDir() || !strings.HasSuffix(path, ".pid") {
			return err
		}
		p, err := readPidFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		s := Server{Folder: filepath.Dir(path), PID: p.Pid, Port: p.Port, Revision: p.Revision, Alive: p.alive()}
		if info, err := os.Stat(path); err == nil {
			s.Since = info.ModTime()
		}
		all = append(all, s)
		return nil
	})
	return all, err
}

// alive tells whether there is anything left of the replica.
func (p pidFile) alive() bool {
	if p.Pid > 1 {
		if start, err := startOf(p.Pid); err == nil && start == p.Start && groupAlive(p.Pid) {
			return true
		}
	}
	return len(withEnvironment(p.environment())) > 0
}
