variable "pool" {
  description = "google_iam_workload_identity_pool.github.name"
  default     = "projects/123456789/locations/global/workloadIdentityPools/github"
}

# For members of a google_service_account_iam_binding with the role roles/iam.workloadIdentityUser.
output "members" {
  value = provider::tidegate::oidc_members_gcp(
    var.pool,
    provider::tidegate::oidc_subjects("acme/fraud", "production", null),
  )
}
