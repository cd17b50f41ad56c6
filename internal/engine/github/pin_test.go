package github

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/githubhub"
)

// actions is a hub with an action's repository that nobody needs a token for.
func actions(t *testing.T) (*githubhub.Hub, *githubhub.Repository) {
	t.Helper()
	hub := githubhub.Start(t)
	return hub, hub.Repository("actions/checkout", githubhub.Files{"action.yml": "name: Checkout\n"})
}

func reading(t *testing.T, hub *githubhub.Hub, token string) *Client {
	t.Helper()
	return (&world{Hub: hub}).client(t, Config{Token: token})
}

func TestATagLeadsToItsCommit(t *testing.T) {
	t.Parallel()
	hub, repo := actions(t)
	light := repo.Tag(githubhub.Tag{Name: "v4.0.0"})
	next := repo.Push(githubhub.Commit{Files: githubhub.Files{"action.yml": "name: Two\n"}})
	repo.Tag(githubhub.Tag{Name: "v4.1.0", Annotated: true})
	repo.Tag(githubhub.Tag{Name: "download/v1.0.0", Annotated: true})
	last := repo.Push(githubhub.Commit{Files: githubhub.Files{"action.yml": "name: Three\n"}})
	for name, want := range map[string]Pin{
		"actions/checkout@v4.0.0":          {Commit: light},
		"actions/checkout@v4.1.0":          {Commit: next},
		"actions/checkout@download/v1.0.0": {Commit: next},
		"actions/checkout/sub/path@v4.0.0": {Commit: light},
		"actions/checkout@main":            {Commit: last, Branch: true},
		"actions/checkout@" + light:        {Commit: light},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			want.Action, want.Version, _ = strings.Cut(name, "@")
			c := reading(t, hub.For(t), "")
			got, err := c.Resolve(t.Context(), want.Action, want.Version)
			if err != nil || got != want {
				t.Fatalf("got %+v, %v\nwant %+v", got, err, want)
			}
			asked := c.Usage().Requests
			if again, err := c.Resolve(t.Context(), want.Action, want.Version); err != nil || again != want || c.Usage().Requests != asked {
				t.Errorf("the second time: %+v, %v, %d requests more", again, err, c.Usage().Requests-asked)
			}
		})
	}
}

func TestWhatIsNoVersionOfAnActionIsRefusedInWords(t *testing.T) {
	t.Parallel()
	hub, repo := actions(t)
	for at, want := range map[string]struct {
		kind error
		text string
	}{
		"actions/checkout@" + repo.SHA[:7]:            {ErrRefused, "give all 40 digits"},
		"actions/checkout@v9.9.9":                     {ErrNotFound, "neither a tag nor a branch"},
		"actions/checkout@" + strings.Repeat("a", 40): {ErrNotFound, "compare the name actions/checkout"},
		"actions/nothing@v1":                          {ErrNotFound, "neither a tag nor a branch"},
		"checkout@v1":                                 {ErrRefused, "want OWNER/REPOSITORY"},
		"./local@v1":                                  {ErrRefused, "docker://"},
		"docker://alpine@v1":                          {ErrRefused, "docker://"},
		"a/../b@v1":                                   {ErrRefused, "want OWNER/REPOSITORY"},
		"acme/.@v1":                                   {ErrRefused, "want OWNER/NAME"},
		"actions/checkout@":                           {ErrRefused, "no tag can be called so"},
		"actions/checkout@-x":                         {ErrRefused, "no tag can be called so"},
		"actions/checkout@a..b":                       {ErrRefused, "no tag can be called so"},
		"actions/checkout@a b":                        {ErrRefused, "no tag can be called so"},
		"actions/checkout@v1\nx":                      {ErrRefused, "no tag can be called so"},
	} {
		t.Run(at, func(t *testing.T) {
			t.Parallel()
			action, ref, _ := strings.Cut(at, "@")
			_, err := reading(t, hub.For(t), "").Resolve(t.Context(), action, ref)
			wantError(t, err, want.kind, want.text)
		})
	}
}

func TestATagOfATagIsFollowedAndOneOfATreeIsNoCommit(t *testing.T) {
	t.Parallel()
	commit := strings.Repeat("c", 40)
	for name, c := range map[string]struct {
		of   string // what the second tag is of
		want string
	}{
		"a commit": {`{"type": "commit", "sha": "` + commit + `"}`, ""},
		"a tree":   {`{"type": "tree", "sha": "` + commit + `"}`, "it leads to a tree"},
		"itself":   {`{"type": "tag", "sha": "` + strings.Repeat("b", 40) + `"}`, "it leads to a tag"},
		"nonsense": {`{"type": "commit", "sha": "../../x"}`, "not what its API sends"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			mux := http.NewServeMux()
			say := func(path, text string) {
				mux.HandleFunc("GET /api/v3/repos/acme/a/git/"+path, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(text)) })
			}
			say("ref/tags/v1", `{"ref": "refs/tags/v1", "object": {"type": "tag", "sha": "`+strings.Repeat("a", 40)+`"}}`)
			say("tags/"+strings.Repeat("a", 40), `{"object": {"type": "tag", "sha": "`+strings.Repeat("b", 40)+`"}}`)
			say("tags/"+strings.Repeat("b", 40), `{"object": `+c.of+`}`)
			got, err := answering(t, mux).Resolve(t.Context(), "acme/a", "v1")
			if c.want == "" {
				if err != nil || got.Commit != commit {
					t.Fatalf("got %+v, %v", got, err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("got %+v, %v", got, err)
			}
		})
	}
}

func TestTheNewestIsTheHighestReleaseOfTheSameMajorVersion(t *testing.T) {
	t.Parallel()
	hub, repo := actions(t)
	commits := map[string]string{}
	for _, tag := range []string{"v4", "v4.0.0", "v4.2.0", "v4.10.1", "v4.11.0-rc.1", "v5.0.0", "v40.0.0", "v3", "v2.0", "v2.1", "4.9.0", "dl/v4.20.0", "v4-beta", "v6.0.0-beta.2"} {
		repo.Push(githubhub.Commit{Files: githubhub.Files{"action.yml": "name: " + tag + "\n"}})
		commits[tag] = repo.Tag(githubhub.Tag{Name: tag, Annotated: strings.HasSuffix(tag, ".1")})
	}
	for ref, want := range map[string]string{
		"v4": "v4.10.1", "v4.0.0": "v4.10.1", "v4.2": "v4.10.1", "v4.11.0-rc.1": "v4.11.0-rc.1", "v3": "v3", "v2.0": "v2.1", "4.1.0": "4.9.0",
		"dl/v4": "dl/v4.20.0", "v5": "v5.0.0", "v40.0.0": "v40.0.0", "main": "main", "v6.0.0-beta.2": "v6.0.0-beta.2",
	} {
		t.Run(ref, func(t *testing.T) {
			t.Parallel()
			got, err := reading(t, hub.For(t), "").Newest(t.Context(), "actions/checkout", ref)
			if err != nil || got.Version != want || (ref != "main" && got.Commit != commits[want]) || got.Action != "actions/checkout" {
				t.Fatalf("got %+v, %v\nwant %s %s", got, err, want, commits[want])
			}
		})
	}
}

func TestWithoutATokenTheRateLimitSaysHowElseToPin(t *testing.T) {
	t.Parallel()
	hub, _ := actions(t)
	hub.Fail(githubhub.Fault{Primary: true, RetryAfter: time.Hour})
	_, err := reading(t, hub, "").Resolve(within(t, time.Minute), "actions/checkout", "v4")
	wantError(t, err, ErrRateLimit, "give a token, or full commits in pins")
}

func FuzzVersionsOfTagsAreOrdered(f *testing.F) {
	for _, tag := range []string{"v4", "v4.1.0", "4.1", "a/v1.0.0-rc.1+x", "v", "", "/", "v01.2.3", "vv1", strings.Repeat("1", 40)} {
		f.Add(tag, "v4.1.0")
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		v, ok := parseVersion(a)
		w, both := parseVersion(b)
		if !ok || !both {
			return
		}
		if v.tag != a || !strings.HasPrefix(a, v.prefix()) {
			t.Errorf("%q: tag %q, prefix %q", a, v.tag, v.prefix())
		}
		if v.newer(w) && w.newer(v) {
			t.Errorf("%q and %q are each newer than the other", a, b)
		}
	})
}
