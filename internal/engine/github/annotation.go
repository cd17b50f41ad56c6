package github

import (
	"cmp"

	gh "github.com/google/go-github/v60/github"
)

// A Level of an annotation.
type Level string

// The levels.
const (
	Notice  Level = "notice"
	Warning Level = "warning"
	Failed  Level = "failure"
)

// An Annotation of lines of a file.
type Annotation struct {
	Path      string // within the repository, with slashes
	StartLine int    // from 1
	EndLine   int    // 0: StartLine
	Level     Level
	Title     string
	Message   string
}

// GitHub takes 64 KB of a message: characters may be four bytes long.
const (
	annotationTitle   = 255
	annotationMessage = 16_000
)

// wire is an annotation as GitHub takes it.
func (a Annotation) wire() *gh.CheckRunAnnotation {
	return &gh.CheckRunAnnotation{
		Path: text(a.Path), StartLine: line(a.StartLine), EndLine: line(max(a.StartLine, a.EndLine)), AnnotationLevel: text(string(a.Level)),
		Title: text(cut(a.Title, annotationTitle)), Message: text(cut(cmp.Or(a.Message, a.Title, "-"), annotationMessage)),
	}
}

// batch is what one request takes, and the rest.
func batch(all []Annotation) (now, later []Annotation) {
	n := min(len(all), AnnotationsPerRequest)
	return all[:n], all[n:]
}

func line(n int) *int {
	n = max(n, 1)
	return &n
}
