package githubtest

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/githubtest/description"
)

// A call is one request of the API on its way.
type call struct {
	w      *World
	r      *http.Request
	at     description.Route
	who    *token // nil: without authentication
	app    *app   // of a JWT
	repo   *repository
	body   []byte
	header http.Header // of the answer
}

// An answer is a status with its JSON, which is filled up to what the description requires. With plain it is not.
type answer struct {
	status int
	value  any
	plain  bool
}

type object = map[string]any

// A problem is an answer that says what is wrong, in GitHub's words.
type problem struct {
	status  int
	message string
	errors  []any
}

func (p *problem) Error() string { return p.message }

func notFound() error { return &problem{status: http.StatusNotFound, message: "Not Found"} }

// invalid is GitHub's "Validation Failed" for one field.
func invalid(resource, field, code, message string) error {
	e := object{"resource": resource, "field": field, "code": code}
	if message != "" {
		e["message"] = message
	}
	return &problem{status: http.StatusUnprocessableEntity, message: "Validation Failed", errors: []any{e}}
}

// A written answer, before it goes out.
type written struct {
	status int
	header http.Header
	body   []byte
}

// largest is what a request may have as its body.
const largest = 64 << 20

// serveAPI answers one request of the API: it is logged, meets its fault, is carried out and checked.
func (w *World) serveAPI(out http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, largest))
	if err != nil {
		return // the client is gone
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	entry := Request{At: time.Now(), Method: r.Method, Path: r.URL.RequestURI(), UserAgent: r.UserAgent()}
	if json.Valid(body) {
		entry.Body = body
	}
	r = w.byID(r)
	at, routeErr := w.api.Find(r)
	entry.Operation = at.ID

	f := w.fault(at.ID, r.Method)
	entry.Fault = f != nil
	if f != nil && !f.wait(r) {
		w.record(entry)
		return
	}
	if err := w.before(at.ID); err != nil {
		http.Error(out, "the GitHub of this test: "+err.Error(), http.StatusInternalServerError)
		return
	}
	var a written
	if f == nil || f.Applied || f.Empty || !f.breaks() {
		a = w.answer(r, at, routeErr, body, &entry)
	}
	if f != nil && f.breaks() {
		a = f.answer(a)
	}
	entry.Status = a.status
	w.record(entry)
	a.send(out, f)
}

// byID takes repositories/ID for repos/OWNER/NAME: GitHub has both, its description the latter only, and go-github asks
// for an environment's secrets by the former. Of an unknown id comes a name that nothing has.
func (w *World) byID(r *http.Request) *http.Request {
	rest, ok := strings.CutPrefix(r.URL.EscapedPath(), "/repositories/")
	if !ok {
		return r
	}
	id, rest, _ := strings.Cut(rest, "/")
	name := "-/-"
	w.mu.Lock()
	for _, repo := range w.repos {
		if strconv.FormatInt(repo.id, 10) == id {
			name = repo.fullName()
		}
	}
	w.mu.Unlock()
	named := r.Clone(r.Context())
	named.URL.RawPath = strings.TrimSuffix("/repos/"+name+"/"+rest, "/")
	named.URL.Path, _ = url.PathUnescape(named.URL.RawPath)
	named.RequestURI = named.URL.RequestURI()
	return named
}

func (w *World) record(r Request) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.log = append(w.log, r)
}

// answer carries a request out.
func (w *World) answer(r *http.Request, at description.Route, routeErr error, body []byte, entry *Request) written {
	w.mu.Lock()
	defer w.mu.Unlock()
	c := &call{w: w, r: r, at: at, body: body, header: http.Header{}}
	c.header.Set("X-GitHub-Media-Type", "github.v3; format=json")
	c.header.Set("X-GitHub-Request-Id", secret()[:24])
	violate := func(side string, err error) {
		w.violations = append(w.violations, Violation{side, r.Method, r.URL.RequestURI(), at.ID, err.Error()})
	}
	if routeErr != nil {
		violate("request", routeErr)
		return c.write(answer{}, notFound())
	}
	if err := c.identify(); err != nil {
		return c.write(answer{}, err)
	}
	entry.Actor = c.actor()
	checked := r.Clone(r.Context())
	checked.Body = io.NopCloser(bytes.NewReader(body))
	if entry.Body != nil {
		checked.Header.Set("Content-Type", "application/json") // GitHub takes JSON under any name, such as curl's
	}
	if err := w.api.CheckRequest(checked, at); err != nil {
		violate("request", err)
		return c.write(answer{}, &problem{status: http.StatusUnprocessableEntity, message: "Invalid request.\n\n" + err.Error()})
	}
	a := c.write(c.handle())
	if err := w.api.CheckAnswer(r, at, a.status, a.header, a.body); err != nil {
		violate("answer", err)
		return c.write(answer{}, &problem{status: http.StatusInternalServerError, message: "the GitHub of this test answered what the description forbids: " + err.Error()})
	}
	return a
}

// handle finds what the path names and does what is asked.
func (c *call) handle() (answer, error) {
	do := operations[c.at.ID]
	if do == nil {
		return answer{}, &problem{status: http.StatusNotImplemented, message: c.at.ID + " is not built into the GitHub of this test"}
	}
	if c.app != nil && appOperations[c.at.ID] == nil {
		return answer{}, &problem{status: http.StatusUnauthorized, message: "Bad credentials"} // a JWT is for the app itself only
	}
	if owner, name := c.at.Params["owner"], c.at.Params["repo"]; owner != "" && name != "" {
		if c.repo = c.w.find(owner + "/" + name); c.repo == nil {
			return answer{}, notFound()
		}
		if c.app == nil {
			if err := c.allow(c.at.ID); err != nil {
				return answer{}, err
			}
		}
	}
	if c.at.Params["org"] != "" && c.app == nil {
		if err := c.allowOrg(c.at.ID); err != nil {
			return answer{}, err
		}
	}
	return do(c)
}

// identify says who asks, and takes a request off the quota.
func (c *call) identify() error {
	q := &quota{limit: 60, remaining: 60, reset: now().Add(time.Hour)}
	if header := c.r.Header.Get("Authorization"); header != "" {
		kind, value, _ := strings.Cut(header, " ")
		if kind := strings.ToLower(kind); kind != "bearer" && kind != "token" {
			return &problem{status: http.StatusUnauthorized, message: "Bad credentials"}
		}
		if strings.Count(value, ".") == 2 {
			a, err := c.w.verify(value)
			if err != nil {
				return &problem{status: http.StatusUnauthorized, message: err.Error()}
			}
			c.app = a
			return nil
		}
		c.who = c.w.tokens[value]
		if c.who == nil || c.who.revoked || !time.Now().Before(c.who.expires) {
			c.who = nil
			return &problem{status: http.StatusUnauthorized, message: "Bad credentials"}
		}
		q = &c.who.quota
	}
	if c.who != nil && c.who.classic {
		c.header.Set("X-OAuth-Scopes", strings.Join(c.who.scopes, ", "))
	}
	free := c.at.ID == "rate-limit/get"
	enough := free || q.spend(time.Now())
	c.limits(*q)
	if !enough {
		return &problem{status: http.StatusForbidden, message: "API rate limit exceeded for " + c.actor() + "."}
	}
	return nil
}

func (c *call) limits(q quota) {
	c.header.Set("X-RateLimit-Limit", strconv.Itoa(q.limit))
	c.header.Set("X-RateLimit-Remaining", strconv.Itoa(q.remaining))
	c.header.Set("X-RateLimit-Used", strconv.Itoa(q.limit-q.remaining))
	c.header.Set("X-RateLimit-Reset", strconv.FormatInt(q.reset.Unix(), 10))
	c.header.Set("X-RateLimit-Resource", "core")
}

func (c *call) actor() string {
	switch {
	case c.who != nil:
		return c.who.who.login
	case c.app != nil:
		return c.app.slug
	}
	return ""
}

// write makes an answer of a value or a problem. One that the client has already costs nothing: 304.
func (c *call) write(a answer, err error) written {
	if err == nil && !a.plain && a.value != nil {
		a.value, err = c.w.api.Fill(c.at.ID, a.status, a.value)
	}
	if err != nil {
		return c.writeProblem(err)
	}
	out := written{status: a.status, header: c.header}
	if a.value == nil {
		return out
	}
	if raw, ok := a.value.([]byte); ok {
		out.body = raw
	} else {
		out.body, _ = json.Marshal(a.value)
		c.header.Set("Content-Type", "application/json; charset=utf-8")
	}
	if c.r.Method == http.MethodGet && a.status == http.StatusOK {
		sum := sha256.Sum256(out.body)
		etag := `W/"` + hex.EncodeToString(sum[:]) + `"`
		c.header.Set("ETag", etag)
		if c.r.Header.Get("If-None-Match") == etag {
			c.refund()
			return written{status: http.StatusNotModified, header: c.header}
		}
	}
	return out
}

func (c *call) refund() {
	if c.who != nil && c.at.ID != "rate-limit/get" {
		c.who.quota.remaining++
		c.limits(c.who.quota)
	}
}

func (c *call) writeProblem(err error) written {
	var p *problem
	if !errors.As(err, &p) {
		p = &problem{status: http.StatusInternalServerError, message: "the GitHub of this test: " + err.Error()}
	}
	value := object{"message": p.message, "documentation_url": c.w.url + "/rest", "status": strconv.Itoa(p.status)}
	if p.errors != nil {
		value["errors"] = p.errors
	}
	body, _ := json.Marshal(value)
	c.header.Set("Content-Type", "application/json; charset=utf-8")
	return written{status: p.status, header: c.header, body: body}
}

// decode reads the request's JSON.
func (c *call) decode(into any) error {
	if len(bytes.TrimSpace(c.body)) == 0 {
		return nil
	}
	if err := json.Unmarshal(c.body, into); err != nil {
		return &problem{status: http.StatusBadRequest, message: "Problems parsing JSON"}
	}
	return nil
}

// number is a parameter of the path that the description says is one.
func (c *call) number(name string) int64 {
	n, _ := strconv.ParseInt(c.at.Params[name], 10, 64)
	return n
}

func (c *call) query(name string) string { return c.r.URL.Query().Get(name) }

// page cuts a list to the page that is asked for, with links to the others.
func page[T any](c *call, all []T) []T { return pageOf(c, all, 30, 100) }

// pageOf is page for a list with another size of a page than most.
func pageOf[T any](c *call, all []T, size, limit int) []T {
	at := 1
	if n, err := strconv.Atoi(c.query("per_page")); err == nil && n > 0 {
		size = min(n, limit)
	}
	if n, err := strconv.Atoi(c.query("page")); err == nil && n > 0 {
		at = n
	}
	last := max(1, (len(all)+size-1)/size)
	var links []string
	link := func(n int, rel string) {
		u := *c.r.URL
		q := u.Query()
		q.Set("page", strconv.Itoa(n))
		u.RawQuery = q.Encode()
		links = append(links, fmt.Sprintf(`<%s/api/v3%s>; rel="%s"`, c.w.url, u.RequestURI(), rel))
	}
	if at > 1 {
		link(min(at-1, last), "prev")
	}
	if at < last {
		link(at+1, "next")
		link(last, "last")
	}
	if at > 1 {
		link(1, "first")
	}
	if links != nil {
		c.header.Set("Link", strings.Join(links, ", "))
	}
	from := min((at-1)*size, len(all))
	return all[from:min(from+size, len(all))]
}

// each renders a list; never null.
func each[T any](list []T, render func(T) object) []any {
	out := make([]any, 0, len(list))
	for _, x := range list {
		out = append(out, render(x))
	}
	return out
}
