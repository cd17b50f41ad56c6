variable "api_key" {
  type      = string
  sensitive = true
}

resource "tidegate_pipeline" "fraud" {
  repository = "acme/fraud"
  path       = ".github/workflows/fraud.yml"

  delivery {
    mode = "pull_request"
  }
  triggers {
    push         = ["main"]
    pull_request = true
  }

  test {
    run    = "make lint test"
    python = "3.13"
    matrix = { python = ["3.12", "3.13"] }
  }
  data {
    validate = "make data-validate"
    dataset  = "dvc:data/tx.parquet"
  }
  train {
    run     = "./ci/train.sh"
    runs_on = "gpu-large"
    outputs = ["run_id"]
  }
  evaluate {
    metrics        = "metrics.json"
    min            = { auc = 0.91 }
    max            = { p95_ms = 80 }
    max_regression = { auc = 0.005 }
    reference      = "metrics/stable.json"
  }
  package {
    image      = "ghcr.io/acme/fraud"
    model      = "out/"
    sbom       = "spdx-json"
    sign       = "keyless"
    provenance = true
  }
  scan {
    fail_on = "high"
  }
  deploy {
    name        = "staging"
    root        = "infra/staging"
    environment = "staging"
  }
  deploy {
    name        = "prod-eu"
    root        = "infra/prod-eu"
    environment = "production"
    needs       = ["staging"]
    aws {
      role_arn      = "arn:aws:iam::123456789012:role/deploy-fraud" # trusts environment production
      plan_role_arn = "arn:aws:iam::123456789012:role/plan-fraud"   # trusts branch main, and only reads
      region        = "eu-west-1"
    }
  }
  monitor {
    schedule = "17 5 * * *"
  }

  environment {
    name = "staging"
  }
  environment {
    name                = "production"
    reviewers           = ["@acme/ml-leads", "octocat"]
    wait_minutes        = 10
    prevent_self_review = true
    branches            = ["main"]
    variables           = { REGION = "eu-west-1" }
    secrets_wo          = { API_KEY = var.api_key }
    secrets_wo_version  = 1
  }
  required_checks = ["test", "scan"]
}
