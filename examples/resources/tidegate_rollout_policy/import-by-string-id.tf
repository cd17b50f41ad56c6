import {
  to = tidegate_rollout_policy.careful
  id = jsonencode({
    schema   = 1
    strategy = "canary"
    steps    = [{ weight = 5, minimum = "2m" }, { weight = 25 }, { weight = 50, ratio = 1.4, floor = 0.0005 }]
    gates    = { errors = {}, latency = {} }
    alpha    = 0.005
    warm_up  = { requests = 20, time = "30s" }
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
