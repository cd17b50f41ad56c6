package github

import (
	"context"
	"errors"
	"fmt"
	"path"
	"strings"

	gh "github.com/google/go-github/v60/github"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/pipeline"
)

// A delivery brings one file to its branch.
type delivery struct {
	*site
	mode    string
	change  fileChange
	planned string // content that the plan was made against
	known   bool   // the pipeline was there before
	lenient bool   // whatever is there may be replaced: it was looked at by the caller
	words   pullWords
}

// A delivered file is what came of it. What is not delivered is not in it.
type delivered struct {
	commit string // "" if none was needed
	pull   *pipeline.Pull
	file   file // as it counts now
}

// deliver does it: by a commit, or by a pull request where that is asked for or the branch refuses pushes.
func (d *delivery) deliver(ctx context.Context) (delivered, error) {
	switch d.mode {
	case pipeline.Commit:
		if d.pull == nil || !refused(d.pull) || !d.change.done(d.head) { // else it was tried, and waits
			out, err := d.push(ctx)
			if !errors.Is(err, errProtected) {
				return out, err
			}
		}
		d.words.body += refusedWords
		d.c.notice(fmt.Sprintf("Branch %s of %s refuses pushes: %s is brought by a pull request", d.branch, d.Repository, d.path))
	case pipeline.PullRequest:
	default:
		return delivered{}, fmt.Errorf("deliver %s: mode %q: want %s or %s", d.path, d.mode, pipeline.PullRequest, pipeline.Commit)
	}
	return d.byPull(ctx)
}

// refused reports whether a pull request brings what a branch did not take as a commit.
func refused(p *gh.PullRequest) bool { return strings.Contains(p.GetBody(), refusedWords) }

// push commits to the branch itself. A pull request of ours has nothing to bring then.
func (d *delivery) push(ctx context.Context) (delivered, error) {
	sha, err := d.commitTo(ctx, d.branch, d.change, d.message(), func(now file) error {
		if d.pull == nil {
			return d.allow(now, d.branch)
		}
		if now != d.file { // the plan was made against the pull request
			return d.moved(now, d.file.content, d.branch)
		}
		return nil
	})
	if err != nil {
		return delivered{}, err
	}
	_, err = d.supersede(ctx)
	return delivered{commit: sha, file: d.wanted()}, err
}

// allow says whether a file may be replaced.
func (d *delivery) allow(now file, where string) error {
	if d.lenient || now.content == d.planned {
		return nil
	}
	return d.moved(now, d.planned, where)
}

func (d *delivery) wanted() file {
	if d.change.content == "" {
		return file{}
	}
	return file{blobSHA(d.change.content), d.change.content}
}

// message is a commit's, in the words of conventional commits: what, and by whom.
func (d *delivery) message() string {
	verb := "update"
	switch {
	case d.change.content == "":
		verb = "remove"
	case d.now().blob == "":
		verb = "add"
	}
	return fmt.Sprintf("ci: %s pipeline %s\n\n%s of tidegate_pipeline, by Terraform.", verb, nameOf(d.path), d.path)
}

// nameOf is what people call a pipeline: the file's name without its ending.
func nameOf(file string) string {
	return strings.TrimSuffix(path.Base(file), path.Ext(file))
}

// supersede closes our pull request, which brings what nobody asks for any more, and removes its branch.
func (d *delivery) supersede(ctx context.Context) (*pipeline.Pull, error) {
	if d.pull == nil {
		return nil, nil
	}
	closed, err := d.closePull(ctx, d.pull.GetNumber())
	if err != nil {
		return nil, err
	}
	return statusOf(closed), d.drop(ctx, d.pull.GetHead().GetRef())
}
