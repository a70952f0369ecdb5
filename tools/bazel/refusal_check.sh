#!/bin/bash
# refusal_check.sh SOURCE COMPILER FLAG...: what refusal_test.bzl says.
set -u
export LC_ALL=C
source=$1
shift

if ! "$@" -fsyntax-only -DCASE=0 "$source"; then
  echo "$source: does not compile without a case"
  exit 1
fi

cases=$(grep -c '^#if CASE == ' "$source")
failed=0
for ((i = 1; i <= cases; ++i)); do
  message=$(sed -n "s|^#if CASE == $i  // ||p" "$source")
  if [[ -z $message ]]; then
    echo "$source: no case $i with a message"
    failed=1
  elif output=$("$@" -fsyntax-only -DCASE="$i" "$source" 2>&1); then
    echo "$source: case $i compiles, but should say: $message"
    failed=1
  elif ! grep -qF -- "$message" <<<"$output"; then
    echo "$source: case $i does not say: $message"
    grep -F "error: " <<<"$output" | head -5
    failed=1
  fi
done
echo "$cases cases"
exit $failed
