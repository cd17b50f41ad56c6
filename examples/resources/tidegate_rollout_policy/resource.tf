# Without arguments: 1, 5, 10, 25, 50 and 90 percent, judged by the share of bad answers.
resource "tidegate_rollout_policy" "standard" {}

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
  limits {
    step            = "60m"
    bake            = "10m"
    abandoned_after = "5m"
  }
}
