package github

import (
	"context"
	"fmt"
	"regexp"
	"strings"

	gh "github.com/google/go-github/v60/github"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/pipeline"
)

// A site is where a pipeline is or goes, as it is when something is to be done to it. Nothing of it is shared with others,
// who may have read before somebody wrote.
type site struct {
	*Repository
	path   string
	branch string
	file   file // on the branch

	pull  *gh.PullRequest // ours, open; nil if there is none
	head  file            // on its branch
	heads []head          // branches that have our names
}

// A head is a branch of a name that our pull requests come from.
type head struct {
	name, commit string
	pulls        []*gh.PullRequest // from it, the newest first
}

// survey looks at a site. branch "" is the repository's default one.
func (r *Repository) survey(ctx context.Context, path, branch string) (*site, error) {
	s := &site{Repository: r, path: path, branch: branch}
	if branch == "" {
		f, err := r.facts(ctx)
		if err != nil {
			return nil, err
		}
		s.branch = f.branch
	}
	at, err := r.tip(ctx, s.branch)
	if err != nil {
		return nil, err
	}
	if s.file, err = r.file(ctx, path, at.commit); err != nil {
		return nil, err
	}
	if err := s.findPull(ctx); err != nil {
		return nil, err
	}
	return s, nil
}

// now is the file as it counts: that of the pull request which brings it, while it is open.
func (s *site) now() file {
	if s.pull != nil {
		return s.head
	}
	return s.file
}

// findPull finds our pull request by the name of its branch and the marker in its text: state may have been lost.
func (s *site) findPull(ctx context.Context) error {
	var err error
	if s.heads, err = s.findHeads(ctx); err != nil {
		return err
	}
	for i, h := range s.heads {
		if s.heads[i].pulls, err = s.pullsFrom(ctx, h.name); err != nil {
			return err
		}
		for _, p := range s.heads[i].pulls {
			if s.pull == nil && p.GetState() == "open" && s.isOurs(p) {
				s.pull = p
			}
		}
	}
	if s.pull == nil {
		return nil
	}
	s.head, err = s.Repository.file(ctx, s.path, s.pull.GetHead().GetSHA())
	return err
}

func (s *site) isOurs(p *gh.PullRequest) bool {
	return p.GetBase().GetRef() == s.branch && strings.Contains(p.GetBody(), pullMarker(s.path))
}

// pullMarker is in the text of each of our pull requests.
func pullMarker(path string) string { return "<!-- tidegate_pipeline " + path + " -->" }

var notInSlug = regexp.MustCompile(`[^a-z0-9]+`)

// headName is the branch that a pipeline's pull requests come from; there may be others of that name with a number behind it.
func headName(path string) string {
	return "tidegate/" + strings.Trim(notInSlug.ReplaceAllString(strings.ToLower(path), "-"), "-")
}

// findHeads lists the branches that have our names. One request.
func (s *site) findHeads(ctx context.Context) ([]head, error) {
	t := task{doing: "list branches " + headName(s.path) + "*", needs: "contents: read"}
	refs, _, err := s.c.api.Git.ListMatchingRefs(ctx, s.owner, s.name, &gh.ReferenceListOptions{Ref: "heads/" + headName(s.path)})
	if err != nil {
		return nil, s.failed(t, err)
	}
	ours := regexp.MustCompile("^" + regexp.QuoteMeta(headName(s.path)) + "(-[0-9]+)?$")
	var out []head
	for _, ref := range refs {
		if name := strings.TrimPrefix(ref.GetRef(), "refs/heads/"); ours.MatchString(name) {
			out = append(out, head{name: name, commit: ref.GetObject().GetSHA()})
		}
	}
	return out, nil
}

// pullsFrom lists the pull requests from a branch of this repository, the newest first. One request.
func (r *Repository) pullsFrom(ctx context.Context, branch string) ([]*gh.PullRequest, error) {
	t := task{doing: "list the pull requests from branch " + branch, needs: "pull-requests: read"}
	found, _, err := r.c.api.PullRequests.List(ctx, r.owner, r.name, &gh.PullRequestListOptions{
		State: "all", Head: r.owner + ":" + branch, ListOptions: gh.ListOptions{PerPage: 30},
	})
	return found, r.failed(t, err)
}

// moved is the error of a file that is not what the plan saw.
func (s *site) moved(now file, planned, where string) error {
	name := func(blob string) string {
		if blob == "" {
			return "no file"
		}
		return "blob " + blob
	}
	base := ""
	if planned != "" {
		base = blobSHA(planned)
	}
	return s.failed(task{doing: "write " + s.path}, &Error{
		Kind:    pipeline.ErrMoved,
		Message: fmt.Sprintf("%s on %s is %s, and the plan was made against %s", s.path, where, name(now.blob), name(base)),
		Next:    "It was left as it is. Plan again to see what would become of it.",
	})
}

// claim says whether the file may be written by a pipeline that is not known to be there, and whether it came into being by it.
func (s *site) claim(c pipeline.Change) (made bool, err error) {
	switch {
	case s.file.blob == "" || pipeline.Ours(s.file.content, s.path): // perhaps by a create that was killed
		return true, nil
	case !c.Adopt:
		return false, s.failed(task{doing: "write " + s.path}, &Error{
			Kind: pipeline.ErrExists, Message: fmt.Sprintf("%s on %s has not our line in it", s.path, s.branch),
			Next: "Choose another path, or set adopt = true to take it over: it is then overwritten, and stays when the pipeline is destroyed.",
		})
	}
	return false, nil
}

// statusOf is a pull request as a Status has it.
func statusOf(p *gh.PullRequest) *pipeline.Pull {
	if p == nil {
		return nil
	}
	out := &pipeline.Pull{Number: p.GetNumber(), URL: p.GetHTMLURL(), State: p.GetState()}
	if !p.GetMergedAt().IsZero() {
		out.State = "merged"
	}
	return out
}
