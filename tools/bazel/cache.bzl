"""What tools/setup unpacks into the cache, outside the repository."""

def cached(rctx, kind, package):
    """The folder of a package in the cache, at the version that tools/packages.txt names.

    Args:
      rctx: of a repository rule with environ = CACHE_ENVIRON.
      kind: "source" or "npm".
      package: its name there.

    Returns:
      A path that exists.
    """
    prefix = "%s:%s " % (kind, package)
    versions = [
        line[len(prefix):]
        for line in rctx.read(Label("//tools:packages.txt")).split("\n")
        if line.startswith(prefix)
    ]
    if len(versions) != 1:
        fail("tools/packages.txt has no line, or several, for %s" % prefix)

    environ = rctx.os.environ
    cache = environ.get("STRATA_CACHE") or environ.get("HOME", "") + "/.cache/strata"
    path = rctx.path("%s/%s/%s-%s" % (cache, kind, package, versions[0]))
    if not path.exists:
        fail(("@%s: there is no %s. Run tools/setup, or declare a repository of that name before " +
              "strata_repositories().") % (rctx.name, path))
    return path

CACHE_ENVIRON = [
    "HOME",
    "STRATA_CACHE",
]

def _npm_tool_impl(rctx):
    tool = cached(rctx, "npm", rctx.attr.package).get_child(rctx.attr.path)
    rctx.symlink(tool, rctx.name)
    rctx.file("WORKSPACE", "workspace(name = %r)\n" % rctx.name)
    rctx.file("BUILD.bazel", "exports_files([%r])\n" % rctx.name)

npm_tool = repository_rule(
    implementation = _npm_tool_impl,
    doc = "A program of an npm package, as a file of the repository's own name.",
    attrs = {
        "package": attr.string(mandatory = True),
        "path": attr.string(
            doc = "The program's path in the package.",
            mandatory = True,
        ),
    },
    environ = CACHE_ENVIRON,
)

def _npm_package_impl(rctx):
    rctx.symlink(cached(rctx, "npm", rctx.attr.package), "package")
    rctx.file("WORKSPACE", "workspace(name = %r)\n" % rctx.name)
    rctx.file("BUILD.bazel", """\
filegroup(
    name = %r,
    srcs = glob(["package/**"]),
    visibility = ["//visibility:public"],
)

exports_files(["package/package.json"])
""" % rctx.name)

npm_package = repository_rule(
    implementation = _npm_package_impl,
    doc = "An npm package without dependencies: node's require() takes the folder `package`.",
    attrs = {"package": attr.string(mandatory = True)},
    environ = CACHE_ENVIRON,
)
