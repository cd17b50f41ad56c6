package github

import (
	"context"
	"errors"
)

// A Pin is an action at one commit.
type Pin struct {
	Action  string // "actions/checkout", "anchore/scan-action/download-grype"
	Version string // that was asked for or found: "v7.0.1", a branch's name, or the commit itself
	Commit  string // full sha
}

// Resolve finds the commit of a ref of an action: a tag (an annotated one is followed to its commit), a branch where no tag is
// called so, or a full commit, which is looked up. A short sha is refused. Works without a token for public repositories. One to three
// requests, once for each ref of a Client.
func (c *Client) Resolve(ctx context.Context, action, ref string) (Pin, error) {
	return Pin{}, errors.ErrUnsupported
}

// Newest finds the newest version of an action with the major version of ref ("v4", "v4.1.0", "4.1"), never a pre-release;
// it is ref itself if there is no newer one. A ref that is no version is only resolved.
func (c *Client) Newest(ctx context.Context, action, ref string) (Pin, error) {
	return Pin{}, errors.ErrUnsupported
}
