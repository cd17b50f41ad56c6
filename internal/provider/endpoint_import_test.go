package provider

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestImportThenPlanIsEmpty(t *testing.T) {
	s := newStage(t)
	s.models(behaviour{Version: "v1"})
	s.write("labels/en.txt", "x")
	s.write("serve.sh", "#!/bin/sh\nexec tg-model \"$@\"\n")
	if err := os.Chmod(filepath.Join(s.dir, "serve.sh"), 0o755); err != nil {
		t.Fatal(err)
	}
	full := penguinsWith(`command = ["./serve.sh", "{port}", "{model}"]
    files = ["labels"]
    protocol = "http"
    ready_path = "/healthz"
    start_timeout = "90s"
    env = { A = "b" }`, "v1", `replicas = 2
  deletion_protection = true
  routing {
    sticky_header = "X-Client"
    timeout = "120s"
  }
  rollout {
    policy = tidegate_rollout_policy.quick.json
    retry = "1"
    on_cancel = "freeze"
  }`)
	s.config(full)
	s.apply().ok()
	s.terraform("state", "rm", endpointAddress, "tidegate_cluster.here").ok()
	s.terraform("import", "tidegate_cluster.here", "local/here").ok()
	s.terraform("import", endpointAddress, "local/here/penguins").ok()
	s.plan().ok()

	s.terraform("state", "rm", endpointAddress).ok()
	s.terraform("import", endpointAddress, "penguins").fails().says(`"penguins": want local/CLUSTER/NAME`)
	s.terraform("import", endpointAddress, "local/here/owls").fails().says("Cannot import non-existent remote object")
	s.config(full, "import {\n to = "+endpointAddress+"\n id = \"local/here/penguins\"\n}")
	s.plan().changes().says("1 to import, 0 to add, 0 to change, 0 to destroy")
}

func TestImportOfDefaultsIsEmpty(t *testing.T) {
	s := newStage(t)
	s.models(behaviour{Version: "v1"})
	hcl := strings.Replace(penguins("v1"), "rollout {\n policy = tidegate_rollout_policy.quick.json\n}", "", 1)
	s.config(hcl)
	s.apply().ok()
	s.terraform("state", "rm", endpointAddress).ok()
	s.terraform("import", endpointAddress, "local/here/penguins").ok()
	s.plan().ok()
	s.config(strings.TrimSuffix(strings.TrimSpace(hcl), "}") + "timeouts {\n update = \"1h\"\n}\n}")
	s.plan("-out=p").changes().says("+ timeouts", "0 to add, 1 to change, 0 to destroy") // which only a configuration knows
	s.apply("p").ok()
	s.plan().ok()
}
