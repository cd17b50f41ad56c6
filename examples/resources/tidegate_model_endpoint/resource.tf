resource "tidegate_cluster" "here" {
  name = "here"
  local {}
}

resource "tidegate_rollout_policy" "careful" {
  step {
    weight = 5
  }
  step {
    weight = 25
  }
  step {
    weight = 50
  }
  errors {}
}

variable "api_token" {
  type      = string
  sensitive = true
  ephemeral = true
  default   = null
}

resource "tidegate_model_endpoint" "penguins" {
  name     = "penguins"
  cluster  = tidegate_cluster.here.id
  replicas = 2

  model {
    uri = "file://models/penguins-v1.json" # another model here, or other bytes, is a rollout
  }

  runtime {
    command        = ["./model-server", "--port", "{port}", "--model", "{model}"]
    files          = ["labels.txt"]
    protocol       = "v2"
    env            = { LOG_LEVEL = "info" }
    env_wo         = { API_TOKEN = coalesce(var.api_token, "none") } # in no state and no plan
    env_wo_version = "1"                                             # another one: the secrets changed
  }

  routing {
    sticky_header = "X-Client-Id"
  }

  rollout {
    policy = tidegate_rollout_policy.careful.json
  }
}

output "url" {
  value = tidegate_model_endpoint.penguins.url
}
