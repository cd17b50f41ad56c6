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
  echo "$DATASET, SHA-256 $sha256"
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
	tellModel = `  echo "| $MODEL | $model_sha256 |"
`
	tellMetrics = `  echo "| $METRICS | $metrics_sha256 |"
`
	toSummary = `} >> "$GITHUB_STEP_SUMMARY"
`

	packModel = `tar -cf "$RUNNER_TEMP/model.tar" -- "$MODEL"
`
	// Code of the training could have written the archive, whatever its digest. It is unpacked where nothing else is, without owners
	// and setuid bits; there may be nothing in it but the model, and nothing in that but files, folders and links to its own.
	sameModel = `archive=$RUNNER_TEMP/` + inHandedOver + `/model.tar
echo "$WANT  $archive" | sha256sum --check --strict
rm -rf -- "$MODEL" "$RUNNER_TEMP/unpacked"
mkdir -p -- "$RUNNER_TEMP/unpacked" "$(dirname -- "$MODEL")"
root=$(readlink -f -- "$RUNNER_TEMP/unpacked")
tar -x --no-same-owner --no-same-permissions -f "$archive" -C "$root"
refuse() {
  echo "::error::the archive of $MODEL has $1 in it. Train has to write files and folders, and links only to what is in the model."
  exit 1
}
while IFS= read -r -d '' odd; do
  [ -L "$odd" ] || refuse "something that is no file"
  case $(readlink -f -- "$odd" || true) in
    "$root/$MODEL"/*) ;;
    *) refuse "a link that leads out of it" ;;
  esac
done < <(find "$root" ! -type f ! -type d -print0)
mv -- "$root/$MODEL" "$MODEL"
[ -z "$(find "$root" ! -type d -print -quit)" ] || refuse "more than the model"
mv -- "$archive" "$RUNNER_TEMP/model.tar"
`

	loginOras = `echo "$TOKEN" | oras login ghcr.io --username "$GITHUB_ACTOR" --password-stdin
`
	loginDocker = `echo "$TOKEN" | docker login ghcr.io --username "$GITHUB_ACTOR" --password-stdin
`

	// An artifact of the ModelPack specification: its config, and the model as one layer. The commit's time instead of now
	// gives the same digest for the same model of the same commit.
	pushModel = `created=$(git show --no-patch --format=%cI)
cd "$RUNNER_TEMP"
layer=sha256:$(sha256sum < model.tar | cut -d ' ' -f 1)
jq -n --arg layer "$layer" --arg name "${IMAGE##*/}" --arg revision "$GITHUB_SHA" \
  '{descriptor: {name: $name, revision: $revision}, config: {}, modelfs: {type: "layers", diffIds: [$layer]}}' > config.json
jq -n --arg path "$MODEL" --arg created "$created" --arg revision "$GITHUB_SHA" --arg source "$GITHUB_SERVER_URL/$GITHUB_REPOSITORY" \
  '{"model.tar": {"org.cncf.model.filepath": $path}, "$manifest": {
    "org.opencontainers.image.created": $created, "org.opencontainers.image.revision": $revision, "org.opencontainers.image.source": $source
  }}' > annotations.json
oras push "$IMAGE:$GITHUB_SHA" --artifact-type application/vnd.cncf.model.manifest.v1+json --annotation-file annotations.json \
  --config config.json:application/vnd.cncf.model.config.v1+json --export-manifest manifest.json \
  model.tar:application/vnd.cncf.model.weight.v1.tar
digest=sha256:$(sha256sum < manifest.json | cut -d ' ' -f 1)
` + tellPushed
	pushImage = `docker buildx build --push --file "$DOCKERFILE" --tag "$IMAGE:$GITHUB_SHA" --metadata-file "$RUNNER_TEMP/build.json" .
digest=$(jq -er '."containerimage.digest"' "$RUNNER_TEMP/build.json")
` + tellPushed
	tellPushed = `echo "digest=$digest" >> "$GITHUB_OUTPUT"
echo "image=$IMAGE@$digest" >> "$GITHUB_OUTPUT"
{
  echo "### Pushed"
  echo "$IMAGE@$digest"
} >> "$GITHUB_STEP_SUMMARY"
`

	makeSBOM = `"$SYFT" scan "$SOURCE" --source-name "${IMAGE%@*}" --source-version "${IMAGE#*@}" --output "$FORMAT=$RUNNER_TEMP/sbom.json"
sha256=$(sha256sum < "$RUNNER_TEMP/sbom.json" | cut -d ' ' -f 1)
echo "sha256=$sha256" >> "$GITHUB_OUTPUT"
`
	sameSBOM = `echo "$WANT  $RUNNER_TEMP/` + inHandedOver + `/sbom.json" | sha256sum --check --strict
`
	signImage = `cosign sign --yes "$IMAGE"
`
	attestSBOM = `cosign attest --yes --type "$KIND" --predicate "$RUNNER_TEMP/` + inHandedOver + `/sbom.json" "$IMAGE"
`

	pullModel = `oras pull "$IMAGE" --output "$RUNNER_TEMP/pulled"
tar -x --no-same-owner --no-same-permissions -f "$RUNNER_TEMP/pulled/model.tar" -C "$RUNNER_TEMP/pulled"
`
	// Whatever ends the scanner but success fails the job, also that there is none.
	scanTarget = `status=0
"$GRYPE" "$TARGET" --fail-on "$FAIL_ON" --output table > "$RUNNER_TEMP/scan.txt" || status=$?
cat "$RUNNER_TEMP/scan.txt"
{
  echo "### Known vulnerabilities"
  if [ "$status" = 0 ]; then
    echo "None is $FAIL_ON or worse."
  else
    echo "**The scan failed**: there is one that is $FAIL_ON or worse, or the scanner could not do its work."
  fi
  echo
  head -c 100000 "$RUNNER_TEMP/scan.txt" | sed 's/^/    /'
} >> "$GITHUB_STEP_SUMMARY"
exit "$status"
`

	drift = `echo "::error::$ROOT is not what is configured: see the plan in the summary"
exit 1
`

	sameMetrics = `made=$RUNNER_TEMP/` + inHandedOver + `/${METRICS##*/}
echo "$WANT  $made" | sha256sum --check --strict
mkdir -p -- "$(dirname -- "$METRICS")"
mv -- "$made" "$METRICS"
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
