"""Repositories made of what the machine has installed.

Their targets carry the labels of the libraries' own Bazel builds, so that BUILD files read the same
whether a library was installed or downloaded.
"""

_WORKSPACE = "workspace(name = %r)\n"

_LIBRARIES = """\
load("@rules_cc//cc:defs.bzl", "cc_library")

package(default_visibility = ["//visibility:public"])

cc_library(
    name = "headers",
    hdrs = glob(["include/**"]),
    includes = ["include"],
)
"""

# Debian's libraries are for Debian alone: a target that needs one is skipped elsewhere.
_LIBRARY = """
cc_library(
    name = %r,
    linkopts = %r,
    target_compatible_with = ["@platforms//os:linux"],
    deps = [":headers"],
)
"""

def _pkg_config(rctx, *args):
    tool = rctx.which("pkg-config")
    if not tool:
        fail("@%s: pkg-config is not installed; run tools/setup" % rctx.name)
    done = rctx.execute([tool] + list(args))
    if done.return_code != 0:
        fail("@%s: %s (run tools/setup)" % (rctx.name, done.stderr.strip()))
    return done.stdout.strip()

def _link_header(rctx, header, roots):
    for root in roots:
        found = rctx.path("%s/%s" % (root, header))
        if found.exists:
            rctx.symlink(found, "include/" + header)
            return
    fail("@%s: no %s in %s" % (rctx.name, header, ", ".join(roots)))

def _link_directory(rctx, header, roots):
    # A library may keep the headers of one machine type apart: both folders become one.
    for root in roots:
        directory = rctx.path("%s/%s" % (root, header))
        if directory.exists:
            for entry in directory.readdir():
                rctx.symlink(entry, "include/%s/%s" % (header, entry.basename))

def _system_library_impl(rctx):
    build = _LIBRARIES
    for name, module in rctx.attr.modules.items():
        libs = _pkg_config(rctx, "--libs", module).replace("\n", " ").split(" ")
        flags = rctx.attr.linkopts.get(name, []) + [flag for flag in libs if flag]
        build += _LIBRARY % (name, flags)

    include = _pkg_config(rctx, "--variable=includedir", rctx.attr.modules.values()[0])
    roots = [include, include + "/x86_64-linux-gnu"]
    for header in rctx.attr.headers:
        if header.endswith(".h"):
            _link_header(rctx, header, roots)
        else:
            _link_directory(rctx, header, roots)
    rctx.file("WORKSPACE", _WORKSPACE % rctx.name)
    rctx.file("BUILD.bazel", build)

system_library = repository_rule(
    implementation = _system_library_impl,
    doc = "A library known to pkg-config, as cc_library targets of the repository's root.",
    attrs = {
        "headers": attr.string_list(
            doc = "Headers, and folders of headers, that the targets bring.",
            mandatory = True,
        ),
        "linkopts": attr.string_list_dict(
            doc = "From a target's name to what it links before the module's own libraries.",
        ),
        "modules": attr.string_dict(
            doc = "From a target's name to the name that pkg-config knows.",
            mandatory = True,
        ),
    },
    environ = ["PKG_CONFIG_PATH"],
    local = True,
)

def _system_tool_impl(rctx):
    tool = rctx.which(rctx.attr.tool)
    if not tool:
        fail("@%s: %s is not installed; run tools/setup" % (rctx.name, rctx.attr.tool))
    rctx.symlink(tool, "bin/" + rctx.attr.tool)
    rctx.file("WORKSPACE", _WORKSPACE % rctx.name)
    rctx.file("BUILD.bazel", """\
filegroup(
    name = %r,
    srcs = [%r],
    visibility = ["//visibility:public"],
)
""" % (rctx.attr.tool, "bin/" + rctx.attr.tool))

system_tool = repository_rule(
    implementation = _system_tool_impl,
    doc = "A program found on the PATH, as a target of its own name.",
    attrs = {"tool": attr.string(mandatory = True)},
    environ = ["PATH"],
    local = True,
)
