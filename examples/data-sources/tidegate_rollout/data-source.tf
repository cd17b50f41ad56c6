data "tidegate_rollout" "penguins" {
  endpoint = "local/here/penguins"
}

output "rollout" {
  value = "${coalesce(data.tidegate_rollout.penguins.phase, "no rollout yet")}: ${join(" ", data.tidegate_rollout.penguins.history[*].sentence)}"
}
