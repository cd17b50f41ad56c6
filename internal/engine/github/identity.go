package github

import "context"

// An Identity is who writes with a token.
type Identity struct {
	Login   string // "octocat", "github-actions[bot]"
	AppID   int64  // 0 for a person
	AppSlug string // "github-actions"
}

// Identity says who writes. What this Client wrote before (a check run, a comment, a deployment) told it for free; an
// App and a person's token can ask (one request). An installation's token, such as GITHUB_TOKEN, can not ask:
// ErrUnknownIdentity until it has written something.
func (c *Client) Identity(ctx context.Context) (Identity, error) {
	user, _, err := c.api.Users.Get(ctx, "")
	if err != nil {
		return Identity{}, err
	}
	return Identity{Login: user.GetLogin()}, nil
}
