#!/bin/bash
# Programs of others talk to hello_server: curl, nginx as a proxy in front of it, ab, wrk, h2load.
# Right answers are asked for, never a time.
#
#   programs_test.sh SERVER
set -euo pipefail

fail() {
  echo "programs_test: $*" >&2
  exit 1
}

tmp=${TEST_TMPDIR:-$(mktemp -d)}
coproc hello_server { exec "$1" --threads=2; }
server=$hello_server_PID
nginx=
folder=
end() {
  # shellcheck disable=SC2086
  kill -TERM $server $nginx 2> /dev/null || true
  [ -z "$folder" ] || rm -rf "$folder"
}
trap end EXIT
read -r _ _ address <&"${hello_server[0]}"
url=http://127.0.0.1:${address##*:}

curl() { command curl --silent --show-error --fail --max-time 60 "$@"; }

# Bodies of known and of unknown length; curl asks for 100 Continue by itself.
#
#   check_curl URL [argument...]
head -c 5000000 /dev/urandom > "$tmp/upload"
check_curl() {
  local base=$1 version
  shift
  for version in --http1.0 --http1.1; do
    [ "$(curl "$@" "$version" "$base/")" = "Hello, World!" ] || fail "curl $version $base"
    curl "$@" "$version" --data-binary @"$tmp/upload" -o "$tmp/echo" "$base/echo"
    cmp "$tmp/upload" "$tmp/echo"
  done
  curl "$@" -T - -o "$tmp/echo" "$base/echo" < "$tmp/upload"
  cmp "$tmp/upload" "$tmp/echo"
  # Over one connection.
  curl "$@" "$base/?[1-500]" > "$tmp/hellos"
  [ "$(grep -o "Hello, World!" "$tmp/hellos" | wc -l)" = 500 ] || fail "500 requests of $base"
}
check_curl "$url"
[ "$(curl --head -o "$tmp/head" -w '%{http_code} %{size_download}' "$url/")" = "200 0" ]

# A load program: has to end well, to say all of some lines, and none of others.
said=$tmp/said
run() {
  timeout 60 "$@" > "$said" 2>&1 || { cat "$said" && fail "$1 has failed"; }
}
says() { grep -qE "$1" "$said" || { cat "$said" && fail "it does not say: $1"; }; }
says_not() { ! grep -qE "$1" "$said" || { cat "$said" && fail "it says: $1"; }; }

for how in "" -k "-k -p $tmp/head"; do
  # shellcheck disable=SC2086
  run ab -q -n 2000 -c 20 $how "$url/"
  says "^Complete requests: +2000$"
  says "^Failed requests: +0$"
  says_not "Non-2xx"
done

run wrk -t 1 -c 20 -d 1s "$url/"
says " [1-9][0-9]* requests in "
says_not "Non-2xx|Socket errors"

run h2load --h1 -n 2000 -c 10 -t 1 "$url/"
says "2000 succeeded, 0 failed, 0 errored, 0 timeout"
says "status codes: 2000 2xx, 0 3xx, 0 4xx, 0 5xx"

# A Unix socket, so that no port can be taken. Its path has to be short.
folder=$(mktemp -d /tmp/nginx.XXXXXX)
cat > "$folder/nginx.conf" << END
$([ "$(id -u)" != 0 ] || echo "user root;")
daemon off;
pid $folder/pid;
error_log stderr;
events {}
http {
  access_log $folder/log;
  client_body_temp_path $folder/body;
  proxy_temp_path $folder/proxy;
  fastcgi_temp_path $folder/fastcgi;
  uwsgi_temp_path $folder/uwsgi;
  scgi_temp_path $folder/scgi;
  client_max_body_size 10m;
  upstream server {
    server ${url#http://};
    keepalive 4;
  }
  server {
    listen unix:$folder/socket;
    location / {
      proxy_pass http://server;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_request_buffering off;
    }
  }
}
END
nginx_program=$(PATH=$PATH:/usr/sbin command -v nginx)
"$nginx_program" -e stderr -p "$folder" -c "$folder/nginx.conf" &
nginx=$!
curl --retry 30 --retry-all-errors --retry-delay 1 --unix-socket "$folder/socket" http://proxy/ \
  > /dev/null
check_curl http://proxy --unix-socket "$folder/socket"

kill -QUIT "$nginx"
wait "$nginx"
nginx=
kill -TERM "$server"
wait "$server"
server=
