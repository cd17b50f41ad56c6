# Apply starts another model without traffic, and is done. A later job drives it: tidegate promote owls
resource "tidegate_rollout_policy" "reviewed" {
  step {
    weight = 5
  }
  step {
    weight   = 25
    approval = true # more only with a person's word: tidegate approve owls
  }
  step {
    weight = 75
  }
  errors {}
  limits {
    approval      = "8h"
    keep_previous = "2h" # so long going back takes no time: tidegate rollback owls
  }
}

resource "tidegate_model_endpoint" "owls" {
  name    = "owls"
  cluster = tidegate_cluster.here.id

  model {
    uri = "file://models/owls-v1.json"
  }

  runtime {
    command = ["./model-server", "--port", "{port}", "--model", "{model}"]
  }

  rollout {
    policy = tidegate_rollout_policy.reviewed.json
    run    = "staged"
  }
}
