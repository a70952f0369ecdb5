#!/bin/bash
# Runs the program of README.md, as it stands there, and asks it as the README does.
#
#   readme_test.sh SERVER
set -euo pipefail

coproc people { exec "$1" 127.0.0.1:0; }
server=$people_PID
trap 'kill -9 "$server" 2> /dev/null || true' EXIT
read -r _ _ address <&"${people[0]}"
url=http://$address/api/people
ask() { curl -s --max-time 30 "$@"; }

json='Content-Type: application/json'
[ "$(ask -d '{"name":"Ada","age":36}' -H "$json" "$url")" = \
  '{"id":1,"name":"Ada","email":null,"age":36,"version":1}' ]
[ "$(ask "$url?age=gt.30&order=name&select=id,name")" = '[{"id":1,"name":"Ada"}]' ]
long=$(printf 'x%.0s' {1..81})
problem=$(ask -d "{\"name\":\"$long\"}" -H "$json" "$url")
error='"detail":"people.name: longer than 80"'
head='"title":"Unprocessable Content","status":422'
[ "$problem" = "{$head,$error,\"errors\":[{$error,\"pointer\":\"#/name\"}]}" ]

kill -TERM "$server"
wait "$server"
