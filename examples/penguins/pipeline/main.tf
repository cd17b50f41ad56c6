# From a commit to production: the workflow of a repository that has the penguins at its top, written into a checkout of it.
# With repository = "OWNER/NAME" instead of directory, it is brought by a pull request: see examples/github.

terraform {
  required_providers {
    tidegate = {
      source = "tidegatehq/tidegate"
    }
  }
}

variable "checkout" {
  description = "Folder of the checkout."
  type        = string
  default     = "checkout"
}

resource "tidegate_pipeline" "penguins" {
  directory = var.checkout
  path      = ".github/workflows/penguins.yml"

  triggers {
    push         = ["main"]
    pull_request = true
  }
  test {
    run = "go test ./..."
  }
  data {
    dataset  = "file:data/penguins.csv"
    validate = "go test ./data"
  }
  train {
    run = "go run ./train -version 2 -out out/model.json -metrics out/metrics.json"
  }
  evaluate {
    metrics = "out/metrics.json"
    min     = { accuracy = 0.95 }
    max     = { log_loss = 0.2 }
  }
  package {
    image = "ghcr.io/acme/penguins"
    model = "out/model.json"
  }
  scan {
    fail_on = "high"
  }
  deploy {
    name           = "prod"
    root           = "infra"
    image_variable = "image"
    runs_on        = "self-hosted" # where the engine is
  }
}

output "pinned_actions" {
  description = "Which commit each action is, and its version."
  value       = tidegate_pipeline.penguins.pinned_actions
}

output "checks" {
  description = "What a branch can require of pull requests."
  value       = tidegate_pipeline.penguins.checks
}
