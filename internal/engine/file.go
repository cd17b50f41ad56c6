package engine

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// fileSchema is the schema number of the file. Files without one mean this one.
const fileSchema = 1

// mostFile bounds what is read: a configuration is short.
const mostFile = 1 << 20

// ReadFile reads a tidegate.json: {"local": {"data_dir": ".tidegate"}, "github": {"owner": "acme"}}. Whatever it does not know is an
// error that names the file, the field, the value and the choices. Paths in the result are absolute.
func ReadFile(path string) (Config, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return Config{}, fmt.Errorf("configuration %q: %w", path, err)
	}
	f, err := os.Open(abs)
	if err != nil {
		return Config{}, fmt.Errorf("configuration: %w", err)
	}
	defer func() { _ = f.Close() }() // it was only read
	b, err := io.ReadAll(io.LimitReader(f, mostFile+1))
	if err != nil {
		return Config{}, fmt.Errorf("configuration: %w", err)
	}
	if len(b) > mostFile {
		return Config{}, fmt.Errorf("configuration %s: more than %d bytes: is it the right file?", abs, mostFile)
	}
	c, err := parse(b)
	if err != nil {
		// A sentence each would be several lines; an error is one.
		return Config{}, fmt.Errorf("configuration %s: %s", abs, strings.ReplaceAll(err.Error(), "\n", "; "))
	}
	if dir := c.Local.DataDir; dir != "" && !filepath.IsAbs(dir) {
		c.Local.DataDir = filepath.Join(filepath.Dir(abs), dir)
	}
	return c, nil
}

func parse(b []byte) (Config, error) {
	var c Config
	if !json.Valid(b) {
		return c, syntax(b)
	}
	err := object("", b,
		field{name: "schema", read: schema},
		field{name: "local", read: func(at string, b []byte) error {
			return object(at, b, field{name: "data_dir", read: text(&c.Local.DataDir, ".tidegate", nil)})
		}},
		field{name: "github", read: func(at string, b []byte) error {
			return object(at, b,
				field{name: "owner", read: text(&c.GitHub.Owner, "acme", CheckOwner)},
				field{name: "api_url", read: text(&c.GitHub.APIURL, "https://github.acme.io/api/v3", CheckAPIURL)},
				field{name: "token", read: secret, hidden: true},
				field{name: "app", read: secret, hidden: true},
			)
		}},
	)
	return c, err
}

// syntax says what is wrong with JSON, and where.
func syntax(b []byte) error {
	d := json.NewDecoder(bytes.NewReader(b))
	var one json.RawMessage
	err := d.Decode(&one)
	var wrong *json.SyntaxError
	switch {
	case err == nil:
		return errors.New("holds a second value behind the first: want one JSON object")
	case errors.Is(err, io.EOF):
		return errors.New(`is empty: want a JSON object, such as {"local": {"data_dir": ".tidegate"}}`)
	case errors.As(err, &wrong):
		at := min(int(wrong.Offset), len(b))
		return fmt.Errorf("line %d is not JSON: %s", 1+bytes.Count(b[:at], []byte("\n")), wrong.Error())
	}
	return fmt.Errorf("is not JSON: %w", err)
}

// A field of an object, and what reads its value; at is its path.
type field struct {
	name   string
	read   func(at string, b []byte) error
	hidden bool // from the choices
}

// object reads a JSON object of these fields. encoding/json would take a name in another case, the last of
// two fields of one name, and null for anything.
func object(at string, b []byte, fields ...field) error {
	d := json.NewDecoder(bytes.NewReader(b))
	if open, err := d.Token(); err != nil || open != json.Delim('{') {
		return errors.New(strings.TrimPrefix(at+": "+short(b)+": want a JSON object", ": "))
	}
	var bad []error
	seen := map[string]bool{}
	for d.More() {
		token, err := d.Token()
		var value json.RawMessage
		if err = errors.Join(err, d.Decode(&value)); err != nil {
			return err // it was valid before
		}
		name := fmt.Sprint(token)
		path := strings.TrimPrefix(at+"."+name, ".")
		i := slices.IndexFunc(fields, func(f field) bool { return f.name == name })
		switch {
		case i < 0:
			bad = append(bad, fmt.Errorf("%s: unknown: want %s", path, choices(fields)))
		case seen[name]:
			bad = append(bad, fmt.Errorf("%s: is there twice", path))
		default:
			bad = append(bad, fields[i].read(path, value))
		}
		seen[name] = true
	}
	return errors.Join(bad...)
}

func choices(fields []field) string {
	var names []string
	for _, f := range fields {
		if !f.hidden {
			names = append(names, f.name)
		}
	}
	return strings.Join(names, " or ")
}

func schema(at string, b []byte) error {
	if string(b) != strconv.Itoa(fileSchema) {
		return fmt.Errorf("%s: %s: this program reads %d", at, short(b), fileSchema)
	}
	return nil
}

func text(to *string, example string, check func(string) error) func(string, []byte) error {
	return func(at string, b []byte) error {
		if b[0] != '"' || json.Unmarshal(b, to) != nil || *to == "" {
			return fmt.Errorf(`%s: %s: want a text such as %q`, at, short(b), example)
		}
		if check == nil {
			return nil
		}
		if err := check(*to); err != nil {
			return fmt.Errorf("%s: %w", at, err)
		}
		return nil
	}
}

// secret refuses what a file that is committed must not hold, and does not repeat it.
func secret(at string, _ []byte) error {
	return fmt.Errorf("%s: is a secret, and this file is none: give it in the environment variable %s, or in the provider block from a sensitive or ephemeral variable; if it was committed, revoke it",
		at, TokenVariables[0])
}

// short quotes what was found, in a length that fits an error.
func short(b []byte) string {
	const most = 60
	s := strings.Join(strings.Fields(string(b)), " ")
	s = tokens.ReplaceAllString(s, "***")
	if len(s) > most {
		return strings.ToValidUTF8(s[:most], "") + "..."
	}
	return s
}

// tokens look like GitHub's.
var tokens = regexp.MustCompile(`\b(gh[a-z]_|github_pat_)[A-Za-z0-9_]+`)
