#!/bin/bash
# A perl program of hashes, strings and patterns:  perl_test.sh LIBRARY
source "$(dirname "$0")/compare.sh"
require perl
export PERL_HASH_SEED=0 PERL_PERTURB_KEYS=0  # The order of hashes has to repeat.
both 120 perl perl "$(realpath "$(dirname "$0")")/work.pl"
