# What GitHub calls a job of acme/fraud in the environment production, to a cloud.
output "production" {
  value = provider::tidegate::oidc_subjects("acme/fraud", "production", {
    owner      = 123456
    repository = 456789
  })
}

# repo:acme/fraud:environment:production
# repo:acme@123456/fraud@456789:environment:production
