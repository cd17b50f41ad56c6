# One machine, one model endpoint, and a policy by which another model gets its traffic.

terraform {
  required_providers {
    tidegate = {
      source = "tidegatehq/tidegate"
    }
  }
}

variable "model_version" {
  description = "Which of models/vN.json serves."
  type        = string
  default     = "1"
}

resource "tidegate_cluster" "here" {
  name = "here"
  local {}
}

# Short limits, so that one can watch. A real service leaves them out, or bakes for minutes.
#
# Users, engine and models share one machine here. A model server with little to do is late when that is busy,
# whatever it runs: hence the wide margins, and the tolerance.
resource "tidegate_rollout_policy" "brisk" {
  step {
    weight = 5
    ratio  = 10
  }
  step {
    weight = 25
    ratio  = 5
  }
  step {
    weight = 50
    ratio  = 3
  }
  errors {}
  latency {
    tolerance = 3
  }
  warm_up {
    requests = 20
  }
  limits {
    step_minimum    = "2s"
    step            = "90s"
    total           = "4m"
    bake            = "5s"
    blind           = "30s"
    abandoned_after = "30s"
  }
}

resource "tidegate_model_endpoint" "penguins" {
  name    = "penguins"
  cluster = tidegate_cluster.here.id
  model {
    uri = "file://models/v${var.model_version}.json"
  }
  runtime {
    # It reads PORT, MODEL_PATH and TIDEGATE_ENDPOINT. "v2" is the Open Inference Protocol.
    command  = ["./penguin-server"]
    protocol = "v2"
  }
  rollout {
    policy = tidegate_rollout_policy.brisk.json
  }
}

output "url" {
  description = "Where the endpoint answers."
  value       = tidegate_model_endpoint.penguins.url
}

output "page" {
  description = "Weights and gates, live."
  value       = tidegate_cluster.here.url
}

output "policy" {
  description = "By which rollouts are judged."
  value       = tidegate_rollout_policy.brisk.json
}
