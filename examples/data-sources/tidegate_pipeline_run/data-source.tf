data "tidegate_pipeline_run" "fraud" {
  repository = "acme/fraud"
  path       = ".github/workflows/fraud.yml"
  branch     = "main"
  status     = "completed"
}

check "fraud_was_delivered" {
  assert {
    condition     = coalesce(data.tidegate_pipeline_run.fraud.conclusion, "no run yet") == "success"
    error_message = "The last run on main did not succeed: ${coalesce(data.tidegate_pipeline_run.fraud.url, "there was none")}"
  }
}

output "minutes" {
  value = [for run in data.tidegate_pipeline_run.fraud.runs : ceil(run.duration_seconds / 60)]
}
