"""The external repositories that Strata is built from.

A workspace that uses Strata calls strata_repositories() after its own declarations. A repository
that it has declared by then, under the name used here, is taken instead of ours: so a newer Abseil
or an OpenSSL of one's own is a matter of declaring it first.
"""

load("@bazel_tools//tools/build_defs/repo:http.bzl", "http_archive")
load("//tools/bazel:abseil.bzl", "debian_abseil")
load("//tools/bazel:bazel4.bzl", "bazel4_repositories")
load("//tools/bazel:cache.bzl", "npm_package", "npm_tool")
load("//tools/bazel:system.bzl", "system_library", "system_tool")

def _declare(rule, name, **kwargs):
    if not native.existing_rule(name):
        rule(name = name, **kwargs)

def strata_repositories():
    """Declares each repository that the workspace has not declared itself."""
    bazel4_repositories()
    _declare(
        http_archive,
        name = "bazel_skylib",
        sha256 = "cd55a062e763b9349921f0f5db8c3933288dc8ba4f76dd9416aac68acee3cb94",
        urls = [
            "https://github.com/bazelbuild/bazel-skylib/releases/download/1.5.0/bazel-skylib-1.5.0.tar.gz",
        ],
    )
    _declare(
        http_archive,
        name = "rules_cc",
        sha256 = "2037875b9a4456dce4a79d112a8ae885bbc4aad968e6587dca6e64f3a0900cdf",
        strip_prefix = "rules_cc-0.0.9",
        urls = ["https://github.com/bazelbuild/rules_cc/archive/refs/tags/0.0.9.tar.gz"],
    )

    # Built from sources with the flags of the build, for sanitizers and Windows.
    _declare(debian_abseil, name = "com_google_absl")
    _declare(
        native.new_local_repository,
        name = "com_google_googletest",
        build_file = str(Label("//tools/bazel:googletest.BUILD")),
        path = "/usr/src/googletest",
    )

    # Linked as they are installed.
    _declare(
        system_library,
        name = "com_github_google_benchmark",
        headers = ["benchmark"],
        linkopts = {"benchmark_main": ["-lbenchmark_main"]},
        modules = {
            "benchmark": "benchmark",
            "benchmark_main": "benchmark",
        },
    )
    _declare(
        system_library,
        name = "brotli",
        headers = ["brotli"],
        modules = {
            "brotlidec": "libbrotlidec",
            "brotlienc": "libbrotlienc",
        },
    )
    _declare(
        system_library,
        name = "openssl",
        headers = ["openssl"],
        modules = {
            "crypto": "libcrypto",
            "ssl": "libssl",
        },
    )
    _declare(
        system_library,
        name = "simdjson",
        headers = ["simdjson.h"],
        modules = {"simdjson": "simdjson"},
    )
    _declare(
        system_library,
        name = "sqlite3",
        headers = [
            "sqlite3.h",
            "sqlite3ext.h",
        ],
        modules = {"sqlite3": "sqlite3"},
    )
    _declare(
        system_library,
        name = "zlib",
        headers = [
            "zconf.h",
            "zlib.h",
        ],
        modules = {"zlib": "zlib"},
    )
    _declare(
        system_library,
        name = "zstd",
        headers = [
            "zstd.h",
            "zstd_errors.h",
        ],
        modules = {"zstd": "libzstd"},
    )

    # Rivals of the benchmarks.
    _declare(
        system_library,
        name = "libsodium",
        headers = [
            "sodium",
            "sodium.h",
        ],
        modules = {"sodium": "libsodium"},
    )
    _declare(
        system_library,
        name = "libuv",
        headers = [
            "uv",
            "uv.h",
        ],
        modules = {"uv": "libuv"},
    )

    _declare(system_tool, name = "nasm", tool = "nasm")
    _declare(
        npm_tool,
        name = "buildifier",
        package = "@bazel/buildifier",
        path = "buildifier-linux_amd64",
    )
    _declare(npm_package, name = "npm_playwright_core", package = "playwright-core")
    _declare(npm_package, name = "npm_ws", package = "ws")
