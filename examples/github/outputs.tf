# What a cloud has to trust, and how the pipeline fares.

output "pull_request" {
  description = "What to merge for the workflow to run."
  value       = tidegate_pipeline.fraud.pull_request_url
}

# assume_role_policy of the two aws_iam_role: the one that deploys trusts the environment, with its reviewers, and nothing else.
# The one that plans trusts what runs on main, and may read only.
output "trust_of_deploy" {
  description = "By which role deploy-fraud is assumed."
  value       = provider::tidegate::oidc_trust_aws(local.github, provider::tidegate::oidc_subjects(local.repository, "production", local.ids))
}

output "trust_of_plan" {
  description = "By which role plan-fraud is assumed."
  value       = provider::tidegate::oidc_trust_aws(local.github, provider::tidegate::oidc_ref_subjects(local.repository, "refs/heads/main", local.ids))
}

locals {
  # aws_iam_openid_connect_provider.github.arn
  github = "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com"
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
