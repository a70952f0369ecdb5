"""Abseil from the sources that tools/setup unpacks."""

load("//tools/bazel:cache.bzl", "CACHE_ENVIRON", "cached")

# What makes Debian's sources build here, file by file: [text, replacement].
_CHANGES = {
    # Debian's @platforms does not know these two; the older way of naming a machine type is valid.
    "absl/BUILD.bazel": [
        [
            'constraint_values = [\n        "@platforms//cpu:%s",\n    ]' % cpu,
            'values = {"cpu": "%s"}' % cpu,
        ]
        for cpu in ["wasm32", "wasm64"]
    ],
    # The standard library's types under Abseil's names, so that std::string_view and
    # absl::string_view are one. Debian builds its own binaries with 0.
    "absl/base/options.h": [
        ["#define ABSL_OPTION_USE_STD_%s 0" % name, "#define ABSL_OPTION_USE_STD_%s 2" % name]
        for name in ["ANY", "OPTIONAL", "STRING_VIEW", "VARIANT"]
    ],
    # Upstream knows Windows by its own compilers only, not by mingw.
    "absl/debugging/BUILD.bazel": [[
        '"//absl:clang-cl_compiler": ["-DEFAULTLIB:dbghelp.lib"],',
        '"//absl:clang-cl_compiler": ["-DEFAULTLIB:dbghelp.lib"],\n' +
        '        "@platforms//os:windows": ["-ldbghelp"],',
    ]],
}

def _debian_abseil_impl(rctx):
    source = cached(rctx, "source", "abseil")

    # A copy, for a link would have the cache's files changed.
    done = rctx.execute(["cp", "-R", str(source.get_child("absl")), "."])
    if done.return_code != 0:
        fail("@%s: %s" % (rctx.name, done.stderr))
    for path, changes in _CHANGES.items():
        text = rctx.read(path)
        for old, new in changes:
            if old not in text:
                fail("@%s: %s has no %r to change" % (rctx.name, path, old))
            text = text.replace(old, new)
        rctx.delete(path)
        rctx.file(path, text, executable = False)
    rctx.file("WORKSPACE", "workspace(name = %r)\n" % rctx.name)

debian_abseil = repository_rule(
    implementation = _debian_abseil_impl,
    doc = "Abseil from Debian's source package, unpacked into the cache by tools/setup.",
    environ = CACHE_ENVIRON,
)
