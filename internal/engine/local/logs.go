package local

import (
	"context"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
)

// Logs returns the log files of an endpoint's model servers, oldest first; of the engine
// itself where name is "". The name is an id or its last part.
func (e *Engine) Logs(ctx context.Context, name string) ([]string, error) {
	dir, err := e.config.dataDir()
	if err != nil {
		return nil, err
	}
	if name == "" {
		return []string{dir.log()}, nil
	}
	st, err := e.Status(ctx)
	if err != nil {
		return nil, err
	}
	var ids, found []string
	for _, ep := range st.Endpoints {
		ids = append(ids, ep.ID)
		if ep.ID == name || strings.HasSuffix(ep.ID, "/"+name) {
			found = append(found, ep.ID)
		}
	}
	if len(found) != 1 {
		return nil, fmt.Errorf("endpoint %q: %d endpoints are called that; want one of %s", name, len(found), list(ids))
	}
	var files []string
	err = filepath.WalkDir(dir.serversOf(found[0]), func(path string, _ fs.DirEntry, err error) error {
		if strings.HasSuffix(path, ".log") {
			files = append(files, path)
		}
		if missing(err) { // a folder of servers that ended long ago
			return nil
		}
		return err
	})
	return files, err
}

func list(names []string) string {
	if len(names) == 0 {
		return "none: there is no endpoint"
	}
	return strings.Join(names, ", ")
}
