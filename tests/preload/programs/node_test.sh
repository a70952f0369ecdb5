#!/bin/bash
# A node program: the engine's heap, native buffers, zlib, worker threads:  node_test.sh LIBRARY
source "$(dirname "$0")/compare.sh"
require node
both 120 node node "$(realpath "$(dirname "$0")")/work.js"
