#!/bin/bash
# Runs the echo server of README.md, as it stands there, and talks to it.
#
#   readme_test.sh ECHO
set -euo pipefail

lines=$(($(sed -n '/^```cpp$/,/^```$/p' net/README.md | wc -l) - 2))
if [ "$lines" -ge 25 ]; then
  echo "the echo server has $lines lines, which is no longer fewer than 25"
  exit 1
fi

coproc echo_server { exec "$1" 127.0.0.1:0; }
server=$echo_server_PID
read -r _ _ address <&"${echo_server[0]}"
exec 3<> "/dev/tcp/${address%:*}/${address##*:}"
echo "hello" >&3
read -r -t 30 answer <&3
[ "$answer" = hello ]

# The typo: an address that is none is said to be that.
if message=$("$1" localhost:http); then
  echo "it took localhost:http for an address"
  exit 1
fi
grep -q 'address "localhost:http"' <<< "$message"

kill -TERM "$server"
exec 3>&-
wait "$server"
