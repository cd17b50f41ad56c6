package action

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"filippo.io/age"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/engine/github"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/terraform"
)

// A plan file holds secrets, and applying it runs what is in it. So it leaves a job only sealed: encrypted and
// authenticated by age with a key of the secret, together with the review that says what it is of. Artifacts of a
// public repository can be read by anybody, and written by any job of the run.
//
// The sealed file is a tar of review.json and of a plan file for each root, in the order of the review.

// Limits of a sealed plan, so that an artifact cannot fill the disk.
const (
	maxSealed   = 512 << 20
	maxPlanFile = 256 << 20
)

const reviewName = "review.json"

// workFactor of age's scrypt: 32 MiB and 50 ms. The key is random and long, unlike a password.
const workFactor = 15

// passphrase is what age is given: a key of its own.
func passphrase(key string) (string, error) {
	k, err := terraform.DeriveKey([]byte(key), sealPurpose)
	return hex.EncodeToString(k), err
}

// sealPlans writes the run's plans into the file that the input save names.
func (r *run) sealPlans() (err error) {
	rev, err := newReview(r.plans, 64<<20)
	if err != nil {
		return err
	}
	rev.Repository, rev.Commit = r.repository(), r.event.SHA
	if err := rev.seal(r.in.Key); err != nil {
		return err
	}
	out, err := os.OpenFile(r.in.Save, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	return r.sealTo(out, rev)
}

func (r *run) sealTo(w io.Writer, rev review) error {
	pass, err := passphrase(r.in.Key)
	if err != nil {
		return err
	}
	to, err := age.NewScryptRecipient(pass)
	if err != nil {
		return err
	}
	to.SetWorkFactor(workFactor)
	sealed, err := age.Encrypt(w, to)
	if err != nil {
		return err
	}
	archive := tar.NewWriter(sealed)
	b, err := json.Marshal(rev)
	if err != nil {
		return err
	}
	if err := add(archive, reviewName, b); err != nil {
		return err
	}
	for i, p := range r.plans {
		b, err := os.ReadFile(p.file)
		if err != nil {
			return err
		}
		if err := add(archive, planName(i), b); err != nil {
			return err
		}
	}
	if err := archive.Close(); err != nil {
		return err
	}
	return sealed.Close()
}

func planName(i int) string { return fmt.Sprintf("%d.tfplan", i) }

func add(archive *tar.Writer, name string, b []byte) error {
	if err := archive.WriteHeader(&tar.Header{Name: name, Mode: 0o600, Size: int64(len(b))}); err != nil {
		return err
	}
	_, err := archive.Write(b)
	return err
}

// repository is what a review is of: on GitHub its name.
func (r *run) repository() string {
	if r.act == nil {
		return ""
	}
	return r.event.FullName()
}

// open has the plans that the plan job of this run sealed.
func (a *application) open(ctx context.Context) error {
	sealed, err := a.sealedFile(ctx)
	if err != nil {
		return err
	}
	rev, err := a.unseal(sealed)
	if err != nil {
		return refuse("the sealed plan is not applied: %v", err)
	}
	if a.forge != nil {
		// Only for the comment: whether there is a pull request or not, the plan is of this commit.
		if a.pull, err = a.pullOf(ctx); err != nil {
			a.pull = github.PullRequest{}
		}
	}
	for _, p := range a.plans {
		if p.Err = a.openRoot(ctx, p, rev); p.Err != nil {
			return fmt.Errorf("open the plan of %s: %w", p.Path, p.Err)
		}
	}
	a.reportPlan()
	return a.broken()
}

// openRoot reads a plan that was unsealed, and makes sure that it is the one that was sealed.
func (a *application) openRoot(ctx context.Context, p *rootPlan, rev review) error {
	if err := p.tf.Check(); err != nil {
		return err
	}
	if err := a.speak(p, "init", func() error { return p.tf.Init(ctx) }); err != nil {
		return err
	}
	var err error
	if p.Plan, err = p.tf.ReadPlan(ctx, p.file, a.key); err != nil {
		return err
	}
	if p.Violations, err = a.in.Guards.Check(ctx, p.Plan, a.shower(p)); err != nil {
		return err
	}
	want, ok, err := rev.root(p.Path)
	if err != nil || !ok {
		return errors.Join(err, refuse("it was not sealed"))
	}
	if !p.Plan.Fingerprint.Equal(want) {
		return refuse("its structure is not that of the plan that was sealed: was the folder, the lock file or the state changed in between?")
	}
	return nil
}

// sealedFile is the sealed plan: of the run's own artifact, by its id, or of a file.
func (a *application) sealedFile(ctx context.Context) ([]byte, error) {
	if a.forge == nil {
		return read("sealed plan", a.in.Saved)
	}
	if !a.event.Protected {
		return nil, refuse("verify: saved applies a plan on a protected branch only, and %q is not protected: whoever may push to it could change what is planned", a.event.Branch)
	}
	art, err := a.forge.Artifact(ctx, a.in.Artifact)
	if err != nil {
		return nil, err
	}
	switch {
	case art.Expired:
		return nil, refuse("artifact %d has expired: plan again", art.ID)
	case art.Run != a.event.RunID || art.FromFork || art.Commit != a.event.SHA:
		return nil, refuse("artifact %d is of run %d at %s, not of this one: pass the id that the upload of this run's plan job gave", art.ID, art.Run, short(art.Commit))
	}
	zipped, err := a.forge.DownloadArtifact(ctx, art, maxSealed)
	if err != nil {
		return nil, err
	}
	return unzip(zipped)
}

// unzip is the only file of an artifact.
func unzip(zipped []byte) ([]byte, error) {
	z, err := zip.NewReader(bytes.NewReader(zipped), int64(len(zipped)))
	if err != nil {
		return nil, fmt.Errorf("open the artifact: %w", err)
	}
	if len(z.File) != 1 {
		return nil, refuse("the artifact holds %d files: want the sealed plan alone", len(z.File))
	}
	f, err := z.File[0].Open()
	if err != nil {
		return nil, fmt.Errorf("open the artifact: %w", err)
	}
	defer f.Close()
	return readUpTo(f, maxSealed)
}

func readUpTo(r io.Reader, limit int64) ([]byte, error) {
	b, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err == nil && int64(len(b)) > limit {
		err = fmt.Errorf("it is larger than %d MiB", limit>>20)
	}
	return b, err
}

// unseal writes the plan files to where the run keeps them. It writes nothing that age has not authenticated, and
// to no path that the archive names.
func (a *application) unseal(sealed []byte) (review, error) {
	pass, err := passphrase(a.in.Key)
	if err != nil {
		return review{}, err
	}
	id, err := age.NewScryptIdentity(pass)
	if err != nil {
		return review{}, err
	}
	id.SetMaxWorkFactor(workFactor)
	plain, err := age.Decrypt(bytes.NewReader(sealed), id)
	if err != nil {
		return review{}, errors.New("this key does not open it: it was sealed with another, or is damaged, or is no sealed plan")
	}
	all, err := readUpTo(plain, maxSealed) // the last chunk says whether it is whole
	if err != nil {
		return review{}, fmt.Errorf("it is damaged: %w", err)
	}
	archive := tar.NewReader(bytes.NewReader(all))
	b, err := next(archive, reviewName)
	if err != nil {
		return review{}, err
	}
	rev, err := decodeReview(b, a.in.Key)
	if err != nil {
		return review{}, err
	}
	if rev.Repository != a.repository() || rev.Commit != a.event.SHA {
		return review{}, fmt.Errorf("it is of %s at %s, this is %s at %s", rev.Repository, short(rev.Commit), a.repository(), short(a.event.SHA))
	}
	return rev, a.takePlans(archive, rev)
}

func (a *application) takePlans(archive *tar.Reader, rev review) error {
	byRoot := map[string]*rootPlan{}
	for _, p := range a.plans {
		byRoot[p.Path] = p
	}
	for i, root := range rev.Roots {
		b, err := next(archive, planName(i))
		if err != nil {
			return err
		}
		p, ok := byRoot[root.Root]
		if !ok {
			return fmt.Errorf("it has a plan of %s, which is not among the roots of this apply", root.Root)
		}
		if err := os.WriteFile(filepath.Clean(p.file), b, 0o600); err != nil {
			return err
		}
		delete(byRoot, root.Root)
	}
	for root := range byRoot {
		return fmt.Errorf("it has no plan of %s", root)
	}
	return nil
}

func next(archive *tar.Reader, name string) ([]byte, error) {
	h, err := archive.Next()
	if err != nil {
		return nil, fmt.Errorf("it has no %s: %w", name, err)
	}
	if h.Name != name || h.Size > maxPlanFile {
		return nil, fmt.Errorf("it has %q of %d bytes where %s was expected", h.Name, h.Size, name)
	}
	return io.ReadAll(archive)
}
