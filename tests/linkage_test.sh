#!/bin/bash
# Compares the shared libraries that a library needs with those expected.
#
#   linkage_test.sh [--cxx] LIBRARY [SONAME...]
#
# With --cxx those that every C++ program has do not count.
set -euo pipefail

ignored='^$'
if [ "$1" = --cxx ]; then
  ignored='^(ld-linux-x86-64\.so\.2|lib(c|m)\.so\.6|libgcc_s\.so\.1|libstdc\+\+\.so\.6)$'
  shift
fi
library=$1
shift

expected=$(printf '%s\n' "$@" | sort)
needed=$(readelf --dynamic --wide "$library" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' |
  sed -E "/$ignored/d" | sort)
[ "$needed" = "$expected" ] && exit

echo "$library needs other shared libraries than expected (<) or more (>):"
diff <(echo "$expected") <(echo "$needed")
