# In a checkout beside the root module: commit and push it as any other file.
resource "tidegate_pipeline" "checks" {
  directory = "../fraud"
  path      = ".github/workflows/checks.yml"

  triggers {
    pull_request = true
  }
  test {
    run     = "make test"
    runs_on = "self-hosted,linux"
    step {
      name = "Start a database"
      run  = "docker compose up --detach --wait"
    }
  }
}
