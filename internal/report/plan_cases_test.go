package report

import (
	"errors"
	"fmt"
	"strings"
	"time"

	tf "github.com/tidegatehq/terraform-provider-tidegate/internal/terraform"
)

func known(text string) tf.Value { return tf.Value{Kind: tf.Known, Text: text} }

var (
	unknown   = tf.Value{Kind: tf.Unknown}
	sensitive = tf.Value{Kind: tf.Sensitive}
)

func keyed() tf.Fingerprint {
	return tf.Fingerprint{Version: 1, Keyed: true, Sum: strings.Repeat("3fa9c0d172be4581", 4)}
}

func planOf(changes ...tf.Change) tf.Plan {
	return tf.Plan{Tool: "terraform", Version: "1.11.4", Changes: changes, Fingerprint: keyed()}
}

func pageOf(roots ...Root) Page {
	return Page{Head: "5d41402abc4b2a76b9719d911017c592aa00bb11", Run: "https://github.com/acme/models/actions/runs/4711", Roots: roots}
}

func bucket() tf.Change {
	return tf.Change{Address: "aws_s3_bucket.weights", Type: "aws_s3_bucket", Action: tf.Create, Attributes: []tf.Attribute{
		{Path: "arn", After: unknown}, {Path: "bucket", After: known(`"acme-weights"`)}, {Path: `tags["team"]`, After: known(`"ml"`)}}}
}

func database() tf.Change {
	return tf.Change{Address: "module.store.aws_db_instance.metadata", Module: "module.store", Type: "aws_db_instance", Action: tf.Delete,
		Reason: "delete_because_no_resource_config", Attributes: []tf.Attribute{
			{Path: "engine", Before: known(`"postgres"`)}, {Path: "password", Before: sensitive}, {Path: "storage", Before: known("500")}}}
}

func instance() tf.Change {
	return tf.Change{Address: `aws_instance.web["eu-west-1"]`, Type: "aws_instance", Action: tf.Replace, CreateFirst: true,
		Reason: "replace_because_cannot_update", Attributes: []tf.Attribute{
			{Path: "ami", Before: known(`"ami-0c55b159"`), After: known(`"ami-0d9ad1f2"`), Forces: true},
			{Path: "id", Before: known(`"i-0abc"`), After: unknown}}}
}

const script = "#!/bin/sh\nset -eu\napt-get update\napt-get install -y nginx\ncat > /etc/motd <<END\n```\nwelcome\n```\nEND\nsystemctl enable nginx\nsystemctl start nginx\nexit 0"

func template() tf.Change {
	after := strings.Replace(script, "apt-get install -y nginx", "apt-get install -y nginx curl", 1)
	return tf.Change{Address: "aws_launch_template.web", Type: "aws_launch_template", Action: tf.Update, Attributes: []tf.Attribute{
		{Path: "default_version", Before: known("3"), After: known("4")},
		{Path: "password", Before: sensitive, After: sensitive},
		{Path: "user_data", Before: known(script), After: known(after)}}}
}

func endpoint() tf.Change {
	return tf.Change{Address: "tidegate_model_endpoint.fraud", Type: "tidegate_model_endpoint", Action: tf.Update,
		Attributes: []tf.Attribute{{Path: "model.uri", Before: known(`"file://models/fraud-v1.json"`), After: known(`"file://models/fraud-v2.json"`)},
			{Path: "model_digest", Before: known(`"sha256:11aa"`), After: known(`"sha256:22bb"`)}},
		Note: []string{`Endpoint "fraud" goes from fraud-v1.json to fraud-v2.json at 5%, 25% and 50% of the traffic.`,
			`Gates: errors, latency. It takes between 30 minutes and 3 hours.`}}
}

func thousandsOfChanges(n int) tf.Plan {
	p := planOf()
	for i := range n {
		c := tf.Change{Address: fmt.Sprintf("module.fleet[%d].aws_instance.node[%d]", i%37, i), Type: fmt.Sprintf("aws_type_%d", i%7), Action: tf.Update,
			Attributes: []tf.Attribute{{Path: "ami", Before: known(`"ami-1"`), After: known(`"ami-2"`)}, {Path: `tags["generation"]`, Before: known("41"), After: known("42")}}}
		switch {
		case i%100 == 7:
			c.Action, c.Attributes[0].Forces = tf.Replace, true
		case i%500 == 3:
			c.Action = tf.Delete
		}
		p.Changes = append(p.Changes, c)
	}
	return p
}

func rolledBack() tf.AppliedChange {
	return tf.AppliedChange{Address: "tidegate_model_endpoint.fraud", Action: tf.Update, Seconds: 342, Error: tf.Diagnostic{Severity: "error",
		Summary: `Rollout of endpoint "fraud" was rolled back by gate "errors"`,
		Detail: "The candidate fails 4.1% of its requests, stable 0.2%: evidence of harm 212 to 1, 100 are needed.\n" +
			"The candidate, file://models/fraud-v2.json, was given 1204 requests in 5m12s, at most 25% of the traffic.\n" +
			"All traffic is on the model that served before, file://models/fraud-v1.json (sha256:11aa).\nThis model is rejected now: apply refuses it at once."}}
}

func refused() *Refusal {
	return &Refusal{Why: "The plan of what was merged is not the plan that was reviewed. Open a pull request with this plan, or merge again once main is as it was.",
		Differences: []tf.Difference{{Part: "resource aws_s3_bucket.weights", How: "is another", Attributes: []string{"bucket", `tags["team"]`}},
			{Part: `resource aws_instance.web["eu-west-1"]`, How: "was not reviewed"}, {Part: "lock file", How: "is another"}}}
}

// cases are pages as they occur.
func cases() map[string]Page {
	applied := func(changes ...tf.Change) []tf.AppliedChange {
		var all []tf.AppliedChange
		for _, c := range changes {
			all = append(all, tf.AppliedChange{Address: c.Address, Action: c.Action, Seconds: 3})
		}
		return all
	}
	prod := func(p tf.Plan) Root { return Root{Dir: "infra/prod", Plan: p} }
	with := func(p tf.Plan, a Apply) Root {
		a.Commit = "77de68daecd823babbb58edb1c8e14d7106e83bb"
		return Root{Dir: "infra/prod", Plan: p, Apply: &a}
	}
	unkeyed := planOf(bucket())
	unkeyed.Fingerprint.Keyed = false
	rich := planOf(database(), instance(), template(), endpoint(), bucket(),
		tf.Change{Address: "aws_sqs_queue.jobs", Previous: "aws_sqs_queue.work", Type: "aws_sqs_queue", Action: tf.NoOp},
		tf.Change{Address: "aws_sqs_queue.old", Imported: "https://sqs.eu-west-1.amazonaws.com/1/old", Type: "aws_sqs_queue", Action: tf.NoOp})
	rich.Outputs = []tf.OutputChange{{Name: "url", Action: tf.Update, Before: known(`"https://a.acme.io"`), After: unknown}}
	rich.Drift = []tf.Change{{Address: "aws_security_group.web", Type: "aws_security_group", Action: tf.Update,
		Attributes: []tf.Attribute{{Path: "ingress[0].cidr_blocks[0]", Before: known(`"10.0.0.0/8"`), After: known(`"0.0.0.0/0"`)}}}}
	deferred := planOf(bucket())
	deferred.Invokes, deferred.Deferred = []string{"action.aws_lambda_invoke.warm"}, []string{"kubernetes_manifest.app"}
	unfinished := planOf(bucket())
	unfinished.Errored = true
	fork := pageOf(prod(planOf(bucket())))
	fork.Fork = true
	lock := &tf.Error{Doing: "apply", Dir: "infra/prod", Tool: "terraform", Code: 1, Lock: &tf.Lock{ID: "9db590f1-b6fe-c5f2-2678-8804f089deba",
		Path: "s3://acme-state/prod.tfstate", Operation: "OperationTypeApply", Who: "runner@fv-az123", Version: "1.11.4", Created: time.Date(2026, 11, 24, 9, 30, 0, 0, time.UTC)}}
	denied := tf.AppliedChange{Address: "aws_s3_bucket.weights", Action: tf.Create, Error: tf.Diagnostic{Severity: "error", Summary: "creating S3 Bucket (acme-weights): AccessDenied",
		Detail: "with aws_s3_bucket.weights,\non main.tf line 3, in resource \"aws_s3_bucket\" \"weights\":\n3: resource \"aws_s3_bucket\" \"weights\" {\n", File: "main.tf", Line: 3}}
	failedError := &tf.Error{Doing: "apply", Dir: "infra/prod", Tool: "terraform", Code: 1}
	initError := &tf.Error{Doing: "init", Dir: "infra/prod", Tool: "terraform", Code: 1, Diagnostics: []tf.Diagnostic{{Severity: "error",
		Summary: "Failed to query available provider packages", Detail: "Could not retrieve the list of available versions for provider acme/nothing:\nno available releases match the given constraints 9.9.9"}}}
	return map[string]Page{
		"no-changes": pageOf(prod(planOf())),
		"create":     pageOf(Root{Dir: ".", Plan: planOf(bucket(), tf.Change{Address: "aws_s3_bucket.logs", Type: "aws_s3_bucket", Action: tf.Create, Attributes: bucket().Attributes})}),
		"rich":       pageOf(prod(rich)),
		"huge":       pageOf(prod(thousandsOfChanges(10_000))),
		"deferred":   pageOf(prod(deferred)),
		"unfinished": pageOf(prod(unfinished)),
		"unkeyed":    pageOf(prod(unkeyed)),
		"guards": pageOf(Root{Dir: "infra/prod", Plan: planOf(database(), bucket()), Findings: []tf.Finding{
			{Rule: "fmt", Severity: "warning", Summary: "not formatted", Detail: "Run terraform fmt.", File: "main.tf", Line: 12},
			{Rule: "validate", Severity: "warning", Summary: "Deprecated attribute", Detail: `The attribute "acl" is deprecated.`, File: "store/main.tf", Line: 40}},
			Violations: []tf.Violation{{Guard: "protect", Rule: "module.store.*", Address: "module.store.aws_db_instance.metadata", Message: "It may not be destroyed."},
				{Guard: "max_changes", Rule: "1", Message: "The plan makes 2 changes."}}}),
		"fork":        fork,
		"init-failed": pageOf(Root{Dir: "infra/prod", Err: initError}),
		"odd-error":   pageOf(Root{Dir: "infra/prodd", Err: errors.New(`root module "infra/prodd": no such folder; there are infra/dev and infra/prod`)}),
		"applied": pageOf(with(planOf(database(), template(), bucket()), Apply{Verify: "replan", Took: 83 * time.Second, Result: tf.Applied{Done: applied(database(), template(), bucket()),
			Outputs: []tf.Output{{Name: "bucket", Value: known(`"acme-weights"`)}, {Name: "token", Value: sensitive}}}})),
		"apply-failed": pageOf(with(planOf(template(), bucket(), instance()), Apply{Verify: "replan", Took: 12 * time.Second, Err: failedError,
			Result: tf.Applied{Done: applied(template()), Failed: []tf.AppliedChange{denied}, Skipped: []string{`aws_instance.web["eu-west-1"]`}}})),
		"refused":      pageOf(with(planOf(bucket(), instance()), Apply{Verify: "replan", Refusal: refused()})),
		"locked":       pageOf(with(planOf(bucket()), Apply{Verify: "replan", Err: lock})),
		"rolled-back":  pageOf(with(planOf(endpoint(), bucket()), Apply{Verify: "replan", Took: 342 * time.Second, Err: failedError, Result: tf.Applied{Done: applied(bucket()), Failed: []tf.AppliedChange{rolledBack()}}})),
		"canceled":     pageOf(with(planOf(template(), bucket()), Apply{Verify: "replan", Took: 4 * time.Second, Err: &tf.Error{Doing: "apply", Dir: "infra/prod", Canceled: true}, Result: tf.Applied{Canceled: true, Done: applied(bucket()), Unfinished: []string{"aws_launch_template.web"}}})),
		"staged":       pageOf(with(planOf(endpoint()), Apply{Verify: "replan", Took: 3 * time.Second, Result: tf.Applied{Done: applied(endpoint())}, Staged: []Staged{{Endpoint: "local/here/fraud", Model: "file://models/fraud-v2.json", Next: "tidegate promote local/here/fraud"}}})),
		"not-reviewed": pageOf(with(planOf(bucket()), Apply{Verify: "none", Took: 3 * time.Second, Result: tf.Applied{Done: applied(bucket())}})),
		"several": pageOf(Root{Dir: "infra/dev", Plan: planOf(bucket())}, Root{Dir: "infra/network", Plan: planOf()},
			Root{Dir: "infra/prod", Plan: planOf(database(), endpoint())}, Root{Dir: "infra/edge", Err: initError}),
	}
}
