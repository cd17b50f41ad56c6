resource "tidegate_cluster" "here" {
  name = "here"
  local {}
}

output "page" {
  description = "Shows endpoints, weights and gates live"
  value       = tidegate_cluster.here.url
}
