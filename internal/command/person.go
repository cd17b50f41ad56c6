package command

import (
	"fmt"
	"os"
	"os/user"
	"strconv"
)

// A person is who gives a command, and how that is known.
type person struct{ by, how string }

// whoAmI asks the operating system. On a GitHub runner that knows only the runner's own user, so the
// environment is asked who began the run, and the answer says so. A claim comes first, and is recorded as one.
func whoAmI(claim string, env func(string) string) person {
	p := account(env)
	if claim != "" {
		return person{by: claim, how: "as " + p.by + " says with --by; " + p.how}
	}
	return p
}

func account(env func(string) string) person {
	id := strconv.Itoa(os.Getuid())
	system := fmt.Sprintf("user id %s of %s, by its operating system", id, host())
	if actor := env("GITHUB_ACTOR"); actor != "" && env("GITHUB_ACTIONS") == "true" {
		return person{by: actor, how: fmt.Sprintf("as GitHub's environment says in run %s; %s", run(env), system)}
	}
	// By number: user.Current would believe the variable USER where nothing else is known.
	u, err := user.LookupId(id)
	if err != nil {
		return person{by: "user " + id, how: system}
	}
	return person{by: u.Username, how: system}
}

// run is the address of a workflow's run, or its number.
func run(env func(string) string) string {
	server, repository, id := env("GITHUB_SERVER_URL"), env("GITHUB_REPOSITORY"), env("GITHUB_RUN_ID")
	if server == "" || repository == "" || id == "" {
		return id
	}
	return server + "/" + repository + "/actions/runs/" + id
}

func host() string {
	name, err := os.Hostname()
	if err != nil {
		return "this machine"
	}
	return name
}

// String is who, with how that is known.
func (p person) String() string { return p.by + " (" + p.how + ")" }

// runner is the name of a runner that this process is.
func (p person) runner() string {
	return fmt.Sprintf("tidegate promote, by %s on %s (pid %d)", p.by, host(), os.Getpid())
}
