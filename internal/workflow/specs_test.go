package workflow_test

import "github.com/tidegatehq/terraform-provider-tidegate/internal/pipeline"

const where = ".github/workflows/fraud.yml"

var (
	inRepository = pipeline.Place{Repository: "acme/fraud", Path: where}
	usual        = pipeline.Triggers{Push: []string{"main"}, PullRequest: true}
)

// specs are configurations by the names of their golden files.
func specs() map[string]pipeline.Spec {
	return map[string]pipeline.Spec{
		"minimal":     {Place: inRepository, Test: &pipeline.Test{Run: "make test"}},
		"tests":       {Place: inRepository, Triggers: usual, Test: &pipeline.Test{Run: "make lint\nmake test\n", Stage: pipeline.Stage{Python: "3.13"}}},
		"matrix":      matrix(),
		"model":       model(),
		"full":        full(),
		"clouds":      clouds(),
		"scan":        {Place: inRepository, Triggers: usual, Scan: &pipeline.Scan{FailOn: "critical"}, RequiredChecks: []string{"scan"}},
		"dockerfile":  dockerfile(),
		"own-steps":   ownSteps(),
		"monitor":     monitored(),
		"penguins":    penguins(),
		"self-hosted": selfHosted(),
		"odd-strings": oddStrings(),
		"own-yaml":    {Place: inRepository, YAML: ownYAML},
	}
}

func matrix() pipeline.Spec {
	return pipeline.Spec{
		Place: inRepository, Triggers: pipeline.Triggers{Push: []string{"main", "release/**"}, PullRequest: true},
		Test: &pipeline.Test{
			Run:    `./ci/test.sh "$MATRIX_PYTHON" "$MATRIX_OS_IMAGE"`,
			Matrix: map[string][]string{"python": {"3.12", "3.13"}, "os-image": {"slim", "full"}},
			Stage:  pipeline.Stage{Python: "3.13", TimeoutMinutes: 20},
		},
		RequiredChecks: []string{"test"},
	}
}

func model() pipeline.Spec {
	return pipeline.Spec{
		Place: inRepository, Triggers: pipeline.Triggers{Push: []string{"main"}, PullRequest: true, Schedule: []string{"0 3 * * 1"}},
		Test:  &pipeline.Test{Run: "make lint test", Matrix: map[string][]string{"python": {"3.12", "3.13"}}, Stage: pipeline.Stage{Python: "3.13"}},
		Data:  &pipeline.Data{Validate: "make data-validate", Dataset: "file:data/tx.csv"},
		Train: &pipeline.Train{Run: "make train"},
		Evaluate: &pipeline.Evaluate{
			Metrics: "out/metrics.json", Reference: "metrics/stable.json", Min: map[string]float64{"test.auc": 0.91},
			MaxRegression: map[string]string{"test.auc": "0.005", "test.loss": "+1%"},
		},
		RequiredChecks: []string{"evaluate"},
	}
}

// full is the configuration that the documentation shows.
func full() pipeline.Spec {
	return pipeline.Spec{
		Place: inRepository, Triggers: usual,
		Test: &pipeline.Test{
			Run: "make lint test", Matrix: map[string][]string{"python": {"3.12", "3.13"}},
			Stage: pipeline.Stage{Python: "3.13", TimeoutMinutes: 20},
		},
		Data:  &pipeline.Data{Validate: "make data-validate", Dataset: "dvc:data/tx.parquet"},
		Train: &pipeline.Train{Run: "./ci/train.sh", Outputs: []string{"run_id"}, Stage: pipeline.Stage{RunsOn: []string{"gpu-large"}}},
		Evaluate: &pipeline.Evaluate{
			Metrics: "metrics.json", Reference: "metrics/stable.json", Min: map[string]float64{"auc": 0.91},
			Max: map[string]float64{"p95_ms": 80}, MaxRegression: map[string]string{"auc": "0.005"},
		},
		Package: &pipeline.Package{Image: "ghcr.io/acme/fraud", Model: "out/", SBOM: "spdx-json", Sign: "keyless", Provenance: true},
		Scan:    &pipeline.Scan{FailOn: "high"},
		Deploys: []pipeline.Deploy{
			{Name: "staging", Root: "infra/staging", Environment: "staging"},
			{
				Name: "prod-eu", Root: "infra/prod-eu", Environment: "production", Needs: []string{"staging"},
				AWS: &pipeline.AWS{RoleARN: "arn:aws:iam::123456789012:role/deploy", PlanRoleARN: "arn:aws:iam::123456789012:role/plan", Region: "eu-west-1"},
			},
		},
		Monitor: &pipeline.Monitor{Schedule: "17 5 * * *"},
		Environments: []pipeline.Environment{{
			Name: "production", Reviewers: []string{"@acme/ml-leads", "octocat"}, WaitMinutes: 10, PreventSelfReview: true,
			Branches: []string{"main"}, Variables: map[string]string{"REGION": "eu-west-1"}, SecretNames: []string{"API_KEY"},
		}, {Name: "staging"}},
		RequiredChecks: []string{"test", "scan"},
	}
}

func clouds() pipeline.Spec {
	image := "image"
	return pipeline.Spec{
		Place: inRepository, Triggers: pipeline.Triggers{Push: []string{"main"}},
		Package: &pipeline.Package{Image: "europe-docker.pkg.dev/acme/ml/fraud", Model: "model.onnx", SBOM: "cyclonedx-json", Sign: "keyless"},
		Scan:    &pipeline.Scan{FailOn: "medium"},
		Deploys: []pipeline.Deploy{
			{
				Name: "aws", Root: "infra/aws", Environment: "production", ImageVariable: image, Promote: []string{"fraud", "fraud-shadow"},
				AWS: &pipeline.AWS{RoleARN: "arn:aws:iam::123456789012:role/deploy"},
			},
			{
				Name: "gcp", Root: "infra/gcp", Environment: "production", ImageVariable: image, Needs: []string{"aws"},
				GCP: &pipeline.GCP{
					WorkloadIdentityProvider: "projects/123/locations/global/workloadIdentityPools/github/providers/acme",
					ServiceAccount:           "deploy@acme.iam.gserviceaccount.com", PlanServiceAccount: "plan@acme.iam.gserviceaccount.com",
				},
			},
			{
				Name: "azure", Root: "infra/azure", ImageVariable: image, Needs: []string{"aws", "gcp"},
				Azure: &pipeline.Azure{
					ClientID: "00000000-0000-0000-0000-000000000001", PlanClientID: "00000000-0000-0000-0000-000000000004", TenantID: "00000000-0000-0000-0000-000000000002",
					SubscriptionID: "00000000-0000-0000-0000-000000000003",
				},
			},
		},
	}
}

func dockerfile() pipeline.Spec {
	return pipeline.Spec{
		Place: inRepository, Triggers: usual, Name: "Fraud model",
		Train:   &pipeline.Train{Run: "make train", Outputs: []string{"run-id"}},
		Package: &pipeline.Package{Image: "ghcr.io/acme/fraud", Model: "out/model.bin", Dockerfile: "serve/Dockerfile", SBOM: "cyclonedx-json", Provenance: true},
		Scan:    &pipeline.Scan{FailOn: "high"},
		Deploys: []pipeline.Deploy{{Name: "prod", Root: "infra", Environment: "production", ImageVariable: "image"}},
	}
}

func ownSteps() pipeline.Spec {
	return pipeline.Spec{
		Place: inRepository, Triggers: usual,
		Test: &pipeline.Test{Run: "make test", Stage: pipeline.Stage{
			Env:         map[string]string{"DATABASE_URL": "${{ secrets.TEST_DATABASE }}", "LEVEL": "debug"},
			Permissions: map[string]string{"packages": "read", "checks": "write"},
			Steps: []pipeline.Step{
				{Name: "Services", Run: "docker compose up --detach\ntrap 'docker compose logs' ERR\n"},
				{Uses: "acme/setup@v1", With: map[string]string{"region": "${{ vars.REGION }}", "level": "3"}},
				{After: true, Name: "Tell", Run: "./ci/tell.sh \"$TEXT\"", Env: map[string]string{"TEXT": "${{ github.sha }} is tested"}},
			},
		}},
		Package: &pipeline.Package{Image: "registry.acme.io/ml/fraud", Model: "model", Stage: pipeline.Stage{
			Permissions: map[string]string{"id-token": "write"},
			Steps: []pipeline.Step{{
				Name: "Sign in", Run: `echo "$PASSWORD" | oras login registry.acme.io --username ci --password-stdin`,
				Env: map[string]string{"PASSWORD": "${{ secrets.REGISTRY_PASSWORD }}"},
			}},
		}},
	}
}

func monitored() pipeline.Spec {
	return pipeline.Spec{
		Place: inRepository, Triggers: usual, Test: &pipeline.Test{Run: "make test", Matrix: map[string][]string{"size": {"s", "l"}}},
		Deploys: []pipeline.Deploy{
			{Name: "one", Root: "infra/one", AWS: &pipeline.AWS{RoleARN: "arn:aws:iam::123456789012:role/one", Region: "eu-west-1"}},
			{Name: "two", Root: "infra/two", Stage: pipeline.Stage{RunsOn: []string{"self-hosted", "linux"}}},
		},
		Monitor: &pipeline.Monitor{Schedule: "17 5 * * *", Run: "./ci/slo.sh", Stage: pipeline.Stage{Env: map[string]string{"URL": "https://fraud.acme.io"}}},
	}
}

// penguins is the example of this repository, in a folder.
func penguins() pipeline.Spec {
	return pipeline.Spec{
		Place: pipeline.Place{Directory: "/checkout", Path: ".github/workflows/penguins.yml"}, Triggers: usual,
		Test:     &pipeline.Test{Run: "go test ./..."},
		Data:     &pipeline.Data{Dataset: "file:data/penguins.csv", Validate: "go test ./data"},
		Train:    &pipeline.Train{Run: "go run ./train -version 2 -out out/model.json -metrics out/metrics.json"},
		Evaluate: &pipeline.Evaluate{Metrics: "out/metrics.json", Min: map[string]float64{"accuracy": 0.95}, Max: map[string]float64{"log_loss": 0.2}},
		Package:  &pipeline.Package{Image: "localhost:5000/penguins", Model: "out/model.json"},
		Scan:     &pipeline.Scan{FailOn: "high"},
	}
}

func selfHosted() pipeline.Spec {
	own := pipeline.Stage{RunsOn: []string{"self-hosted", "linux", "gpu"}, TimeoutMinutes: 1440}
	return pipeline.Spec{
		Place: inRepository, Triggers: usual, Delivery: pipeline.Delivery{Mode: pipeline.Commit, Branch: "trunk"},
		Test:     &pipeline.Test{Run: "make test", Matrix: map[string][]string{"device": {"cpu", "gpu"}}, Stage: own},
		Train:    &pipeline.Train{Run: "make train", Stage: own},
		Evaluate: &pipeline.Evaluate{Metrics: "metrics.json", Max: map[string]float64{"loss": 1e-7}},
		Scan:     &pipeline.Scan{FailOn: "low", Stage: pipeline.Stage{RunsOn: []string{"big-runner"}}},
	}
}

// oddStrings have what YAML, bash and GitHub could take for something else.
func oddStrings() pipeline.Spec {
	return pipeline.Spec{
		Place: inRepository, Name: `yes: "no" # 'maybe' & *all`, Triggers: usual,
		Test: &pipeline.Test{
			Run:    "# a comment\n  \necho 'it'\"'\"'s' \\\n  \"fine\"\n\n\techo ünïcödé ✓\n",
			Matrix: map[string][]string{"version": {"1.10", "on", "0x1F", "~", "a: b", "12:30", "1e3"}},
			Stage: pipeline.Stage{
				Env: map[string]string{
					"EMPTY": "", "YES": "yes", "NUMBER": "010", "COLON": "a: b", "HASH": "a #b", "QUOTES": `"'`, "LINES": "one\ntwo\n",
					"SPACES": " around ", "TAB": "\ttab", "TRAILING": "a\n\n", "BACKSLASH": `C:\n`, "STAR": "*", "AT": "@", "DOLLAR": "$(id) `id`",
					"NULL": "null", "EMOJI": "🐧", "DASHES": "---", "DOC": "...\n---\n", "BIDI": "a\u202eb",
				},
				Steps: []pipeline.Step{{Name: "- [x] {y}: | > ? !", Run: "#!/bin/sh", With: nil}},
			},
		},
	}
}

const ownYAML = `# Somebody's own.
on: push
permissions: {}
jobs:
  test:
    runs-on: ubuntu-latest
    timeout-minutes: 5
    permissions:
      contents: read # to check out
    steps:
      - uses: actions/checkout@v7
        with:
          persist-credentials: false
      - run: make test
`
