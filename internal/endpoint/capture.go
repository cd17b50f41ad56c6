package endpoint

import "context"

// Capture hashes all that s runs: the model, the executable where the command names a file,
// the further files. What is missing on disk is an error that wraps registry.ErrNotExist.
// The digest covers the words of the runtime too, but not what changes in place.
func Capture(ctx context.Context, s Spec) (Revision, error) { panic("contract only") }
