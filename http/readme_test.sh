#!/bin/bash
# Runs the programs of README.md, as they stand there: asks the server by curl, and Python's
# http.server by the client.
#
#   readme_test.sh SERVER CLIENT
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

url=http://$address/hello/you
[ "$("$2" "$url")" = "200 $url"$'\n'"Hello, you!" ]

kill -TERM "$server"
wait "$server"

# A file, and a folder that redirects to its index; by HTTP/1.0, and by 1.1 over one connection.
folder=$(mktemp -d "${TEST_TMPDIR:-/tmp}/served.XXXXXX")
mkdir "$folder/sub"
seq 100000 > "$folder/numbers"
echo "the index" > "$folder/sub/index.html"
for version in 1.0 1.1; do
  coproc python { exec python3 -u -m http.server --protocol "HTTP/$version" --directory "$folder" \
    --bind 127.0.0.1 0 2> "$folder/log"; }
  server=$python_PID
  read -r _ _ _ _ _ port _ <&"${python[0]}"
  url=http://127.0.0.1:$port
  "$2" "$url/numbers" "$url/sub" > "$folder/got"
  {
    echo "200 $url/numbers"
    cat "$folder/numbers"
    echo "200 $url/sub/"
    echo "the index"
  } | cmp - "$folder/got"
  kill "$server"
  wait "$server" || true
  if message=$("$2" "$url/"); then
    echo "it got an answer of nobody"
    exit 1
  fi
  grep -q '^UNAVAILABLE: ' <<< "$message"
done
