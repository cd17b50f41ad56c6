package description

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
)

var options = &openapi3filter.Options{
	MultiError:            true,
	IncludeResponseStatus: true,
	AuthenticationFunc:    openapi3filter.NoopAuthenticationFunc,
}

// CheckRequest says what the description forbids about a request. Its body can be read again afterwards.
func (d *Description) CheckRequest(r *http.Request, at Route) error {
	if err := checkQuery(r, at); err != nil {
		return err
	}
	if err := openapi3filter.ValidateRequest(context.WithoutCancel(r.Context()), at.input(r)); err != nil {
		return short(err)
	}
	return nil
}

// checkQuery finds parameters that GitHub would ignore.
func checkQuery(r *http.Request, at Route) error {
	known := map[string]bool{}
	for _, list := range []openapi3.Parameters{at.route.PathItem.Parameters, at.route.Operation.Parameters} {
		for _, p := range list {
			known[p.Value.Name] = known[p.Value.Name] || p.Value.In == openapi3.ParameterInQuery
		}
	}
	for name := range r.URL.Query() {
		if !known[name] {
			return fmt.Errorf("%s has no query parameter %q", at.ID, name)
		}
	}
	return nil
}

// CheckAnswer says what the description forbids about an answer. GitHub answers errors anywhere, of which the description
// names few and some in a way that fits nothing: they only have to have a message.
func (d *Description) CheckAnswer(r *http.Request, at Route, status int, header http.Header, body []byte) error {
	if status == http.StatusNotModified {
		return nil
	}
	if status >= http.StatusBadRequest {
		var words struct{ Message string }
		if err := json.Unmarshal(body, &words); err != nil || words.Message == "" {
			return fmt.Errorf("%d without a message", status)
		}
		return nil
	}
	err := openapi3filter.ValidateResponse(context.WithoutCancel(r.Context()), &openapi3filter.ResponseValidationInput{
		RequestValidationInput: at.input(r), Status: status, Header: header,
		Body: io.NopCloser(bytes.NewReader(body)), Options: options,
	})
	if err != nil {
		return short(err)
	}
	return nil
}

func (at Route) input(r *http.Request) *openapi3filter.RequestValidationInput {
	return &openapi3filter.RequestValidationInput{Request: r, PathParams: at.Params, Route: at.route, Options: options}
}

// most is how long an error gets.
const most = 2000

// short leaves the schema out of an error, which can be pages long.
func short(err error) error {
	var lines []string
	for part := range strings.SplitSeq(err.Error(), " | ") {
		part, _, _ = strings.Cut(part, "\nSchema:")
		lines = append(lines, part)
	}
	words := strings.Join(lines, "; ")
	if len(words) > most { // of a rule that fits none of two dozen kinds
		words = words[:most] + " ..."
	}
	return fmt.Errorf("%s", words)
}
