// Subset cuts GitHub's OpenAPI description down to the operations that a list names, with every component that they
// reach and without texts for people.
//
//	npm pack @octokit/openapi@23.0.2 && tar xzf octokit-openapi-23.0.2.tgz package/generated/api.github.com.json
//	go run ./cmd/subset package/generated/api.github.com.json description/operations.txt description/github.json.gz
package main

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"regexp"
	"strings"
)

func main() {
	log.SetFlags(0)
	if len(os.Args) != 4 {
		log.Fatal("usage: subset DESCRIPTION.json OPERATIONS.txt OUT.json.gz")
	}
	if err := run(os.Args[1], os.Args[2], os.Args[3]); err != nil {
		log.Fatal(err)
	}
}

func run(in, list, out string) error {
	b, err := os.ReadFile(in)
	if err != nil {
		return err
	}
	var doc map[string]any
	if err := json.Unmarshal(b, &doc); err != nil {
		return fmt.Errorf("%s: %w", in, err)
	}
	wanted, err := read(list)
	if err != nil {
		return err
	}
	c := cut{components: doc["components"].(map[string]any), used: map[string]any{}}
	paths, n, err := c.paths(doc["paths"].(map[string]any), wanted)
	if err != nil {
		return err
	}
	c.walk(paths, true)
	kept := map[string]any{}
	for ref, target := range c.used {
		kind, name, _ := strings.Cut(strings.TrimPrefix(ref, "#/components/"), "/")
		if kept[kind] == nil {
			kept[kind] = map[string]any{}
		}
		kept[kind].(map[string]any)[name] = target
	}
	cutDoc, err := json.Marshal(map[string]any{
		"openapi": doc["openapi"], "info": doc["info"], "paths": paths, "components": kept,
	})
	if err != nil {
		return err
	}
	var zipped bytes.Buffer
	w, _ := gzip.NewWriterLevel(&zipped, gzip.BestCompression)
	if _, err := w.Write(cutDoc); err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	fmt.Println(n, "operations,", len(c.used), "components,", len(cutDoc), "bytes,", zipped.Len(), "zipped")
	return os.WriteFile(out, zipped.Bytes(), 0o644) //nolint:gosec // it is committed
}

// read returns the patterns of a list, one a line.
func read(list string) ([]*regexp.Regexp, error) {
	b, err := os.ReadFile(list)
	if err != nil {
		return nil, err
	}
	var patterns []*regexp.Regexp
	for line := range strings.Lines(string(b)) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		p, err := regexp.Compile("^(?:" + line + ")$")
		if err != nil {
			return nil, fmt.Errorf("%s: %w", list, err)
		}
		patterns = append(patterns, p)
	}
	return patterns, nil
}

type cut struct {
	components map[string]any
	used       map[string]any // by reference
}

// paths keeps the wanted operations. A parameter of several segments is renamed so that the router matches it.
func (c cut) paths(all map[string]any, wanted []*regexp.Regexp) (map[string]any, int, error) {
	kept, n, met := map[string]any{}, 0, map[*regexp.Regexp]bool{}
	for path, it := range all {
		item, some := map[string]any{}, false
		for method, x := range it.(map[string]any) {
			op, ok := x.(map[string]any)
			if !ok {
				item[method] = x // parameters of all operations
				continue
			}
			id, _ := op["operationId"].(string)
			for _, p := range wanted {
				if !p.MatchString(id) {
					continue
				}
				met[p] = true
				item[method], some = op, true
				path = c.segments(path, op)
			}
		}
		if !some {
			continue
		}
		kept[path] = item
		n += len(item)
	}
	for _, p := range wanted {
		if !met[p] {
			return nil, 0, fmt.Errorf("no operation is called %s", p)
		}
	}
	return kept, n, nil
}

func (c cut) segments(path string, op map[string]any) string {
	parameters, _ := op["parameters"].([]any)
	for _, x := range parameters {
		p := x.(map[string]any)
		if ref, ok := p["$ref"].(string); ok {
			p = c.lookup(ref).(map[string]any)
		}
		if p["x-multi-segment"] == true {
			path = strings.ReplaceAll(path, "{"+p["name"].(string)+"}", "{"+p["name"].(string)+":.*}")
		}
	}
	return path
}

// walk drops texts and remembers what is referred to. In a map of names, such as properties, keys are no keywords.
func (c cut) walk(x any, names bool) {
	switch v := x.(type) {
	case map[string]any:
		if !names {
			delete(v, "examples")
			delete(v, "x-octokit")
			delete(v, "externalDocs")
			delete(v, "summary")
			if _, ok := v["description"].(string); ok {
				v["description"] = "" // an answer must have one
			}
		}
		if ref, ok := v["$ref"].(string); ok {
			if _, seen := c.used[ref]; !seen {
				c.used[ref] = c.lookup(ref)
				c.walk(c.used[ref], false)
			}
			return
		}
		for k, y := range v {
			c.walk(y, !names && k == "properties")
		}
	case []any:
		for _, y := range v {
			c.walk(y, false)
		}
	}
}

func (c cut) lookup(ref string) any {
	kind, name, _ := strings.Cut(strings.TrimPrefix(ref, "#/components/"), "/")
	return c.components[kind].(map[string]any)[name]
}
