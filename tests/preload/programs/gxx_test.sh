#!/bin/bash
# The compiler on a file full of templates; the assembly must be the same:  gxx_test.sh LIBRARY
source "$(dirname "$0")/compare.sh"
require g++
cp "$(dirname "$0")/heavy.cc" "$work/heavy.cc"
# The folders' names would be told apart by the debugging information.
both 180 compile g++ -std=c++20 -O2 -g -S -frandom-seed=1 -o heavy.s ../heavy.cc \
  -fdebug-prefix-map="$work/plain=." -fdebug-prefix-map="$work/preloaded=."
same heavy.s
