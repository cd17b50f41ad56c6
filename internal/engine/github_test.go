package engine_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/engine"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/engine/checkout"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/engine/github"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/pipeline"
)

// alone takes away what this machine says of GitHub.
func alone(t *testing.T) {
	t.Helper()
	for _, name := range append([]string{engine.OwnerVariable, engine.APIURLVariable, engine.ServerURLVariable, engine.FileVariable, engine.DataDirVariable}, engine.TokenVariables...) {
		t.Setenv(name, "")
	}
	dir := t.TempDir()
	t.Setenv("HOME", dir)
	t.Setenv("XDG_CACHE_HOME", filepath.Join(dir, "cache"))
}

func TestGitHubIsWhereBlockFileAndEnvironmentSayInThisOrder(t *testing.T) {
	alone(t)
	root := t.TempDir()
	resolve := func(said engine.GitHub, file string, want engine.GitHub) {
		t.Helper()
		c, err := engine.Resolve(root, engine.Config{GitHub: said}, file)
		if err != nil || c.GitHub != want {
			t.Errorf("said %+v, file %q: %+v, %v: want %+v", said, file, c.GitHub, err, want)
		}
	}
	file := write(t, filepath.Join(root, engine.FileName), `{"github": {"owner": "file", "api_url": "https://file.example/api/v3"}}`)
	said := engine.GitHub{Owner: "said", APIURL: "https://said.example/api/v3"}
	resolve(engine.GitHub{}, "", engine.GitHub{})
	t.Setenv(engine.OwnerVariable, "env")
	t.Setenv(engine.APIURLVariable, "https://env.example/api/v3")
	t.Setenv(engine.ServerURLVariable, "https://pages.example")
	resolve(engine.GitHub{}, "", engine.GitHub{Owner: "env", APIURL: "https://env.example/api/v3", ServerURL: "https://pages.example"})
	// The pages of one server are not those of another.
	resolve(engine.GitHub{}, file, engine.GitHub{Owner: "file", APIURL: "https://file.example/api/v3"})
	resolve(said, file, said)
	resolve(engine.GitHub{Owner: "said"}, file, engine.GitHub{Owner: "said", APIURL: "https://file.example/api/v3"})
}

func TestFilesSayNothingOfGitHubThatIsWrongOrSecret(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	const token = "ghp_0123456789abcdefghijklmnopqrstuvwxyz"
	for content, want := range map[string]string{
		`{"github": {"owner": "a b"}}`:                             `github.owner: "a b": want the name of an organization`,
		`{"github": {"owner": "acme/infra"}}`:                      `github.owner: "acme/infra": want the name`,
		`{"github": {"owner": 5}}`:                                 `github.owner: 5: want a text such as "acme"`,
		`{"github": {"api_url": "github.acme.io"}}`:                `github.api_url: "github.acme.io": want https://api.github.com, or https://HOST/api/v3`,
		`{"github": {"api_url": "http://github.acme.io/api/v3"}}`:  "want https: a token would cross the network in the clear",
		`{"github": {"api_url": "https://u:hush@acme.io/api/v3"}}`: "has a name or a password in it",
		`{"github": {"server": "x"}}`:                              "github.server: unknown: want owner or api_url",
		`{"github": {"token": "` + token + `"}}`:                   "github.token: is a secret, and this file is none: give it in the environment variable GITHUB_TOKEN",
		`{"github": {"app": {"private_key": "hush"}}}`:             "github.app: is a secret",
		`{"github": "` + token + `"}`:                              `github: "***": want a JSON object`,
		`{"git": {}}`:                                              "git: unknown: want schema or local or github",
	} {
		_, err := engine.ReadFile(write(t, filepath.Join(dir, "c.json"), content))
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), token) || strings.Contains(err.Error(), "hush") {
			t.Errorf("%s: %v: want %q and no secret", content, err, want)
		}
	}
}

func TestAddressesOfAnAPIAreThoseThatATokenCanBeSentTo(t *testing.T) {
	t.Parallel()
	for address, ok := range map[string]bool{
		"https://api.github.com": true, "https://ghe.acme.io/api/v3": true, "https://api.acme.ghe.com/": true,
		"http://127.0.0.1:8080/api/v3": true, "http://localhost/api/v3": true, "http://[::1]:80": true,
		"http://ghe.acme.io/api/v3": false, "http://127.0.0.1.acme.io": false, "http://10.0.0.1/api/v3": false, "": false,
		"ftp://ghe.acme.io": false, "//ghe.acme.io": false, "https://": false, "https://ghe.acme.io/?x=1": false,
		"https://u@ghe.acme.io": false, "https://ghe.acme.io/%zz": false, "https://ghe.acme.io#x": false,
	} {
		if err := engine.CheckAPIURL(address); (err == nil) != ok {
			t.Errorf("%q: %v", address, err)
		}
	}
}

func TestRepositoriesAreNamedWithAnOwner(t *testing.T) {
	t.Parallel()
	c := engine.Config{GitHub: engine.GitHub{Owner: "acme"}}
	for _, name := range []string{"fraud", "acme/fraud"} {
		if full, err := c.Repository(name); err != nil || full != "acme/fraud" {
			t.Errorf("%s: %q, %v", name, full, err)
		}
	}
	if full, err := c.Repository("other/fraud"); err != nil || full != "other/fraud" {
		t.Errorf("%q, %v", full, err)
	}
	if _, err := (engine.Config{}).Repository("fraud"); err == nil || !strings.Contains(err.Error(), `repository "fraud": want OWNER/NAME`) {
		t.Error(err)
	}
}

func TestEachPlaceHasItsEngine(t *testing.T) {
	alone(t)
	e := engine.Open(engine.Config{}, engine.Program{})
	if got, err := e.Pipeline(pipeline.Place{Directory: "/srv/fraud", Path: "x"}); err != nil {
		t.Error(err)
	} else if _, ok := got.(checkout.Pipelines); !ok {
		t.Errorf("a directory has %T", got)
	}
	if got, err := e.Pipeline(pipeline.Place{Repository: "acme/fraud", Path: "x"}); err != nil {
		t.Error(err)
	} else if _, ok := got.(*github.Pipelines); !ok {
		t.Errorf("a repository has %T", got)
	}
	for _, wrong := range []pipeline.Place{{Path: "x"}, {Path: "x", Directory: "/d", Repository: "acme/fraud"}} {
		if _, err := e.Pipeline(wrong); err == nil || !strings.Contains(err.Error(), "want a repository or a directory") {
			t.Errorf("%+v: %v", wrong, err)
		}
	}
}

func TestTheTokenIsTheBlocksElseGITHUBTOKENElseGHTOKEN(t *testing.T) {
	alone(t)
	// Malformed tokens show whose was taken: each error names its source, and none repeats the token.
	taken := func(who engine.Credential, want string) {
		t.Helper()
		_, err := engine.Open(engine.Config{}, engine.Program{GitHub: who}).GitHub()
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hush") {
			t.Errorf("%v: want %q and no token", err, want)
		}
	}
	t.Setenv("GH_TOKEN", "hush hush")
	taken(engine.Credential{}, "the token of the environment variable GH_TOKEN: open GitHub: the token has a blank, a line break")
	t.Setenv("GITHUB_TOKEN", "hush\n")
	taken(engine.Credential{}, "the token of the environment variable GITHUB_TOKEN: open GitHub: the token has a blank, a line break")
	taken(engine.Credential{Token: "hush\t"}, "the token of the provider block: open GitHub: the token has a blank")
	taken(engine.Credential{App: &github.App{ID: "1", Installation: 1, PrivateKey: "hush"}}, "the private key of App 1: it is not PEM")
	if _, err := engine.Open(engine.Config{}, engine.Program{GitHub: engine.Credential{Token: "fine"}}).GitHub(); err != nil {
		t.Error(err)
	}
	_, err := engine.Open(engine.Config{GitHub: engine.GitHub{APIURL: "http://acme.io"}}, engine.Program{GitHub: engine.Credential{Token: "fine"}}).GitHub()
	if err == nil || !strings.Contains(err.Error(), "want https") {
		t.Error(err)
	}
}

func TestOneProgramHasOneClientWhoseAnswersAreItsOwnersToRead(t *testing.T) {
	alone(t)
	e := engine.Open(engine.Config{}, engine.Program{})
	one, err := e.GitHub()
	other, _ := e.GitHub()
	if err != nil || one == nil || one != other {
		t.Errorf("%p, %p, %v", one, other, err)
	}
	dir, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(filepath.Join(dir, "tidegate", "github"))
	if err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("%v, %v: want 0700", info, err)
	}
	// Without a place for answers they are kept in memory.
	t.Setenv("HOME", filepath.Join(write(t, filepath.Join(t.TempDir(), "file"), ""), "home"))
	t.Setenv("XDG_CACHE_HOME", os.Getenv("HOME"))
	if _, err := engine.Open(engine.Config{}, engine.Program{}).GitHub(); err != nil {
		t.Error(err)
	}
}
