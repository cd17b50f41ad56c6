package action

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/terraform"
)

// A review is what people could see before they merged: which plans of which commit. It is kept in a check run on
// that commit, which only an app can write and nobody can edit, and in a file on the command line. With a key it
// carries a code that nobody without the key can make, over all of it: another app of the repository, or a workflow
// that was changed in the pull request itself, cannot write one.
type review struct {
	Version    int            `json:"version"`
	Repository string         `json:"repository,omitempty"`
	Commit     string         `json:"commit,omitempty"` // the pull request's head
	Pull       int            `json:"pull_request,omitempty"`
	Comment    int64          `json:"comment,omitempty"` // where people read of it; saves asking for it
	Roots      []reviewedRoot `json:"roots"`
	Code       string         `json:"code,omitempty"`
}

type reviewedRoot struct {
	Root        string `json:"root"`
	Fingerprint string `json:"fingerprint"` // as terraform.Fingerprint.Encode writes it
}

const (
	reviewVersion = 1
	reviewPurpose = "tidegate review 1"
	printPurpose  = "tidegate fingerprint 1"
	sealPurpose   = "tidegate seal 1"

	// textLimit is GitHub's limit of a check run's text, less the words around.
	textLimit = 65_535 - 1024
)

// fence holds the data in a check run's text.
const (
	fenceOpen  = "```tidegate\n"
	fenceClose = "\n```"
)

// newReview is a review of plans, in at most limit characters. Roots share the room: those with short fingerprints
// leave theirs to the others.
func newReview(plans []*rootPlan, limit int) (review, error) {
	r := review{Version: reviewVersion}
	const around = 512 // of a review, and of a root beside its name
	room := limit - around
	for i, p := range plans {
		share := room/(len(plans)-i) - len(p.Path)*2 - 64
		print, err := p.Plan.Fingerprint.Encode(share)
		if err != nil {
			return review{}, fmt.Errorf("keep the fingerprint of %s: %w", p.Path, err)
		}
		room -= len(print) + len(p.Path)*2 + 64
		r.Roots = append(r.Roots, reviewedRoot{Root: p.Path, Fingerprint: print})
	}
	return r, nil
}

// seal writes the code, if there is a key.
func (r *review) seal(key string) error {
	r.Code = ""
	if key == "" {
		return nil
	}
	code, err := r.code(key)
	r.Code = code
	return err
}

func (r review) code(key string) (string, error) {
	k, err := terraform.DeriveKey([]byte(key), reviewPurpose)
	if err != nil {
		return "", err
	}
	r.Code = ""
	b, err := json.Marshal(r)
	if err != nil {
		return "", err
	}
	mac := hmac.New(sha256.New, k)
	mac.Write(b)
	return hex.EncodeToString(mac.Sum(nil)), nil
}

// errForged is a review that our key did not make.
var errForged = errors.New("its code is not of this key: it was written by somebody else, or the key has changed since")

// check finds out whether the key made the review.
func (r review) check(key string) error {
	if key == "" {
		if r.Code != "" {
			return errors.New("it was made with a key, and the input key is not given here")
		}
		return nil
	}
	if r.Code == "" {
		return errors.New("it was made without a key, and the input key is given here: plan again with the key")
	}
	want, err := r.code(key)
	if err != nil {
		return err
	}
	if !hmac.Equal([]byte(want), []byte(r.Code)) {
		return errForged
	}
	return nil
}

// root is the reviewed plan of a root module.
func (r review) root(root string) (terraform.Fingerprint, bool, error) {
	for _, reviewed := range r.Roots {
		if reviewed.Root != root {
			continue
		}
		f, err := terraform.DecodeFingerprint(reviewed.Fingerprint)
		if err != nil {
			return f, true, fmt.Errorf("the reviewed fingerprint of %s: %w", root, err)
		}
		return f, true, nil
	}
	return terraform.Fingerprint{}, false, nil
}

// text is a review as a check run keeps it.
func (r review) text() (string, error) {
	b, err := json.Marshal(r)
	if err != nil {
		return "", err
	}
	return "What was planned, for the apply to compare with: hashes, no values.\n\n" + fenceOpen + string(b) + fenceClose, nil
}

// parseReview reads what text wrote, with the key.
func parseReview(text, key string) (review, error) {
	_, rest, ok := strings.Cut(text, fenceOpen)
	body, _, ok2 := strings.Cut(rest, fenceClose)
	if !ok || !ok2 {
		return review{}, errors.New("it holds no plan")
	}
	return decodeReview([]byte(body), key)
}

// decodeReview reads a review, and believes none that the key did not make.
func decodeReview(b []byte, key string) (review, error) {
	var r review
	if err := json.Unmarshal(b, &r); err != nil {
		return review{}, fmt.Errorf("read the review: %w", err)
	}
	if r.Version != reviewVersion {
		return review{}, fmt.Errorf("it is of version %d, this program writes %d: plan again with the same program", r.Version, reviewVersion)
	}
	if len(r.Roots) == 0 {
		return review{}, errors.New("it holds no plan")
	}
	if err := r.check(key); err != nil {
		return review{}, err
	}
	return r, nil
}
