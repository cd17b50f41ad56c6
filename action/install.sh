#!/usr/bin/env bash
# Gets the program that action.yml starts, and says where it is: the released one for this machine, its checksum
# verified; or a build of the action's own source, where it is not a release. A job does this once.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
name=terraform-provider-tidegate
into=${RUNNER_TEMP:?is this a job of the GitHub runner?}/tidegate-program
version=${TIDEGATE_VERSION:-}
version=${version#v}
# A release has its version in its source, so that a workflow may pin a commit, and v1 is one too.
if [[ -z $version && -f $here/VERSION ]]; then
  version=$(<"$here/VERSION")
fi
if [[ $version == dev ]]; then version=; fi

fail() {
  echo "::error::$*"
  exit 1
}

found() {
  echo "program=$1" >>"$GITHUB_OUTPUT"
  exit 0
}

# What was not released is a branch, a commit or a local checkout: what it says is what runs.
if [[ -z $version ]]; then
  program=$into/source/$name
  if [[ -x $program ]]; then found "$program"; fi
  [[ -f $here/go.mod ]] || fail "The action has no source to build and was given no version: set the input version."
  command -v go >/dev/null || fail "This version of the action was not released, and is built with Go, which is not on the PATH: add actions/setup-go before it, or set the input version."
  mkdir -p "$into/source"
  (cd "$here" && CGO_ENABLED=0 go build -trimpath -o "$program.new" .)
  mv "$program.new" "$program"
  found "$program"
fi

[[ $version =~ ^[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.-]+)?$ ]] || fail "version $version: want a released one, such as 1.2.3"
case $(uname -s) in
  Linux) os=linux ;;
  Darwin) os=darwin ;;
  *) fail "There is no release for $(uname -s): want Linux or macOS." ;;
esac
case $(uname -m) in
  x86_64 | amd64) arch=amd64 ;;
  aarch64 | arm64) arch=arm64 ;;
  *) fail "There is no release for $(uname -m): want x86_64 or arm64." ;;
esac

program=$into/$version/${name}_v$version
if [[ -x $program ]]; then found "$program"; fi
base=${GITHUB_SERVER_URL:-https://github.com}/${TIDEGATE_REPOSITORY:-tidegatehq/$name}/releases/download/v$version
archive=${name}_${version}_${os}_${arch}.zip
sums=${name}_${version}_SHA256SUMS
temp=$(mktemp -d "$RUNNER_TEMP/tidegate-install.XXXXXX")
trap 'rm -rf "$temp"' EXIT
for file in "$archive" "$sums"; do
  curl --fail --silent --show-error --location --retry 3 --max-time 300 --output "$temp/$file" "$base/$file" ||
    fail "Cannot get $base/$file. Is $version a released version?"
done
want=$(awk -v file="$archive" '$2 == file || $2 == "*" file { print $1 }' "$temp/$sums")
[[ $want =~ ^[0-9a-f]{64}$ ]] || fail "$sums names no checksum for $archive."
if command -v sha256sum >/dev/null; then
  got=$(sha256sum "$temp/$archive")
else
  got=$(shasum -a 256 "$temp/$archive")
fi
[[ ${got%% *} == "$want" ]] || fail "$archive is not what $sums says: got ${got%% *}, want $want. It was not run."
unzip -q "$temp/$archive" -d "$temp/program"
mkdir -p "$into"
rm -rf "${into:?}/$version"
mv "$temp/program" "$into/$version"
chmod +x "$program"
found "$program"
