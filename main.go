// Tidegate takes models to production traffic, and out of it when the numbers turn.
//
// One program: with Terraform's handshake in the environment it is the provider, else the
// command line.
package main

import (
	"context"
	"fmt"
	"os"
	"runtime/debug"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"golang.org/x/mod/module"
	"golang.org/x/mod/semver"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/command"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/provider"
)

// version and commit are set by the release build: -ldflags "-X main.version=1.2.3 -X main.commit=1a2b...".
var (
	version = "dev"
	commit  = ""
)

const (
	address = "registry.terraform.io/tidegatehq/tidegate"
	// Terraform's handshake; a program that is run by hand does not have it.
	cookieName  = "TF_PLUGIN_MAGIC_COOKIE"
	cookieValue = "d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2"
)

func main() {
	ctx := context.Background()
	args := os.Args[1:]
	debugged := len(args) == 1 && (args[0] == "-debug" || args[0] == "--debug")
	if !debugged && os.Getenv(cookieName) != cookieValue {
		os.Exit(command.Main(ctx, args, release(), os.Stdin, os.Stdout, os.Stderr))
	}
	if err := serve(ctx, debugged); err != nil {
		fmt.Fprintln(os.Stderr, "tidegate:", err)
		os.Exit(1)
	}
}

// serve is the provider. With -debug it prints what to set for Terraform to use this process.
func serve(ctx context.Context, debugged bool) error {
	exe, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find this program, which is the engine too: %w", err)
	}
	if !debugged {
		go endWith(os.Getppid())
	}
	if err := quiet(os.Environ()); err != nil {
		return err
	}
	info, _ := debug.ReadBuildInfo() // nil if there is none
	p := provider.New(release(), []string{exe, "engine", "run"}, provider.BuiltFrom(builtFrom(commit, info)))
	return providerserver.Serve(ctx, p, providerserver.ServeOpts{Address: address, Debug: debugged})
}

// lastWords is more than a runner needs to end its rollout as on_cancel says.
const lastWords = 10 * time.Second

// endWith ends the provider after its Terraform, which cannot tell it to when it was killed. That the connection broke
// has cancelled what was under way.
func endWith(terraform int) {
	for os.Getppid() == terraform {
		time.Sleep(time.Second) // there is no portable notice of a parent's end
	}
	time.Sleep(lastWords)
	os.Exit(1)
}

// release is the version of the build, also when `go install` made it of a tag. All else is a
// development build: two of them are told apart by their bytes.
func release() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || version != "dev" {
		return version
	}
	if v := info.Main.Version; semver.IsValid(v) && !module.IsPseudoVersion(v) && semver.Build(v) == "" {
		return v
	}
	return version
}

// builtFrom is the commit of the build: what the release said, else what go noted of it; "" if it noted nothing, or
// something was changed that is in no commit.
func builtFrom(said string, info *debug.BuildInfo) string {
	if said != "" || info == nil {
		return said
	}
	noted := map[string]string{}
	for _, s := range info.Settings {
		noted[s.Key] = s.Value
	}
	if noted["vcs.modified"] == "true" {
		return ""
	}
	return noted["vcs.revision"]
}
