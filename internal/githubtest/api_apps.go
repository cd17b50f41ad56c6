package githubtest

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

var metaOperations = map[string]func(*call) (answer, error){
	"meta/root": func(c *call) (answer, error) {
		return answer{status: http.StatusOK, value: object{"current_user_url": c.w.link("/user")}}, nil
	},
	"rate-limit/get":        (*call).rateLimit,
	"users/get-by-username": (*call).getUser,
	"users/get-authenticated": func(c *call) (answer, error) {
		if c.who == nil {
			return answer{}, &problem{status: http.StatusUnauthorized, message: "Requires authentication"}
		}
		if c.who.app != nil {
			return answer{}, &problem{status: http.StatusForbidden, message: "Resource not accessible by integration"}
		}
		out := c.w.renderUser(c.who.who)
		out["user_view_type"] = "private"
		return answer{status: http.StatusOK, value: out}, nil
	},
}

var appOperations = map[string]func(*call) (answer, error){
	"apps/get-by-slug": func(c *call) (answer, error) {
		a := c.w.apps[c.at.Params["app_slug"]]
		if c.at.Params["app_slug"] == actionsSlug {
			a = c.w.app(actionsSlug) // it is everywhere
		}
		if a == nil {
			return answer{}, notFound()
		}
		return answer{status: http.StatusOK, value: c.w.renderApp(a)}, nil
	},
	"apps/get-authenticated":                (*call).getApp,
	"apps/get-installation":                 (*call).getInstallation,
	"apps/get-repo-installation":            (*call).getInstallation,
	"apps/create-installation-access-token": (*call).createInstallationToken,
}

func (c *call) rateLimit() (answer, error) {
	q := newQuota(60)
	if c.who != nil {
		q = c.who.quota
	}
	core := object{"limit": q.limit, "remaining": q.remaining, "used": q.limit - q.remaining, "reset": q.reset.Unix()}
	other := object{"limit": 30, "remaining": 30, "used": 0, "reset": q.reset.Unix()}
	return answer{status: http.StatusOK, value: object{"resources": object{"core": core, "search": other}, "rate": core}}, nil
}

func (c *call) getUser() (answer, error) {
	a := c.w.accounts[strings.ToLower(c.at.Params["username"])]
	if a == nil {
		return answer{}, notFound()
	}
	return answer{status: http.StatusOK, value: c.w.renderUser(a)}, nil
}

func (w *World) renderUser(a *account) object {
	out := w.renderAccount(a)
	for name, x := range map[string]any{
		"name": a.login, "company": nil, "blog": "", "location": nil, "email": nil, "hireable": nil, "bio": nil,
		"public_repos": 0, "public_gists": 0, "followers": 0, "following": 0, "user_view_type": "public",
	} {
		out[name] = x
	}
	return out
}

var errJWT = errors.New("A JSON web token could not be decoded") //nolint:staticcheck // GitHub's words

// verify finds the app that signed a JSON web token.
func (w *World) verify(jwt string) (*app, error) {
	parts := strings.Split(jwt, ".")
	claims, err1 := base64.RawURLEncoding.DecodeString(parts[1])
	signed, err2 := base64.RawURLEncoding.DecodeString(parts[2])
	var in struct {
		Iss any
		Iat float64
		Exp float64
	}
	if err1 != nil || err2 != nil || json.Unmarshal(claims, &in) != nil {
		return nil, errJWT
	}
	issuer := fmt.Sprint(in.Iss)
	if n, ok := in.Iss.(float64); ok {
		issuer = strconv.FormatInt(int64(n), 10)
	}
	for _, a := range w.apps {
		if a.key == nil || strconv.FormatInt(a.id, 10) != issuer {
			continue
		}
		sum := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
		if rsa.VerifyPKCS1v15(&a.key.PublicKey, crypto.SHA256, sum[:], signed) != nil {
			return nil, errJWT
		}
		at := float64(time.Now().Unix())
		switch {
		case in.Exp <= at:
			return nil, errors.New("'Expiration time' claim ('exp') must be a numeric value representing the future time at which the assertion expires")
		case in.Exp > at+600+60:
			return nil, errors.New("'Expiration time' claim ('exp') is too far in the future")
		case in.Iat > at+60:
			return nil, errors.New("'Issued at' claim ('iat') must be an Integer representing the time that the assertion was issued")
		}
		return a, nil
	}
	return nil, errors.New("Integration not found") //nolint:staticcheck // GitHub's words
}

func needsJWT() error {
	return &problem{status: http.StatusUnauthorized, message: "A JSON web token could not be decoded"}
}

func (c *call) getApp() (answer, error) {
	if c.app == nil {
		return answer{}, needsJWT()
	}
	return answer{status: http.StatusOK, value: c.w.renderApp(c.app)}, nil
}

func (c *call) getInstallation() (answer, error) {
	if c.app == nil {
		return answer{}, needsJWT()
	}
	if id := c.number("installation_id"); id != 0 && id != c.app.installation {
		return answer{}, notFound()
	}
	owner := c.w.account("acme")
	if c.repo != nil {
		owner = c.repo.owner
	}
	return answer{status: http.StatusOK, value: object{
		"id": c.app.installation, "app_id": c.app.id, "app_slug": c.app.slug, "account": c.w.renderAccount(owner),
		"target_id": owner.id, "target_type": "User", "repository_selection": "all", "events": []any{},
		"permissions": object{"checks": "write", "contents": "read", "metadata": "read", "pull_requests": "write"},
		"created_at":  stamp(c.app.created), "updated_at": stamp(c.app.created),
		"access_tokens_url": c.w.link("/app/installations/%d/access_tokens", c.app.installation),
		"repositories_url":  c.w.link("/installation/repositories"), "html_url": c.w.url + "/settings/installations",
		"single_file_name": nil, "suspended_at": nil, "suspended_by": nil,
	}}, nil
}

func (c *call) createInstallationToken() (answer, error) {
	if c.app == nil {
		return answer{}, needsJWT()
	}
	if c.number("installation_id") != c.app.installation {
		return answer{}, notFound()
	}
	var in struct {
		Repositories []string
		Permissions  map[string]string
	}
	if err := c.decode(&in); err != nil {
		return answer{}, err
	}
	var repos []string
	for _, name := range in.Repositories { // names without their owner
		found := false
		for _, r := range c.w.repos {
			if strings.EqualFold(r.name, name) {
				repos, found = append(repos, r.fullName()), true
			}
		}
		if !found {
			return answer{}, &problem{status: http.StatusUnprocessableEntity, message: "There is at least one repository that does not exist or is not accessible to the parent installation."}
		}
	}
	t, err := c.w.newToken(kindApp, c.app.slug, "", in.Permissions, repos)
	if err != nil {
		return answer{}, &problem{status: http.StatusUnprocessableEntity, message: err.Error()}
	}
	permissions := object{}
	for name, level := range in.Permissions {
		permissions[name] = level
	}
	return answer{status: http.StatusCreated, value: object{
		"token": t.secret, "expires_at": stamp(t.expires), "permissions": permissions, "repository_selection": "all",
	}}, nil
}
