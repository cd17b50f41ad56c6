// Package description is GitHub's own OpenAPI description of its API, cut down to what the server speaks, as a check of
// every request and every answer.
//
// The cut is made by cmd/subset of the npm package @octokit/openapi 23.0.2, whose licence is LICENSE.octokit.
package description

import (
	"bytes"
	"compress/gzip"
	_ "embed"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"
)

//go:embed github.json.gz
var zipped []byte

// A Description of an API.
type Description struct {
	routers []routers.Router // in the order in which they are asked
	byID    map[string]*openapi3.Operation
}

// Load reads the embedded description, once.
var Load = sync.OnceValues(func() (*Description, error) {
	r, err := gzip.NewReader(bytes.NewReader(zipped))
	if err != nil {
		return nil, err
	}
	b, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	return parse(b)
})

func parse(b []byte) (*Description, error) {
	doc, err := openapi3.NewLoader().LoadFromData(b)
	if err != nil {
		return nil, err
	}
	doc.Servers = openapi3.Servers{{URL: "/"}}
	d := &Description{byID: map[string]*openapi3.Operation{}}
	seen := map[*openapi3.Schema]bool{}
	for _, item := range doc.Paths.Map() {
		for _, op := range item.Operations() {
			d.byID[op.OperationID] = op
			if op.RequestBody == nil {
				continue
			}
			for _, media := range op.RequestBody.Value.Content {
				strict(media.Schema, seen)
			}
		}
	}
	lost(doc)
	undocumented(d.byID)
	detailed(doc)
	if d.routers, err = route(doc); err != nil {
		return nil, err
	}
	return d, nil
}

// lost lets a pull request's head have no repository, as GitHub answers it once a fork was deleted and its description
// does not say.
func lost(doc *openapi3.T) {
	for _, name := range []string{"pull-request", "pull-request-simple"} {
		s := doc.Components.Schemas[name]
		if s == nil {
			continue
		}
		head := s.Value.Properties["head"].Value
		nullable := *head.Properties["repo"].Value
		nullable.Nullable = true
		head.Properties["repo"] = openapi3.NewSchemaRef("", &nullable)
	}
}

// undocumented lets requests have what GitHub takes and its description does not name: whether administrators may deploy
// around an environment's protections, and where a ruleset is from, which go-github sends back.
func undocumented(byID map[string]*openapi3.Operation) {
	for id, fields := range map[string][]string{
		"repos/create-or-update-environment": {"can_admins_bypass"},
		"repos/create-repo-ruleset":          {"source", "source_type"},
		"repos/update-repo-ruleset":          {"source", "source_type", "id", "node_id"},
	} {
		op := byID[id]
		if op == nil {
			continue
		}
		body := op.RequestBody.Value.Content.Get("application/json").Schema.Value
		for _, name := range fields {
			body.Properties[name] = openapi3.NewSchemaRef("", openapi3.NewSchema())
		}
	}
}

// detailed opens the rules that have a ruleset's name and id besides: as part of a ruleset, which is sent too, they are
// strict.
func detailed(doc *openapi3.T) {
	s := doc.Components.Schemas["repository-rule-detailed"]
	if s == nil {
		return
	}
	for _, one := range s.Value.OneOf {
		for i, part := range one.Value.AllOf {
			open := *part.Value
			open.AdditionalProperties = openapi3.BoolSchema{}
			one.Value.AllOf[i] = openapi3.NewSchemaRef("", &open)
		}
	}
}

// route makes a router of the paths that end in a parameter of many segments and one of all others, which goes first:
// commits/{ref} would take commits/{ref}/pulls too.
func route(doc *openapi3.T) ([]routers.Router, error) {
	plain, greedy := *doc, *doc
	plain.Paths, greedy.Paths = openapi3.NewPaths(), openapi3.NewPaths()
	for path, item := range doc.Paths.Map() {
		if strings.HasSuffix(path, ":.*}") {
			greedy.Paths.Set(path, item)
			continue
		}
		plain.Paths.Set(path, item)
	}
	var out []routers.Router
	for _, d := range []*openapi3.T{&plain, &greedy} {
		r, err := gorillamux.NewRouter(d)
		if err != nil {
			return nil, err
		}
		out = append(out, r)
	}
	return out, nil
}

// strict forbids fields that the description does not name: a misspelt one would be ignored by GitHub in silence.
func strict(ref *openapi3.SchemaRef, seen map[*openapi3.Schema]bool) {
	if ref == nil || ref.Value == nil || seen[ref.Value] {
		return
	}
	s := ref.Value
	seen[s] = true
	plain := len(s.AllOf) == 0 && len(s.AnyOf) == 0 && len(s.OneOf) == 0
	open := s.AdditionalProperties.Has != nil || s.AdditionalProperties.Schema != nil
	if plain && !open && len(s.Properties) > 0 {
		no := false
		s.AdditionalProperties.Has = &no
	}
	for _, p := range s.Properties {
		strict(p, seen)
	}
	strict(s.Items, seen)
	for _, list := range []openapi3.SchemaRefs{s.OneOf, s.AnyOf} {
		for _, p := range list {
			strict(p, seen)
		}
	}
}

// Operations are the names of all that the cut has.
func (d *Description) Operations() []string { return slices.Sorted(maps.Keys(d.byID)) }

// A Route is the operation that a request is of.
type Route struct {
	ID     string            // "issues/create-comment"
	Params map[string]string // of the path
	route  *routers.Route
}

// Find finds the operation of a request, whose path has no prefix.
func (d *Description) Find(r *http.Request) (Route, error) {
	var route *routers.Route
	var params map[string]string
	var err error
	for _, router := range d.routers {
		if route, params, err = router.FindRoute(r); err == nil {
			break
		}
	}
	if err != nil {
		return Route{}, fmt.Errorf("%s %s is no operation of the cut of GitHub's description (%w): see operations.txt", r.Method, r.URL.Path, err)
	}
	for name, value := range params {
		if plain, err := url.PathUnescape(value); err == nil {
			params[name] = plain // such as an environment called "prod/eu", whose slash is escaped
		}
		if value == "" {
			params[name] = "/" // the root of a repository's contents; the checker wants something
		}
	}
	return Route{ID: route.Operation.OperationID, Params: params, route: route}, nil
}
