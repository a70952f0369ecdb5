"""linkage_test: which shared libraries a public target brings into a program."""

load("@rules_cc//cc:defs.bzl", "cc_binary")

def linkage_test(name, needed, target = None, library = None):
    """Links a target alone and compares the shared libraries that the result needs.

    Args:
      name: the test.
      needed: the sonames expected, and no others.
      target: a cc_library, to be linked whole with all that it depends on, so that each symbol that
        any of its objects wants must be found.
      library: instead of a target, a shared library that is built already.
    """
    if target:
        library = "lib%s_alone.so" % name

        # A shared library and not a program, for only there Bazel links all objects of all deps.
        cc_binary(
            name = library,
            testonly = True,
            linkopts = [
                "-Wl,--as-needed",
                "-Wl,-z,defs",
            ],
            linkshared = True,
            linkstatic = True,
            tags = ["manual"],
            target_compatible_with = ["@platforms//os:linux"],
            deps = [target],
        )
        library = ":" + library
    native.sh_test(
        name = name,
        size = "small",
        srcs = ["linkage_test.sh"],
        args = ["$(rootpath %s)" % library] + needed,
        data = [library],
        # A sanitizer adds libraries of its own.
        tags = [
            "noasan",
            "notsan",
        ],
        target_compatible_with = ["@platforms//os:linux"],
    )
