#!/bin/bash
# What libstrata_mm.so shows and what it needs, read from the file:
#
#   exports_test.sh LIBRARY
#
# A missing name is not noticed by most programs, which then mix two heaps; a name too many may
# replace a program's own function; a large static TLS makes dlopen fail.
set -euo pipefail

library=$1
failures=0
fail() {
  echo "FAILED: $*" >&2
  failures=$((failures + 1))
}

c_names="malloc calloc realloc reallocarray reallocarr reallocf free cfree memalign aligned_alloc
  posix_memalign valloc pvalloc malloc_usable_size malloc_trim mallopt mallinfo mallinfo2
  malloc_stats malloc_info free_sized free_aligned_sized
  __libc_malloc __libc_calloc __libc_realloc __libc_free __libc_cfree __libc_memalign __libc_valloc
  __libc_pvalloc __posix_memalign"
operators="_Znwm _Znam _ZnwmRKSt9nothrow_t _ZnamRKSt9nothrow_t _ZnwmSt11align_val_t
  _ZnamSt11align_val_t _ZnwmSt11align_val_tRKSt9nothrow_t _ZnamSt11align_val_tRKSt9nothrow_t
  _ZdlPv _ZdaPv _ZdlPvm _ZdaPvm _ZdlPvRKSt9nothrow_t _ZdaPvRKSt9nothrow_t _ZdlPvSt11align_val_t
  _ZdaPvSt11align_val_t _ZdlPvmSt11align_val_t _ZdaPvmSt11align_val_t
  _ZdlPvSt11align_val_tRKSt9nothrow_t _ZdaPvSt11align_val_tRKSt9nothrow_t"
own_names="strata_mm_malloc strata_mm_calloc strata_mm_realloc strata_mm_memalign strata_mm_free
  strata_mm_usable_size strata_mm_trim strata_mm_get_stats strata_mm_get_arena_stats
  strata_mm_print_stats strata_mm_print_json"

declare -A wanted
for name in $c_names $operators $own_names; do wanted[$name]=1; done
[[ $(wc -w <<<"$operators") == 20 ]] || fail "this test lists $(wc -w <<<"$operators") operators"

# Each line of nm: address, type, name with @version if it has one.
declare -A shown
while read -r _ type name; do
  shown[$name]=1
  case "$name" in
    *@*) fail "$name has a version; programs that ask for glibc's will not find it" ;;
    strata_mm_*) ;;
    *) [[ -n "${wanted[$name]:-}" ]] || fail "$name is exported" ;;
  esac
  [[ "$type" == T ]] || fail "$name is of type $type, not a global function"
done < <(nm -D -g --defined-only "$library")
for name in "${!wanted[@]}"; do
  [[ -n "${shown[$name]:-}" ]] || fail "$name is not exported"
done

# Everything it takes from other libraries has to be weak, for none has to be there.
while read -r type name; do
  [[ "$type" == w || "$type" == v ]] || fail "$name is undefined and not weak"
done < <(nm -D --undefined-only "$library")

dynamic=$(readelf -Wd "$library")
! grep -q '(NEEDED)' <<<"$dynamic" || fail "needs $(grep '(NEEDED)' <<<"$dynamic")"
! grep -q 'TEXTREL' <<<"$dynamic" || fail "has text relocations"
grep -qF "[$(basename "$library").0]" <<<"$dynamic" || fail "has not the soname expected"
grep -q 'NODELETE' <<<"$dynamic" || fail "may be unloaded while the kernel points into it"

segments=$(readelf -Wl "$library")
stack=$(awk '$1 == "GNU_STACK"' <<<"$segments")
[[ -n "$stack" ]] || fail "has no GNU_STACK header, which means an executable stack"
[[ "$stack" != *RWE* ]] || fail "asks for an executable stack"
[[ "$(awk '$1 == "LOAD"' <<<"$segments")" != *RWE* ]] || fail "has memory both written and executed"
tls_bytes=$(awk '$1 == "TLS" { print $6 }' <<<"$segments")
(( ${tls_bytes:-0} <= 64 )) || fail "has $((tls_bytes)) bytes of static TLS, more than 64"

echo "${#shown[@]} names, $((${tls_bytes:-0})) bytes of TLS, $failures failures"
exit $((failures > 0))
