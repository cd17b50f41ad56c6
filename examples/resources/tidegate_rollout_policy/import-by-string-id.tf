import {
  to = tidegate_rollout_policy.careful
  id = jsonencode({
    schema   = 1
    strategy = "canary"
    steps    = [{ weight = 5 }, { weight = 25 }, { weight = 50 }]
    gates    = { errors = {} }
    limits = {
      step_minimum    = "30s"
      step            = "60m"
      total           = "2h"
      bake            = "10m"
      blind           = "5m"
      abandoned_after = "5m"
    }
  })
}
