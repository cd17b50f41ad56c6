package github

import (
	"context"
	"errors"
	"net/http"
	"strings"

	gh "github.com/google/go-github/v60/github"
)

// An Identity is who writes with a token.
type Identity struct {
	Login   string // "octocat", "github-actions[bot]"
	AppID   int64  // 0 for a person, and for an app of which only the login is known yet
	AppSlug string // "github-actions"; "" for a person
}

const botSuffix = "[bot]"

// Identity says who writes. What this Client wrote before (a check run, a comment, a deployment) told it for free; an
// App and a person's token can ask (one request). An installation's token, such as GITHUB_TOKEN, can not ask: it is
// ErrUnknownIdentity until it has written something, a check run best of all.
func (c *Client) Identity(ctx context.Context) (Identity, error) {
	c.mu.Lock()
	who, asked := c.who, c.asked
	c.mu.Unlock()
	switch {
	case who != Identity{}:
		return who, nil
	case c.nobody:
		return who, &Error{Doing: "find out who writes", Kind: ErrNoToken}
	case asked, c.installation && c.app == nil:
		return who, ErrUnknownIdentity
	}
	who, err := c.ask(ctx)
	if err != nil {
		return Identity{}, err
	}
	c.mu.Lock()
	c.asked = true
	c.mu.Unlock()
	if who == (Identity{}) {
		return who, ErrUnknownIdentity
	}
	return c.learn(who), nil
}

// ask asks GitHub; nobody is an answer.
func (c *Client) ask(ctx context.Context) (Identity, error) {
	t := task{doing: "find out whose token it is"}
	if c.app != nil {
		app, _, err := c.app.Apps.Get(ctx, "")
		if err != nil {
			return Identity{}, explain(t, err)
		}
		return appIdentity(app), nil
	}
	user, _, err := c.api.Users.Get(ctx, "")
	var status *gh.ErrorResponse
	if errors.As(err, &status) && status.Response.StatusCode == http.StatusForbidden {
		return Identity{}, nil // an installation's, of another shape
	}
	if err != nil {
		e := explain(t, err)
		e.Message = c.redact(e.Message)
		return Identity{}, e
	}
	return userIdentity(user), nil
}

func appIdentity(app *gh.App) Identity {
	return Identity{Login: app.GetSlug() + botSuffix, AppID: app.GetID(), AppSlug: app.GetSlug()}
}

func userIdentity(user *gh.User) Identity {
	slug, bot := strings.CutSuffix(user.GetLogin(), botSuffix)
	if !bot {
		slug = ""
	}
	return Identity{Login: user.GetLogin(), AppSlug: slug}
}

// learn keeps who wrote what this Client wrote.
func (c *Client) learn(who Identity) Identity {
	c.mu.Lock()
	defer c.mu.Unlock()
	if who.Login != "" && who.Login != botSuffix && (c.who.Login == "" || who.AppID != 0) {
		c.who = who
	}
	return c.who
}
