package main

import (
	"runtime/debug"
	"testing"
)

func TestTheCommitOfABuildIsTheReleasesElseWhatGoNoted(t *testing.T) {
	t.Parallel()
	noted := func(revision, modified string) *debug.BuildInfo {
		return &debug.BuildInfo{Settings: []debug.BuildSetting{
			{Key: "vcs", Value: "git"}, {Key: "vcs.revision", Value: revision}, {Key: "vcs.modified", Value: modified},
		}}
	}
	for _, c := range []struct {
		said string
		info *debug.BuildInfo
		want string
	}{
		{"said", noted("noted", "false"), "said"},
		{"said", noted("noted", "true"), "said"},
		{"", noted("noted", "false"), "noted"},
		{"", noted("noted", "true"), ""}, // no commit has these bytes
		{"", &debug.BuildInfo{}, ""},
		{"", nil, ""},
	} {
		if got := builtFrom(c.said, c.info); got != c.want {
			t.Errorf("said %q, %v: %q, want %q", c.said, c.info, got, c.want)
		}
	}
}
