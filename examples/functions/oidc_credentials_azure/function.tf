# For for_each of azuread_application_federated_identity_credential: display_name = each.key,
# issuer = each.value.issuer, subject = each.value.subject, audiences = each.value.audiences.
output "credentials" {
  value = provider::tidegate::oidc_credentials_azure(
    provider::tidegate::oidc_subjects("acme/fraud", "production", { owner = 123456, repository = 456789 }),
    null,
  )
}
