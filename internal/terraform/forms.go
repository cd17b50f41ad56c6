package terraform

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/url"
	"slices"
	"strings"
)

// forms are the ways in which a secret is written down: as it is, trimmed, encoded, and, of one with several lines, each
// line for itself. All are at least leastSecret long.
func forms(secret string, lines bool) []string {
	var out []string
	add := func(s string) {
		if len(s) >= leastSecret && !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	for _, s := range parts(secret, lines) {
		add(s)
		for _, encoding := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
			for offset := range 3 {
				add(inBase64(encoding, s, offset))
			}
		}
		add(hex.EncodeToString([]byte(s)))
		add(strings.ToUpper(hex.EncodeToString([]byte(s))))
		for _, e := range []string{url.QueryEscape(s), url.PathEscape(s), url.UserPassword("", s).String()[1:]} {
			add(e)
			add(lowerEscapes(e))
		}
		for range 2 { // JSON, and JSON in JSON
			for _, html := range []bool{true, false} {
				add(inJSON(s, html))
			}
			s = inJSON(s, false)
		}
	}
	add(strings.Trim(quote(secret), `"`))
	return out
}

// parts of a secret: itself without and with the space around it, and its lines where they are wanted.
func parts(secret string, lines bool) []string {
	out := []string{secret}
	if t := strings.TrimSpace(secret); t != secret {
		out = append(out, t)
	}
	if !strings.ContainsAny(secret, "\r\n") {
		return out
	}
	if unix := strings.ReplaceAll(secret, "\r\n", "\n"); unix != secret {
		out = append(out, strings.TrimSpace(unix))
	}
	if !lines {
		return out
	}
	for line := range strings.FieldsFuncSeq(secret, func(c rune) bool { return c == '\n' || c == '\r' }) {
		// The first and last line of a key are no secret, and people look for them.
		if line = strings.TrimSpace(line); !strings.HasPrefix(line, "-----") {
			out = append(out, line)
		}
	}
	return out
}

// inBase64 is what base64 makes of s for sure if it stands behind offset other bytes: characters that hold
// bits of its neighbours are left out.
func inBase64(encoding *base64.Encoding, s string, offset int) string {
	padded := encoding.EncodeToString(append(make([]byte, offset), s...))
	first := (offset*8 + 5) / 6
	last := (offset + len(s)) * 8 / 6
	return padded[first:last]
}

func inJSON(s string, html bool) string {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(html)
	if err := enc.Encode(s); err != nil {
		return s
	}
	return strings.TrimSuffix(strings.TrimPrefix(strings.TrimSuffix(b.String(), "\n"), `"`), `"`)
}

// lowerEscapes writes %2F as %2f.
func lowerEscapes(s string) string {
	b := []byte(s)
	for i := 0; i+2 < len(b); i++ {
		if b[i] == '%' {
			copy(b[i+1:i+3], strings.ToLower(string(b[i+1:i+3])))
		}
	}
	return string(b)
}
