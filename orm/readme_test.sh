#!/bin/bash
# readme_test.sh PROGRAM: the example of README.md prints what its comments say.
set -eu
expected=$(sed -n '/^```cpp$/,/^```$/s|.*std::printf(.*);  // ||p' orm/README.md)
printed=$("$1" | sed 's/ *$//')
if [[ $printed != "$expected" ]]; then
  echo "README.md says:"
  echo "$expected"
  echo "but it prints:"
  echo "$printed"
  exit 1
fi
