"""The mingw-w64 cross compiler, which builds 64-bit Windows programs on Linux.

It is the compiler's posix flavour, the one that has std::thread and std::mutex. Programs are linked
statically, so that a test is a single .exe.
"""

load("@rules_cc//cc:action_names.bzl", "ACTION_NAMES")
load(
    "@rules_cc//cc:cc_toolchain_config_lib.bzl",
    "artifact_name_pattern",
    "feature",
    "flag_group",
    "flag_set",
    "tool_path",
)
load("@rules_cc//cc:defs.bzl", "CcToolchainConfigInfo", "cc_common")

_TRIPLE = "x86_64-w64-mingw32"

_TOOLS = {
    "ar": "ar",
    "cpp": "cpp-posix",
    "gcc": "g++-posix",
    "gcov": "gcov-posix",
    "ld": "ld",
    "nm": "nm",
    "objcopy": "objcopy",
    "objdump": "objdump",
    "strip": "strip",
}

_COMPILE_ACTIONS = [
    ACTION_NAMES.assemble,
    ACTION_NAMES.c_compile,
    ACTION_NAMES.cpp_compile,
    ACTION_NAMES.cpp_header_parsing,
    ACTION_NAMES.linkstamp_compile,
    ACTION_NAMES.preprocess_assemble,
]

_LINK_ACTIONS = [
    ACTION_NAMES.cpp_link_dynamic_library,
    ACTION_NAMES.cpp_link_executable,
    ACTION_NAMES.cpp_link_nodeps_dynamic_library,
]

def _flags(name, actions, flags, enabled = True):
    return feature(
        name = name,
        enabled = enabled,
        flag_sets = [flag_set(actions = actions, flag_groups = [flag_group(flags = flags)])],
    )

def _mingw_cc_toolchain_config_impl(ctx):
    return cc_common.create_cc_toolchain_config_info(
        ctx = ctx,
        abi_libc_version = "mingw",
        abi_version = "mingw",
        artifact_name_patterns = [
            artifact_name_pattern(
                category_name = "executable",
                extension = ".exe",
                prefix = "",
            ),
            artifact_name_pattern(
                category_name = "dynamic_library",
                extension = ".dll",
                prefix = "",
            ),
        ],
        compiler = "mingw-gcc",
        cxx_builtin_include_directories = [
            "/usr/lib/gcc/" + _TRIPLE,
            "/usr/%s/include" % _TRIPLE,
            "/usr/share/mingw-w64/include",
        ],
        features = [
            feature(name = "supports_dynamic_linker"),
            # Bazel switches on the one that is named as the compilation mode.
            _flags("dbg", _COMPILE_ACTIONS, ["-g"], enabled = False),
            _flags("fastbuild", _COMPILE_ACTIONS, ["-O1"], enabled = False),
            _flags("opt", _COMPILE_ACTIONS, ["-O2", "-DNDEBUG"], enabled = False),
            _flags("compile", _COMPILE_ACTIONS, [
                "-D_WIN32_WINNT=0x0A00",
                "-DNOMINMAX",
                "-DWIN32_LEAN_AND_MEAN",
                # Else the paths of headers leave the sandbox.
                "-fno-canonical-system-headers",
            ]),
            # No time in the program: the same sources make the same bytes.
            _flags("link", _LINK_ACTIONS, ["-static", "-Wl,--no-insert-timestamp"]),
        ],
        host_system_name = "x86_64-linux-gnu",
        target_cpu = "x64_windows",
        target_libc = "mingw",
        target_system_name = _TRIPLE,
        tool_paths = [
            tool_path(name = name, path = "/usr/bin/%s-%s" % (_TRIPLE, program))
            for name, program in _TOOLS.items()
        ],
        toolchain_identifier = "mingw-w64-x86_64",
    )

mingw_cc_toolchain_config = rule(
    implementation = _mingw_cc_toolchain_config_impl,
    provides = [CcToolchainConfigInfo],
)
