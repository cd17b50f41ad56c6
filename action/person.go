package action

import (
	"fmt"
	"os"
	"os/user"
	"strconv"
)

// A Person is who gives a command, and how that is known.
type Person struct{ By, How string }

// WhoAmI asks the operating system. On a GitHub runner that knows only the runner's own user, so the
// environment is asked who began the run, and the answer says so. A claim comes first, and is recorded as one.
func WhoAmI(claim string, env func(string) string) Person {
	p := account(env)
	if claim != "" {
		return Person{By: claim, How: "as " + p.By + " says with --by; " + p.How}
	}
	return p
}

func account(env func(string) string) Person {
	id := strconv.Itoa(os.Getuid())
	system := fmt.Sprintf("user id %s of %s, by its operating system", id, host())
	if actor := env("GITHUB_ACTOR"); actor != "" && env("GITHUB_ACTIONS") == "true" {
		return Person{By: actor, How: fmt.Sprintf("as GitHub's environment says in run %s; %s", runOf(env), system)}
	}
	// By number: user.Current would believe the variable USER where nothing else is known.
	u, err := user.LookupId(id)
	if err != nil {
		return Person{By: "user " + id, How: system}
	}
	return Person{By: u.Username, How: system}
}

// runOf is the address of a workflow's run, or its number.
func runOf(env func(string) string) string {
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
func (p Person) String() string { return p.By + " (" + p.How + ")" }

// Runner is the name of a runner that this process is.
func (p Person) Runner() string {
	return fmt.Sprintf("tidegate promote, by %s on %s (pid %d)", p.By, host(), os.Getpid())
}
