import {
  to = tidegate_pipeline.fraud
  id = "acme/fraud:.github/workflows/fraud.yml"
}
