package process

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestCheckCommandFindsMisspeltPlaceholders(t *testing.T) {
	t.Parallel()
	for _, words := range [][]string{
		{"server", "{port}", "--model={model}", "x{name}y"},
		{"server", `{"a": {"b": 1}}`, `{}`, `{ port }`, `{Port}`, `{"port"}`, `{a,b}`},
		{"sh", "-c", "echo ${port} ${x}"},
	} {
		if err := CheckCommand(words); err != nil {
			t.Errorf("%q: %v", words, err)
		}
	}
	for _, words := range [][]string{{"server", "--port={prot}"}, {"{mode}"}} {
		err := CheckCommand(words)
		if err == nil {
			t.Fatalf("%q is accepted", words)
		}
		wantWords(t, err.Error(), words[len(words)-1], "want {port}, {model} or {name}")
	}
	for _, words := range [][]string{nil, {""}, {"a", "b\x00"}} {
		if CheckCommand(words) == nil {
			t.Errorf("%q is accepted", words)
		}
	}
}

func TestCheckEnvRefusesWhatWouldNotArrive(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"HOME", "my.var", "A"} {
		if err := CheckEnv(name); err != nil {
			t.Errorf("%q: %v", name, err)
		}
	}
	for _, name := range []string{"", "A=B", "PORT", "TIDEGATE_REVISION"} {
		if CheckEnv(name) == nil {
			t.Errorf("%q is accepted", name)
		}
	}
}

func TestThePathThatWasDeclaredFindsTheProgram(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "my-server"), []byte("#!/bin/sh\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	cmd, err := command(Config{Command: []string{"my-server"}, Env: []string{"PATH=/nowhere:" + dir}}, 1)
	if err != nil || cmd.Path != filepath.Join(dir, "my-server") {
		t.Errorf("%v, %v", cmd, err)
	}
}

func TestTheTailIsBoundedCleanAndWithoutSecrets(t *testing.T) {
	t.Parallel()
	var log strings.Builder
	secret := "line one\nline \"two\""
	tl := newTail(&log, []string{secret, ""})
	text := strings.Repeat("noise\n", 10_000) + "a line \"two\" b line \\\"two\\\" c line+%22two%22\r50%\r100%\n" +
		strings.Repeat("w", 5000) + "\nfine\x1b]0;title\x07\u202e!"
	for i := 0; i < len(text); i += 1000 {
		if n, err := tl.Write([]byte(text[i:min(len(text), i+1000)])); err != nil || n == 0 {
			t.Fatal(n, err)
		}
	}
	words := tl.words()
	if strings.Contains(words, "two") || strings.Count(words, "\n") != tailLines || len(words) > 2000 {
		t.Errorf("%d lines: %q", strings.Count(words, "\n"), words)
	}
	wantWords(t, words, "a (secret) b (secret) c", "\n  | 100%", "www...", "\n  | fine!")
	if log.String() != text {
		t.Error("the log is not what was written")
	}
}

func TestASecretCutInTwoDoesNotShow(t *testing.T) {
	t.Parallel()
	tl := newTail(&strings.Builder{}, []string{"hunter2-and-more"})
	text := "hunter2-and-more" + strings.Repeat("x", tailBytes-len("and-more"))
	if _, err := tl.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if words := tl.words(); strings.Contains(words, "and-more") {
		t.Errorf("%q", words)
	}
}
