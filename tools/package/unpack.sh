#!/bin/bash
# What tools/install does once the tree is built:
#
#   unpack.sh --check PREFIX | --deb FILE           only whether that can be written
#   unpack.sh TREE VERSION PREFIX | --deb FILE
set -euo pipefail

die() {
  echo "tools/install: $*" >&2
  exit 1
}

# The packages whose headers and libraries ours are linked with.
DEPENDS="libbrotli-dev, libsimdjson-dev, libsqlite3-dev, libssl-dev, libzstd-dev, zlib1g-dev"

tree=
if [ "$1" = --check ]; then
  shift
else
  tree=$1 version=$2
  shift 2
fi

case $1 in
  --deb)
    [ $# = 2 ] || die "--deb wants one file, say strata.deb"
    deb=$2
    [ -d "$(dirname "$deb")" ] || die "$(dirname "$deb"): no such folder"
    [ ! -d "$deb" ] || die "$deb: is a folder"
    [ -n "$tree" ] || exit 0
    staging=$(mktemp -d)
    trap 'rm -rf "$staging"' EXIT
    chmod 755 "$staging"
    mkdir -p "$staging/DEBIAN" "$staging/usr"
    tar -xf "$tree" -C "$staging/usr" --no-same-owner
    cat > "$staging/DEBIAN/control" << END
Package: strata-dev
Version: $version
Architecture: amd64
Maintainer: The authors of Strata <strata@localhost>
Section: libdevel
Priority: optional
Depends: $DEPENDS
Installed-Size: $(du -sk "$staging/usr" | cut -f 1)
Description: allocator-first systems toolkit for C++20
 A memory allocator to preload or to link, event loops, HTTP and WebSocket
 servers and clients, cryptography, and C++ structs in SQLite.
END
    dpkg-deb --root-owner-group --build "$staging" "$deb" > /dev/null
    echo "tools/install: $deb; install it with: apt install ./$(basename "$deb")"
    ;;
  -*) die "$1? usage: tools/install PREFIX | --deb FILE" ;;
  *)
    [ $# = 1 ] || die "one prefix, please: $*"
    prefix=$1
    mkdir -p "$prefix/lib" || die "$prefix: cannot be written"
    [ -w "$prefix/lib" ] || die "$prefix: cannot be written"
    [ -n "$tree" ] || exit 0
    tar -xf "$tree" -C "$prefix" --no-same-owner
    prefix=$(cd "$prefix" && pwd)
    echo "tools/install: Strata $version in $prefix; for example"
    echo "  LD_PRELOAD=$prefix/lib/libstrata_mm.so PROGRAM"
    echo "  PKG_CONFIG_PATH=$prefix/lib/pkgconfig pkg-config --cflags --libs strata-http"
    echo "  cmake -DCMAKE_PREFIX_PATH=$prefix ..., with find_package(strata COMPONENTS http)"
    ;;
esac
