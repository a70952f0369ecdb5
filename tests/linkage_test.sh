#!/bin/bash
# Compares the shared libraries that a library needs with those expected.
#
#   linkage_test.sh LIBRARY [SONAME...]
set -euo pipefail

library=$1
shift

expected=$(printf '%s\n' "$@" | sort)
needed=$(readelf --dynamic --wide "$library" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' | sort)
[ "$needed" = "$expected" ] && exit

echo "$library needs other shared libraries than expected (<) or more (>):"
diff <(echo "$expected") <(echo "$needed")
