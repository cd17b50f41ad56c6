package action

import (
	"fmt"
	"io/fs"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// maxRoots is more than anybody reviews in one comment.
const maxRoots = 100

// findRoots finds the root modules that patterns name in dir, as slash-separated paths relative to it, sorted. A pattern
// without a star is a folder, which is an error of its own if it is not there; one with stars finds folders with
// configuration: * within a name, ** across folders. A pattern that begins with ! leaves folders out.
func findRoots(dir string, patterns []string) ([]string, error) {
	var roots []string
	var not []*regexp.Regexp
	for _, p := range patterns {
		if rest, ok := strings.CutPrefix(p, "!"); ok {
			not = append(not, compile(clean(rest)))
		}
	}
	for _, p := range patterns {
		if strings.HasPrefix(p, "!") {
			continue
		}
		p = clean(p)
		if !inside(p) {
			return nil, fmt.Errorf("root %q: want a folder inside of %s", p, dir)
		}
		if !strings.ContainsAny(p, "*?") {
			roots = append(roots, p)
			continue
		}
		found, err := globRoots(dir, compile(p))
		if err != nil {
			return nil, fmt.Errorf("root %q: %w", p, err)
		}
		if len(found) == 0 {
			return nil, fmt.Errorf("root %q: no folder with .tf or .tofu files in %s fits", p, dir)
		}
		roots = append(roots, found...)
	}
	slices.Sort(roots)
	roots = slices.Compact(roots)
	roots = slices.DeleteFunc(roots, func(r string) bool {
		return slices.ContainsFunc(not, func(re *regexp.Regexp) bool { return re.MatchString(r) })
	})
	if len(roots) == 0 {
		return nil, fmt.Errorf("root %s: nothing is left", strings.Join(patterns, " "))
	}
	if len(roots) > maxRoots {
		return nil, fmt.Errorf("root %s: %d root modules, want at most %d in one step: use a matrix of jobs", strings.Join(patterns, " "), len(roots), maxRoots)
	}
	return roots, nil
}

func clean(pattern string) string { return path.Clean(filepath.ToSlash(pattern)) }

// inside reports whether a path stays where it is relative to.
func inside(p string) bool { return filepath.IsLocal(filepath.FromSlash(p)) }

// compile makes a regular expression of a glob.
func compile(glob string) *regexp.Regexp {
	var b strings.Builder
	b.WriteString("^")
	for i := 0; i < len(glob); i++ {
		switch {
		case strings.HasPrefix(glob[i:], "**/"):
			b.WriteString("(?:.*/)?")
			i += 2
		case strings.HasPrefix(glob[i:], "**"):
			b.WriteString(".*")
			i++
		case glob[i] == '*':
			b.WriteString("[^/]*")
		case glob[i] == '?':
			b.WriteString("[^/]")
		default:
			b.WriteString(regexp.QuoteMeta(glob[i : i+1]))
		}
	}
	return regexp.MustCompile(b.String() + "$")
}

// globRoots walks dir. Hidden folders hold what tools keep, .terraform above all.
func globRoots(dir string, re *regexp.Regexp) ([]string, error) {
	var found []string
	err := filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(dir, p)
		if err != nil {
			return err
		}
		rel = filepath.ToSlash(rel)
		if d.IsDir() {
			if rel != "." && strings.HasPrefix(d.Name(), ".") || d.Name() == "node_modules" {
				return filepath.SkipDir
			}
			return nil
		}
		if isConfig(d.Name()) && re.MatchString(path.Dir(rel)) {
			found = append(found, path.Dir(rel))
		}
		return nil
	})
	slices.Sort(found)
	return slices.Compact(found), err
}

func isConfig(name string) bool {
	for _, end := range []string{".tf", ".tf.json", ".tofu", ".tofu.json"} {
		if strings.HasSuffix(name, end) {
			return true
		}
	}
	return false
}
