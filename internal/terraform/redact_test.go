package terraform

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// What nobody marks and must not be shown, by place, name and shape; and beside it what people need to see.
func TestKnownLeaksAreHidden(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		kind, after string
		hidden      []string
		open        []string
	}{
		{
			"aws_lambda_function", `{"environment":[{"variables":{"LOG":"x","DB":"y"}}],"handler":"main","memory_size":128}`,
			[]string{"environment[0].variables.DB", "environment[0].variables.LOG"},
			[]string{"handler", "memory_size"},
		},
		{
			"aws_ecs_task_definition", `{"container_definitions":"[{\"image\":\"acme/app:2\",\"environment\":[{\"name\":\"DB\",\"value\":\"y\"}],\"secrets\":[{\"name\":\"K\",\"valueFrom\":\"arn:aws:x\"}]}]"}`,
			[]string{"container_definitions[0].environment[0].value"},
			[]string{"container_definitions[0].environment[0].name", "container_definitions[0].image", "container_definitions[0].secrets[0].name", "container_definitions[0].secrets[0].valueFrom"},
		},
		{
			"aws_codebuild_project", `{"environment":[{"compute_type":"SMALL","image":"standard:7","environment_variable":[{"name":"K","value":"v","type":"PLAINTEXT"}]}]}`,
			[]string{"environment[0].environment_variable[0].value"},
			[]string{"environment[0].compute_type", "environment[0].environment_variable[0].name", "environment[0].environment_variable[0].type", "environment[0].image"},
		},
		{
			"kubernetes_deployment_v1", `{"spec":[{"template":[{"spec":[{"container":[{"image":"app:2","env":[{"name":"A","value":"v","value_from":[{"secret_key_ref":[{"key":"k","name":"n"}]}]}]}],"volume":[{"secret":[{"secret_name":"tls"}]}]}]}]}]}`,
			[]string{"spec[0].template[0].spec[0].container[0].env[0].value"},
			[]string{
				"spec[0].template[0].spec[0].container[0].env[0].name",
				"spec[0].template[0].spec[0].container[0].env[0].value_from[0].secret_key_ref[0].key",
				"spec[0].template[0].spec[0].container[0].env[0].value_from[0].secret_key_ref[0].name",
				"spec[0].template[0].spec[0].container[0].image", "spec[0].template[0].spec[0].volume[0].secret[0].secret_name",
			},
		},
		{"kubernetes_secret_v1", `{"data":{"a":"b"},"metadata":[{"name":"tls"}],"type":"Opaque"}`, []string{"data.a"}, []string{"metadata[0].name", "type"}},
		{
			"kubernetes_manifest", `{"manifest":{"kind":"Secret","metadata":{"name":"tls"},"stringData":{"a":"b"}}}`,
			[]string{"manifest.stringData.a"},
			[]string{"manifest.kind", "manifest.metadata.name"},
		},
		{"kubernetes_manifest", `{"manifest":{"kind":"ConfigMap","data":{"a":"b"}}}`, nil, []string{"manifest.data.a", "manifest.kind"}},
		{"kubectl_manifest", `{"yaml_body":"apiVersion: v1\nkind: Secret\nstringData:\n  a: b\n"}`, []string{"yaml_body"}, nil},
		{"kubectl_manifest", `{"yaml_body":"apiVersion: v1\nkind: Service\nspec: {}\n"}`, nil, []string{"yaml_body"}},
		{
			"helm_release", `{"chart":"app","version":"1.2.3","values":["image: a\n"],"set":[{"name":"replicas","value":"2"}],"set_sensitive":[{"name":"p","value":"v"}]}`,
			[]string{"set_sensitive[0].name", "set_sensitive[0].value", "values[0]"},
			[]string{"chart", "set[0].name", "set[0].value", "version"},
		},
		{"aws_instance", `{"user_data":"#!/bin/sh\necho hi\n","user_data_replace_on_change":true,"instance_type":"t3.micro"}`, []string{"user_data"}, []string{"instance_type", "user_data_replace_on_change"}},
		{"azurerm_linux_virtual_machine", `{"custom_data":"I2Nsb3Vk","size":"B1"}`, []string{"custom_data"}, []string{"size"}},
		{"google_compute_instance", `{"metadata":{"startup-script":"x","zone":"a"},"metadata_startup_script":"y"}`, []string{"metadata.startup-script", "metadata_startup_script"}, []string{"metadata.zone"}},
		{"google_container_cluster", `{"kubeconfig":"x","kube_config":[{"host":"h"}],"name":"c"}`, []string{"kube_config[0].host", "kubeconfig"}, []string{"name"}},
		{
			"aws_db_instance", `{"password":"v","master_password":"v","password_wo_version":"1","manage_master_user_password":true,"master_user_secret_kms_key_id":"k","db_name":"d"}`,
			[]string{"master_password", "password"},
			[]string{"db_name", "manage_master_user_password", "master_user_secret_kms_key_id", "password_wo_version"},
		},
		{
			"x", `{"apiKey":"v","api_token":"v","API-KEY":"v","token_ttl":"3600","secret_name":"n","secret_arn":"a","tokens":["v"],"max_tokens":4096,"client_secret":"v","password_policy":"p","public_key":"k"}`,
			[]string{`API-KEY`, "apiKey", "api_token", "client_secret", "tokens[0]"},
			[]string{"max_tokens", "password_policy", "public_key", "secret_arn", "secret_name", "token_ttl"},
		},
		{
			"azurerm_linux_web_app", `{"app_settings":{"MODE":"x"},"connection_string":[{"name":"db","type":"SQL","value":"v"}],"tags":{"environment":"prod","env":"prod"}}`,
			[]string{"app_settings.MODE", "connection_string[0].value"},
			[]string{"connection_string[0].name", "connection_string[0].type", "tags.env", "tags.environment"},
		},
		{"tidegate_model_endpoint", `{"runtime":{"command":["./serve"],"env":{"A":"b"}}}`, []string{"runtime.env.A"}, []string{"runtime.command[0]"}},
		{"vault_kv_secret_v2", `{"data_json":"{\"a\":\"b\"}","mount":"kv"}`, []string{"data_json"}, []string{"mount"}},
		{"github_actions_secret", `{"plaintext_value":"v","secret_name":"N"}`, []string{"plaintext_value"}, []string{"secret_name"}},
	} {
		p := parse(t, planJSON([3]string{test.kind + ".x", test.kind, `{"actions":["create"],"before":null,"after":` + test.after + `}`}))
		var hidden, open []string
		for _, a := range p.Changes[0].Attributes {
			if a.After.Kind == Sensitive {
				hidden = append(hidden, a.Path)
				continue
			}
			open = append(open, a.Path)
		}
		if diff := cmp.Diff(test.hidden, hidden); diff != "" {
			t.Errorf("%s hidden (-want +got):\n%s", test.kind, diff)
		}
		if diff := cmp.Diff(test.open, open); diff != "" {
			t.Errorf("%s open (-want +got):\n%s", test.kind, diff)
		}
	}
}

// Shapes are put together here so that no scanner takes this file for a leak.
func TestSecretsAreKnownByTheirShape(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("a1B2c3D4", 8)
	for _, secret := range []string{
		"ghp_" + long, "ghs_" + long, "github_pat_" + long, "AK" + "IAIOSFODNN7EXAMPLE", "xox" + "b-123456789012-" + long, "xapp" + "-1-A0123456789",
		"eyJ" + "hbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U",
		"glp" + "at-" + long[:20], "sk-" + long, "sk-ant-api03-" + long, "sk_" + "live_" + long, "AI" + "za" + long[:35], "hv" + "s." + long, "hf" + "_" + long, "npm" + "_" + long,
		"postgres://app:correct@db.example.org/app", "redis://:correct@cache:6379/0", "https://user:pa$$word@example.org/repo.git",
		"Server=db;User Id=app;Password=correct;", "AccountName=a;AccountKey=" + long + "==;EndpointSuffix=x", `{"password": "correct"}`, "password: correct",
		"-----BEGIN RSA " + "PRIVATE KEY-----\nabc\n-----END RSA " + "PRIVATE KEY-----", "-----BEGIN OPENSSH " + "PRIVATE KEY-----\nabc", "-----BEGIN PGP " + "PRIVATE KEY BLOCK-----\nabc",
		"https://hooks.slack." + "com/services/T0/B0/" + long[:24], "https://x.blob.example.org/c?sv=1&sig=" + long, "Authorization: Bearer " + long, "AGE-SECRET-" + "KEY-1" + strings.ToUpper(long),
		"SG" + "." + long[:22] + "." + long, "ya29" + "." + long, "dapi" + strings.Repeat("0a", 16),
	} {
		text := "before " + secret + " behind"
		if !leaks(text) {
			t.Errorf("%.30q is shown", secret)
		}
		if got := blot(text); !strings.Contains(got, Mask) || !strings.HasPrefix(got, "before ") {
			t.Errorf("%.30q becomes %q", secret, got)
		}
	}
	for _, open := range []string{
		"arn:aws:iam::123456789012:role/deploy", "sha256:" + strings.Repeat("0a", 32), "https://example.org/path?x=1#y", "git@github.com:acme/repo.git", "registry.example.org:5000/app:v1",
		"-----BEGIN CERTIFICATE-----\nabc\n-----END CERTIFICATE-----", "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI me@host", "task-runner", "https://example.org:8443/a@b", "0b231dbf-04e7-2645-affb-bdf23fe08662",
		"module.db[\"a\"].aws_db_instance.main", "password", "10.0.0.0/16", "2026-11-24T12:46:19Z",
	} {
		if leaks(open) {
			t.Errorf("%q is hidden", open)
		}
	}
}

// What one place of a plan calls sensitive is hidden in every other place.
func TestAMarkedSecretIsScrubbedEverywhere(t *testing.T) {
	t.Parallel()
	const secret = "correct-horse-battery"
	s := NewScrubber()
	text := planJSON(
		[3]string{`a.echo["` + secret + `"]`, "a", `{"actions":["create"],"before":null,"after":{"text":"it is ` + secret + `","map":{"` + secret + `":1}}}`},
		[3]string{"a.marked", "a", `{"actions":["create"],"before":null,"after":{"in":"` + secret + `"},"after_sensitive":{"in":true}}`},
	)
	p, err := Parse(strings.NewReader(text), Source{Key: testKey, Scrub: s})
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprintf("%+v", p); strings.Contains(got, secret) {
		t.Errorf("the secret is in %s", got)
	}
	if got := p.Changes[0].attribute(t, "text").After.Text; got != `"it is ***"` {
		t.Errorf("the text is %q", got)
	}
	if s.String(secret) != Mask {
		t.Error("logs that come later would show it")
	}
}

func TestGuards(t *testing.T) {
	t.Parallel()
	list := []Change{
		{Address: "aws_db_instance.main", Type: "aws_db_instance", Action: Replace},
		{Address: `aws_s3_bucket.logs["eu"]`, Type: "aws_s3_bucket", Action: Delete},
		{Address: `module.db["a.b"].aws_kms_key.x[0]`, Type: "aws_kms_key", Action: Delete},
		{Address: "aws_iam_user.new", Type: "aws_iam_user", Action: Create},
		{Address: "aws_iam_user.old", Type: "aws_iam_user", Action: Delete},
		{Address: "aws_vpc.renamed", Previous: "aws_vpc.main", Type: "aws_vpc", Action: Delete},
		{Address: "aws_eip.forgotten", Type: "aws_eip", Action: Forget},
		{Address: "aws_eip.deposed", Type: "aws_eip", Deposed: "ab", Action: Delete},
		{Address: "aws_eip.changed", Type: "aws_eip", Action: Update},
		{Address: "data.aws_ami.read", Type: "data.aws_ami", Action: Read},
		{Address: "aws_eip.moved", Previous: "aws_eip.was", Type: "aws_eip", Action: NoOp},
	}
	for name, test := range map[string]struct {
		guards Guards
		want   []string
	}{
		"nothing":                  {Guards{}, nil},
		"a type":                   {Guards{Protect: []string{"aws_db_instance.*"}}, []string{"aws_db_instance.main"}},
		"an address":               {Guards{Protect: []string{"aws_db_instance.main"}}, []string{"aws_db_instance.main"}},
		"another one":              {Guards{Protect: []string{"aws_db_instance.mai"}}, nil},
		"all instances":            {Guards{Protect: []string{"aws_s3_bucket.logs"}}, []string{`aws_s3_bucket.logs["eu"]`}},
		"one instance":             {Guards{Protect: []string{`aws_s3_bucket.logs["eu"]`}}, []string{`aws_s3_bucket.logs["eu"]`}},
		"another instance":         {Guards{Protect: []string{`aws_s3_bucket.logs["us"]`}}, nil},
		"any instance":             {Guards{Protect: []string{`aws_s3_bucket.logs[*]`}}, []string{`aws_s3_bucket.logs["eu"]`}},
		"a module":                 {Guards{Protect: []string{"module.db"}}, []string{`module.db["a.b"].aws_kms_key.x[0]`}},
		"all in a module":          {Guards{Protect: []string{"module.db.*"}}, []string{`module.db["a.b"].aws_kms_key.x[0]`}},
		"an instance of a module":  {Guards{Protect: []string{`module.db["a.b"]`}}, []string{`module.db["a.b"].aws_kms_key.x[0]`}},
		"in an instance":           {Guards{Protect: []string{`module.db["a.b"].aws_kms_key.x`}}, []string{`module.db["a.b"].aws_kms_key.x[0]`}},
		"a type anywhere":          {Guards{Protect: []string{"*aws_kms_key.*"}}, []string{`module.db["a.b"].aws_kms_key.x[0]`}},
		"under its name of before": {Guards{Protect: []string{"aws_vpc.main"}}, []string{"aws_vpc.renamed"}},
		"only what is destroyed":   {Guards{Protect: []string{"aws_eip.*"}}, []string{"aws_eip.forgotten"}},
		"a forbidden type":         {Guards{Forbid: []string{"aws_iam_user"}}, []string{"aws_iam_user.new"}},
		"forbidden types":          {Guards{Forbid: []string{"aws_iam_*", "aws_eip"}}, []string{"aws_iam_user.new", "aws_eip.changed"}},
		"enough":                   {Guards{MaxChanges: 9}, nil},
		"too many":                 {Guards{MaxChanges: 8}, []string{""}},
	} {
		got, err := test.guards.Check(t.Context(), Plan{Changes: list}, nil)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		var addresses []string
		for _, v := range got {
			addresses = append(addresses, v.Address)
			if v.Message == "" || v.Rule == "" || v.Guard == "" {
				t.Errorf("%s: %+v says too little", name, v)
			}
		}
		if diff := cmp.Diff(test.want, addresses); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	for _, bad := range []Guards{
		{Protect: []string{""}}, {Protect: []string{"aws_db_instance"}}, {Protect: []string{" a.b"}}, {Protect: []string{`a.b["x`}}, {Protect: []string{`a.b[0`}},
		{Forbid: []string{"a.b"}}, {Forbid: []string{""}}, {MaxChanges: -1},
	} {
		if _, err := bad.Check(t.Context(), Plan{}, nil); err == nil {
			t.Errorf("%+v is no error", bad)
		}
	}
}
