package provider

import (
	"strings"
	"testing"
)

// endpointHCL is an endpoint with these arguments and the model server of the tests.
func endpointHCL(arguments ...string) string {
	return `
resource "tidegate_model_endpoint" "penguins" {
  name    = "penguins"
  cluster = "local/here"
  ` + strings.Join(arguments, "\n") + "\n}\n"
}

const (
	model   = "model {\n uri = \"file://model.json\"\n}\n"
	runtime = "runtime {\n command = [\"tg-model\", \"{port}\", \"{model}\"]\n}\n"
)

func runtimeWith(arguments string) string {
	return model + strings.Replace(runtime, "\n}", "\n"+arguments+"\n}", 1)
}

func TestBadEndpointsAreRefusedAtPlan(t *testing.T) {
	s := newStage(t)
	s.write("model.json", behaviour{})
	s.write("dir/file", "")
	s.write("not-executable", "")
	for hcl, want := range map[string]string{
		runtime:                               `Missing block model`,
		model:                                 `Missing block runtime`,
		model + "runtime {}":                  `The argument "command" is required`,
		model + "runtime {\n command = []\n}": `at least 1 elements`,
		model + "runtime {\n command = [null]\n}":                                        `null: want a text`,
		model + "runtime {\n command = [\"\"]\n}":                                        `command is empty`,
		model + "runtime {\n command = [\"x\", \"--port={prot}\"]\n}":                    `{prot} in the command word "--port={prot}": want {port}, {model} or {name}`,
		model + "runtime {\n command = [\"./missing\"]\n}\nreplicas = 17":                `17: want a whole number from 1 to 16`,
		model + "runtime {\n command = [\"./dir\"]\n}":                                   `is not a file`,
		model + "runtime {\n command = [\"./not-executable\"]\n}":                        `run chmod +x`,
		runtimeWith(`protocol = "grpc"`):                                                 `"grpc": want ["v2" "http"]`,
		runtimeWith(`protocol = "http"`):                                                 `Missing ready_path`,
		runtimeWith(`ready_path = "/healthz"`):                                           `ready_path has no meaning with protocol v2`,
		runtimeWith("protocol = \"http\"\n ready_path = \"healthz\""):                    `"healthz": want a path that begins with /`,
		runtimeWith(`start_timeout = "soon"`):                                            `"soon": want a duration`,
		runtimeWith(`start_timeout = "0s"`):                                              `"0s": want 1s to`,
		runtimeWith(`files = ["../secret"]`):                                             `"../secret": want a path below the root module`,
		runtimeWith(`files = ["/etc/passwd"]`):                                           `"/etc/passwd": want a path below the root module`,
		runtimeWith(`env = { "A=B" = "x" }`):                                             `variable "A=B": want a name without = in it`,
		runtimeWith(`env = { PORT = "80" }`):                                             `variable PORT is set for every model server`,
		runtimeWith(`env = { A = null }`):                                                `A is null`,
		runtimeWith(`env_wo = { A = "x" }`):                                              `Missing env_wo_version`,
		runtimeWith(`env_wo_version = 1`):                                                `env_wo_version without env_wo`,
		runtimeWith("env = { A = \"x\" }\n env_wo = { A = \"x\" }\n env_wo_version = 1"): `Variable A is there twice`,
		runtimeWith(`image = "x"`):                                                       `An argument named "image" is not expected here`,
		"model {\n url = \"x\"\n}\n" + runtime:                                           `An argument named "url" is not expected here`,
		"model {\n uri = \"s3://bucket/model\"\n}\n" + runtime:                           `no other scheme than file:// is known`,
		"model {\n uri = \"\"\n}\n" + runtime:                                            `names no file`,
		"model {\n uri = \"file:/x\"\n}\n" + runtime:                                     `with two slashes`,
		model + runtime + "replicas = 0":                                                 `0: want a whole number from 1 to 16`,
		model + runtime + "replicas = 1.5":                                               `1.5: want a whole number from 1 to 16`,
		model + runtime + "replicas = \"many\"":                                          `a number is required`,
		model + runtime + "replikas = true":                                              `An argument named "replikas" is not expected here`,
		model + runtime + "routing {\n sticky_heder = \"x\"\n}":                          `An argument named "sticky_heder" is not expected here`,
		model + runtime + "routing {\n sticky_header = \"a b\"\n}":                       `"a b": want a name without blanks`,
		model + runtime + "routing {\n sticky_header = \"a\"\n sticky_cookie = \"b\"\n}": `want at most one`,
		model + runtime + "routing {\n timeout = \"-1s\"\n}":                             `"-1s": want 1ms to`,
		model + runtime + "rollout {\n run = \"later\"\n}":                               `"later": want ["inline" "staged"]`,
		model + runtime + "rollout {\n on_cancel = \"panic\"\n}":                         `"panic": want ["rollback" "freeze"]`,
		model + runtime + "rollout {\n policy = \"careful\"\n}":                          `careful: want a JSON object`,
		model + runtime + "rollout {\n policy = jsonencode({ schema = 1, strategy = \"canary\", steps = [{ weight = 100 }] })\n}": `limits: is missing`,
		model + runtime + "timeouts {\n create = \"never\"\n}":                                                                    `"never": want a duration`,
		model + runtime + "timeouts {\n craete = \"1m\"\n}":                                                                       `An argument named "craete" is not expected here`,
	} {
		s.config(endpointHCL(hcl))
		s.plan().fails().says(want)
	}
}

func TestOddNamesAreRefusedAtPlan(t *testing.T) {
	s := newStage(t)
	for _, name := range []string{"", "-", "A", "a_b", "a.b", "a/b", "../x", "ä", "a ", "a\\u0000b", strings.Repeat("a", 64)} {
		s.config(`resource "tidegate_model_endpoint" "x" {`, `name = "`+name+`"`, `cluster = "local/here"`, model, runtime, `}`)
		s.plan().fails().says(`want a DNS label: 1 to 63 of a-z, 0-9 and -`)
	}
	for _, cluster := range []string{"", "here", "local/", "local/here/x", "kubernetes/a/b", "local/HERE"} {
		s.config(`resource "tidegate_model_endpoint" "x" {`, `name = "x"`, `cluster = "`+cluster+`"`, model, runtime, `}`)
		s.plan().fails().says(`"` + cluster + `": want local/NAME, the id of a tidegate_cluster`)
	}
	s.config(`resource "tidegate_model_endpoint" "x" {`, `name = "x"`, `cluster = "here"`, model, runtime, `}`)
	s.plan().fails().says(`did you mean "local/here"?`)
	s.config(`data "tidegate_rollout" "x" {`, `endpoint = "local/here"`, `}`)
	s.plan().fails().says(`"local/here": want local/CLUSTER/NAME`)
}

func TestPlanShowsWhatWillRun(t *testing.T) {
	s := newStage(t)
	s.write("model.json", behaviour{Version: "v1"})
	s.config(clusterHCL, endpointHCL(model, runtime))
	s.plan("-out=p").changes()
	after := s.planned("p", "tidegate_model_endpoint.penguins").After.(map[string]any)
	for name, want := range map[string]any{"replicas": 1.0, "deletion_protection": false} {
		if after[name] != want {
			t.Errorf("%s: %v, want %v", name, after[name], want)
		}
	}
	for _, name := range []string{"model_digest", "revision"} {
		if digest, _ := after[name].(string); !strings.HasPrefix(digest, "sha256:") {
			t.Errorf("%s: %v, want a digest", name, after[name])
		}
	}
}

func TestMissingFilesAreAWarningAtPlan(t *testing.T) {
	s := newStage(t)
	s.config(endpointHCL(model, runtime))
	s.plan().changes().says("Warning: Nothing there yet", `uri = "file://model.json"`, "relative paths begin at "+s.dir,
		"let the endpoint depend on that", "+ model_digest = (known after apply)")
	s.write("model.json", behaviour{})
	s.config(endpointHCL(model, "runtime {\n command = [\"./missing\"]\n}"))
	s.plan().changes().says("Warning: Nothing there yet", `command = ["./missing"]`)
	s.config(endpointHCL(runtimeWith(`files = ["labels.txt"]`)))
	s.plan().changes().says("Warning: Nothing there yet", `files = ["labels.txt"]`)
}

func TestUnknownValuesArePlanned(t *testing.T) {
	s := newStage(t)
	s.write("model.json", behaviour{})
	s.config(`
resource "terraform_data" "later" {
  input = { text = "x", blocks = [1], env = { A = "b" } }
}
provider "tidegate" {
  local {
    data_dir = terraform_data.later.output.text
  }
}
resource "tidegate_model_endpoint" "values" {
  name    = terraform_data.later.output.text
  cluster = "local/${terraform_data.later.output.text}"
  replicas = length(terraform_data.later.output.text)
  model {
    uri = terraform_data.later.output.text
  }
  runtime {
    command    = ["tg-model", terraform_data.later.output.text]
    protocol   = terraform_data.later.output.text
    env        = { A = terraform_data.later.output.text }
    env_wo     = { B = terraform_data.later.output.text }
    env_wo_version = terraform_data.later.output.text
  }
  rollout {
    policy = terraform_data.later.output.text
  }
}
resource "tidegate_model_endpoint" "others" { # all that a revision is made of is known
  name     = "others"
  cluster  = "local/here"
  replicas = length(terraform_data.later.output.text)
  model {
    uri = "model.json"
  }
  runtime {
    command       = ["tg-model"]
    start_timeout = "${length(terraform_data.later.output.text)}s"
    env           = terraform_data.later.output.env
  }
  routing {
    timeout = "${length(terraform_data.later.output.text)}s"
  }
  rollout {
    retry = terraform_data.later.output.text
  }
}
resource "tidegate_model_endpoint" "blocks" {
  name    = "blocks"
  cluster = "local/here"
  dynamic "model" {
    for_each = terraform_data.later.output.blocks
    content {
      uri = "x"
    }
  }
  dynamic "runtime" {
    for_each = terraform_data.later.output.blocks
    content {
      command = ["x"]
    }
  }
  dynamic "routing" {
    for_each = terraform_data.later.output.blocks
    content {
      sticky_header = "x"
    }
  }
}`)
	s.plan().changes()
}
