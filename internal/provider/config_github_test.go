package provider

import (
	"strings"
	"testing"
)

// runsHCL reads the runs of a workflow by a provider block.
func runsHCL(block string) string {
	return "provider \"tidegate\" {\n" + block + "\n}\n" + `
data "tidegate_pipeline_run" "fraud" {
  repository = "acme/fraud"
  path       = ".github/workflows/fraud.yml"
}
`
}

func TestGitHubThatCannotBeMeantIsRefusedAtPlan(t *testing.T) {
	s := newStage(t)
	s.env = append(s.env, "GITHUB_TOKEN=hush hush")
	s.write("key.pem", "hush")
	for block, want := range map[string]string{
		`owner = "acme/fraud"`:                     `want the name of an organization or a user`,
		`api_url = "http://github.acme.io/api/v3"`: `want https: a token would cross the network in the clear`,
		`api_url = "github.acme.io"`:               `want https://api.github.com, or https://HOST/api/v3`,
		`token = ""`:                               `want a token, or leave it out`,
		"token = \"hush\\n\"":                      `The token of the provider block: open GitHub: the token has a blank, a line break`,
		``:                                         `The token of the environment variable GITHUB_TOKEN: open GitHub: the token has a blank`,
		"token = \"hush\"\napp {\n id = \"1\"\n}": `A token and an App are configured`,
		`app {}`:                `It has no id. Set id, or the environment variable GITHUB_APP_ID.`,
		"app {\n id = \"1\"\n}": `It has no installation_id. Set it, or the environment variable GITHUB_APP_INSTALLATION_ID.`,
		"app {\n id = \"1\"\n installation_id = 5\n}":                                                           `It has no private key. Set private_key_file, private_key, or the environment variable GITHUB_APP_PEM_FILE`,
		"app {\n installation_id = \"abc\"\n}":                                                                  `"abc": want the number of an installation`,
		"app {\n id = \"1\"\n installation_id = 5\n private_key = \"hush\"\n private_key_file = \"key.pem\"\n}": `It has both private_key and private_key_file`,
		"app {\n id = \"1\"\n installation_id = 5\n private_key_file = \"none.pem\"\n}":                         `Its private_key_file cannot be read: open ` + s.dir + `/none.pem`,
		"app {\n id = \"1\"\n installation_id = 5\n private_key_file = \"key.pem\"\n}":                          `the private key of App 1: it is not PEM`,
		"app {\n id = \"1\"\n installation_id = 5\n private_key = \"hush\"\n}":                                  `the private key of App 1: it is not PEM`,
		`user = "x"`: `An argument named "user" is not expected here`,
	} {
		s.config(runsHCL("github {\n" + block + "\n}"))
		s.plan().fails().says(want).neverSays("hush")
	}
}

func TestGitHubInBlockAndFileIsOne(t *testing.T) {
	s := newStage(t)
	s.write("tidegate.json", `{"github": {"owner": "acme", "api_url": "https://one.example/api/v3"}}`)
	block := func(github string) string {
		return "provider \"tidegate\" {\n config_file = \"tidegate.json\"\n github {\n" + github + "\n}\n}"
	}
	s.config(block(`owner = "other"`), clusterHCL)
	s.plan().fails().says("Two owners are configured", `github.owner of the provider block is other, and github.owner of`, "is acme. Remove one of them")
	s.config(block(`api_url = "https://two.example/api/v3"`), clusterHCL)
	s.plan().fails().says("Two GitHub servers are configured", "https://two.example/api/v3", "https://one.example/api/v3")
	s.config(block("owner = \"acme\"\napi_url = \"https://one.example/api/v3\""), clusterHCL)
	s.plan().changes()
	s.write("tidegate.json", `{"github": {"token": "hush"}}`)
	s.plan().fails().says("Cannot read the configuration file", "github.token: is a secret", "GITHUB_TOKEN").neverSays("hush")
}

// A plan goes on where GitHub is not needed, and says what is missing where it is.
func TestGitHubThatIsNotKnownYetIsPlanned(t *testing.T) {
	s := newStage(t)
	const later = "resource \"terraform_data\" \"later\" {\n input = \"x\"\n}\n"
	for _, block := range []string{
		`token = terraform_data.later.output`, `owner = terraform_data.later.output`, `api_url = terraform_data.later.output`,
		"app {\n id = terraform_data.later.output\n}", "app {\n private_key = terraform_data.later.output\n}",
	} {
		hcl := "provider \"tidegate\" {\n github {\n" + block + "\n}\n}\n" + later
		s.config(hcl, clusterHCL)
		s.plan().changes()
		data := strings.SplitN(runsHCL(""), "}\n", 2)[1]
		s.config(hcl, data)
		s.plan().fails().says("Cannot read the runs of .github/workflows/fraud.yml in acme/fraud", "depends on a value that is known only after another resource was applied")
	}
}
