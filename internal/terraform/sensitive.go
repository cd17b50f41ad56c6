package terraform

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// A plan says which variables are sensitive once it is made. What the tool and its providers say while they make it is
// shown at once. So the values of variables that are declared sensitive are looked for before: by expressions and not by a
// parser, in the places where such values usually stand. What is missed here (values in heredocs, of modules) is
// known after ReadPlan.

var (
	variableBlock = regexp.MustCompile(`(?m)^[ \t]*variable[ \t]+"([^"]+)"[ \t]*\{`)
	sensitiveMark = regexp.MustCompile(`(?m)[{\s](?:sensitive|ephemeral)\s*=\s*true\b`)
	defaultValue  = regexp.MustCompile(`(?m)[{\s]default\s*=(.*)$`)
	quotedText    = regexp.MustCompile(`"((?:[^"\\]|\\.)*)"`)
	assignment    = regexp.MustCompile(`(?m)^[ \t]*"?([A-Za-z_][A-Za-z0-9_-]*)"?[ \t]*[=:](.*)$`)
)

// sensitiveValues are values of variables that Dir declares sensitive.
func (r *Root) sensitiveValues() []string {
	var out []string
	declared := map[string]bool{}
	for _, text := range r.texts(isConfig) {
		for _, m := range variableBlock.FindAllStringSubmatchIndex(text, -1) {
			block := text[m[1]-1 : m[1]-1+blockLength(text[m[1]-1:])]
			if !sensitiveMark.MatchString(block) {
				continue
			}
			declared[text[m[2]:m[3]]] = true
			if d := defaultValue.FindStringSubmatch(block); d != nil {
				out = append(out, quotedIn(d[1])...)
			}
		}
	}
	if len(declared) == 0 {
		return nil
	}
	for _, e := range slices.Concat(r.environment(), r.Vars) {
		name, value, _ := strings.Cut(e, "=")
		if declared[strings.TrimPrefix(name, "TF_VAR_")] {
			out = append(append(out, value), quotedIn(value)...)
		}
	}
	texts := r.texts(isVarFile)
	for _, file := range r.VarFiles {
		if b, err := os.ReadFile(r.path(file)); err == nil { // the tool says what is wrong with it
			texts = append(texts, string(b))
		}
	}
	for _, text := range texts {
		for _, m := range assignment.FindAllStringSubmatch(text, -1) {
			if declared[m[1]] {
				out = append(out, quotedIn(m[2])...)
			}
		}
	}
	return out
}

// texts are the files in Dir whose names fit.
func (r *Root) texts(fits func(name string) bool) []string {
	entries, err := os.ReadDir(r.Dir)
	if err != nil {
		return nil // Check has said so
	}
	var out []string
	for _, e := range entries {
		if e.IsDir() || !fits(e.Name()) {
			continue
		}
		if b, err := os.ReadFile(filepath.Join(r.Dir, e.Name())); err == nil {
			out = append(out, string(b))
		}
	}
	return out
}

// isVarFile reports whether the tools read a file for variables without being told to.
func isVarFile(name string) bool {
	return name == "terraform.tfvars" || name == "terraform.tfvars.json" || strings.HasSuffix(name, ".auto.tfvars") || strings.HasSuffix(name, ".auto.tfvars.json")
}

// blockLength is how far the block that text begins with reaches.
func blockLength(text string) int {
	depth, quoted := 0, false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{':
			depth++
		case c == '}':
			if depth--; depth == 0 {
				return i + 1
			}
		}
	}
	return len(text)
}

// quotedIn are the texts in quotes, as they stand and without escapes.
func quotedIn(s string) []string {
	var out []string
	for _, m := range quotedText.FindAllStringSubmatch(s, -1) {
		out = append(out, m[1], hclUnescapes.Replace(m[1]))
	}
	return out
}

var hclUnescapes = strings.NewReplacer(`\\`, `\`, `\"`, `"`, `\n`, "\n", `\r`, "\r", `\t`, "\t", "$${", "${", "%%{", "%{")
