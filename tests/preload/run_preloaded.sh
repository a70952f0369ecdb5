#!/bin/bash
# Runs a program with a library preloaded:
#
#   run_preloaded.sh LIBRARY [NAME=VALUE...] PROGRAM [ARGUMENT...]
#
# Only the program gets the library, not the shell that starts it.
set -euo pipefail

library=$(realpath "$1")
shift
variables=()
while [[ "$1" == *=* ]]; do
  variables+=("$1")
  shift
done
program=$1
shift
[[ "$program" == */* ]] || program=$(command -v "$program")

exec env ${variables[@]+"${variables[@]}"} LD_PRELOAD="$library" "$program" "$@"
