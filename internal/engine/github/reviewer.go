package github

import (
	"context"
	"errors"
)

// CheckReviewer says whether word ("octocat", "@acme/ml-leads") can review in this repository: an error of kind ErrNotFound
// or ErrRefused is about the word, any other one means that nothing is known. Asked once for each word of a Client.
func (r *Repository) CheckReviewer(ctx context.Context, word string) error {
	return errors.ErrUnsupported
}
