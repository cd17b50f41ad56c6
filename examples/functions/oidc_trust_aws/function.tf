variable "github_provider_arn" {
  description = "aws_iam_openid_connect_provider.github.arn"
  default     = "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com"
}

# For assume_role_policy of an aws_iam_role.
output "assume_role_policy" {
  value = provider::tidegate::oidc_trust_aws(
    var.github_provider_arn,
    provider::tidegate::oidc_subjects("acme/fraud", "production", { owner = 123456, repository = 456789 }),
  )
}
