package provider

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const endpointAddress = "tidegate_model_endpoint.penguins"

// quick is a policy by which a verdict takes seconds.
const quick = `
resource "tidegate_rollout_policy" "quick" {
  step {
    weight = 90
  }
  errors {}
  limits {
    step_minimum    = "1s"
    step            = "5m"
    bake            = "1s"
    blind           = "2m"
    abandoned_after = "10s"
  }
}
`

// penguins is an endpoint that serves models/NAME.json by the quick policy.
func penguins(name string, arguments ...string) string {
	return penguinsWith(`command = ["tg-model", "{port}", "{model}"]`, name, arguments...)
}

func penguinsWith(runtime, name string, arguments ...string) string {
	hcl := strings.Join(arguments, "\n")
	if !strings.Contains(hcl, "rollout {") {
		hcl += "\nrollout {\n policy = tidegate_rollout_policy.quick.json\n}\n"
	}
	return clusterHCL + quick + `
resource "tidegate_model_endpoint" "penguins" {
  name    = "penguins"
  cluster = tidegate_cluster.here.id
  model {
    uri = "file://models/` + name + `.json"
  }
  runtime {
    ` + runtime + `
  }
` + hcl + "\n}\n"
}

func (s *stage) models(all ...behaviour) {
	s.t.Helper()
	for _, b := range all {
		s.write("models/"+b.Version+".json", b)
	}
}

// up applies an endpoint that serves v1, and returns its address.
func (s *stage) up() (url string) {
	s.t.Helper()
	s.models(behaviour{Version: "v1"}, behaviour{Version: "v2"}, behaviour{Version: "broken", Fail: 0.5})
	s.config(penguins("v1"))
	s.apply().ok()
	return s.text(endpointAddress, "url")
}

func TestCreateServesTheModel(t *testing.T) {
	s := newStage(t)
	url := s.up()
	serves(t, url, "v1")
	s.plan().ok()
	state := s.state(endpointAddress)
	if got, want := state["id"], "local/here/penguins"; got != want {
		t.Errorf("id %v, want %v", got, want)
	}
	if got := state["rejected"].([]any); len(got) != 0 {
		t.Errorf("rejected %v, want none", got)
	}
	if cluster := s.state("tidegate_cluster.here"); cluster["id"] != "local/here" || cluster["running"] != true ||
		!strings.Contains(get(t, cluster["url"].(string)), "tidegate") {
		t.Errorf("cluster %v", cluster)
	}
	s.destroy().ok()
	if _, _, err := infer(t.Context(), newClient(), url); err == nil {
		t.Error("a destroyed endpoint answers")
	}
}

func TestCreateThatFailsLeavesNothing(t *testing.T) {
	s := newStage(t)
	for name, c := range map[string]struct{ start, runtime, want string }{
		"exits":      {start: "exit", want: "out of cheese"},
		"hangs":      {start: "hang", want: "1s"},
		"wrong-port": {start: "wrong port", want: "1s"},
		"spams":      {start: "spam", want: "1s"},
		"missing":    {runtime: `command = ["no-such-program", "{port}"]`, want: "no-such-program"},
	} {
		s.models(behaviour{Version: name, Start: c.start})
		runtime := c.runtime
		if runtime == "" {
			runtime = `command = ["tg-model", "{port}", "{model}"]`
		}
		s.config(penguinsWith(runtime+"\nstart_timeout = \"1s\"", name))
		s.apply().fails().says(`Cannot create endpoint "penguins"`, c.want, "Nothing of it is left.")
		if got := s.state(endpointAddress); got != nil {
			t.Fatalf("%s: the state holds %v", name, got)
		}
	}
	s.models(behaviour{Version: "v1"})
	s.config(penguins("v1"))
	s.apply().ok()
	serves(t, s.text(endpointAddress, "url"), "v1")
}

func TestReplicasAndEnvironmentChangeInPlace(t *testing.T) {
	s := newStage(t)
	url := s.up()
	before := s.state(endpointAddress)
	users := ask(t, url)
	env := func(secret, version string) string {
		return `command = ["tg-model", "{port}", "{model}"]
    env = { COLOUR = "green" }
    env_wo = { TOKEN = "` + secret + `" }
    env_wo_version = "` + version + `"`
	}
	s.config(penguinsWith(env("s3cret-one", "1"), "v1", "replicas = 2"))
	s.plan("-out=p").changes().neverSays("s3cret")
	if change := show(s.planned("p", endpointAddress)); strings.Contains(change, "s3cret") {
		t.Errorf("the plan holds the secret: %s", change)
	}
	s.apply("p").ok().neverSays("s3cret")
	s.plan().ok()
	if got := get(t, url+"/env?name=COLOUR") + get(t, url+"/env?name=TOKEN"); got != "greens3cret-one" {
		t.Errorf("environment %q", got)
	}
	s.config(penguinsWith(env("s3cret-two", "1"), "v1", "replicas = 2"))
	s.plan().ok() // the version says whether they changed
	s.config(penguinsWith(env("s3cret-two", "2"), "v1", "replicas = 1"))
	s.apply().ok()
	if got := get(t, url+"/env?name=TOKEN"); got != "s3cret-two" {
		t.Errorf("TOKEN %q", got)
	}
	s.config(penguins("v1"))
	s.apply().ok()
	users.stop()
	if got := get(t, url+"/env?name=COLOUR") + get(t, url+"/env?name=TOKEN"); got != "" {
		t.Errorf("environment %q, want none", got)
	}
	if after := s.state(endpointAddress); after["revision"] != before["revision"] {
		t.Error("a change in place made another revision")
	}
	if users.bad > 0 || users.dropped > 0 {
		t.Errorf("users got %d bad answers and %d none", users.bad, users.dropped)
	}
	for _, name := range []string{"terraform.tfstate", "terraform.tfstate.backup"} {
		if text, err := os.ReadFile(filepath.Join(s.dir, name)); err != nil || strings.Contains(string(text), "s3cret") {
			t.Errorf("%s holds the secret, or cannot be read: %v", name, err)
		}
	}
}

func TestPolicyChangeShowsAndStartsNoRollout(t *testing.T) {
	s := newStage(t)
	s.up()
	s.config(strings.Replace(penguins("v1"), `"5m"`, `"6m"`, 1))
	s.plan().changes().says("tidegate_rollout_policy.quick will be updated in-place", endpointAddress+" will be updated in-place",
		"0 to add, 2 to change, 0 to destroy")
	s.apply().ok()
	s.plan().ok()
	if got := s.state(endpointAddress)["rollout"].(map[string]any)["policy"].(string); !strings.Contains(got, `"step":"6m0s"`) {
		t.Error(got)
	}
}

func TestModelMadeInTheSameApply(t *testing.T) {
	s := newStage(t)
	s.config(penguins("made", "depends_on = [terraform_data.writer]"), `
resource "terraform_data" "writer" {
  provisioner "local-exec" {
    command = "mkdir -p models && echo '{\"version\":\"made\"}' > models/made.json"
  }
}`)
	s.plan().changes().says("Nothing there yet")
	s.apply().ok()
	serves(t, s.text(endpointAddress, "url"), "made")
	s.plan().ok()
}

func TestTwoEndpointsOfOneName(t *testing.T) {
	s := newStage(t)
	s.up()
	s.config(penguins("v1"), strings.Replace(strings.Replace(penguins("v1"), `"penguins" {`, `"twin" {`, 1), clusterHCL+quick, "", 1))
	s.apply().fails().says(`Endpoint "penguins" exists already`, "terraform import ADDRESS local/here/penguins")
	serves(t, s.text(endpointAddress, "url"), "v1")
}

func TestRemovedBehindTerraformsBackIsMadeAgain(t *testing.T) {
	s := newStage(t)
	s.up()
	if err := s.open().Endpoints().Delete(t.Context(), "local/here/penguins"); err != nil {
		t.Fatal(err)
	}
	s.plan().changes().says(endpointAddress + " will be created")
	s.apply().ok()
	serves(t, s.text(endpointAddress, "url"), "v1")
	s.stopEngine()
	if err := os.RemoveAll(s.dataDir()); err != nil {
		t.Fatal(err)
	}
	s.plan().changes().says("2 to add, 0 to change, 0 to destroy")
}

func TestStoppedEngineIsAChangeAndApplyStartsIt(t *testing.T) {
	s := newStage(t)
	url := s.up()
	s.stopEngine()
	s.plan().changes().says("running = false -> true", "0 to add, 1 to change, 0 to destroy")
	s.apply().ok()
	eventually(t, "the endpoint is back at its address", func() bool {
		version, _, err := infer(t.Context(), newClient(), url)
		return err == nil && version == "v1"
	})
	s.plan().ok()
}

func TestTimeouts(t *testing.T) {
	s := newStage(t)
	s.models(behaviour{Version: "v1"}, behaviour{Version: "v2"}, behaviour{Version: "hangs", Start: "hang"})
	s.config(penguins("hangs", "timeouts {\n create = \"2s\"\n}"))
	s.apply().fails().says(`Endpoint "penguins" was not created`, "It was not done within 2s")
	if s.state(endpointAddress) != nil {
		t.Error("the state holds it")
	}
	s.config(penguins("v1"))
	s.apply().ok()
	s.config(penguins("v2", "timeouts {\n update = \"3s\"\n}")) // nobody asks, so nothing is promoted
	s.apply().fails().says(`The rollout of endpoint "penguins" was not over within 3s (timeouts.update)`,
		"All traffic is on the model that served before, file://models/v1.json", "The candidate is not rejected")
	serves(t, s.text(endpointAddress, "url"), "v1")
	s.plan().changes().neverSays("rejected this model")
}

func TestClusterThatIsNotThere(t *testing.T) {
	s := newStage(t)
	s.models(behaviour{Version: "v1"})
	s.config(strings.Replace(penguins("v1"), "tidegate_cluster.here.id", `"local/nowhere"`, 1))
	s.apply().fails().says(`There is no cluster "nowhere"`, "Write cluster = tidegate_cluster.NAME.id")
}

func TestDataDirectoryThatIsNotOurs(t *testing.T) {
	s := newStage(t)
	s.write("photos/cat.jpg", "meow")
	for dir, want := range map[string]string{"photos": "holds other things (cat.jpg)", "photos/cat.jpg": "is a file: name a folder"} {
		s.config("provider \"tidegate\" {\n local {\n data_dir = \""+dir+"\"\n}\n}", clusterHCL)
		s.apply().fails().says(`Cannot apply cluster "here"`, want)
	}
	if text, err := os.ReadFile(filepath.Join(s.dir, "photos/cat.jpg")); err != nil || string(text) != "meow" {
		t.Errorf("%q, %v", text, err)
	}
}

func TestDataDirectoryFromTheEnvironment(t *testing.T) {
	s := newStage(t)
	s.data = "elsewhere"
	s.env = append(s.env, "TIDEGATE_DATA_DIR"+"="+s.data)
	s.config(clusterHCL)
	s.apply().ok()
	if !exists(s.dataDir()) || exists(filepath.Join(s.dir, ".tidegate")) {
		t.Error("the engine is not where the environment says")
	}
	s.plan().ok()
	s.destroy().ok()
}

func TestRenamedClusterReplacesItsEndpoints(t *testing.T) {
	s := newStage(t)
	s.up()
	s.config(strings.Replace(penguins("v1"), `name = "here"`, `name = "there"`, 1))
	s.plan().changes().says(endpointAddress+" must be replaced", "2 to add, 0 to change, 2 to destroy")
	s.apply().ok()
	if got, want := s.text(endpointAddress, "id"), "local/there/penguins"; got != want {
		t.Errorf("id %s, want %s", got, want)
	}
	serves(t, s.text(endpointAddress, "url"), "v1")
}

func TestDataDirectoryThatIsNotKnownYet(t *testing.T) {
	s := newStage(t)
	url := s.up()
	s.config("provider \"tidegate\" {\n local {\n data_dir = terraform_data.dir.output\n}\n}",
		"resource \"terraform_data\" \"dir\" {\n input = \".tidegate\"\n}", penguins("v1"))
	s.plan().changes().says("1 to add, 0 to change, 0 to destroy")
	s.apply().ok()
	s.plan().ok()
	serves(t, url, "v1")
}
