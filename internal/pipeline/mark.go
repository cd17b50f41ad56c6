package pipeline

import (
	"slices"
	"strings"
)

// Ours reports whether a file's second line says that Tidegate wrote it for path.
func Ours(content, path string) bool {
	_, rest, _ := strings.Cut(content, "\n")
	line, _, _ := strings.Cut(rest, "\n")
	return strings.TrimSuffix(line, "\r") == Marker+path // a checkout may have turned its line ends into Windows'
}

// MadeFile is what Status.Made calls a pipeline's file.
const MadeFile = "file"

// MadeIt reports whether what has this name came into being by the pipeline.
func (s Status) MadeIt(name string) bool { return slices.Contains(s.Made, name) }
