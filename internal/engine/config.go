package engine

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// What a Config is made of where nothing says more.
const (
	FileName        = "tidegate.json"
	FileVariable    = "TIDEGATE_CONFIG"
	DataDirVariable = "TIDEGATE_DATA_DIR"
	DefaultDataDir  = ".tidegate"
)

// Where GitHub is, as its own Actions and other tools have it.
const (
	OwnerVariable     = "GITHUB_OWNER"
	APIURLVariable    = "GITHUB_API_URL"
	ServerURLVariable = "GITHUB_SERVER_URL"
)

// A Config says where things are. Fields that are "" are not said.
type Config struct {
	Local  Local
	GitHub GitHub
}

// Local is the embedded engine.
type Local struct {
	DataDir string // all that it keeps
}

// GitHub is where repositories are.
type GitHub struct {
	Owner     string // of repositories that are named without one
	APIURL    string // https://HOST/api/v3 for GitHub Enterprise; "": https://api.github.com
	ServerURL string // of its pages; "": as APIURL says
}

// Resolve fills in what is not said: by the file ("" for none), then by the environment, then by the
// default. Relative paths begin at root, an absolute one; those of the file at its folder.
func Resolve(root string, said Config, file string) (Config, error) {
	c := said
	if file != "" {
		if !filepath.IsAbs(file) {
			file = filepath.Join(root, file)
		}
		read, err := ReadFile(file)
		if err != nil {
			return Config{}, err
		}
		c.Local.DataDir = first(c.Local.DataDir, read.Local.DataDir)
		c.GitHub.Owner = first(c.GitHub.Owner, read.GitHub.Owner)
		c.GitHub.APIURL = first(c.GitHub.APIURL, read.GitHub.APIURL)
	}
	c.GitHub.Owner = first(c.GitHub.Owner, os.Getenv(OwnerVariable))
	if c.GitHub.APIURL == "" {
		c.GitHub.APIURL, c.GitHub.ServerURL = os.Getenv(APIURLVariable), os.Getenv(ServerURLVariable)
	}
	c.Local.DataDir = first(c.Local.DataDir, os.Getenv(DataDirVariable), DefaultDataDir)
	if !filepath.IsAbs(c.Local.DataDir) {
		c.Local.DataDir = filepath.Join(root, c.Local.DataDir)
	}
	return c, nil
}

// FindFile returns the file that a folder's commands read: the named one, else the environment's, else
// tidegate.json in it, else "".
func FindFile(folder, named string) (string, error) {
	if file := first(named, os.Getenv(FileVariable)); file != "" {
		return file, nil
	}
	path := filepath.Join(folder, FileName)
	_, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("look for the configuration: %w", err)
	}
	return path, nil
}

func first(values ...string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}
