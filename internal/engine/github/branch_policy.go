package github

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// A branchPolicy is a pattern of branches or tags that may deploy to an environment.
type branchPolicy struct {
	ID   int64  `json:"id"`
	Name string `json:"name"`
	Type string `json:"type"` // "branch" or "tag"; older servers have none
}

// tagPattern marks a pattern of tags among those of branches: neither has a colon in its name.
const tagPattern = "tag:"

func (p branchPolicy) word() string {
	if p.Type == "tag" {
		return tagPattern + p.Name
	}
	return p.Name
}

func policyOf(word string) map[string]string {
	if tag, ok := strings.CutPrefix(word, tagPattern); ok {
		return map[string]string{"name": tag, "type": "tag"}
	}
	return map[string]string{"name": word, "type": "branch"}
}

func (l *Environments) patternsOf(ctx context.Context, name string) ([]branchPolicy, error) {
	return l.patterns.get(strings.ToLower(name), func() ([]branchPolicy, error) { return l.r.patternsOf(ctx, name) })
}

func (r *Repository) patternsOf(ctx context.Context, name string) ([]branchPolicy, error) {
	t := task{doing: fmt.Sprintf("list the branches that may deploy to environment %q", name), needs: "actions: read"}
	var out []branchPolicy
	err := pages(func(page int) (int, error) {
		var list struct {
			Policies []branchPolicy `json:"branch_policies"`
		}
		res, err := r.get(ctx, inEnvironment(name, fmt.Sprintf("/deployment-branch-policies?per_page=100&page=%d", page)), &list)
		if err != nil {
			return 0, err
		}
		out = append(out, list.Policies...)
		return res.NextPage, nil
	})
	return out, r.failed(t, err)
}

// writePatterns makes those of an environment exactly these. What is too much goes first: until all are there, fewer
// branches may deploy, never more.
func (r *Repository) writePatterns(ctx context.Context, name string, want []string) error {
	have, err := r.patternsOf(ctx, name)
	if err != nil {
		return err
	}
	var words []string
	for _, p := range have {
		if !slices.Contains(want, p.word()) {
			if err := r.deletePattern(ctx, name, p); err != nil {
				return err
			}
		}
		words = append(words, p.word())
	}
	for _, word := range want {
		if slices.Contains(words, word) {
			continue
		}
		words = append(words, word)
		if err := r.addPattern(ctx, name, word); err != nil {
			return err
		}
	}
	return nil
}

func (r *Repository) addPattern(ctx context.Context, name, word string) error {
	t := task{doing: fmt.Sprintf("let branches %q deploy to environment %q", word, name), needs: "administration: write", write: true}
	err := r.send(ctx, http.MethodPost, inEnvironment(name, "/deployment-branch-policies"), policyOf(word))
	if answered(err, http.StatusSeeOther) { // it is there already: the answer to a first try was lost
		return nil
	}
	return r.failed(t, err)
}

func (r *Repository) deletePattern(ctx context.Context, name string, p branchPolicy) error {
	t := task{doing: fmt.Sprintf("let branches %q no longer deploy to environment %q", p.word(), name), needs: "administration: write", write: true}
	err := r.send(ctx, http.MethodDelete, inEnvironment(name, fmt.Sprintf("/deployment-branch-policies/%d", p.ID)), nil)
	if missing(err) {
		return nil
	}
	return r.failed(t, err)
}
