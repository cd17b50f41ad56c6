package engine_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/engine"
)

func write(t *testing.T, path, content string) string {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestFilesSayWhereThingsAreRelativeToThemselves(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for content, want := range map[string]string{
		`{"local": {"data_dir": "d"}}`:                 filepath.Join(dir, "d"),
		`{"schema": 1, "local": {"data_dir": "../d"}}`: filepath.Join(filepath.Dir(dir), "d"),
		`{"local": {"data_dir": "/srv/d"}}` + "\n\n":   "/srv/d",
		`{"local": {}}`: "",
		`{}`:            "",
	} {
		c, err := engine.ReadFile(write(t, filepath.Join(dir, "c.json"), content))
		if err != nil || c.Local.DataDir != want {
			t.Errorf("%s: %q, %v: want %q", content, c.Local.DataDir, err, want)
		}
	}
}

func TestFilesThatAreWrongAreRefusedByFieldAndValue(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for content, want := range map[string]string{
		"":                                "is empty",
		"{\n\"local\": {,\n}":             "line 2 is not JSON",
		`{"local": {}} {}`:                "holds a second value",
		`[]`:                              "[]: want a JSON object",
		`null`:                            "null: want a JSON object",
		`{"locale": {}}`:                  "locale: unknown: want schema or local",
		`{"Local": {}}`:                   "Local: unknown",
		`{"local": {"dir": "d"}}`:         "local.dir: unknown: want data_dir",
		`{"local": null}`:                 "local: null: want a JSON object",
		`{"local": "d"}`:                  `local: "d": want a JSON object`,
		`{"local": {"data_dir": 5}}`:      `local.data_dir: 5: want a text`,
		`{"local": {"data_dir": ""}}`:     `local.data_dir: "": want a text`,
		`{"local": {}, "local": {}}`:      "local: is there twice",
		`{"schema": 2}`:                   "schema: 2: this program reads 1",
		`{"schema": "1"}`:                 `schema: "1": this program reads 1`,
		`{"a": 1, "b": 2}`:                "; b: unknown",
		strings.Repeat(" ", 1<<20) + "{}": "more than 1048576 bytes",
	} {
		file := write(t, filepath.Join(dir, "c.json"), content)
		_, err := engine.ReadFile(file)
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), file) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%.40q: %v: want %q in one line that names the file", content, err, want)
		}
	}
	if _, err := engine.ReadFile(filepath.Join(dir, "none.json")); err == nil || !strings.Contains(err.Error(), "none.json") {
		t.Errorf("a file that is not there: %v", err)
	}
}

func TestWhatIsSaidComesBeforeTheFileTheEnvironmentAndTheDefault(t *testing.T) {
	root := t.TempDir()
	t.Setenv(engine.DataDirVariable, "")
	t.Setenv(engine.FileVariable, "")
	resolve := func(said, file, want string) {
		t.Helper()
		c, err := engine.Resolve(root, engine.Config{Local: engine.Local{DataDir: said}}, file)
		if err != nil || c.Local.DataDir != want {
			t.Errorf("said %q, file %q: %q, %v: want %q", said, file, c.Local.DataDir, err, want)
		}
	}
	find := func(named, want string) {
		t.Helper()
		if file, err := engine.FindFile(root, named); err != nil || file != want {
			t.Errorf("%q: %q, %v: want %q", named, file, err, want)
		}
	}
	resolve("", "", filepath.Join(root, ".tidegate"))
	find("", "")
	t.Setenv(engine.DataDirVariable, "env")
	resolve("", "", filepath.Join(root, "env"))
	file := write(t, filepath.Join(root, engine.FileName), `{"local": {"data_dir": "file"}}`)
	find("", file)
	resolve("", file, filepath.Join(root, "file"))
	resolve("", engine.FileName, filepath.Join(root, "file"))
	resolve("said", file, filepath.Join(root, "said"))
	resolve("/said", file, "/said")
	t.Setenv(engine.FileVariable, "other.json")
	find("", "other.json")
	find("named.json", "named.json")
	if _, err := engine.Resolve(root, engine.Config{}, "other.json"); err == nil {
		t.Error("a file that is named and not there was taken for nothing")
	}
}

func TestUnknownKindsListTheChoices(t *testing.T) {
	t.Parallel()
	e := engine.Open(engine.Config{Local: engine.Local{DataDir: filepath.Join(t.TempDir(), "d")}}, engine.Program{})
	for _, id := range []string{"kubernetes/prod/ns/penguins", "/x"} {
		if _, err := e.Endpoint(id); err == nil || !strings.Contains(err.Error(), "want local/CLUSTER/NAME") {
			t.Errorf("%s: %v", id, err)
		}
		if _, err := e.Find(t.Context(), id); err == nil || !strings.Contains(err.Error(), "want local/CLUSTER/NAME") {
			t.Errorf("find %s: %v", id, err)
		}
	}
	if _, err := e.Find(t.Context(), "penguins"); err == nil || !strings.Contains(err.Error(), "has none") {
		t.Errorf("find in nothing: %v", err)
	}
}
