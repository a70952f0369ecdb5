#!/bin/bash
# A library that wraps malloc by dlsym(RTLD_NEXT) stands before ours:
#
#   wrapper_test.sh LIBRARY WRAPPER PROGRAM...
set -euo pipefail

library=$(realpath "$1")
wrapper=$(realpath "$2")
shift 2
report=$(mktemp "${TEST_TMPDIR:-/tmp}/wrapper.XXXXXX")
trap 'rm "$report"' EXIT

env LD_PRELOAD="$wrapper:$library" "$@" 2> "$report" || {
  tail -n 20 "$report" >&2
  echo "FAILED: $1 under the wrapper" >&2
  exit 1
}
awk '/^wrapper: [0-9]+ calls$/ && $2 > 100 { found = 1 } END { exit !found }' "$report" || {
  tail -n 20 "$report" >&2
  echo "FAILED: the wrapper was not called" >&2
  exit 1
}
tail -n 1 "$report"
