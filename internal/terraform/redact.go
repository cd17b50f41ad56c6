package terraform

import (
	"slices"
	"strings"
)

// Terraform marks what schemas and authors call sensitive. Much that is secret is marked by nobody: environments
// of functions and containers, rendered configurations, connection strings. A redaction finds these by their
// place, by the name of their attribute and by their shape. It hides rather too much than too little: a plan
// that hides an environment's values still says which of them change.

// environments are names of attributes whose values are environments: maps, or lists of names with values.
var environments = []string{
	"env", "envs", "environment", "environments", "environment_variable", "environment_variables", "env_vars", "env_variables",
	"environment_overrides", "secret_env", "secret_environment_variables", "app_settings", "connection_string",
}

// A place is a known leak: attributes of resource types (patterns) whose whole content is hidden.
type place struct {
	types      string
	attributes []string
}

var places = []place{
	{"kubernetes_secret*", []string{"data", "string_data", "binary_data"}},
	{"kubernetes_config_map*", []string{"binary_data"}},
	{"kubernetes_env", []string{"env"}},
	{"helm_release", []string{"values", "set_sensitive", "metadata", "manifest"}},
	{"helm_template", []string{"values", "set_sensitive", "manifest", "manifests"}},
	{"argocd_application", []string{"values", "value_files"}},
	{"cloudinit_config", []string{"part", "rendered"}},
	{"template_cloudinit_config", []string{"part", "rendered"}},
	{"template_file", []string{"vars", "rendered"}},
	{"local_sensitive_file", []string{"content", "content_base64"}},
	{"*_secret_version", []string{"secret_string", "secret_binary", "secret_data"}},
	{"google_secret_manager_secret_version", []string{"secret_data"}},
	{"azurerm_key_vault_secret", []string{"value"}},
	{"aws_ssm_parameter", []string{"value", "insecure_value"}},
	{"vault_*", []string{"data_json", "data", "json"}},
	{"github_actions_*secret", []string{"plaintext_value", "encrypted_value"}},
	{"github_*secret", []string{"plaintext_value", "encrypted_value"}},
	{"gitlab_*_variable", []string{"value"}},
	{"tfe_variable", []string{"value"}},
	{"docker_secret", []string{"data"}},
	{"docker_config", []string{"data"}},
	{"nomad_job", []string{"jobspec"}},
	{"random_password", []string{"result", "bcrypt_hash"}},
	{"tls_*", []string{"private_key_pem", "private_key_openssh", "private_key_pem_pkcs8"}},
	{"aws_iam_access_key", []string{"secret", "ses_smtp_password_v4", "encrypted_secret"}},
	{"google_service_account_key", []string{"private_key"}},
	{"azurerm_storage_account", []string{"primary_access_key", "secondary_access_key"}},
	// What a machine runs at its first start is full of passwords and join tokens.
	{"*", []string{
		"user_data", "user_data_base64", "user_data_raw", "user_data_wo", "custom_data", "cloud_init", "cloud_config",
		"startup_script", "metadata_startup_script", "startup-script", "user-data", "ssh-keys", "bootstrap_command",
		"kubeconfig", "kubeconfig_raw", "kube_config", "kube_config_raw", "kube_admin_config", "kube_admin_config_raw", "raw_config", "kubeconfigs",
		"kube_config_yaml", "kubeconfig_yaml", "talosconfig", "machine_configuration", "machine_configuration_input",
	}},
}

// secretWords in the name of an attribute say that its text is secret.
var secretWords = []string{
	"password", "passwd", "passphrase", "pwd", "secret", "secrets", "token", "tokens", "apikey", "api_key", "access_key", "secret_key", "account_key",
	"shared_key", "private_key", "privatekey", "signing_key", "encryption_key", "master_key", "auth_key", "authkey", "license_key", "ssh_key", "host_key",
	"credential", "credentials", "connection_string", "connectionstring", "conn_string", "dsn", "sas_url", "sas_token", "webhook_url", "bearer", "basic_auth",
	"client_key", "pre_shared_key", "preshared_key", "psk", "pgpassword", "htpasswd", "auth_string",
}

// harmless endings turn a secret word into the name of something about a secret: secret_name, token_ttl.
var harmless = []string{
	"name", "names", "arn", "arns", "id", "ids", "version", "versions", "ttl", "length", "type", "types", "policy", "policies", "path", "paths", "mode", "state", "status",
	"enabled", "required", "rotation", "expiration", "expiry", "expires", "expires_at", "lifetime", "period", "days", "seconds", "minutes", "hours", "ref", "refs",
	"namespace", "algorithm", "format", "size", "bits", "count", "alias", "region", "label", "labels", "description", "usage", "spec", "issuer", "audience", "audiences",
	"endpoint", "reset", "update", "window", "date", "time", "validity", "scope", "scopes", "provider", "store", "rules",
}

// A redaction is one resource's.
type redaction struct {
	kind   string   // the resource's type
	hidden []string // attributes whose whole content is hidden
	secret bool     // a manifest of a Kubernetes Secret
}

func newRedaction(kind string, sides ...any) redaction {
	r := redaction{kind: kind}
	for _, p := range places {
		if glob(p.types, kind) {
			r.hidden = append(r.hidden, p.attributes...)
		}
	}
	r.secret = slices.ContainsFunc(sides, isSecretManifest)
	return r
}

// isSecretManifest reports whether a resource is a Kubernetes Secret as a manifest: an object, or YAML.
func isSecretManifest(v any) bool {
	m, _ := v.(map[string]any)
	for _, attribute := range []string{"manifest", "object", "yaml_body", "yaml_body_parsed", "yaml"} {
		switch manifest := m[attribute].(type) {
		case map[string]any:
			if manifest["kind"] == "Secret" {
				return true
			}
		case string:
			if kindSecret.MatchString(manifest) {
				return true
			}
		}
	}
	return false
}

// hides reports whether a value that the plan does not mark must not be shown.
func (r redaction) hides(at trail, value any) bool {
	if value == nil {
		return false
	}
	if _, ok := value.(bool); ok {
		return false // a switch tells nothing
	}
	if r.place(at) || environment(at) {
		return true
	}
	s, ok := value.(string)
	if !ok {
		return false
	}
	return secretName(lastName(at)) || leaks(s)
}

// place reports whether a leaf lies in a known leak.
func (r redaction) place(at trail) bool {
	for i, e := range at {
		name, ok := e.(string)
		if !ok {
			continue
		}
		if slices.Contains(r.hidden, name) {
			return true
		}
		if !r.secret {
			continue
		}
		switch name {
		case "data", "stringData", "string_data", "yaml_body", "yaml_body_parsed", "yaml", "live_manifest_incluster", "yaml_incluster":
			return true
		case "annotations": // kubectl keeps what it applied in one
			if i+1 < len(at) && at[i+1] == "kubectl.kubernetes.io/last-applied-configuration" {
				return true
			}
		}
	}
	return false
}

// environment reports whether a leaf is a value in an environment.
func environment(at trail) bool {
	for i, e := range at[:max(len(at)-1, 0)] {
		name, _ := e.(string)
		if !slices.Contains(environments, strings.ToLower(name)) {
			continue
		}
		last, _ := at[len(at)-1].(string)
		_, listed := at[i+1].(int)
		if !listed {
			return true // a map of values
		}
		// A list of blocks: of names and values, or of settings that hold a map of variables.
		if last == "value" || last == "values" || len(at) > i+3 && at[i+2] == "variables" {
			return true
		}
		if len(at) == i+2 { // "NAME=value"
			return true
		}
	}
	return false
}

// lastName is the name of the attribute that a leaf belongs to: elements of lists are called as the list is.
func lastName(at trail) string {
	for _, e := range slices.Backward(at) {
		if name, ok := e.(string); ok {
			return name
		}
	}
	return ""
}

// secretName reports whether a name says that what it names is secret: db_password, apiKey, not token_ttl.
func secretName(name string) bool {
	words := "_" + snake(name) + "_"
	for _, w := range secretWords {
		i := strings.LastIndex(words, "_"+w+"_")
		if i < 0 {
			continue
		}
		rest := strings.Trim(words[i+len(w)+1:], "_")
		if last := rest[strings.LastIndexByte(rest, '_')+1:]; !slices.Contains(harmless, last) {
			return true
		}
	}
	return false
}

// snake writes a name in lower case with underscores: "apiKey", "API-KEY" and "api.key" are api_key.
func snake(name string) string {
	var b strings.Builder
	lower := false
	for _, c := range name {
		upper := c >= 'A' && c <= 'Z'
		switch {
		case upper:
			if lower {
				b.WriteByte('_')
			}
			b.WriteRune(c + 'a' - 'A')
		case c >= 'a' && c <= 'z', c >= '0' && c <= '9':
			b.WriteRune(c)
		default:
			b.WriteByte('_')
		}
		lower = c >= 'a' && c <= 'z' || c >= '0' && c <= '9'
	}
	return b.String()
}
