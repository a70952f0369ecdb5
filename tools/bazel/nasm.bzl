"""nasm_library: x86-64 assembly, in NASM's syntax, as a dependency of C++ targets.

    nasm_library(
        name = "asm",
        srcs = ["copy.asm"],
        hdrs = ["abi.inc"],
    )

Each source becomes one object of the target platform's format, elf64 or win64. A file is included
by its path from the repository's root, `%include "mm/abi.inc"`, and only if `hdrs` lists it: the
sandbox holds nothing else. Warnings are errors.
"""

load("@rules_cc//cc:defs.bzl", "CcInfo", "cc_common")
load("@rules_cc//cc:find_cc_toolchain.bzl", "find_cc_toolchain", "use_cc_toolchain")

def _assemble(ctx, src):
    object = ctx.actions.declare_file(
        "_nasm/%s/%s.o" % (ctx.label.name, src.basename[:-len(".asm")]),
    )
    args = ctx.actions.args()
    args.add("-f", ctx.attr.format)
    args.add_all(["-w+all", "-Werror", "--reproducible"])
    if ctx.attr.format == "elf64" and ctx.var["COMPILATION_MODE"] != "opt":
        args.add_all(["-g", "-F", "dwarf"])

    # The root of the source's own repository, which is not the main one for a user of Strata.
    args.add("-I", (src.owner.workspace_root or ".") + "/")
    args.add_all(ctx.attr.defines, before_each = "-D")
    args.add("-o", object)
    args.add(src)
    ctx.actions.run(
        executable = ctx.file._nasm,
        arguments = [args],
        inputs = [src] + ctx.files.hdrs,
        outputs = [object],
        mnemonic = "Nasm",
        progress_message = "Assembling %s" % src.short_path,
    )
    return object

def _nasm_library_impl(ctx):
    toolchain = find_cc_toolchain(ctx)
    features = cc_common.configure_features(
        ctx = ctx,
        cc_toolchain = toolchain,
        requested_features = ctx.features,
        unsupported_features = ctx.disabled_features,
    )

    # Our assembly is position independent ("default rel"): one object serves all ways of linking.
    objects = depset([_assemble(ctx, src) for src in ctx.files.srcs])
    context, outputs = cc_common.create_linking_context_from_compilation_outputs(
        actions = ctx.actions,
        name = ctx.label.name,
        alwayslink = ctx.attr.alwayslink,
        cc_toolchain = toolchain,
        compilation_outputs = cc_common.create_compilation_outputs(
            objects = objects,
            pic_objects = objects,
        ),
        disallow_dynamic_library = True,
        feature_configuration = features,
        linking_contexts = [dep[CcInfo].linking_context for dep in ctx.attr.deps],
    )
    library = outputs.library_to_link
    archives = [library.static_library, library.pic_static_library] if library else []
    return [
        DefaultInfo(files = depset([archive for archive in archives if archive])),
        CcInfo(linking_context = context),
    ]

_nasm_library = rule(
    implementation = _nasm_library_impl,
    attrs = {
        "alwayslink": attr.bool(doc = "Link every object into a program, used or not."),
        "defines": attr.string_list(doc = "NAME or NAME=VALUE."),
        "deps": attr.label_list(
            doc = "Libraries that define what the sources declare extern.",
            providers = [CcInfo],
        ),
        "format": attr.string(values = ["elf64", "win64"]),
        "hdrs": attr.label_list(
            allow_files = [".inc"],
            doc = "Every file that the sources include.",
        ),
        "srcs": attr.label_list(
            allow_files = [".asm"],
            mandatory = True,
        ),
        "_cc_toolchain": attr.label(default = "@bazel_tools//tools/cpp:current_cc_toolchain"),
        "_nasm": attr.label(
            allow_single_file = True,
            cfg = "exec",
            default = "@nasm//:nasm",
        ),
    },
    fragments = ["cpp"],
    provides = [CcInfo],
    toolchains = use_cc_toolchain(),
)

def nasm_library(name, **kwargs):
    """Assembles sources for the target platform.

    Args:
      name: what the deps of a C++ target name.
      **kwargs: srcs, hdrs, deps, defines, alwayslink, and what every rule has.
    """
    _nasm_library(
        name = name,
        format = select({
            "@platforms//os:windows": "win64",
            "//conditions:default": "elf64",
        }),
        **kwargs
    )
