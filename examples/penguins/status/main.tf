# How the endpoint's present or last rollout stands. A root of its own: what changes with every
# step of a rollout would show as drift among the resources.

terraform {
  required_providers {
    tidegate = {
      source = "tidegatehq/tidegate"
    }
  }
}

provider "tidegate" {
  local {
    data_dir = "../.tidegate"
  }
}

data "tidegate_rollout" "penguins" {
  endpoint = "local/here/penguins"
}

output "rollout" {
  value = data.tidegate_rollout.penguins
}
