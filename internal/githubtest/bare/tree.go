package bare

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
)

// An Entry of a tree.
type Entry struct {
	Mode, Type, SHA string
	Size            int // of a blob
	Path            string
}

// Tree lists a tree; recursive, with all that is below.
func (r Repository) Tree(treeish string, recursive bool) ([]Entry, error) {
	args := []string{"ls-tree", "-z", "--long", "--full-tree"}
	if recursive {
		args = append(args, "-r", "-t")
	}
	out, err := r.run(nil, nil, append(args, "--end-of-options", treeish)...)
	if err != nil {
		return nil, err
	}
	var entries []Entry
	for record := range bytes.SplitSeq(bytes.TrimSuffix(out, []byte{0}), []byte{0}) {
		head, path, ok := strings.Cut(string(record), "\t")
		f := strings.Fields(head)
		if !ok || len(f) != 4 {
			continue
		}
		size, _ := strconv.Atoi(f[3])
		entries = append(entries, Entry{f[0], f[1], f[2], size, path})
	}
	return entries, nil
}

// Blob reads a blob by its sha.
func (r Repository) Blob(sha string) ([]byte, error) {
	return r.run(nil, nil, "cat-file", "blob", sha)
}

// Type is that of an object, "" if there is none.
func (r Repository) Type(sha string) string {
	out, err := r.git(nil, "cat-file", "-t", sha)
	if err != nil {
		return ""
	}
	return out
}

// WriteBlob stores bytes.
func (r Repository) WriteBlob(b []byte) (string, error) {
	return r.git(b, "hash-object", "-w", "--stdin")
}

// Edit returns a tree with entries put in place, those without a SHA removed.
func (r Repository) Edit(tree string, entries []Entry) (string, error) {
	index, err := os.CreateTemp(r.Dir, "index-*")
	if err != nil {
		return "", err
	}
	_ = index.Close()
	_ = os.Remove(index.Name()) // git wants no empty file
	defer os.Remove(index.Name())
	env := []string{"GIT_INDEX_FILE=" + index.Name()}
	if tree != "" {
		if _, err := r.run(env, nil, "read-tree", tree); err != nil {
			return "", err
		}
	}
	var lines bytes.Buffer
	for _, e := range entries {
		if e.SHA == "" {
			fmt.Fprintf(&lines, "0 %s\t%s\x00", strings.Repeat("0", 40), e.Path)
			continue
		}
		fmt.Fprintf(&lines, "%s %s\t%s\x00", e.Mode, e.SHA, e.Path)
	}
	if _, err := r.run(env, lines.Bytes(), "update-index", "-z", "--index-info"); err != nil {
		return "", err
	}
	out, err := r.run(env, nil, "write-tree")
	return strings.TrimSpace(string(out)), err
}

// A File that differs between two trees.
type File struct {
	Path, Previous, Status string // "added", "removed", "modified" or "renamed"
	SHA                    string
	Additions, Deletions   int
	Patch                  string
}

var words = map[byte]string{'A': "added", 'D': "removed", 'M': "modified", 'T': "changed", 'R': "renamed", 'C': "copied"}

// Diff lists what differs from one tree to another; from "": all of it.
func (r Repository) Diff(from, to string) ([]File, error) {
	if from == "" {
		from = "4b825dc642cb6eb9a060e54bf8d69288fbee4904" // git's empty tree
	}
	raw, err := r.run(nil, nil, "diff-tree", "-r", "-z", "-M", "--raw", from, to)
	if err != nil {
		return nil, err
	}
	counts, err := r.counts(from, to)
	if err != nil {
		return nil, err
	}
	fields := strings.Split(string(raw), "\x00")
	var files []File
	for i := 0; i+1 < len(fields) && fields[i] != ""; i += 2 {
		f := strings.Fields(fields[i]) // ":100644 100644 SHA SHA M"
		file := File{Status: words[f[4][0]], SHA: f[3], Path: fields[i+1]}
		if f[4][0] == 'R' || f[4][0] == 'C' {
			file.Previous, file.Path = fields[i+1], fields[i+2]
			i++
		}
		if f[4][0] == 'D' {
			file.SHA = f[2]
		}
		file.Additions, file.Deletions = counts[file.Path][0], counts[file.Path][1]
		patch, err := r.run(nil, nil, "diff-tree", "-p", "-M", "--no-commit-id", from, to, "--", ":(literal)"+file.Path)
		if err != nil {
			return nil, err
		}
		if _, hunks, ok := strings.Cut(string(patch), "\n@@"); ok {
			file.Patch = "@@" + strings.TrimSuffix(hunks, "\n")
		}
		files = append(files, file)
	}
	return files, nil
}

func (r Repository) counts(from, to string) (map[string][2]int, error) {
	out, err := r.run(nil, nil, "diff-tree", "-r", "-z", "--no-renames", "--numstat", from, to)
	if err != nil {
		return nil, err
	}
	counts := map[string][2]int{}
	for record := range strings.SplitSeq(string(out), "\x00") {
		f := strings.SplitN(record, "\t", 3)
		if len(f) == 3 {
			added, _ := strconv.Atoi(f[0])
			removed, _ := strconv.Atoi(f[1])
			counts[f[2]] = [2]int{added, removed}
		}
	}
	return counts, nil
}
