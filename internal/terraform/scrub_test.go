package terraform

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/url"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

const pem = "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0B\nAQEFAASCBKcwggSjAgEAAoIB\n-----END PRIVATE KEY-----\n"

func TestScrubberFindsASecretHoweverItIsWritten(t *testing.T) {
	t.Parallel()
	const secret = `pa"ss\wörd+/<&>?$1`
	inner, err := json.Marshal(map[string]string{"a": secret})
	if err != nil {
		t.Fatal(err)
	}
	outer, err := json.Marshal(string(inner))
	if err != nil {
		t.Fatal(err)
	}
	s := NewScrubber(secret, pem)
	for name, text := range map[string]string{
		"raw":              "x" + secret + "y",
		"base64":           base64.StdEncoding.EncodeToString([]byte(secret)),
		"base64 behind 1":  base64.StdEncoding.EncodeToString([]byte("u" + secret + "xyz")),
		"base64 behind 2":  base64.RawStdEncoding.EncodeToString([]byte("us" + secret + "x")),
		"base64 of login":  "Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte("user:"+secret)),
		"base64 for URLs":  base64.URLEncoding.EncodeToString([]byte("u" + secret)),
		"a query":          "https://example.org/?a=" + url.QueryEscape(secret) + "&b=c",
		"a path":           "https://example.org/" + url.PathEscape(secret),
		"a user":           (&url.URL{Scheme: "https", Host: "example.org", User: url.UserPassword("me", secret)}).String(),
		"small letters":    "pa%22ss%5cw%c3%b6rd%2b%2f%3c%26%3e%3f%241",
		"hexadecimal":      hex.EncodeToString([]byte(secret)),
		"JSON":             string(inner),
		"JSON in JSON":     string(outer),
		"HCL":              quote(secret),
		"lines":            pem,
		"a line":           "key: MIIEvQIBADANBgkqhkiG9w0B rest",
		"indented lines":   "    MIIEvQIBADANBgkqhkiG9w0B\n    AQEFAASCBKcwggSjAgEAAoIB\n",
		"lines in JSON":    inJSON(pem, false),
		"lines of Windows": strings.ReplaceAll(pem, "\n", "\r\n"),
	} {
		got := s.String(text)
		if !strings.Contains(got, Mask) {
			t.Errorf("%s: %q stays %q", name, text, got)
		}
		for _, piece := range []string{"wörd", "cGEic3", "MIIEvQ", "AQEFAA", "w%C3%B6rd", "w%c3%b6rd", "w\\u00f6", "77c3b6"} {
			if strings.Contains(got, piece) {
				t.Errorf("%s: %q is left in %q", name, piece, got)
			}
		}
	}
}

func TestScrubberLeavesTheRest(t *testing.T) {
	t.Parallel()
	s := NewScrubber("short", "1234567", "correct-horse", "")
	const text = "a short text of 1234567 letters, correct horse and not correct-hors"
	if got := s.String(text); got != text {
		t.Errorf("%q became %q", text, got)
	}
	var none *Scrubber
	if none.String(text) != text || new(Scrubber).String(text) != text {
		t.Error("a Scrubber of nothing changes something")
	}
}

func TestSecretsThatOverlapLeaveNothing(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"<abcdefghijklmnop>": "<***>", "<abcdefghij>": "<***>", "<abcdefgh ghijklmnop>": "<abcdefgh ***>",
		"abcdefghijabcdefghij": "******", "xghijklmnop": "x***",
	} {
		if got := NewScrubber("abcdefghij", "ghijklmnop", "cdefghijkl").String(text); got != want {
			t.Errorf("%q became %q, want %q", text, got, want)
		}
	}
}

// Whatever pieces a log comes in, what is written is what a scrub of the whole would be.
func TestScrubberSeesSecretsAcrossWrites(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		letters := rapid.StringOfN(rapid.RuneFrom([]rune("abAB\n")), 8, 14, -1)
		secrets := rapid.SliceOfN(letters, 1, 4).Draw(t, "secrets")
		s := NewScrubber(secrets...)
		piece := rapid.OneOf(rapid.SampledFrom(secrets), rapid.StringOfN(rapid.RuneFrom([]rune("abAB\n")), 0, 20, -1))
		text := strings.Join(rapid.SliceOf(piece).Draw(t, "text"), "")
		var out bytes.Buffer
		w := s.Writer(&out)
		for rest := text; rest != ""; {
			n := rapid.IntRange(1, len(rest)).Draw(t, "chunk")
			if _, err := w.Write([]byte(rest[:n])); err != nil {
				t.Fatal(err)
			}
			rest = rest[n:]
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		if want := s.String(text); out.String() != want {
			t.Fatalf("in pieces %q, at once %q", out.String(), want)
		}
		for _, secret := range secrets {
			if strings.Contains(out.String(), secret) {
				t.Fatalf("%q is in %q", secret, out.String())
			}
		}
	})
}

func TestALineIsNotHeldBack(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	w := NewScrubber("correct-horse", pem).Writer(&out)
	for _, step := range []struct{ write, want string }{
		{"Plan: 1 to add\n", "Plan: 1 to add\n"},
		{"with cor", "Plan: 1 to add\nwith "},
		{"rect-hor", "Plan: 1 to add\nwith "},
		{"n\n", "Plan: 1 to add\nwith correct-horn\n"},
		{"correct-horse", "Plan: 1 to add\nwith correct-horn\n***"},
	} {
		if _, err := w.Write([]byte(step.write)); err != nil {
			t.Fatal(err)
		}
		if out.String() != step.want {
			t.Errorf("after %q: %q, want %q", step.write, out.String(), step.want)
		}
	}
}

func TestSecretEnvGoesByNamesAndShapes(t *testing.T) {
	t.Parallel()
	env := []string{
		"PATH=/usr/local/bin:/usr/bin", "HOME=/home/runner", "GITHUB_REPOSITORY=acme/infrastructure",
		"GITHUB_TOKEN=ghs_0123456789abcdefghij", "DB_PASSWORD=correct-horse", "TF_VAR_db_password=battery-staple",
		"AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMIK7MDENGbPxRfiCY", "AWS_ACCESS_KEY_ID=AKIAIOSFODNN7EXAMPLE", "API_KEY=short",
		"GOOGLE_APPLICATION_CREDENTIALS=/home/runner/key.json", "ANYTHING=postgres://me:correct@db/x", "TF_TOKEN_app_terraform_io=abcdefghijkl",
		`GOOGLE_CREDENTIALS={"type":"service_account","private_key":"` + inJSON(pem, false) + `","client_email":"me@example.org"}`,
		"SSH_AUTH_SOCK=/tmp/ssh-agent/socket", "TOKEN_TTL=3600-seconds", "PWD=/srv/infrastructure", "OLDPWD=/srv/infrastructure",
	}
	got := strings.Join(SecretEnv(env), "\n")
	for _, want := range []string{"ghs_0123456789abcdefghij", "correct-horse", "battery-staple", "wJalrXUtnFEMIK7MDENGbPxRfiCY", "AKIAIOSFODNN7EXAMPLE", "postgres://me:correct@db/x", "abcdefghijkl", pem} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is not among them", want)
		}
	}
	for _, no := range []string{"/srv", "/usr/bin", "/home/runner", "acme", "/tmp/ssh-agent", "3600"} {
		if strings.Contains(strings.ReplaceAll(got, env[12], ""), no) {
			t.Errorf("%q is among them", no)
		}
	}
}

func BenchmarkScrub(b *testing.B) {
	secrets := make([]string, 500)
	for i := range secrets {
		secrets[i] = strings.Repeat(string(rune('a'+i%26)), 5) + strings.Repeat("secret", 3) + hex.EncodeToString([]byte{byte(i), byte(i >> 8)})
	}
	s := NewScrubber(secrets...)
	text := strings.Repeat("resource aws_instance.web has been changed, in place and at once\n", 10_000)
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		s.String(text)
	}
}
