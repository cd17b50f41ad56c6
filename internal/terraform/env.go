package terraform

import (
	"encoding/json"
	"strings"
)

// openEnv are variables whose names say secret and whose values are none, or are known to everybody.
var openEnv = map[string]bool{
	"PWD": true, "OLDPWD": true, // folders
	"SSH_AUTH_SOCK": true, "GOOGLE_APPLICATION_CREDENTIALS": true, "AWS_WEB_IDENTITY_TOKEN_FILE": true, "AWS_SHARED_CREDENTIALS_FILE": true,
	"ACTIONS_ID_TOKEN_REQUEST_URL": true, "CLOUDSDK_AUTH_CREDENTIAL_FILE_OVERRIDE": true, "GOOGLE_GHA_CREDS_PATH": true,
	"AZURE_FEDERATED_TOKEN_FILE": true, "ARM_OIDC_TOKEN_FILE_PATH": true, "ARM_OIDC_REQUEST_URL": true,
}

// SecretEnv are values of an environment whose names say that they are secret, and what is secret in those that are
// JSON, such as a service account's key.
func SecretEnv(env []string) []string {
	var out []string
	for _, e := range env {
		name, value, _ := strings.Cut(e, "=")
		if len(value) < leastSecret || openEnv[name] {
			continue
		}
		if secretName(name) || strings.Contains(strings.ToUpper(name), "PASSWORD") || leaks(value) {
			out = append(append(out, value), secretsInJSON(value)...)
		}
	}
	return out
}

// secretsInJSON are the texts in a JSON object that its names or their own shape call secret.
func secretsInJSON(text string) []string {
	if !strings.HasPrefix(strings.TrimSpace(text), "{") {
		return nil
	}
	var object map[string]any
	if json.Unmarshal([]byte(text), &object) != nil {
		return nil
	}
	var out []string
	walk(side{value: object}, side{}, func(l leaf) {
		if s, ok := l.before.value.(string); ok && (secretName(lastName(l.path)) || leaks(s)) {
			out = append(out, s)
		}
	})
	return out
}
