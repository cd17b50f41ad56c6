package workflow

import "github.com/tidegatehq/terraform-provider-tidegate/internal/pipeline"

// The scripts of the workflow. They are constants: what they work on is in their environment.
const (
	fetchDVC = `command -v dvc >/dev/null || {
  echo "::error::dvc is not installed: add a step before this one that installs it, such as: pip install --require-hashes -r ci/dvc.txt"
  exit 1
}
dvc pull -- "$DATASET"
`

	// A folder's digest is that of its files' digests.
	digestOfDataset = `if [ -z "$(find -L "$DATASET" -type f -print -quit)" ]; then
  echo "::error::there is no dataset at $DATASET"
  exit 1
fi
sha256=$(find -L "$DATASET" -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum | cut -d ' ' -f 1)
`
	tellDataset = `echo "sha256=$sha256" >> "$GITHUB_OUTPUT"
{
  echo "### Dataset"
  echo "\` + "`$DATASET\\`, SHA-256 \\`$sha256\\`" + `"
} >> "$GITHUB_STEP_SUMMARY"
`
	sameDataset = `if [ "$sha256" != "$WANT" ]; then
  echo "::error::the dataset is not the one that was validated: its digest is $sha256, not $WANT"
  exit 1
fi
`

	madeModel = `if [ ! -e "$MODEL" ]; then
  echo "::error::the training made no $MODEL"
  exit 1
fi
tar -cf "$RUNNER_TEMP/model.tar" -- "$MODEL"
model_sha256=$(sha256sum < "$RUNNER_TEMP/model.tar" | cut -d ' ' -f 1)
echo "model_sha256=$model_sha256" >> "$GITHUB_OUTPUT"
`
	madeMetrics = `if [ ! -f "$METRICS" ]; then
  echo "::error::the training made no $METRICS"
  exit 1
fi
metrics_sha256=$(sha256sum < "$METRICS" | cut -d ' ' -f 1)
echo "metrics_sha256=$metrics_sha256" >> "$GITHUB_OUTPUT"
`
	tellMade = `{
  echo "### Made by the training"
  echo "| file | SHA-256 |"
  echo "|---|---|"
`
	tellModel = `  echo "| model: \` + "`$MODEL\\` | \\`$model_sha256\\`" + ` |"
`
	tellMetrics = `  echo "| metrics: \` + "`$METRICS\\` | \\`$metrics_sha256\\`" + ` |"
`
	toSummary = `} >> "$GITHUB_STEP_SUMMARY"
`

	sameMetrics = `echo "$WANT  $METRICS" | sha256sum --check --strict
`
)

// made tells what the training made.
func made(s pipeline.Spec) string {
	text, told := "", tellMade
	if s.Package != nil {
		text += madeModel
		told += tellModel
	}
	if s.Evaluate != nil {
		text += madeMetrics
		told += tellMetrics
	}
	return text + told + toSummary
}
