// Package description is GitHub's own OpenAPI description of its API, cut down to what the server speaks, as a check of
// every request and every answer.
//
// The cut is made by cmd/subset of the npm package @octokit/openapi 23.0.2 (MIT).
package description

import (
	"bytes"
	"compress/gzip"
	_ "embed"
	"fmt"
	"io"
	"net/http"
	"sync"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"
)

//go:embed github.json.gz
var zipped []byte

// A Description of an API.
type Description struct {
	doc    *openapi3.T
	router routers.Router
	byID   map[string]*openapi3.Operation
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
	d := &Description{doc: doc, byID: map[string]*openapi3.Operation{}}
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
	if d.router, err = gorillamux.NewRouter(doc); err != nil {
		return nil, err
	}
	return d, nil
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

// A Route is the operation that a request is of.
type Route struct {
	ID     string            // "issues/create-comment"
	Params map[string]string // of the path
	route  *routers.Route
}

// Find finds the operation of a request, whose path has no prefix.
func (d *Description) Find(r *http.Request) (Route, error) {
	route, params, err := d.router.FindRoute(r)
	if err != nil {
		return Route{}, fmt.Errorf("%s %s is no operation of the cut of GitHub's description (%w): see operations.txt", r.Method, r.URL.Path, err)
	}
	return Route{ID: route.Operation.OperationID, Params: params, route: route}, nil
}
