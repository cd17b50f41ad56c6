package github

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"slices"
	"time"

	"github.com/cenkalti/backoff/v5"
	gh "github.com/google/go-github/v60/github"
)

// An Artifact of a workflow run.
type Artifact struct {
	ID        int64
	Name      string // untrusted text, and not unique: use ids
	Size      int64  // bytes of its zip
	Digest    string // "sha256:..." of its zip; "" if GitHub did not say
	Run       int64  // the workflow run that uploaded it
	Commit    string // of that run
	Branch    string // of that run; untrusted text
	FromFork  bool   // the run was of another repository's branch
	Expired   bool   // its bytes are gone
	CreatedAt time.Time
	ExpiresAt time.Time
}

// wireArtifact is an artifact as GitHub says it; go-github's does not know digests yet.
type wireArtifact struct {
	ID        int64     `json:"id"`
	Name      string    `json:"name"`
	Size      int64     `json:"size_in_bytes"`
	Digest    string    `json:"digest"`
	Expired   bool      `json:"expired"`
	CreatedAt time.Time `json:"created_at"`
	ExpiresAt time.Time `json:"expires_at"`
	Run       struct {
		ID      int64  `json:"id"`
		Of      int64  `json:"repository_id"`
		HeadOf  int64  `json:"head_repository_id"`
		HeadRef string `json:"head_branch"`
		HeadSHA string `json:"head_sha"`
	} `json:"workflow_run"`
}

func (a wireArtifact) artifact() Artifact {
	return Artifact{
		ID: a.ID, Name: a.Name, Size: a.Size, Digest: a.Digest, Run: a.Run.ID, Commit: a.Run.HeadSHA, Branch: a.Run.HeadRef,
		FromFork: a.Run.Of != a.Run.HeadOf, Expired: a.Expired, CreatedAt: a.CreatedAt, ExpiresAt: a.ExpiresAt,
	}
}

// Artifacts of a workflow run, the oldest first. One request for 100 of them.
func (r *Repository) Artifacts(ctx context.Context, run int64) ([]Artifact, error) {
	t := task{doing: fmt.Sprintf("list the artifacts of run %d", run), needs: "actions: read"}
	var out []Artifact
	err := pages(func(page int) (int, error) {
		var list struct{ Artifacts []wireArtifact }
		res, err := r.get(ctx, fmt.Sprintf("actions/runs/%d/artifacts?per_page=100&page=%d", run, page), &list)
		if err != nil {
			return 0, err
		}
		for _, a := range list.Artifacts {
			out = append(out, a.artifact())
		}
		return res.NextPage, nil
	})
	if err != nil {
		return nil, r.failed(t, err)
	}
	slices.SortFunc(out, func(a, b Artifact) int { return cmp.Compare(a.ID, b.ID) })
	return out, nil
}

// Artifact returns one by its id. One request.
func (r *Repository) Artifact(ctx context.Context, id int64) (Artifact, error) {
	t := task{doing: fmt.Sprintf("read artifact %d", id), needs: "actions: read"}
	var a wireArtifact
	_, err := r.get(ctx, fmt.Sprintf("actions/artifacts/%d", id), &a)
	if err == nil && a.ID != id {
		err = strange(t)
	}
	if err != nil {
		return Artifact{}, r.failed(t, err)
	}
	return a.artifact(), nil
}

// get reads what is below the repository.
func (r *Repository) get(ctx context.Context, path string, into any) (*gh.Response, error) {
	req, err := r.c.api.NewRequest(http.MethodGet, fmt.Sprintf("repos/%s/%s", r, path), nil)
	if err != nil {
		return nil, err
	}
	return r.c.api.Do(ctx, req, into)
}

// DownloadArtifact returns the zip of an artifact, of at most limit bytes: a longer one is an error. Where GitHub said
// the digest, the bytes are those. One request, and one to where the bytes are, which is not GitHub's API and gets no
// token.
func (r *Repository) DownloadArtifact(ctx context.Context, a Artifact, limit int64) ([]byte, error) {
	t := task{doing: fmt.Sprintf("download artifact %d", a.ID), needs: "actions: read"}
	if a.Size > limit {
		return nil, r.failed(t, tooLong(limit))
	}
	if err := r.mayWrite(t); err != nil { // also of a public repository
		return nil, err
	}
	at, err := r.whereBytesAre(ctx, a.ID)
	if err != nil {
		return nil, r.failed(t, err)
	}
	zip, err := again(ctx, r.c.pause, func() ([]byte, error) { return r.c.fetch(ctx, at, limit) })
	if err != nil {
		return nil, r.failed(t, err)
	}
	sum := sha256.Sum256(zip)
	if digest := "sha256:" + hex.EncodeToString(sum[:]); a.Digest != "" && digest != a.Digest {
		why := fmt.Sprintf("its bytes have digest %s, and GitHub says %s", digest, a.Digest)
		return nil, r.failed(t, &Error{Kind: ErrRefused, Message: oneLine(why), Next: "They were changed on their way; use none of them."})
	}
	return zip, nil
}

// whereBytesAre is the signed address that GitHub leads to.
func (r *Repository) whereBytesAre(ctx context.Context, id int64) (string, error) {
	req, err := r.c.api.NewRequest(http.MethodGet, fmt.Sprintf("repos/%s/actions/artifacts/%d/zip", r, id), nil)
	if err != nil {
		return "", err
	}
	res, err := r.c.api.Client().Transport.RoundTrip(req.WithContext(ctx)) // which follows no redirect
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusFound && res.StatusCode != http.StatusTemporaryRedirect {
		return "", cmp.Or(gh.CheckResponse(res), error(&Error{Kind: ErrRefused, Message: "GitHub led to no bytes"}))
	}
	at, err := res.Location()
	if err != nil {
		return "", &Error{Kind: ErrRefused, Message: "GitHub led to no address"}
	}
	return at.String(), nil
}

// fetch gets bytes from where a signed address leads. The address is in none of the errors.
func (c *Client) fetch(ctx context.Context, at string, limit int64) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, at, nil)
	if err != nil {
		return nil, backoff.Permanent(&Error{Kind: ErrRefused, Message: "GitHub led to no address"})
	}
	res, err := c.plain.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		err := fmt.Errorf("the store of artifacts at %s answered %d", req.URL.Host, res.StatusCode)
		if res.StatusCode < 500 {
			return nil, backoff.Permanent(err)
		}
		return nil, err
	}
	b, err := io.ReadAll(io.LimitReader(res.Body, limit+1))
	if err != nil {
		return nil, fmt.Errorf("the bytes were cut off: %w", err)
	}
	if int64(len(b)) > limit {
		return nil, backoff.Permanent(tooLong(limit))
	}
	return b, nil
}

func tooLong(limit int64) error {
	return &Error{Kind: ErrRefused, Message: fmt.Sprintf("it is longer than %d bytes", limit), Next: "It is not what was uploaded, or too much was."}
}
