package runtest

import (
	"crypto/sha1"
	"encoding/hex"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/githubhub"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/workflow"
)

// The actions that install something, and their stand-ins: each tells a job of what the test put on this machine.
const (
	orasAction      = "oras-project/setup-oras"
	grypeAction     = "anchore/scan-action"
	terraformAction = "hashicorp/setup-terraform"
)

// pins are commits that nobody has.
func pins(names ...string) workflow.Pins {
	all := workflow.Pins{}
	for _, name := range append(names, workflow.Own, "actions/checkout", "actions/upload-artifact", "actions/download-artifact",
		orasAction, grypeAction+"/download-grype", terraformAction) {
		sum := sha1.Sum([]byte(name))
		all[name] = workflow.Pin{Commit: hex.EncodeToString(sum[:]), Version: "v1"}
	}
	return all
}

// A toolbox is what jobs find on this machine.
type toolbox struct {
	t     *testing.T
	dir   string
	scans string // file with a line for each file that was scanned
}

func newToolbox(t *testing.T) toolbox {
	t.Helper()
	b := toolbox{t: t, dir: t.TempDir()}
	b.scans = filepath.Join(b.dir, "scans")
	b.script("bin/scanner", `#!/usr/bin/env bash
set -euo pipefail
echo "scanned $*"
find "${1#dir:}" -type f -not -path '*/.git/*' -printf '%P\n' >> "$SCANS"
`)
	if err := os.Symlink(githubhub.Tool(t, "ocitest", "oras.land/oras/cmd/oras"), filepath.Join(b.dir, "bin", "oras")); err != nil {
		t.Fatal(err)
	}
	if _, err := exec.LookPath("jq"); err == nil {
		return b
	}
	// GitHub's machines have jq. Where there is none, the one in Go does what the rendered scripts ask of it.
	if err := os.Symlink(githubhub.Tool(t, "ocitest", "github.com/itchyny/gojq/cmd/gojq"), filepath.Join(b.dir, "bin", "jq")); err != nil {
		t.Fatal(err)
	}
	return b
}

func (b toolbox) script(name, content string) string {
	b.t.Helper()
	path := filepath.Join(b.dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		b.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o700); err != nil {
		b.t.Fatal(err)
	}
	return path
}

// action writes a composite action of one step, in a folder of the repository that it stands in for, and returns that.
func (b toolbox) action(name, below, run string) string {
	b.t.Helper()
	b.script(filepath.Join(name, below, "action.yml"), "name: stand-in\ndescription: It is on this machine.\ninputs:\n  terraform_wrapper:\n    description: w\n"+
		"outputs:\n  cmd:\n    description: c\n    value: ${{ steps.found.outputs.cmd }}\n"+
		"runs:\n  using: composite\n  steps:\n    - id: found\n      shell: bash\n      run: "+run+"\n")
	return filepath.Join(b.dir, name)
}

// actions are the stand-ins by their uses.
func (b toolbox) actions(p workflow.Pins, scanner bool) map[string]string {
	found := `echo "cmd=` + filepath.Join(b.dir, "bin", "scanner") + `" >> "$GITHUB_OUTPUT"`
	grype := b.action("grype", "download-grype", found)
	if !scanner {
		grype = b.action("no-grype", "download-grype", "echo nothing is installed")
	}
	at := func(action, pin string) string { return action + "@" + p[pin].Commit }
	return map[string]string{
		at(orasAction, orasAction):                     b.action("oras", "", `echo "`+filepath.Join(b.dir, "bin")+`" >> "$GITHUB_PATH"`),
		at(grypeAction, grypeAction+"/download-grype"): grype,
		at(terraformAction, terraformAction):           b.action("terraform", "", "terraform version"),
		at(workflow.Own, workflow.Own):                 b.own(),
	}
}

// own is the Action itself, and this checkout's program, built once.
func (b toolbox) own() string {
	b.t.Helper()
	b.script("own/action.yml", text(b.t, filepath.Join("..", "..", "action.yml")))
	b.script("own/action/install.sh", "#!/usr/bin/env bash\necho \"program="+program(b.t)+"\" >> \"$GITHUB_OUTPUT\"\n")
	return filepath.Join(b.dir, "own")
}
