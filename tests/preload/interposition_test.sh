#!/bin/bash
# Proves that preloading replaces malloc: every other test would pass with an empty library.
#
#   interposition_test.sh LIBRARY PROGRAM...
#
# Has the dynamic linker report what it binds, and looks at each binding of an allocation function,
# of the program and of every library it uses, libc itself included. All have to lead to LIBRARY.
set -euo pipefail

library=$(realpath "$1")
program=$2
shift 2
report=$(mktemp -d "${TEST_TMPDIR:-/tmp}/bindings.XXXXXX")
trap 'rm -r "$report"' EXIT

# LD_BIND_NOW, for a function is otherwise bound (and reported) only when it is first called.
env LD_DEBUG=bindings LD_DEBUG_OUTPUT="$report/ld" LD_BIND_NOW=1 LD_PRELOAD="$library" \
  "$program" "$@" > /dev/null

# A line is: PID: binding file FROM [0] to TO [0]: normal symbol `NAME' [VERSION]
cat "$report"/ld.* | awk -v library="$library" '
  BEGIN {
    count = split("malloc calloc realloc reallocarray free memalign aligned_alloc posix_memalign " \
                  "valloc pvalloc malloc_usable_size", names, " ")
    for (i = 1; i <= count; ++i) allocation[names[i]] = 1
  }
  /binding file/ {
    for (i = 1; i <= NF; ++i) {
      if ($i == "file") from = $(i + 1)
      if ($i == "to") to = $(i + 1)
      if ($i == "symbol") name = $(i + 1)
    }
    gsub(/[`\x27]/, "", name)
    if (!(name in allocation) && name !~ /^_Z(nw|na|dl|da)[mP]/) next
    if (to == library) {
      ++bound[name]
      if (from ~ /libc\.so/) ++from_libc
      if (from ~ /libstdc/) ++from_libstdcxx
    } else {
      print "FAILED: " name " of " from " is bound to " to
      failed = 1
    }
  }
  END {
    required = split("malloc calloc realloc free _Znwm _ZdlPv", must, " ")
    for (i = 1; i <= required; ++i) {
      if (!(must[i] in bound)) { print "FAILED: nothing is bound to " must[i]; failed = 1 }
    }
    if (!from_libc) { print "FAILED: libc keeps its own malloc"; failed = 1 }
    if (!from_libstdcxx) { print "FAILED: libstdc++ keeps its own operators"; failed = 1 }
    for (name in bound) total += bound[name]
    print total + 0 " bindings lead to " library
    exit failed
  }'
