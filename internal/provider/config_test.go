package provider

import (
	"path/filepath"
	"strings"
	"testing"
)

func TestConfigFileSaysWhereTheEngineIs(t *testing.T) {
	s := newStage(t)
	s.data = "elsewhere/data"
	s.write("shared/tidegate.json", `{"local": {"data_dir": "../elsewhere/data"}}`)
	s.config(`provider "tidegate" {
  config_file = "shared/tidegate.json"
}`, clusterHCL)
	s.apply().ok().neverSays("is not read")
	if !exists(s.dataDir()) || exists(filepath.Join(s.dir, ".tidegate")) {
		t.Error("the engine is not where the file says")
	}
	s.plan().ok()
	// The environment fills in what the configuration leaves out, and the block may repeat the file.
	s.env = append(s.env, "TIDEGATE_CONFIG="+filepath.Join(s.dir, "shared/tidegate.json"), "TIDEGATE_DATA_DIR=unheard")
	s.config(clusterHCL)
	s.plan().ok()
	s.config(`provider "tidegate" {
  config_file = "${path.root}/shared/tidegate.json"
  local {
    data_dir = "elsewhere/data"
  }
}`, clusterHCL)
	s.plan().ok()
	s.destroy().ok()
}

func TestConfigFilesThatCannotBeMeantAreRefusedAtPlan(t *testing.T) {
	s := newStage(t)
	block := func(hcl string) string { return "provider \"tidegate\" {\n" + hcl + "\n}" }
	s.write("one.json", `{"local": {"data_dir": "one"}}`)
	s.config(block("config_file = \"one.json\"\n local {\n data_dir = \"two\"\n}"), clusterHCL)
	s.plan().fails().says("Two data directories are configured", filepath.Join(s.dir, "two"), filepath.Join(s.dir, "one"))
	s.write("bad.json", `{"local": {"dir": "x"}}`)
	s.config(block(`config_file = "bad.json"`), clusterHCL)
	s.plan().fails().says("Cannot read the configuration file", "bad.json: local.dir: unknown: want data_dir")
	s.config(block(`config_file = "none.json"`), clusterHCL)
	s.plan().fails().says("none.json: no such file or directory")
	s.config(block(`config_file = ""`), clusterHCL)
	s.plan().fails().says("want a file, such as tidegate.json")
	if exists(filepath.Join(s.dir, ".tidegate")) {
		t.Error("a plan made a data directory")
	}
}

func TestConfigFileThatOnlyTheCommandLineReadsIsAWarning(t *testing.T) {
	s := newStage(t)
	s.write("tidegate.json", `{"local": {"data_dir": "d"}}`)
	s.config(clusterHCL)
	s.plan().changes().says("Warning: tidegate.json is not read", `config_file = "tidegate.json"`)
	s.config("provider \"tidegate\" {\n local {\n data_dir = \"d\"\n}\n}", clusterHCL)
	s.plan().changes().neverSays("is not read")
}

func TestConfigFileThatIsNotKnownYetIsPlanned(t *testing.T) {
	s := newStage(t)
	s.write("tidegate.json", "{}")
	s.config("provider \"tidegate\" {\n config_file = terraform_data.file.output\n}",
		"resource \"terraform_data\" \"file\" {\n input = \"tidegate.json\"\n}", clusterHCL)
	if text := s.plan().changes().text; strings.Contains(text, "is not read") {
		t.Error(text)
	}
	s.apply().ok()
	s.plan().ok()
}
