package provider

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const (
	pipelineName = "tidegate_pipeline.fraud"
	fraudFile    = ".github/workflows/fraud.yml"
)

// folder is a pipeline in the folder ../fraud of a stage's root module.
func folder(s *stage, hcl ...string) string {
	s.t.Helper()
	if err := os.MkdirAll(filepath.Join(s.dir, "fraud", ".git"), 0o755); err != nil {
		s.t.Fatal(err)
	}
	return "resource \"tidegate_pipeline\" \"fraud\" {\n  directory = \"fraud\"\n  path      = \"" + fraudFile + "\"\n" + strings.Join(hcl, "\n") + "\n}\n"
}

// file is the workflow in the stage's folder; "" for none.
func (s *stage) file() string {
	s.t.Helper()
	b, err := os.ReadFile(filepath.Join(s.dir, "fraud", fraudFile))
	if err != nil && !os.IsNotExist(err) {
		s.t.Fatal(err)
	}
	return string(b)
}

const testStage = `
  triggers {
    push         = ["main"]
    pull_request = true
  }
  test {
    run = "make test"
  }
`

func TestAPipelineInAFolderIsPlannedWrittenAndRemoved(t *testing.T) {
	s := newStage(t)
	s.config(folder(s, testStage))
	s.plan("-out=plan").changes().says("+ workflow = <<-EOT", "run: make test", `+ checks = [ + "test", ]`, `+ id = "directory/fraud/.github/workflows/fraud.yml"`)
	if s.file() != "" {
		t.Fatal("a plan wrote the file")
	}
	s.terraform("apply", "plan").ok()
	if got := s.text(pipelineName, "workflow"); got != s.file() || !strings.Contains(got, "make test") {
		t.Errorf("the state has\n%s\nand the folder\n%s", got, s.file())
	}
	s.plan().ok()
	s.config(folder(s, strings.ReplaceAll(testStage, "make test", "make lint test")))
	s.plan().changes().says("- run: make test", "+ run: make lint test", "0 to add, 1 to change, 0 to destroy")
	s.apply().ok()
	if !strings.Contains(s.file(), "make lint test") {
		t.Error(s.file())
	}
	s.destroy().ok()
	if exists(filepath.Join(s.dir, "fraud", ".github")) {
		t.Error("folders that the pipeline made are left")
	}
}

// upFolder applies a pipeline of tests in a folder.
func (s *stage) upFolder() (hcl string) {
	s.t.Helper()
	hcl = folder(s, testStage)
	s.config(hcl)
	s.apply().ok()
	return hcl
}

func (s *stage) edit(old, new string) {
	s.t.Helper()
	was := s.file()
	if !strings.Contains(was, old) {
		s.t.Fatalf("no %q in\n%s", old, was)
	}
	s.write("fraud/"+fraudFile, strings.ReplaceAll(was, old, new))
}

func TestWhatPeopleChangeInTheFileIsDriftOnceItsMeaningChanges(t *testing.T) {
	s := newStage(t)
	hcl := s.upFolder()
	s.edit("branches: [main]", "branches:\n      - \"main\" # ours")
	s.edit("  # The project's own tests.\n", "\n\n# Written by people.\n")
	theirs := s.file()
	s.plan().ok()
	s.config(strings.Replace(hcl, "path ", "name = \"fraud\"\n  path ", 1)) // which means the same
	s.apply().ok()
	if s.file() != theirs {
		t.Errorf("what people wrote is gone:\n%s", s.file())
	}
	s.edit("run: make test", "run: make tset")
	s.plan().changes().says("- run: make tset", "+ run: make test").neverSays("+ test {")
	s.apply().ok()
	if !strings.Contains(s.file(), "make test") {
		t.Error(s.file())
	}
	s.plan().ok()
}

func TestAFileThatIsGoneIsMadeAgain(t *testing.T) {
	s := newStage(t)
	s.upFolder()
	if err := os.RemoveAll(filepath.Join(s.dir, "fraud", ".github")); err != nil {
		t.Fatal(err)
	}
	s.plan().changes().says("1 to add")
	s.apply().ok()
	s.plan().ok()
}

func TestSomebodyElsesFileIsTakenOverOnlyByAdopt(t *testing.T) {
	s := newStage(t)
	hcl := folder(s, testStage)
	const theirs = "on: push\njobs: {}\n"
	s.write("fraud/"+fraudFile, theirs)
	s.config(hcl)
	s.plan().fails().says("The file is there already", "set adopt = true")
	s.config(folder(s, testStage, "adopt = true"))
	s.apply().ok()
	s.plan().ok()
	if s.file() == theirs {
		t.Error("it was not written")
	}
	s.destroy().ok()
	if s.file() == "" {
		t.Error("an adopted file was removed")
	}
}

func TestAFileThatChangedAfterThePlanIsLeftAlone(t *testing.T) {
	s := newStage(t)
	s.upFolder()
	s.config(folder(s, strings.ReplaceAll(testStage, "make test", "make lint test")))
	s.plan("-out=plan").changes()
	s.edit("run: make test", "run: make tset")
	s.terraform("apply", "plan").fails().says("changed after the plan", "Make a new plan")
	if !strings.Contains(s.file(), "make tset") {
		t.Error("it was overwritten")
	}
	s.plan().changes().says("- run: make tset", "+ run: make lint test")
	s.apply().ok()
	s.plan().ok()
}

func TestAnImportedPipelineIsTakenIntoTheStateAndItsFileStays(t *testing.T) {
	s := newStage(t)
	hcl := s.upFolder()
	for _, id := range []string{"./fraud:" + fraudFile, "directory/./fraud/" + fraudFile} {
		s.edit("make test", "make testing")
		was := s.file()
		s.terraform("state", "rm", pipelineName).ok()
		s.config(strings.ReplaceAll(hcl, `"fraud"
  path`, `"./fraud"
  path`))
		s.terraform("import", pipelineName, id).ok()
		if got := s.text(pipelineName, "workflow"); got != was {
			t.Errorf("the state has\n%s", got)
		}
		if s.file() != was {
			t.Error("an import wrote the file")
		}
		s.plan().changes().says("- run: make testing", "+ run: make test", "0 to add, 1 to change, 0 to destroy")
		s.apply().ok()
		s.plan().ok()
	}
}

func TestAnImportAndItsConfigurationChangeNothingThere(t *testing.T) {
	s := newStage(t)
	s.upFolder()
	path := filepath.Join(s.dir, "fraud", fraudFile)
	before, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	s.terraform("state", "rm", pipelineName).ok()
	s.terraform("import", pipelineName, "directory/fraud/"+fraudFile).ok()
	s.plan().changes().says("+ test {", "0 to add, 1 to change, 0 to destroy").neverSays("~ workflow", "~ pinned_actions")
	s.apply().ok()
	s.plan().ok()
	after, err := os.Stat(path)
	if err != nil || !os.SameFile(before, after) || before.ModTime() != after.ModTime() {
		t.Errorf("the file was written: %v", err)
	}
}

func TestWhatIsUnknownAtPlanIsRenderedAtApply(t *testing.T) {
	s := newStage(t)
	s.config(folder(s, strings.ReplaceAll(testStage, `"make test"`, "terraform_data.run.output"), `
  dynamic "deploy" {
    for_each = terraform_data.names.output
    content {
      name = deploy.value
      root = "infra"
    }
  }`), `
resource "terraform_data" "run" {
  input = "make test"
}
resource "terraform_data" "names" {
  input = []
}`)
	s.plan().changes().says("+ workflow = (known after apply)")
	s.apply().ok()
	if !strings.Contains(s.file(), "make test") {
		t.Error(s.file())
	}
	s.plan().ok()
}

func TestAnotherPathIsAnotherPipeline(t *testing.T) {
	s := newStage(t)
	hcl := s.upFolder()
	s.config(strings.ReplaceAll(hcl, "fraud.yml", "other.yml"))
	s.plan().changes().says("# forces replacement", "1 to add, 0 to change, 1 to destroy")
	s.apply().ok()
	if s.file() != "" || !exists(filepath.Join(s.dir, "fraud", ".github/workflows/other.yml")) {
		t.Error("the old file is left or the new one is not there")
	}
	s.plan().ok()
}
