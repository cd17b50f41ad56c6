package process

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// A placeholder is a lower-case word in braces. JSON is no placeholder, and ${x} is the shell's.
var placeholder = regexp.MustCompile(`\$?\{[a-z][a-z0-9_]*\}`)

// reserved names belong to us in a model server's environment.
var reserved = []string{"PORT", "MODEL_PATH", "TIDEGATE_ENDPOINT", "TIDEGATE_REVISION"}

// CheckCommand finds placeholders that nobody fills.
func CheckCommand(words []string) error {
	if len(words) == 0 || words[0] == "" {
		return errors.New("the command is empty: want a program and its arguments")
	}
	for _, w := range words {
		if strings.ContainsRune(w, 0) {
			return fmt.Errorf("%q in the command: a word cannot hold a zero byte", w)
		}
		for _, p := range placeholder.FindAllString(w, -1) {
			if !slices.Contains([]string{"{port}", "{model}", "{name}"}, p) && p[0] != '$' {
				return fmt.Errorf("%s in the command word %q: want {port}, {model} or {name}", p, w)
			}
		}
	}
	return nil
}

// CheckEnv refuses names that cannot be declared for a model server.
func CheckEnv(name string) error {
	if name == "" || strings.ContainsAny(name, "=\x00") {
		return fmt.Errorf("environment variable %q: want a name without = in it", name)
	}
	if slices.Contains(reserved, name) {
		return fmt.Errorf("environment variable %s is set for every model server: choose another name than %s",
			name, strings.Join(reserved, ", "))
	}
	return nil
}

// command returns what to run on a port.
func command(c Config, port int) (*exec.Cmd, error) {
	if err := CheckCommand(c.Command); err != nil {
		return nil, err
	}
	values := map[string]string{"{port}": strconv.Itoa(port), "{model}": c.Model, "{name}": c.Name}
	words := make([]string, len(c.Command))
	for i, w := range c.Command {
		words[i] = placeholder.ReplaceAllStringFunc(w, func(p string) string {
			if v, ok := values[p]; ok {
				return v
			}
			return p
		})
	}
	env := environment(c, port)
	path, err := look(words[0], c.Dir, env["PATH"])
	if err != nil {
		return nil, err
	}
	cmd := &exec.Cmd{Path: path, Args: words, Dir: c.Dir}
	for name, value := range env {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	slices.Sort(cmd.Env)
	return cmd, nil
}

// environment returns all that a model server finds in its environment.
func environment(c Config, port int) map[string]string {
	env := map[string]string{}
	for _, name := range []string{"PATH", "HOME", "LANG"} {
		if v, ok := os.LookupEnv(name); ok {
			env[name] = v
		}
	}
	for _, e := range c.Env {
		name, value, _ := strings.Cut(e, "=")
		env[name] = value
	}
	env["PORT"], env["MODEL_PATH"] = strconv.Itoa(port), c.Model
	env["TIDEGATE_ENDPOINT"], env["TIDEGATE_REVISION"] = c.Name, c.Revision
	return env
}

// look finds a program as the model server's own PATH says.
func look(name, dir, path string) (string, error) {
	if strings.Contains(name, "/") {
		if !filepath.IsAbs(name) {
			name = filepath.Join(dir, name)
		}
		return name, nil
	}
	for _, folder := range filepath.SplitList(path) {
		p := filepath.Join(folder, name)
		info, err := os.Stat(p)
		if filepath.IsAbs(p) && err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0 {
			return p, nil
		}
	}
	return "", &exec.Error{Name: name, Err: fmt.Errorf("%w: nothing of this name in PATH (%s)", os.ErrNotExist, path)}
}
