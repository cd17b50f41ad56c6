// Package pipelinetest checks what every pipeline.Engine promises about the file of a pipeline.
package pipelinetest

import (
	"context"
	"errors"
	"reflect"
	"testing"
	"time"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/pipeline"
)

// A Subject is an engine and a place where no pipeline is yet.
type Subject struct {
	Engine pipeline.Engine
	// Spec says where: place, and in a repository a delivery that commits to the branch.
	Spec pipeline.Spec
	// Write puts content at Spec.Path as a person does, past the engine; "" removes the file.
	Write func(t *testing.T, content string)
	// Read is what is at Spec.Path, past the engine; "" if there is nothing.
	Read func(t *testing.T) string
}

// Run checks the engine of subjects, each with a fresh place.
func Run(t *testing.T, open func(t *testing.T) Subject) {
	for name, check := range map[string]func(*testing.T, Subject){
		"AppliedTwiceIsAppliedOnce":             appliedTwice,
		"AnUnfinishedCreateIsFinished":          unfinished,
		"AChangeReplacesTheFile":                changed,
		"SomebodyElsesFileIsRefused":            foreign,
		"AnAdoptedFileStaysWhenDeleted":         adopted,
		"AFileThatMovedOnIsNotOverwritten":      moved,
		"AFileDeletedByAPersonIsNotFound":       gone,
		"DeletedTwiceIsDeletedOnce":             deletedTwice,
		"WhatBecameSomebodyElsesIsNotDeleted":   takenOver,
		"AnImportedPipelineIsOneThatWasApplied": imported,
		"ACancelledApplyChangesNothing":         cancelled,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			check(t, open(t))
		})
	}
}

// Content is a file of ours.
func Content(path, job string) string {
	return "# fraud: tests the model.\n" + pipeline.Marker + path + "\non: push\njobs:\n  " + job +
		":\n    runs-on: ubuntu-latest\n    steps:\n      - run: make test\n"
}

const somebodys = "# Written by hand.\non: push\njobs: {}\n"

func within(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// change makes a file with one job of what is there now.
func (s Subject) change(t *testing.T, job string, before pipeline.Status) pipeline.Change {
	t.Helper()
	return pipeline.Change{Spec: s.Spec, Content: Content(s.Spec.Path, job), Base: s.Read(t), Before: before}
}

func (s Subject) apply(t *testing.T, c pipeline.Change) pipeline.Status {
	t.Helper()
	st, err := s.Engine.Apply(within(t), c)
	if err != nil {
		t.Fatalf("apply: %v", err)
	}
	s.holds(t, c.Content)
	if st.Place != s.Spec.Place || st.Content != c.Content {
		t.Fatalf("apply: %+v: want the file that was written", st)
	}
	return st
}

func (s Subject) created(t *testing.T) pipeline.Status {
	t.Helper()
	st := s.apply(t, s.change(t, "test", pipeline.Status{}))
	if !st.MadeIt(pipeline.MadeFile) {
		t.Fatalf("made %q: want the file in it", st.Made)
	}
	return st
}

func (s Subject) get(t *testing.T, known pipeline.Status) pipeline.Status {
	t.Helper()
	st, err := s.Engine.Get(within(t), known)
	if err != nil {
		t.Fatalf("get: %v", err)
	}
	return st
}

func (s Subject) remove(t *testing.T, known pipeline.Status) {
	t.Helper()
	pull, err := s.Engine.Delete(within(t), known, s.Spec.Delivery)
	if err != nil || pull != nil {
		t.Fatalf("delete: %+v, %v", pull, err)
	}
}

func (s Subject) holds(t *testing.T, want string) {
	t.Helper()
	if now := s.Read(t); now != want {
		t.Fatalf("the file holds %q, want %q", now, want)
	}
}

func (s Subject) refuses(t *testing.T, c pipeline.Change, want error) {
	t.Helper()
	before := s.Read(t)
	st, err := s.Engine.Apply(within(t), c)
	if !errors.Is(err, want) {
		t.Errorf("apply: %v, want %v", err, want)
	}
	if st.Content == c.Content {
		t.Errorf("apply: %+v: want nothing that is not true", st)
	}
	s.holds(t, before)
}

func (s Subject) problems(t *testing.T, spec pipeline.Spec, known pipeline.Status) []pipeline.Problem {
	t.Helper()
	all, err := s.Engine.Check(within(t), spec, known)
	if err != nil {
		t.Fatalf("check: %v", err)
	}
	var bad []pipeline.Problem
	for _, p := range all {
		if !p.Warning {
			bad = append(bad, p)
		}
	}
	return bad
}

func appliedTwice(t *testing.T, s Subject) {
	c := s.change(t, "test", pipeline.Status{})
	first := s.apply(t, c)
	if got := s.get(t, first); !reflect.DeepEqual(got, first) {
		t.Errorf("get: %+v, want what apply said: %+v", got, first)
	}
	c.Base, c.Before = first.Content, first
	if second := s.apply(t, c); !reflect.DeepEqual(second, first) {
		t.Errorf("applied again: %+v, want %+v", second, first)
	}
	if bad := s.problems(t, s.Spec, first); len(bad) != 0 {
		t.Errorf("check of what was applied: %+v", bad)
	}
}

// unfinished is a create that was killed before Terraform wrote down what there is.
func unfinished(t *testing.T, s Subject) {
	c := s.change(t, "test", pipeline.Status{})
	s.apply(t, c)
	if again := s.apply(t, c); !again.MadeIt(pipeline.MadeFile) { // with the plan of then
		t.Errorf("made %q: want the file in it", again.Made)
	}
	if bad := s.problems(t, s.Spec, pipeline.Status{}); len(bad) != 0 {
		t.Errorf("check: %+v: want one's own file not taken for another's", bad)
	}
	if other := s.apply(t, s.change(t, "lint", pipeline.Status{})); !other.MadeIt(pipeline.MadeFile) { // with a new plan
		t.Errorf("made %q: want the file in it", other.Made)
	}
}

func changed(t *testing.T, s Subject) {
	first := s.created(t)
	second := s.apply(t, s.change(t, "lint", first))
	if got := s.get(t, second); got.Content != Content(s.Spec.Path, "lint") || !got.MadeIt(pipeline.MadeFile) {
		t.Errorf("get: %+v", got)
	}
	// By hand it is drift, even without our line, and the next apply puts it back.
	s.Write(t, somebodys)
	drifted := s.get(t, second)
	if drifted.Content != somebodys {
		t.Errorf("get: %+v: want what is there", drifted)
	}
	if bad := s.problems(t, s.Spec, second); len(bad) != 0 {
		t.Errorf("check of drift: %+v", bad)
	}
	s.apply(t, s.change(t, "lint", drifted))
}

func foreign(t *testing.T, s Subject) {
	for _, content := range []string{somebodys, Content(".github/workflows/another.yml", "test")} {
		s.Write(t, content)
		if bad := s.problems(t, s.Spec, pipeline.Status{}); len(bad) != 1 || bad[0].Path[0] != "path" {
			t.Errorf("check: %+v: want one about the path", bad)
		}
		s.refuses(t, s.change(t, "test", pipeline.Status{}), pipeline.ErrExists)
	}
}

func adopted(t *testing.T, s Subject) {
	s.Write(t, somebodys)
	s.Spec.Adopt = true
	if bad := s.problems(t, s.Spec, pipeline.Status{}); len(bad) != 0 {
		t.Errorf("check: %+v", bad)
	}
	st := s.apply(t, s.change(t, "test", pipeline.Status{}))
	st = s.apply(t, s.change(t, "lint", s.get(t, st)))
	if st.MadeIt(pipeline.MadeFile) {
		t.Errorf("made %q: it was there before", st.Made)
	}
	s.remove(t, s.get(t, st))
	s.holds(t, st.Content)
}

func moved(t *testing.T, s Subject) {
	first := s.created(t)
	planned := s.change(t, "lint", first)
	s.Write(t, Content(s.Spec.Path, "by-hand"))
	s.refuses(t, planned, pipeline.ErrMoved)
	// What the plan wants may be there by then.
	s.Write(t, planned.Content)
	s.apply(t, planned)
	// And a file that the plan did not see.
	s.Write(t, "")
	planned = s.change(t, "test", pipeline.Status{})
	s.Write(t, Content(s.Spec.Path, "by-hand"))
	s.refuses(t, planned, pipeline.ErrMoved)
}

func gone(t *testing.T, s Subject) {
	if _, err := s.Engine.Get(within(t), pipeline.Status{Place: s.Spec.Place}); !errors.Is(err, pipeline.ErrNotFound) {
		t.Errorf("get of what never was: %v", err)
	}
	st := s.created(t)
	s.Write(t, "")
	if _, err := s.Engine.Get(within(t), st); !errors.Is(err, pipeline.ErrNotFound) {
		t.Errorf("get of what a person deleted: %v", err)
	}
	s.remove(t, st)
}

func deletedTwice(t *testing.T, s Subject) {
	st := s.created(t)
	s.remove(t, st)
	s.holds(t, "")
	if _, err := s.Engine.Get(within(t), st); !errors.Is(err, pipeline.ErrNotFound) {
		t.Errorf("get of what was deleted: %v", err)
	}
	s.remove(t, st)
	s.created(t)
}

func takenOver(t *testing.T, s Subject) {
	st := s.created(t)
	s.Write(t, somebodys)
	s.remove(t, st)
	s.holds(t, somebodys)
}

func imported(t *testing.T, s Subject) {
	first := s.created(t)
	st := s.get(t, pipeline.Status{Place: s.Spec.Place})
	if st.Content != first.Content || !st.MadeIt(pipeline.MadeFile) {
		t.Errorf("imported: %+v, want %+v", st, first)
	}
	s.remove(t, st)
	s.holds(t, "")
}

func cancelled(t *testing.T, s Subject) {
	c := s.change(t, "test", pipeline.Status{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if st, err := s.Engine.Apply(ctx, c); !errors.Is(err, context.Canceled) || st.Content != "" {
		t.Errorf("apply: %+v, %v", st, err)
	}
	s.holds(t, "")
}
