package engine

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/engine/github"
)

// TokenVariables are the environment variables that a token is taken from, the first that is set.
var TokenVariables = []string{"GITHUB_TOKEN", "GH_TOKEN"}

// A Credential is as whom a program speaks to GitHub: by a token or as an App. It is apart from a Config, which anybody
// may read.
type Credential struct {
	Token string
	App   *github.App
}

// GitHub returns the one way to GitHub that all of a program share. Nothing is asked by that.
func (e *Engines) GitHub() (*github.Client, error) { return e.github() }

// Repository returns the full name of a repository: "acme/fraud", of "fraud" too if the configuration names an owner.
func (c Config) Repository(name string) (string, error) {
	if strings.Contains(name, "/") {
		return name, nil
	}
	if c.GitHub.Owner == "" {
		return "", fmt.Errorf("repository %q: want OWNER/NAME, or an owner: github.owner of the provider block or of %s, or the environment variable %s", name, FileName, OwnerVariable)
	}
	return c.GitHub.Owner + "/" + name, nil
}

func openGitHub(at GitHub, p Program) (*github.Client, error) {
	if at.APIURL != "" {
		if err := CheckAPIURL(at.APIURL); err != nil {
			return nil, fmt.Errorf("the address of GitHub's API: %w", err)
		}
	}
	who, from := p.GitHub, "the provider block"
	if who == (Credential{}) {
		who.Token, from = tokenOfEnvironment()
	}
	c, err := github.Open(github.Config{
		APIURL: at.APIURL, ServerURL: at.ServerURL, Token: who.Token, App: who.App,
		UserAgent: "tidegate/" + p.Version, CacheDir: answers(), Notice: p.Notice,
	})
	if err != nil && who.Token != "" {
		return nil, fmt.Errorf("the token of %s: %w", from, err)
	}
	return c, err
}

func tokenOfEnvironment() (token, from string) {
	for _, name := range TokenVariables {
		if token := os.Getenv(name); token != "" {
			return token, "the environment variable " + name
		}
	}
	return "", ""
}

// answers is the folder for GitHub's answers, which make the next plan cheap; "" where there can be none.
func answers() string {
	dir, err := os.UserCacheDir()
	if err != nil {
		return ""
	}
	dir = filepath.Join(dir, "tidegate", "github")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return ""
	}
	return dir
}

var owner = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,99}$`)

// CheckOwner wants the name of an organization or of a user.
func CheckOwner(name string) error {
	if !owner.MatchString(name) {
		return fmt.Errorf("%q: want the name of an organization or a user, as in https://github.com/NAME", name)
	}
	return nil
}

// CheckAPIURL wants the address of an API that a token can be sent to: encrypted, unless it is on this machine.
func CheckAPIURL(address string) error {
	u, err := url.Parse(address)
	if err == nil && u.User != nil {
		return errors.New("has a name or a password in it: give the token by itself")
	}
	if err != nil || u.Host == "" || u.RawQuery != "" || u.Fragment != "" || u.Scheme != "https" && u.Scheme != "http" {
		return fmt.Errorf("%q: want https://api.github.com, or https://HOST/api/v3 for GitHub Enterprise", address)
	}
	if ip := net.ParseIP(u.Hostname()); u.Scheme == "http" && u.Hostname() != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return fmt.Errorf("%q: want https: a token would cross the network in the clear", address)
	}
	return nil
}
