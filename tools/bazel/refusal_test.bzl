"""refusal_test: sources that have to be refused by the compiler, each with the right words."""

load("@rules_cc//cc:defs.bzl", "CcInfo", "cc_common")
load("@rules_cc//cc:find_cc_toolchain.bzl", "find_cc_toolchain", "use_cc_toolchain")

def _impl(ctx):
    toolchain = find_cc_toolchain(ctx)
    context = cc_common.merge_cc_infos(
        cc_infos = [dep[CcInfo] for dep in ctx.attr.deps],
    ).compilation_context
    flags = ["-std=c++20", "-I."]
    flags += ["-I" + path for path in context.includes.to_list()]
    for path in context.quote_includes.to_list() + context.system_includes.to_list():
        flags += ["-isystem", path]

    script = ctx.actions.declare_file(ctx.label.name + ".sh")
    ctx.actions.write(
        script,
        "#!/bin/sh\nexec %s %s %s %s\n" % (
            ctx.executable._check.short_path,
            ctx.file.src.short_path,
            toolchain.compiler_executable,
            " ".join(flags),
        ),
        is_executable = True,
    )

    # Where the flags look for them: from the runfiles' root as from the build's.
    headers = context.headers.to_list()
    runfiles = ctx.runfiles(
        files = [ctx.file.src],
        root_symlinks = {
            ctx.workspace_name + "/" + header.path: header
            for header in headers
        },
    ).merge(ctx.attr._check[DefaultInfo].default_runfiles)
    return [DefaultInfo(executable = script, runfiles = runfiles)]

refusal_test = rule(
    implementation = _impl,
    doc = """Compiles each case of a source and looks for its message among the compiler's.

    A case is the lines between "#if CASE == N  // MESSAGE" and "#endif", for N from 1 on; without a
    case the source has to compile. Fails for a case that compiles, or without its message.""",
    attrs = {
        "deps": attr.label_list(
            doc = "The libraries whose headers it includes.",
            providers = [CcInfo],
        ),
        "src": attr.label(
            doc = "The source.",
            allow_single_file = [".cc"],
            mandatory = True,
        ),
        "_check": attr.label(
            cfg = "target",
            default = "//tools/bazel:refusal_check",
            executable = True,
        ),
    },
    fragments = ["cpp"],
    test = True,
    toolchains = use_cc_toolchain(),
)
