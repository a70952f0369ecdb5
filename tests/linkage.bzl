"""linkage_test: which shared libraries a public target brings into a program."""

load("@rules_cc//cc:defs.bzl", "CcInfo", "cc_binary", "cc_common")
load("@rules_cc//cc:find_cc_toolchain.bzl", "find_cc_toolchain", "use_cc_toolchain")

def _whole_impl(ctx):
    toolchain = find_cc_toolchain(ctx)
    features = cc_common.configure_features(ctx = ctx, cc_toolchain = toolchain)
    inputs = ctx.attr.target[CcInfo].linking_context.linker_inputs.to_list()
    return [CcInfo(
        compilation_context = ctx.attr.target[CcInfo].compilation_context,
        linking_context = cc_common.create_linking_context(linker_inputs = depset([
            cc_common.create_linker_input(
                owner = each.owner,
                libraries = depset([
                    cc_common.create_library_to_link(
                        actions = ctx.actions,
                        alwayslink = True,
                        cc_toolchain = toolchain,
                        feature_configuration = features,
                        pic_static_library = library.pic_static_library or library.static_library,
                    )
                    for library in each.libraries
                ]),
                user_link_flags = depset(each.user_link_flags),
            )
            for each in inputs
        ], order = "topological")),
    )]

# A library all of whose objects, and those of all that it depends on, are linked.
_whole = rule(
    implementation = _whole_impl,
    attrs = {
        "target": attr.label(providers = [CcInfo]),
        "_cc_toolchain": attr.label(default = "@bazel_tools//tools/cpp:current_cc_toolchain"),
    },
    fragments = ["cpp"],
    toolchains = use_cc_toolchain(),
)

def linkage_test(name, needed, target = None, library = None, cxx = False):
    """Links a target alone and compares the shared libraries that the result needs.

    Args:
      name: the test.
      needed: the sonames expected, and no others.
      target: a cc_library, to be linked whole with all that it depends on, so that each symbol that
        any of its objects wants must be found.
      library: instead of a target, a shared library that is built already.
      cxx: whether the C and C++ libraries may be needed too, and are not in the list.
    """
    if target:
        library = "lib%s_alone.so" % name

        _whole(
            name = name + "_whole",
            testonly = True,
            tags = ["manual"],
            target = target,
            target_compatible_with = ["@platforms//os:linux"],
        )
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
            deps = [name + "_whole"],
        )
        library = ":" + library
    native.sh_test(
        name = name,
        size = "small",
        srcs = ["linkage_test.sh"],
        args = (["--cxx"] if cxx else []) + ["$(rootpath %s)" % library] + needed,
        data = [library],
        # A sanitizer adds libraries of its own.
        tags = [
            "noasan",
            "notsan",
        ],
        target_compatible_with = ["@platforms//os:linux"],
    )
