#!/bin/bash
# Runs the server of README.md, as it stands there, and asks it by curl.
#
#   readme_test.sh SERVER
set -euo pipefail

coproc hello_server { exec "$1" 127.0.0.1:0; }
server=$hello_server_PID
read -r _ _ address <&"${hello_server[0]}"
answer=$(curl -s --max-time 30 "http://$address/hello/W%C3%B6rld")
[ "$answer" = "Hello, Wörld!" ]
[ "$(curl -s -o /dev/null -w '%{http_code}' --max-time 30 "http://$address/")" = 404 ]

# The typo: an address that is none is said to be that.
if message=$("$1" localhost:http); then
  echo "it took localhost:http for an address"
  exit 1
fi
grep -q 'address "localhost:http"' <<< "$message"

kill -TERM "$server"
wait "$server"
