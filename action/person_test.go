package action

import (
	"os"
	"strconv"
	"strings"
	"testing"
)

func TestPersonsAreWhoTheSystemSaysAndClaimsAreClaims(t *testing.T) {
	t.Parallel()
	none := func(string) string { return "" }
	github := func(name string) string {
		return map[string]string{"GITHUB_ACTIONS": "true", "GITHUB_ACTOR": "octocat", "GITHUB_RUN_ID": "42",
			"GITHUB_SERVER_URL": "https://github.example", "GITHUB_REPOSITORY": "acme/models", "USER": "forged"}[name]
	}
	forged := func(name string) string { return map[string]string{"USER": "forged", "GITHUB_ACTOR": "forged"}[name] }
	system := "user id " + strconv.Itoa(os.Getuid()) + " of "
	me := WhoAmI("", none)
	if me.By == "" || !strings.HasPrefix(me.How, system) || !strings.HasSuffix(me.How, "by its operating system") {
		t.Errorf("%+v", me)
	}
	if p := WhoAmI("", forged); p != me {
		t.Errorf("%+v: want the environment's USER ignored, and GITHUB_ACTOR outside of GitHub", p)
	}
	if p := WhoAmI("", github); p.By != "octocat" || !strings.HasPrefix(p.How, "as GitHub's environment says in run https://github.example/acme/models/actions/runs/42; "+system) {
		t.Errorf("%+v", p)
	}
	if p := WhoAmI("Ada", github); p.By != "Ada" || !strings.HasPrefix(p.How, "as octocat says with --by; as GitHub's environment says in run ") {
		t.Errorf("%+v", p)
	}
}
