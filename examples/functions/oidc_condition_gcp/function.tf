# For attribute_condition of a google_iam_workload_identity_pool_provider.
output "attribute_condition" {
  value = provider::tidegate::oidc_condition_gcp(concat(
    provider::tidegate::oidc_subjects("acme/fraud", "staging", null),
    provider::tidegate::oidc_subjects("acme/fraud", "production", null),
  ))
}
