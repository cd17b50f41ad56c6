# Without arguments: 1, 5, 10, 25, 50 and 90 percent, judged by the share of bad answers.
resource "tidegate_rollout_policy" "standard" {}

# A preset, with one limit of its own. The plan says what to expect of the traffic.
resource "tidegate_rollout_policy" "paranoid" {
  preset = "paranoid"
  limits {
    bake = "1h"
  }
  traffic {
    requests_per_second = 200
    error_rate          = 0.002
  }
}

# All in its own words.
resource "tidegate_rollout_policy" "careful" {
  alpha = 0.005
  step {
    weight  = 5
    minimum = "2m"
  }
  step {
    weight = 25
  }
  step {
    weight = 50
    ratio  = 1.4
    floor  = 0.0005
  }
  errors {}
  latency {}
  warm_up {
    requests = 20
    time     = "30s"
  }
  limits {
    step            = "60m"
    bake            = "10m"
    abandoned_after = "5m"
  }
}
