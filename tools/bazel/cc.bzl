"""The C++ rules of Strata's own targets.

They are rules_cc's, with our warnings, and for libraries with the headers where users find them: a
header `x.h` of the package `net` is included as "strata/net/x.h", here as in a user's workspace.
All headers belong into `hdrs`; one that ends in `_internal.h` is for its own library alone, which
the tidy test watches.

All is linked statically, tests and the libraries in a user's tests too. Else Bazel makes a shared
library of each cc_library for its tests, and these do not see the hidden names of the assembly.
"""

load("@rules_cc//cc:defs.bzl", "cc_binary", "cc_library", "cc_test")

# The repository's .bazelrc makes them errors.
STRATA_COPTS = [
    "-Wall",
    "-Wextra",
]

def strata_cc_library(name, copts = [], linkstatic = True, **kwargs):
    """A cc_library whose headers are included as "strata/<package>/<header>"."""
    cc_library(
        name = name,
        copts = STRATA_COPTS + copts,
        include_prefix = "strata/" + native.package_name(),
        linkstatic = linkstatic,
        **kwargs
    )

def strata_cc_binary(name, copts = [], **kwargs):
    """A cc_binary compiled with our warnings."""
    cc_binary(
        name = name,
        copts = STRATA_COPTS + copts,
        **kwargs
    )

def strata_cc_test(name, copts = [], linkstatic = True, **kwargs):
    """A cc_test compiled with our warnings."""
    cc_test(
        name = name,
        copts = STRATA_COPTS + copts,
        linkstatic = linkstatic,
        **kwargs
    )
