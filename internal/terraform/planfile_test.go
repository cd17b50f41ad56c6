package terraform

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// OpenTofu may encrypt plan files, and a remote backend keeps them: then the backend and the folder are asked for what
// a plan file else holds.
func TestAPlanFileThatCannotBeOpenedIsAskedFor(t *testing.T) {
	t.Parallel()
	fixture, err := filepath.Abs("testdata/endpoint_update.json")
	if err != nil {
		t.Fatal(err)
	}
	s := newStage(t, "variable \"a\" {}\n")
	s.write("tfplan", "not a zip")
	s.write(lockFileName, "provider \"registry.opentofu.org/acme/thing\" {\n  version     = \"1.2.3\"\n  constraints = \"~> 1.0\"\n}\n")
	plan := func(lineage, show string) (Plan, error) {
		tool := filepath.Join(t.TempDir(), "tofu")
		script := "#!/bin/sh\ncase \"$1\" in\nshow) " + show + " ;;\nstate) echo '{\"version\":4,\"lineage\":\"" + lineage + "\",\"resources\":[{}]}' ;;\nesac\n"
		if err := os.WriteFile(tool, []byte(script), 0o700); err != nil {
			t.Fatal(err)
		}
		s.Tool = Tool{"tofu", tool, "1.12.0"}
		return s.ReadPlan(within(t), "tfplan", testKey)
	}
	one, err := plan("one", "cat "+fixture)
	if err != nil {
		t.Fatal(err)
	}
	if one.Tool != "tofu" || one.Version != "1.12.0" || len(one.Changes) != 1 {
		t.Errorf("plan %+v", one)
	}
	two, err := plan("two", "cat "+fixture)
	if err != nil {
		t.Fatal(err)
	}
	checkDiff(t, one.Fingerprint, two.Fingerprint, []string{"state lineage"})
	s.write(lockFileName, strings.Replace(s.read(lockFileName), "1.2.3", "1.3.0", 1))
	three, err := plan("one", "cat "+fixture)
	if err != nil {
		t.Fatal(err)
	}
	checkDiff(t, one.Fingerprint, three.Fingerprint, []string{"lock file", "provider registry.opentofu.org/acme/thing"})

	// What the tool says is closer to the cause than the JSON that it did not finish.
	if _, err := plan("one", "head -c 300 "+fixture+"; echo 'Error: the key is wrong' >&2; exit 1"); err == nil || !strings.Contains(err.Error(), "the key is wrong") {
		t.Errorf("a plan that cannot be shown: %v", err)
	}
	if _, err := plan("one", "head -c 300 "+fixture); err == nil || !strings.Contains(err.Error(), "unexpected EOF") {
		t.Errorf("a plan that is cut off: %v", err)
	}
	if _, err := plan("one", "echo no JSON; cat "+fixture+" "+fixture+" "+fixture+" "+fixture+" "+fixture+" "+fixture); err == nil || !strings.Contains(err.Error(), "read the plan's JSON") {
		t.Errorf("a plan in words: %v", err)
	}
}

// Nothing is known of a sensitive value from a fingerprint without a key, wherever else the value appears.
func TestAFingerprintWithoutAKeyDoesNotDependOnSecrets(t *testing.T) {
	t.Parallel()
	with := func(secret string) Fingerprint {
		text := `{"format_version":"1.2","variables":{"p":{"value":"` + secret + `"},"q":{"value":"plain-and-open"}},"resource_changes":[
			{"address":"a.b","mode":"managed","type":"a","name":"b","change":{"actions":["create"],"before":null,
			 "after":{"marked":"` + secret + `","echo":"it is ` + secret + `","env":{"A":"x` + secret + `"},"password":"y` + secret + `","url":"https://me:` + secret + `@example.org","open":"plain"},
			 "after_sensitive":{"marked":true}}}],
			"output_changes":{"o":{"actions":["create"],"before":null,"after":"` + secret + `","after_sensitive":true}},
			"configuration":{"provider_config":{"a":{"expressions":{"token":{"constant_value":"` + secret + `"}}}},"root_module":{"variables":{"p":{"sensitive":true},"q":{}},
			 "resources":[{"address":"a.b","expressions":{"password":{"constant_value":"` + secret + `"}}}]}}}`
		p, err := Parse(strings.NewReader(text), Source{})
		if err != nil {
			t.Fatal(err)
		}
		return p.Fingerprint
	}
	if d := Diff(with("correct-horse-battery"), with("another-secret-altogether")); d != nil {
		t.Errorf("it differs: %+v", d)
	}
}
