# Jobs on main that have no environment. Without numbers, only the name stands for the repository.
output "main" {
  value = provider::tidegate::oidc_ref_subjects("acme/fraud", "refs/heads/main", null)
}

# Whatever pull requests start: give it nothing but reading.
output "pull_requests" {
  value = provider::tidegate::oidc_ref_subjects("acme/fraud", "pull_request", null)
}
