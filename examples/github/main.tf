# The delivery of the model in acme/fraud: a workflow, the environments that it deploys to, and the checks that main requires.
#
#   export GITHUB_TOKEN=...        # an App's or a personal token, never that of a workflow: see the guide on pipelines
#   export TF_VAR_api_key=...
#   terraform apply                # opens a pull request with the workflow, and says where
#
# Plans need no token. Then they say that GitHub could not be asked, and are made of what is known without.

terraform {
  required_version = ">= 1.11" # for secrets that are in no state

  required_providers {
    tidegate = {
      source = "tidegatehq/tidegate"
    }
  }
}

provider "tidegate" {
  github {
    owner = "acme"
  }
}

variable "api_key" {
  description = "What the model server in production asks its feature store with."
  type        = string
  sensitive   = true
  ephemeral   = true
}

locals {
  repository = "acme/fraud"
}

resource "tidegate_pipeline" "fraud" {
  repository = local.repository
  path       = ".github/workflows/fraud.yml"

  triggers {
    push         = ["main"]
    pull_request = true
  }

  # On pull requests, too: tests, data, training, evaluation, scan.
  test {
    run    = "make lint test"
    python = "3.13"
    matrix = { python = ["3.12", "3.13"] }
  }
  data {
    dataset  = "dvc:data/tx.parquet"
    validate = "make data-validate"
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
    reference      = "metrics/stable.json"
    max_regression = { auc = 0.005 }
  }
  scan {
    fail_on = "high"
  }

  # On main only: what is deployed is what was packaged, by its digest.
  package {
    image      = "ghcr.io/acme/fraud"
    model      = "out/"
    sign       = "keyless"
    provenance = true
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
      role_arn      = "arn:aws:iam::123456789012:role/deploy-fraud"
      plan_role_arn = "arn:aws:iam::123456789012:role/plan-fraud" # reads only: plans run before anybody approved
      region        = "eu-west-1"
    }
  }
  monitor {
    schedule = "17 5 * * *"
  }

  environment {
    name     = "staging"
    branches = ["main"]
  }
  environment {
    name                = "production"
    reviewers           = ["@acme/ml-leads", "octocat"]
    prevent_self_review = true
    wait_minutes        = 10
    branches            = ["main"]
    variables           = { REGION = "eu-west-1" }
    secrets_wo          = { API_KEY = var.api_key }
    secrets_wo_version  = 1 # another number writes them again
  }

  required_checks = ["test", "evaluate", "scan"]
}
