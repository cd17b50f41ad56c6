# What a cloud has to trust, and how the pipeline fares.

output "pull_request" {
  description = "What to merge for the workflow to run."
  value       = tidegate_pipeline.fraud.pull_request_url
}

# Two jobs of a deploy speak to the cloud: the one that plans runs on main and has no environment, so that reviewers can see its
# plan; the one that applies is in the environment. GitHub gives them different subjects.
output "assume_role_policy" {
  description = "assume_role_policy of the aws_iam_role."
  value = provider::tidegate::oidc_trust_aws(
    "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com",
    concat(
      provider::tidegate::oidc_ref_subjects(local.repository, "refs/heads/main", local.ids),
      provider::tidegate::oidc_subjects(local.repository, "production", local.ids),
    ),
  )
}

locals {
  # gh api repos/acme/fraud --jq '{owner: .owner.id, repository: .id}'
  ids = { owner = 123456, repository = 456789 }
}

data "tidegate_pipeline_run" "main" {
  repository = local.repository
  path       = tidegate_pipeline.fraud.path
  branch     = "main"
  status     = "completed"
  limit      = 20
}

# A warning of every plan and apply, as long as main is red.
check "main_is_delivered" {
  assert {
    condition     = coalesce(data.tidegate_pipeline_run.main.conclusion, "none") != "failure"
    error_message = "The last run on main failed: ${coalesce(data.tidegate_pipeline_run.main.url, "see there")}"
  }
}

output "minutes" {
  description = "How long the last runs on main took."
  value       = [for run in data.tidegate_pipeline_run.main.runs : ceil(run.duration_seconds / 60)]
}
