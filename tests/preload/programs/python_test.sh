#!/bin/bash
# Python's regression tests, the names of some of them:  python_test.sh LIBRARY SCRIPT NAME...
#
# Debian's own interpreter, whatever else the PATH has: the tests belong to it.
set -euo pipefail
exec /usr/bin/python3 -B "$2" "$1" "${@:3}"
