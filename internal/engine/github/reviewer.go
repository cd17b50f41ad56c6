package github

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// A wireReviewer is one as GitHub says it: a user has a login, a team a slug.
type wireReviewer struct {
	Type     string `json:"type"`
	Reviewer struct {
		ID    int64  `json:"id"`
		Login string `json:"login"`
		Slug  string `json:"slug"`
	} `json:"reviewer"`
}

// word is what a user would write. Teams that review are of the organization that has the repository.
func (w wireReviewer) word(owner string) string {
	switch w.Type {
	case "User":
		return w.Reviewer.Login
	case "Team":
		return "@" + owner + "/" + w.Reviewer.Slug
	}
	return fmt.Sprintf("%s %d", w.Type, w.Reviewer.ID)
}

var (
	loginWord = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]*$`)
	teamWord  = regexp.MustCompile(`^@([A-Za-z0-9][A-Za-z0-9_-]*)/([A-Za-z0-9_.-]+)$`)
)

// CheckReviewer says whether word ("octocat", "@acme/ml-leads") can review in this repository: an error of kind ErrNotFound
// or ErrRefused is about the word, any other one means that nothing is known. Asked once for each word of a Client.
func (r *Repository) CheckReviewer(ctx context.Context, word string) error {
	_, err := r.reviewer(ctx, word)
	return err
}

// reviewersOf are reviewers as GitHub takes them.
func (r *Repository) reviewersOf(ctx context.Context, words []string) ([]map[string]any, error) {
	var out []map[string]any
	for _, word := range words {
		id, err := r.reviewer(ctx, word)
		if err != nil {
			return nil, err
		}
		kind := "User"
		if strings.HasPrefix(word, "@") {
			kind = "Team"
		}
		out = append(out, map[string]any{"type": kind, "id": id})
	}
	return out, nil
}

func (r *Repository) reviewer(ctx context.Context, word string) (int64, error) {
	team := teamWord.FindStringSubmatch(word)
	switch {
	case team == nil && !loginWord.MatchString(word):
		return 0, r.noReviewer(word, `want a login such as "octocat", or a team such as "@acme/ml-leads"`, "")
	case team != nil && !strings.EqualFold(team[1], r.owner):
		return 0, r.noReviewer(word, "it is a team of another organization", fmt.Sprintf("Only teams of %s review in its repositories: write @%s/TEAM, or logins.", r.owner, r.owner))
	}
	return r.c.reviewers.get(strings.ToLower(word), func() (int64, error) {
		if team != nil {
			return r.team(ctx, word, team[2])
		}
		return r.user(ctx, word)
	})
}

func (r *Repository) noReviewer(word, why, next string) error {
	return r.failed(finding(word), &Error{Kind: ErrRefused, Message: why, Next: next})
}

func finding(word string) task { return task{doing: fmt.Sprintf("find reviewer %q", word)} }

func (r *Repository) user(ctx context.Context, login string) (int64, error) {
	t := finding(login)
	user, _, err := r.c.api.Users.Get(ctx, login)
	switch {
	case missing(err):
		return 0, r.unknownReviewer(t, err, fmt.Sprintf("Nobody is called %s there. Compare the login with the person's page; a team is written @%s/TEAM.", login, r.owner))
	case err != nil:
		return 0, r.failed(t, err)
	case user.GetType() == "Organization":
		return 0, r.noReviewer(login, "it is an organization", fmt.Sprintf("A team of it is written @%s/TEAM.", login))
	case user.GetID() == 0 || !strings.EqualFold(user.GetLogin(), login):
		return 0, r.failed(t, strange(t))
	}
	return user.GetID(), nil
}

func (r *Repository) team(ctx context.Context, word, slug string) (int64, error) {
	t := finding(word)
	t.needs = "members: read"
	team, _, err := r.c.api.Teams.GetTeamBySlug(ctx, r.owner, slug)
	switch {
	case missing(err):
		return 0, r.unknownReviewer(t, err, fmt.Sprintf("%s has no team with the slug %s (the last part of the team's page), or the token may not see it: that takes \"members: read\" of the organization, with a classic token read:org. GITHUB_TOKEN never has it.", r.owner, slug))
	case err != nil:
		return 0, r.failed(t, err)
	case team.GetID() == 0:
		return 0, r.failed(t, strange(t))
	}
	return team.GetID(), nil
}

func (r *Repository) unknownReviewer(t task, err error, next string) error {
	failed := r.failed(t, err)
	var e *Error
	if errors.As(failed, &e) {
		e.Next = next
	}
	return failed
}
