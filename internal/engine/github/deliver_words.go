package github

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/pipeline"
)

// pullWords are title and text of a pull request, which people read before they merge it.
type pullWords struct{ title, body string }

// bringing are those of a pull request that brings a pipeline.
func bringing(c pipeline.Change, branch string) pullWords {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\nThis brings %s to %s, as `tidegate_pipeline` of a Terraform configuration says it.\n\n", pullMarker(c.Path), code(c.Path), code(branch))
	if len(c.Environments) > 0 {
		b.WriteString("Environments that it deploys to, which are there already:\n")
		for _, e := range c.Environments {
			fmt.Fprintf(&b, "- %s%s\n", code(e.Name), protections(e))
		}
		b.WriteString("\n")
	}
	if len(c.RequiredChecks) > 0 {
		fmt.Fprintf(&b, "Checks that %s requires: %s.\n\n", code(branch), codes(c.RequiredChecks))
	}
	if reads := readsOf(c); len(reads) > 0 {
		fmt.Fprintf(&b, "What it reads and has to be there: %s.\n\n", strings.Join(reads, ", "))
	}
	b.WriteString("Terraform waits for it: while it is open, its file counts as the pipeline's, and further applies add commits to this branch. Closed without being merged, it shows as a difference in the next plan.\n")
	return pullWords{title: "Tidegate: pipeline " + nameOf(c.Path), body: b.String()}
}

var readsValue = regexp.MustCompile(`\$\{\{[^}]*?\b(secrets|vars)\.([A-Za-z_][A-Za-z0-9_]*)`)

// readsOf are secrets and variables that the file asks for and that none of the pipeline's environments brings.
func readsOf(c pipeline.Change) (out []string) {
	for _, m := range readsValue.FindAllStringSubmatch(c.Content, -1) {
		kind, name := map[string]string{"secrets": "secret ", "vars": "variable "}[m[1]], m[2]
		brought := slices.ContainsFunc(c.Environments, func(e pipeline.Environment) bool {
			return m[1] == "secrets" && hasFold(slices.Values(e.SecretNames), name) || m[1] == "vars" && hasFold(maps.Keys(e.Variables), name)
		})
		if text := kind + code(name); !brought && !strings.EqualFold(name, "GITHUB_TOKEN") && !slices.Contains(out, text) {
			out = append(out, text)
		}
	}
	return out
}

// refusedWords tell a pull request that is there because the branch refused a commit from one that was asked for.
const refusedWords = "\nThe branch takes no commits past pull requests, so this one brings what would have been committed.\n"

// removing are those of a pull request that removes a pipeline.
func removing(known pipeline.Status, branch string, stay []string) pullWords {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\nThis removes %s from %s: its `tidegate_pipeline` is no more.\n", pullMarker(known.Path), code(known.Path), code(branch))
	if len(stay) > 0 {
		fmt.Fprintf(&b, "\nWhile the workflow is there, GitHub would make an environment that it deploys to anew, without protection. So these stay, without their secrets: %s. Remove them once this is merged.\n", codes(stay))
	}
	return pullWords{title: "Tidegate: remove pipeline " + nameOf(known.Path), body: b.String()}
}

func protections(e pipeline.Environment) string {
	var all []string
	if len(e.Reviewers) > 0 {
		all = append(all, "reviewed by "+codes(e.Reviewers))
	}
	if len(e.Branches) > 0 {
		all = append(all, "from "+codes(e.Branches))
	}
	if e.WaitMinutes > 0 {
		all = append(all, fmt.Sprintf("after %d minutes", e.WaitMinutes))
	}
	if len(all) == 0 {
		return ""
	}
	return ": " + strings.Join(all, ", ")
}

// code is a name that Markdown, and a mention, leaves alone.
func code(name string) string {
	return "`" + strings.NewReplacer("`", "'", "\n", " ", "\r", " ").Replace(name) + "`"
}

func codes(names []string) string {
	var out []string
	for _, n := range names {
		out = append(out, code(n))
	}
	return strings.Join(out, ", ")
}
