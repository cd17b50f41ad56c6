package bare

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// A Commit as it is stored.
type Commit struct {
	SHA, Tree         string
	Parents           []string
	Author, Committer Signature
	Message           string
}

// Commit reads a commit.
func (r Repository) Commit(sha string) (Commit, error) {
	const format = "%H%x00%T%x00%P%x00%an%x00%ae%x00%at%x00%cn%x00%ce%x00%ct%x00%B"
	out, err := r.run(nil, nil, "show", "--no-patch", "--format="+format, "--end-of-options", sha)
	if err != nil {
		return Commit{}, err
	}
	f := strings.SplitN(string(out), "\x00", 10)
	if len(f) != 10 {
		return Commit{}, fmt.Errorf("read commit %s: %q", sha, out)
	}
	return Commit{
		SHA: f[0], Tree: f[1], Parents: strings.Fields(f[2]),
		Author: Signature{f[3], f[4], unix(f[5])}, Committer: Signature{f[6], f[7], unix(f[8])},
		Message: strings.TrimRight(f[9], "\n"),
	}, nil
}

func unix(s string) time.Time {
	n, _ := strconv.ParseInt(s, 10, 64)
	return time.Unix(n, 0).UTC()
}

// Write stores a commit and returns its sha.
func (r Repository) Write(c Commit) (string, error) {
	args := []string{"commit-tree", c.Tree}
	for _, p := range c.Parents {
		args = append(args, "-p", p)
	}
	out, err := r.run(append(env("AUTHOR", c.Author), env("COMMITTER", c.Committer)...), []byte(c.Message+"\n"), args...)
	return strings.TrimSpace(string(out)), err
}

func env(role string, s Signature) []string {
	return []string{
		"GIT_" + role + "_NAME=" + s.Name, "GIT_" + role + "_EMAIL=" + s.Email,
		fmt.Sprintf("GIT_%s_DATE=%d +0000", role, s.When.Unix()),
	}
}

// Merge returns the tree of a merge, or ErrConflict.
func (r Repository) Merge(ours, theirs string) (string, error) {
	out, err := r.git(nil, "merge-tree", "--write-tree", "--allow-unrelated-histories", ours, theirs)
	if err == nil {
		return out, nil
	}
	if strings.Contains(err.Error(), "exit status 1") {
		return "", ErrConflict
	}
	return "", fmt.Errorf("%w (git 2.38 or newer is needed)", err)
}

// Replay puts a commit's change onto another commit, as rebase does, and returns the new commit.
func (r Repository) Replay(sha, onto string, committer Signature) (string, error) {
	c, err := r.Commit(sha)
	if err != nil {
		return "", err
	}
	if len(c.Parents) != 1 {
		return "", fmt.Errorf("replay %s, which has %d parents", sha, len(c.Parents))
	}
	base, err := r.Commit(onto)
	if err != nil {
		return "", err
	}
	// What merge-tree takes as the merge base is the common ancestor: give the target the commit's parent as its own.
	standIn, err := r.Write(Commit{Tree: base.Tree, Parents: c.Parents, Author: committer, Committer: committer})
	if err != nil {
		return "", err
	}
	tree, err := r.Merge(standIn, sha)
	if err != nil {
		return "", err
	}
	return r.Write(Commit{Tree: tree, Parents: []string{onto}, Author: c.Author, Committer: committer, Message: c.Message})
}

// A Tag is an annotated one.
type Tag struct {
	SHA, Object, Type, Name, Message string
	Tagger                           Signature
}

// WriteTag stores an annotated tag, which no ref points at yet, and returns its sha.
func (r Repository) WriteTag(t Tag) (string, error) {
	text := fmt.Sprintf("object %s\ntype %s\ntag %s\ntagger %s <%s> %d +0000\n\n%s\n", t.Object, t.Type, t.Name, t.Tagger.Name, t.Tagger.Email,
		t.Tagger.When.Unix(), t.Message)
	return r.git([]byte(text), "mktag")
}

// Tag reads an annotated tag.
func (r Repository) Tag(sha string) (Tag, error) {
	out, err := r.run(nil, nil, "cat-file", "tag", sha)
	if err != nil {
		return Tag{}, err
	}
	head, message, _ := strings.Cut(string(out), "\n\n")
	t := Tag{SHA: sha, Message: strings.TrimRight(message, "\n")}
	for line := range strings.Lines(head) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch key {
		case "object":
			t.Object = value
		case "type":
			t.Type = value
		case "tag":
			t.Name = value
		case "tagger":
			t.Tagger = signed(value)
		}
	}
	return t, nil
}

// signed reads "NAME <EMAIL> SECONDS ZONE".
func signed(s string) Signature {
	name, rest, _ := strings.Cut(s, " <")
	email, when, _ := strings.Cut(rest, "> ")
	seconds, _, _ := strings.Cut(when, " ")
	return Signature{name, email, unix(seconds)}
}
