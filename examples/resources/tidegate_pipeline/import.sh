# From a repository, or from a folder as the configuration names it. The first plan after an import takes the arguments into
# the state. Where the file means what they say, nothing is written.
terraform import tidegate_pipeline.fraud acme/fraud:.github/workflows/fraud.yml
terraform import tidegate_pipeline.fraud acme/fraud:.github/workflows/fraud.yml@release # on another branch than the default one
terraform import tidegate_pipeline.checks ../fraud:.github/workflows/checks.yml
