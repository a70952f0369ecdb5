# Helpers of the tests that run a real program with and without the library, sourced by each:
#
#   source compare.sh      # $1 of the test is the library
#   plain     SECONDS NAME COMMAND...
#   preloaded SECONDS NAME COMMAND...
#   same NAME
#
# `plain` and `preloaded` run the command in $work/plain and $work/preloaded, which the program may
# fill, and write what it prints to NAME.out and NAME.err there. `same` compares the two NAME.out,
# or any other files of that name.
set -euo pipefail

library=$(realpath "$1")
work=$(mktemp -d "${TEST_TMPDIR:-/tmp}/programs.XXXXXX")
mkdir "$work/plain" "$work/preloaded"
trap 'rm -rf "$work"' EXIT

# Programs whose output depends on these have none of the user's own.
export HOME="$work" LC_ALL=C TZ=UTC

fail() {
  echo "FAILED: $*" >&2
  exit 1
}

require() {
  local program
  for program in "$@"; do
    command -v "$program" > /dev/null || fail "this test needs the program $program"
  done
}

run_in() {
  local folder=$1 seconds=$2 name=$3 status=0 started=$SECONDS
  shift 3
  (cd "$folder" && exec timeout --kill-after=5 "$seconds" "$@") \
    > "$folder/$name.out" 2> "$folder/$name.err" < /dev/null || status=$?
  echo "${folder##*/} $name: $((SECONDS - started)) s"
  ((status == 0)) && return
  tail -n 20 "$folder/$name.err" >&2
  ((status == 124 || status == 137)) && fail "${folder##*/} $name took more than $seconds s"
  fail "${folder##*/} $name ended with status $status"
}

plain() { run_in "$work/plain" "$@"; }

preloaded() {
  local seconds=$1 name=$2
  shift 2
  run_in "$work/preloaded" "$seconds" "$name" env LD_PRELOAD="$library" "$@"
}

# Under both; the usual case.
both() {
  plain "$@"
  preloaded "$@"
  [[ ! -s "$work/plain/$2.out" && ! -s "$work/preloaded/$2.out" ]] || same "$2.out"
}

same() {
  local name
  for name in "$@"; do
    [[ -s "$work/plain/$name" ]] || fail "the plain run left $name empty"
    cmp "$work/plain/$name" "$work/preloaded/$name" && continue
    diff -a "$work/plain/$name" "$work/preloaded/$name" | head -n 20 >&2 || true
    fail "$name differs with the library"
  done
}
