"""What later Bazels bring and Bazel 4 does not.

Debian's Bazel works without a network, but names four repositories under every command, and would
download them. Two come from Debian's packages. Debian's rules_cc does not load in Debian's Bazel,
so that one is written here, as a thin layer over the rules that Bazel 4 has built in.
"""

_RULES_CC = {
    "WORKSPACE": 'workspace(name = "rules_cc")\n',
    "cc/BUILD.bazel": "",
    "cc/action_names.bzl": """\
load("@bazel_tools//tools/build_defs/cc:action_names.bzl", _names = "ACTION_NAMES")

ACTION_NAMES = _names
""",
    "cc/cc_toolchain_config_lib.bzl": """\
load(
    "@bazel_tools//tools/cpp:cc_toolchain_config_lib.bzl",
    _artifact_name_pattern = "artifact_name_pattern",
    _feature = "feature",
    _flag_group = "flag_group",
    _flag_set = "flag_set",
    _tool_path = "tool_path",
)

artifact_name_pattern = _artifact_name_pattern
feature = _feature
flag_group = _flag_group
flag_set = _flag_set
tool_path = _tool_path
""",
    "cc/defs.bzl": """\
load(
    "//cc:native.bzl",
    _CcInfo = "native_cc_info",
    _CcToolchainConfigInfo = "native_cc_toolchain_config_info",
    _cc_common = "native_cc_common",
)

CcInfo = _CcInfo
CcToolchainConfigInfo = _CcToolchainConfigInfo
cc_binary = native.cc_binary
cc_common = _cc_common
cc_import = native.cc_import
cc_library = native.cc_library
cc_proto_library = native.cc_proto_library
cc_test = native.cc_test
cc_toolchain = native.cc_toolchain
cc_toolchain_suite = native.cc_toolchain_suite
objc_library = native.objc_library
""",
    "cc/find_cc_toolchain.bzl": """\
load("@bazel_tools//tools/cpp:toolchain_utils.bzl", _find = "find_cpp_toolchain")

find_cc_toolchain = _find

def use_cc_toolchain():
    return ["@bazel_tools//tools/cpp:toolchain_type"]
""",
    # A file that exports a name cannot also read the built-in of that name.
    "cc/native.bzl": """\
native_cc_common = cc_common
native_cc_info = CcInfo
native_cc_toolchain_config_info = CcToolchainConfigInfo
""",
}

def _builtin_rules_cc_impl(rctx):
    for path, text in _RULES_CC.items():
        rctx.file(path, text)

_builtin_rules_cc = repository_rule(
    implementation = _builtin_rules_cc_impl,
    doc = "The labels of rules_cc over Bazel's built-in rules.",
)

def _no_coverage_tools_impl(rctx):
    rctx.file("WORKSPACE", "workspace(name = %r)\n" % rctx.name)
    rctx.file("BUILD.bazel", """\
filegroup(
    name = "coverage_report_generator",
    visibility = ["//visibility:public"],
)
""")

_no_coverage_tools = repository_rule(
    implementation = _no_coverage_tools_impl,
    doc = "Every test names the coverage tools, though only `bazel coverage` uses them.",
)

def _is_bazel4():
    # Debian's build is a "development version", which has no number here.
    version = native.bazel_version
    return not version or not version[0].isdigit() or version.startswith("4.")

def bazel4_repositories():
    """In Bazel 4, declares what it would download, unless the workspace has declared it."""
    if not _is_bazel4():
        return
    declared = native.existing_rules()
    if "rules_cc" not in declared:
        _builtin_rules_cc(name = "rules_cc")
    if "remote_coverage_tools" not in declared:
        _no_coverage_tools(name = "remote_coverage_tools")
    for name, path in {
        "bazel_skylib": "/usr/share/bazel/tools/skylib",
        "rules_java": "/usr/share/bazel/rules/java",
        "rules_proto": "/usr/share/bazel/rules/proto",
    }.items():
        if name not in declared:
            native.local_repository(name = name, path = path)
