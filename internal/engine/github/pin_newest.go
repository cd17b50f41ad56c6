package github

import (
	"context"
	"strings"

	"golang.org/x/mod/semver"
)

// Newest finds the newest version of an action with the major version of ref ("v4", "v4.1.0", "4.1"), never a pre-release;
// it is ref itself if there is no newer one. A ref that is no version is only resolved. One request, and what it takes
// to follow the tag that is chosen.
func (c *Client) Newest(ctx context.Context, action, ref string) (Pin, error) {
	r, t, err := c.action(action, ref)
	if err != nil {
		return Pin{}, err
	}
	have, ok := parseVersion(ref)
	if !ok {
		return c.Resolve(ctx, action, ref)
	}
	var refs []struct { // all of them: this list has no pages
		Ref    string    `json:"ref"`
		Object gitObject `json:"object"`
	}
	if _, err := r.get(ctx, "git/matching-refs/tags/"+escapeRef(have.prefix()), &refs); err != nil {
		return Pin{}, r.pinFailed(t, ref, err)
	}
	best := version{}
	var at gitObject
	for _, found := range refs {
		v, ok := parseVersion(strings.TrimPrefix(found.Ref, "refs/tags/"))
		if ok && v.follows(have) && v.newer(best) {
			best, at = v, found.Object
		}
	}
	if best.tag == "" {
		return c.Resolve(ctx, action, ref)
	}
	commit, err := r.peel(ctx, at)
	if err != nil {
		return Pin{}, r.pinFailed(t, best.tag, err)
	}
	return Pin{Action: action, Version: best.tag, Commit: commit}, nil
}

// A version is a tag that is one: "v4.1.0", "4.1", or "download/v2" of a repository of several actions.
type version struct {
	tag    string
	before string // what stands before the numbers: "v", "", "download/v"
	semver string
}

func parseVersion(tag string) (version, bool) {
	i := strings.LastIndex(tag, "/") + 1
	if strings.HasPrefix(tag[i:], "v") {
		i++
	}
	v := version{tag: tag, before: tag[:i], semver: "v" + tag[i:]}
	return v, semver.IsValid(v.semver) && !fullSHA.MatchString(tag)
}

// prefix of the tags of its major version; it fits others too.
func (v version) prefix() string { return v.before + strings.TrimPrefix(semver.Major(v.semver), "v") }

// follows reports whether v is a release of the same line and not older.
func (v version) follows(have version) bool {
	return v.before == have.before && semver.Prerelease(v.semver) == "" && semver.Major(v.semver) == semver.Major(have.semver) &&
		(semver.Compare(v.semver, have.semver) >= 0 || len(have.numbers()) < 3)
}

// newer reports whether v is the better answer: the higher one, and of two that mean the same the one that says more.
// A tag such as v4 is moved with each release: it is older than any that names one.
func (v version) newer(best version) bool {
	if full, other := len(v.numbers()) == 3, len(best.numbers()) == 3; best.tag != "" && full != other {
		return full
	}
	return semver.Compare(v.semver, best.semver) > 0 || best.tag == ""
}

func (v version) numbers() []string {
	core, _, _ := strings.Cut(strings.TrimPrefix(v.semver, "v"), "-")
	core, _, _ = strings.Cut(core, "+")
	return strings.Split(core, ".")
}
