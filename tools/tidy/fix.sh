#!/bin/bash
# Formats the C++ and the Bazel files of the source tree, in place.
#
#   bazel run //tools/tidy:fix
set -euo pipefail

buildifier=$PWD/$1
cd "$BUILD_WORKSPACE_DIRECTORY"

sources() { git ls-files -z -co --exclude-standard "$@"; }

sources '*.cc' '*.h' | xargs -0 -r clang-format-14 -i
sources '*.bzl' '*.bazel' '*.BUILD' '*WORKSPACE' | xargs -0 -r "$buildifier"
