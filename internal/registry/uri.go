package registry

import (
	"fmt"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
)

var scheme = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9+.-]*://`)

// Locate returns the absolute path that a model URI names, whether or not anything is there.
// What follows "file://" is a path, not a host: "file://models/x.json" is models/x.json below root.
// In a URI %20 stands for a blank; a plain path is taken as it is.
func Locate(uri, root string) (string, error) {
	path := uri
	if s := scheme.FindString(uri); s != "" {
		if !strings.EqualFold(s, "file://") {
			return "", fmt.Errorf("%s: want file://PATH, relative to the root module or absolute; "+
				"no other scheme than file:// is known", uri)
		}
		var err error
		if path, err = url.PathUnescape(uri[len(s):]); err != nil {
			return "", fmt.Errorf("%s: %w; write a %% itself as %%25", uri, err)
		}
	}
	if path == "" {
		return "", fmt.Errorf("%q names no file: want file://PATH, such as file://models/v1.json", uri)
	}
	if strings.HasPrefix(strings.ToLower(path), "file:") {
		return "", fmt.Errorf("%s: want file://PATH, with two slashes and then the path", uri)
	}
	if strings.ContainsRune(path, 0) {
		return "", fmt.Errorf("%q: a path cannot hold a zero byte", uri)
	}
	if !filepath.IsAbs(path) {
		path = filepath.Join(root, path)
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return "", fmt.Errorf("%s: %w", uri, err)
	}
	if abs == filepath.Dir(abs) {
		return "", fmt.Errorf("%s is the root of all files: want a file or a folder in it", uri)
	}
	return abs, nil
}
