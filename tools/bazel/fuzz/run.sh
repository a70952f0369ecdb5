#!/bin/bash
# Runs a fuzz target that libFuzzer drives, on a copy of its corpus, for FUZZ_SECONDS (default 5):
# `--config=fuzz` puts it in front of every test.
#
#   run.sh PROGRAM FILE...
set -euo pipefail

program=$1
shift
corpus=$(mktemp -d "${TEST_TMPDIR:-/tmp}/corpus.XXXXXX")
for file in "$@"; do cp "$file" "$corpus/"; done
exec "$program" -max_total_time="${FUZZ_SECONDS:-5}" -timeout=10 -rss_limit_mb=2048 \
  -artifact_prefix="${TEST_UNDECLARED_OUTPUTS_DIR:-/tmp}/" "$corpus"
