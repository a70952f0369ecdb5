#!/bin/bash
# Runs a Windows test program with its arguments under Wine; `--config=windows` puts it in front of
# every test.
#
#   wine_run.sh PROGRAM.exe [ARGUMENT...]
set -euo pipefail

# Debian's launcher in /usr/bin asks at every start for a 32-bit Wine that nothing here needs.
wine=/usr/lib/wine/wine64
[ -x "$wine" ] || wine=wine

export WINEDEBUG=${WINEDEBUG:--all}
export WINEPREFIX=${WINEPREFIX:-/tmp/strata-wine-$(id -u)}

# GoogleTest opens the files named here. To a Windows program the root of this machine is drive Z.
for name in TEST_PREMATURE_EXIT_FILE TEST_TMPDIR TEST_WARNINGS_OUTPUT_FILE XML_OUTPUT_FILE; do
  value=${!name:-}
  [ -z "$value" ] || export "$name=Z:${value//\//\\}"
done

# The first test makes Wine's prefix, which takes some 20 seconds; the others wait for it. Wine gets
# no copy of the lock: its server would keep it.
mkdir -p "$WINEPREFIX"
exec 9> "$WINEPREFIX/strata.lock"
flock 9
if [ ! -e "$WINEPREFIX/strata.ready" ]; then
  "$wine" wineboot --init > /dev/null 2>&1 9>&-
  touch "$WINEPREFIX/strata.ready"
fi

# One test at a time, for the sandboxes number their processes apart, and two of them confuse the
# one server that a prefix has. That server would live on for some seconds and then die with the
# sandbox, maybe while the next test speaks to it, which then hangs, or ends at once with success
# and without having run: both seen with Wine 8. So the server ends before the lock is given back;
# and a GoogleTest, which always writes a report, has not run if there is none, and is run again.
wineserver=${wine%/*}/wineserver64
[ -x "$wineserver" ] || wineserver=wineserver
trap '"$wineserver" -k 9>&- || true; "$wineserver" -w 9>&- || true' EXIT

report=${XML_OUTPUT_FILE:-}
unix_report=${report#Z:}
unix_report=${unix_report//\\//}
for _ in 1 2 3; do
  status=0
  "$wine" "$@" 9>&- || status=$?
  if [ "$status" != 0 ] || [ -z "$report" ] || [ -s "$unix_report" ]; then
    exit "$status"
  fi
  sleep 1
done
echo "wine_run.sh: $1 ended with success and without a report, three times: it did not run" >&2
exit 1
