package action

import (
	"encoding/base64"
	"encoding/json"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/githubhub"
)

// leaky puts secrets where they get out: into a provisioner's words, an error, an output, an environment block.
const leaky = `terraform {
  backend "local" {}
}

variable "password" {
  type      = string
  sensitive = true
}

variable "plain" {
  type = string
}

resource "terraform_data" "a" {
  input = { plain = var.plain, encoded = base64encode(nonsensitive(var.password)) }
}

output "o" {
  value = "user:${nonsensitive(var.password)}@host"
}

resource "terraform_data" "b" {
  depends_on = [terraform_data.a]
  provisioner "local-exec" {
    command = "echo \"$SECRET says ${nonsensitive(var.password)} and ${var.plain} and $DEPLOY_TOKEN\"; exit 7"
    environment = {
      SECRET = var.plain
    }
  }
}
`

func TestNoSecretLeavesARun(t *testing.T) {
	t.Parallel()
	password, given, fromEnv := `correct/horse "battery" & staple`, "input-secret-0123456789", "env-token-abcdefghijkl"
	w := newWorld(t, githubhub.Files{"main.tf": "terraform {\n  backend \"local\" {}\n}\n"})
	pull := w.propose("leak", githubhub.Files{"main.tf": leaky})
	inputs := map[string]string{
		"INPUT_VAR": "password=" + password + "\nplain=" + given, "INPUT_SECRETS": given, "DEPLOY_TOKEN": fromEnv,
		"INPUT_SAVE": filepath.Join(t.TempDir(), "sealed"),
	}
	planned := w.plan(pull.Number, inputs).expect(Done)
	sha := w.repo.Merge(pull.Number, githubhub.Squash)
	delete(inputs, "INPUT_SAVE")
	applied := w.apply(sha, inputs).expect(Failed, "local-exec")

	shown := map[string]string{"comment": w.comment(pull.Number).Body}
	for name, s := range map[string]step{"plan": planned, "apply": applied} {
		shown["log of "+name] = withoutMasks(s.log.String())
		shown["outputs of "+name] = s.file("GITHUB_OUTPUT")
		shown["summary of "+name] = s.file("GITHUB_STEP_SUMMARY")
	}
	for _, commit := range []string{pull.HeadSHA, sha} {
		for _, c := range w.repo.CheckRuns(commit) {
			shown["check run "+c.Name] = c.Title + c.Summary + c.Text
		}
	}
	for _, r := range w.hub.Requests() {
		shown["requests"] += string(r.Body)
	}
	sealed, err := os.ReadFile(planned.env["INPUT_SAVE"])
	if err != nil {
		t.Fatal(err)
	}
	shown["sealed plan"] = string(sealed)
	for _, secret := range []string{password, given, fromEnv, w.key} {
		quoted, _ := json.Marshal(secret)
		for _, form := range []string{
			secret, base64.StdEncoding.EncodeToString([]byte(secret)), url.QueryEscape(secret), strings.Trim(string(quoted), `"`),
		} {
			for where, text := range shown {
				if strings.Contains(text, form) {
					t.Errorf("%s shows %q:\n%s", where, form, text)
				}
			}
		}
	}
	if !strings.Contains(shown["log of apply"], "***") {
		t.Errorf("the test proves nothing:\n%s", shown["log of apply"])
	}
}

// withoutMasks is a log as people see it: the runner does not show what it is told to mask.
func withoutMasks(log string) string {
	var b strings.Builder
	for line := range strings.Lines(log) {
		if !strings.HasPrefix(line, "::add-mask::") {
			b.WriteString(line)
		}
	}
	return b.String()
}
