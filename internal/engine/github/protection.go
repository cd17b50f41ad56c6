package github

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/pipeline"
)

// wireEnvironment is an environment as GitHub says it. go-github's own fails on a reviewer of a kind that it does not know.
type wireEnvironment struct {
	Name            string            `json:"name"`
	CanAdminsBypass *bool             `json:"can_admins_bypass"`
	Rules           []wireRule        `json:"protection_rules"`
	Branches        *wireBranchPolicy `json:"deployment_branch_policy"`
}

type wireRule struct {
	Type              string         `json:"type"`
	WaitTimer         int            `json:"wait_timer"`
	PreventSelfReview bool           `json:"prevent_self_review"`
	Reviewers         []wireReviewer `json:"reviewers"`
}

// wireBranchPolicy is nil for all branches; exactly one of it is true.
type wireBranchPolicy struct {
	Protected bool `json:"protected_branches"`
	Custom    bool `json:"custom_branch_policies"`
}

// protectedBranches stands in a Status for "protected branches only", which cannot be asked for: no branch is called so.
const protectedBranches = "(protected branches)"

// readProtection puts into st who and what guards an environment, in known's words and order.
func (l *Environments) readProtection(ctx context.Context, e wireEnvironment, known pipeline.Environment, st *pipeline.EnvironmentStatus) error {
	for _, rule := range e.Rules { // those of other types are apps that somebody added: they stay
		switch rule.Type {
		case "wait_timer":
			st.WaitMinutes = rule.WaitTimer
		case "required_reviewers":
			st.PreventSelfReview = rule.PreventSelfReview
			for _, reviewer := range rule.Reviewers {
				st.Reviewers = append(st.Reviewers, respell(reviewer.word(l.r.owner), known.Reviewers, strings.EqualFold))
			}
		}
	}
	sortLike(st.Reviewers, known.Reviewers)
	st.AdminsBypass = e.CanAdminsBypass != nil && *e.CanAdminsBypass && (st.WaitMinutes > 0 || len(st.Reviewers) > 0)
	switch {
	case e.Branches == nil:
		return nil
	case e.Branches.Protected:
		st.Branches = []string{protectedBranches}
		return nil
	}
	policies, err := l.patternsOf(ctx, e.Name)
	if err != nil {
		return err
	}
	st.Branches = []string{} // none is not all
	for _, p := range policies {
		st.Branches = append(st.Branches, p.word())
	}
	sortLike(st.Branches, known.Branches)
	return nil
}

// respell is the word as it is known, if it is.
func respell(word string, known []string, same func(a, b string) bool) string {
	i := slices.IndexFunc(known, func(k string) bool { return same(k, word) })
	if i < 0 {
		return word
	}
	return known[i]
}

// sortLike orders words as known does; further ones come last, by themselves.
func sortLike(words, known []string) {
	rank := func(w string) int {
		if i := slices.Index(known, w); i >= 0 {
			return i
		}
		return len(known)
	}
	slices.SortFunc(words, func(a, b string) int {
		if d := rank(a) - rank(b); d != 0 {
			return d
		}
		return strings.Compare(a, b)
	})
}

// unkept names the protections of want that have lacks or has otherwise, as an error says them.
func unkept(want pipeline.Environment, have pipeline.EnvironmentStatus) []string {
	var out []string
	if have.WaitMinutes != want.WaitMinutes {
		out = append(out, fmt.Sprintf("wait_minutes = %d", want.WaitMinutes)+itIs(have.WaitMinutes != 0, have.WaitMinutes))
	}
	for _, word := range want.Reviewers {
		if !slices.ContainsFunc(have.Reviewers, func(h string) bool { return strings.EqualFold(h, word) }) {
			out = append(out, "reviewer "+word)
		}
	}
	for _, word := range have.Reviewers {
		if !slices.ContainsFunc(want.Reviewers, func(w string) bool { return strings.EqualFold(w, word) }) {
			out = append(out, "no reviewer "+word)
		}
	}
	if have.PreventSelfReview != want.PreventSelfReview {
		out = append(out, fmt.Sprintf("prevent_self_review = %t", want.PreventSelfReview))
	}
	return append(out, unkeptBranches(want.Branches, have.Branches)...)
}

func unkeptBranches(want, have []string) []string {
	if (want == nil) != (have == nil) {
		return []string{"branches = " + patternsText(want)}
	}
	w, h := slices.Clone(want), slices.Clone(have)
	slices.Sort(w)
	slices.Sort(h)
	if slices.Equal(slices.Compact(w), h) {
		return nil
	}
	return []string{"branches = " + patternsText(want) + itIs(len(have) > 0, patternsText(have))}
}

func itIs(worth bool, v any) string {
	if !worth {
		return ""
	}
	return fmt.Sprintf(" (not %v)", v)
}

func patternsText(patterns []string) string {
	if patterns == nil {
		return "all"
	}
	return "[" + strings.Join(patterns, ", ") + "]"
}

// writeProtection asks GitHub for the protections of want. What is not wanted and not there is not named: small plans
// refuse the very words. It does not go through go-github, which tries a refused one again with less.
func (r *Repository) writeProtection(ctx context.Context, want pipeline.Environment, have wireEnvironment) error {
	body := map[string]any{"deployment_branch_policy": nil}
	if want.Branches != nil {
		body["deployment_branch_policy"] = wireBranchPolicy{Custom: true}
	}
	guarded := slices.ContainsFunc(have.Rules, func(rule wireRule) bool { return rule.Type == "wait_timer" || rule.Type == "required_reviewers" })
	if guarded || want.WaitMinutes > 0 || len(want.Reviewers) > 0 {
		reviewers, err := r.reviewersOf(ctx, want.Reviewers)
		if err != nil {
			return err
		}
		body["wait_timer"], body["prevent_self_review"], body["can_admins_bypass"] = want.WaitMinutes, want.PreventSelfReview, false
		body["reviewers"] = reviewers
	}
	t := protecting(want.Name)
	if err := r.mayWrite(t); err != nil {
		return err
	}
	err := r.send(ctx, http.MethodPut, inEnvironment(want.Name, ""), body)
	if err == nil {
		return nil
	}
	return r.protectionRefused(ctx, t, want, err)
}

func protecting(name string) task {
	return task{doing: fmt.Sprintf("write environment %q and its protections", name), needs: "administration: write", write: true}
}
