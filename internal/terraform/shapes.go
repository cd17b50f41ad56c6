package terraform

import (
	"regexp"
	"strings"
)

// A shape is how a kind of secret looks. A text without the hint does not have it: looking for a few bytes is
// quicker than any expression, and plans are long.
type shape struct {
	hints []string
	regex *regexp.Regexp
}

var kindSecret = regexp.MustCompile(`(?m)^\s*["']?kind["']?\s*:\s*["']?Secret["']?\s*,?\s*$`)

var shapes = []shape{
	{[]string{"PRIVATE KEY"}, regexp.MustCompile(`-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----(?s:.*?)(?:-----END [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----|\z)`)},
	{[]string{"ghp_", "gho_", "ghu_", "ghs_", "ghr_"}, regexp.MustCompile(`\bgh[pousr]_[A-Za-z0-9_]{20,}`)},
	{[]string{"github_pat_"}, regexp.MustCompile(`github_pat_[A-Za-z0-9_]{20,}`)},
	{[]string{"AKIA", "ASIA"}, regexp.MustCompile(`\b(?:AKIA|ASIA)[A-Z0-9]{16}\b`)},
	{[]string{"xox", "xapp-"}, regexp.MustCompile(`\b(?:xox[a-z]|xapp)-[A-Za-z0-9-]{10,}`)},
	{[]string{"hooks.slack.com"}, regexp.MustCompile(`hooks\.slack\.com/(?:services|workflows|triggers)/[A-Za-z0-9/_-]+`)},
	{[]string{"eyJ"}, regexp.MustCompile(`\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*)*`)},
	{[]string{"glpat-", "glptt-", "glcbt-", "gldt-", "glrt-", "glft-", "glsoat-", "glagent-", "glimt-"}, regexp.MustCompile(`\bgl(?:pat|ptt|cbt|dt|rt|ft|soat|agent|imt)-[A-Za-z0-9_.-]{16,}`)},
	{[]string{"sk-", "sk_", "rk_"}, regexp.MustCompile(`\b(?:sk-[A-Za-z0-9_-]{16,}|[sr]k_(?:live|test)_[A-Za-z0-9]{16,})`)},
	{[]string{"AIza"}, regexp.MustCompile(`\bAIza[A-Za-z0-9_-]{30,}`)},
	{[]string{"ya29."}, regexp.MustCompile(`\bya29\.[A-Za-z0-9_-]{20,}`)},
	{[]string{"hvs.", "hvb.", "hvr."}, regexp.MustCompile(`\bhv[sbr]\.[A-Za-z0-9_-]{20,}`)},
	{[]string{"hf_"}, regexp.MustCompile(`\bhf_[A-Za-z0-9]{20,}`)},
	{[]string{"npm_"}, regexp.MustCompile(`\bnpm_[A-Za-z0-9]{30,}`)},
	{[]string{"pypi-"}, regexp.MustCompile(`\bpypi-[A-Za-z0-9_-]{30,}`)},
	{[]string{"dop_v1_", "doo_v1_"}, regexp.MustCompile(`\bdo[op]_v1_[a-f0-9]{40,}`)},
	{[]string{"dapi"}, regexp.MustCompile(`\bdapi[a-f0-9]{32}\b`)},
	{[]string{"SG."}, regexp.MustCompile(`\bSG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}`)},
	{[]string{"AGE-SECRET-KEY-"}, regexp.MustCompile(`AGE-SECRET-KEY-1[A-Z0-9]{20,}`)},
	{[]string{"atlasv1."}, regexp.MustCompile(`\b[A-Za-z0-9]{10,}\.atlasv1\.[A-Za-z0-9_-]{20,}`)},
	{[]string{"://"}, regexp.MustCompile(`\b[A-Za-z][A-Za-z0-9+.-]*://[^\s/?#:@"']*:[^\s/?#"']+@[^\s"']+`)},
	{[]string{"=", ":"}, regexp.MustCompile(`(?i)\b(?:password|passwd|pwd|accountkey|sharedaccesskey|sharedaccesssignature|clientsecret|client_secret|secretkey|access_token|apikey|api_key)["']?\s*[=:]\s*["']?[^\s;,"'&]{3,}`)},
	{[]string{"sig="}, regexp.MustCompile(`[?&]sig=[A-Za-z0-9%+/=_-]{16,}`)},
	{[]string{"earer ", "asic "}, regexp.MustCompile(`(?i)\b(?:bearer|basic) +[A-Za-z0-9._~+/=-]{12,}`)},
}

func (s shape) hinted(text string) bool {
	for _, h := range s.hints {
		if strings.Contains(text, h) {
			return true
		}
	}
	return false
}

// leaks reports whether a text has the shape of a secret anywhere in it.
func leaks(text string) bool {
	for _, s := range shapes {
		if s.hinted(text) && s.regex.MatchString(text) {
			return true
		}
	}
	return false
}

// blot replaces what has the shape of a secret by Mask, in texts that are shown even so: errors and names.
func blot(text string) string {
	for _, s := range shapes {
		if s.hinted(text) {
			text = s.regex.ReplaceAllLiteralString(text, Mask)
		}
	}
	return text
}
