package provider

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/provider/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/engine"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/engine/github"
)

var githubPath = path.Root("github")

// What fills in for an App, by the names that integrations/github has.
const (
	appIDVariable           = "GITHUB_APP_ID"
	appInstallationVariable = "GITHUB_APP_INSTALLATION_ID"
	appKeyVariable          = "GITHUB_APP_PEM_FILE" // which holds the key itself
)

func githubBlock() schema.Block {
	return schema.SingleNestedBlock{
		MarkdownDescription: "GitHub, or a GitHub Enterprise server. As whom to speak is taken from the first that is there: `token` or `app` " +
			"of this block, else the environment variable `GITHUB_TOKEN`, else `GH_TOKEN`. With none of them only public repositories can be read. " +
			"GitHub's answers are kept in the user's cache folder, `tidegate/github`, for its owner only: the next plan asks whether they are still the same.",
		Attributes: map[string]schema.Attribute{
			"owner": schema.StringAttribute{
				Optional: true, Validators: []validator.String{check{"a name on GitHub", engine.CheckOwner}},
				MarkdownDescription: "Organization or user whose a repository is that is named without one. Default: what `config_file` says, else the " +
					"environment variable `" + engine.OwnerVariable + "`.",
			},
			"api_url": schema.StringAttribute{
				Optional: true, Validators: []validator.String{check{"the address of an API", engine.CheckAPIURL}},
				MarkdownDescription: "Address of the API: `https://HOST/api/v3` for GitHub Enterprise. Default: what `config_file` says, else the environment variable `" +
					engine.APIURLVariable + "`, which workflows have, else `https://api.github.com`.",
			},
			"token": schema.StringAttribute{
				Optional: true, Sensitive: true, Validators: []validator.String{notEmpty("a token")},
				MarkdownDescription: "A personal access token, or one of an App's installation. Take it from a sensitive or ephemeral variable, or leave it out for the environment. " +
					"A workflow's own `GITHUB_TOKEN` can read, and can write no workflow file.",
			},
		},
		Blocks: map[string]schema.Block{
			"app": schema.SingleNestedBlock{
				MarkdownDescription: "Speak as an installation of a GitHub App, instead of by a token.",
				Attributes: map[string]schema.Attribute{
					"id": schema.StringAttribute{
						Optional: true, Validators: []validator.String{notEmpty("the App's id")},
						MarkdownDescription: "The App's id or client id. Default: the environment variable `" + appIDVariable + "`.",
					},
					"installation_id": schema.StringAttribute{
						Optional: true, Validators: []validator.String{check{"an installation", checkInstallation}},
						MarkdownDescription: "Number of the installation, the last part of its page's address. Default: the environment variable `" + appInstallationVariable + "`.",
					},
					"private_key": schema.StringAttribute{
						Optional: true, Sensitive: true, Validators: []validator.String{notEmpty("a private key")},
						MarkdownDescription: "The App's private key, PEM. Take it from a sensitive or ephemeral variable. Default: `private_key_file`, else the environment variable `" +
							appKeyVariable + "`, which holds the key itself.",
					},
					"private_key_file": schema.StringAttribute{
						Optional: true, Validators: []validator.String{notEmpty("a file")},
						MarkdownDescription: "File with the App's private key, instead of `private_key`. A relative path begins at the root module.",
					},
				},
			},
		},
	}
}

func checkInstallation(text string) error {
	if n, err := strconv.ParseInt(text, 10, 64); err != nil || n <= 0 {
		return fmt.Errorf("%q: want the number of an installation, the last part of its page's address, such as 48291577", text)
	}
	return nil
}

// github is where GitHub is as the block has it, and false while that is unknown.
func (m providerModel) github() (engine.GitHub, bool) {
	if m.GitHub.IsUnknown() {
		return engine.GitHub{}, false
	}
	owner, ownerKnown := attribute(m.GitHub, "owner")
	api, apiKnown := attribute(m.GitHub, "api_url")
	return engine.GitHub{Owner: owner, APIURL: api}, ownerKnown && apiKnown
}

// credential is as whom to speak as the block has it, zero for as the environment says, and false while it is unknown.
func (m providerModel) credential(root string, diags *diag.Diagnostics) (engine.Credential, bool) {
	if m.GitHub.IsUnknown() {
		return engine.Credential{}, false
	}
	token, known := attribute(m.GitHub, "token")
	app, ok := m.GitHub.Attributes()["app"].(types.Object)
	if !ok || app.IsNull() {
		return engine.Credential{Token: token}, known
	}
	if !known {
		return engine.Credential{}, false
	}
	if token != "" {
		// Terraform prints the line of what an error is about: not that of the token.
		diags.AddAttributeError(githubPath.AtName("app"), "A token and an App are configured",
			"github.token and github.app say as whom to speak, and there can be one of them only. Remove the other.")
		return engine.Credential{}, false
	}
	a, known, err := appOf(root, app)
	if err != nil {
		diags.AddAttributeError(githubPath.AtName("app"), "The GitHub App is not usable", sentence(err))
	}
	return engine.Credential{App: a}, known && err == nil
}

// appOf is an App as its block and the environment have it, and false while something of it is unknown.
func appOf(root string, block types.Object) (*github.App, bool, error) {
	id, idKnown := attribute(block, "id")
	number, numberKnown := attribute(block, "installation_id")
	key, keyKnown := attribute(block, "private_key")
	file, fileKnown := attribute(block, "private_key_file")
	if block.IsUnknown() || !idKnown || !numberKnown || !keyKnown || !fileKnown {
		return nil, false, nil
	}
	if key != "" && file != "" {
		return nil, true, errors.New("it has both private_key and private_key_file. Remove one of them")
	}
	if id == "" {
		id = os.Getenv(appIDVariable)
	}
	if id == "" {
		return nil, true, fmt.Errorf("it has no id. Set id, or the environment variable %s", appIDVariable)
	}
	if number == "" {
		number = os.Getenv(appInstallationVariable)
	}
	if number == "" {
		return nil, true, fmt.Errorf("it has no installation_id. Set it, or the environment variable %s", appInstallationVariable)
	}
	if err := checkInstallation(number); err != nil {
		return nil, true, fmt.Errorf("its installation_id is %w", err)
	}
	installation, _ := strconv.ParseInt(number, 10, 64) // it was checked
	if key == "" {
		var err error
		if key, err = keyOf(root, file); err != nil {
			return nil, true, err
		}
	}
	return &github.App{ID: id, Installation: installation, PrivateKey: key}, true, nil
}

// keyOf reads the private key from a file or, without one, from the environment.
func keyOf(root, file string) (string, error) {
	if file == "" {
		// Where a variable can hold one line only, line breaks are written so.
		if key := strings.ReplaceAll(os.Getenv(appKeyVariable), `\n`, "\n"); key != "" {
			return key, nil
		}
		return "", fmt.Errorf("it has no private key. Set private_key_file, private_key, or the environment variable %s, which holds the key itself", appKeyVariable)
	}
	if !filepath.IsAbs(file) {
		file = filepath.Join(root, file)
	}
	b, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("its private_key_file cannot be read: %w", err)
	}
	return string(b), nil
}

// attribute is a text of a block, "" where it has none, and false while it is unknown.
func attribute(block types.Object, name string) (string, bool) {
	text, ok := block.Attributes()[name].(types.String)
	if !ok {
		return "", true
	}
	return text.ValueString(), !text.IsUnknown()
}
