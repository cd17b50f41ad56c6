# A policy is a value, so it is imported by what it says: the attribute json of another one.
terraform import tidegate_rollout_policy.careful "$(terraform output -raw policy_json)"
