terraform {
  required_providers {
    tidegate = {
      source = "tidegatehq/tidegate"
    }
  }
}

# All of it is optional: without this block, the embedded engine keeps its data in .tidegate.
provider "tidegate" {
  local {
    data_dir = "${path.root}/.tidegate"
  }
  # The token is that of the environment, GITHUB_TOKEN.
  github {
    owner = "acme"
  }
}
