"""What `tools/install` lays out: static libraries, their headers, and how to link them.

    installed_library(
        name = "http",
        description = "HTTP/1.1 servers and clients",
        requires = [":net"],
        deps = ["//http:server"],
    )

    installed_tree(
        name = "tree",
        libraries = [":http", ...],
    )
"""

load("@rules_cc//cc:defs.bzl", "CcInfo")
load("@rules_cc//cc:find_cc_toolchain.bzl", "find_cc_toolchain", "use_cc_toolchain")

InstalledInfo = provider(
    doc = "An installed library.",
    fields = {
        "archive": "File: all of its objects that no library in `requires` has; None without any.",
        "closure": "depset of what it and all that it requires link, by a text that names it.",
        "contents": "list of string: the targets whose objects it has.",
        "description": "string",
        "headers": "list of File: ours, or those of the one workspace that it is made of.",
        "linkopts": "list of string: system libraries.",
        "name": "string",
        "requires": "list of string: names of libraries.",
        "whole": "bool: every object must be linked, used or not.",
    },
)

def _key(linker_input):
    return "%s %s" % (linker_input.owner, linker_input.user_link_flags)

def _objects(library):
    # Position independent ones serve programs and shared libraries alike.
    return library.pic_objects or library.objects

def _archive(ctx, objects):
    toolchain = find_cc_toolchain(ctx)
    archive = ctx.actions.declare_file("lib/libstrata_%s.a" % ctx.label.name.replace("-", "_"))
    args = ctx.actions.args()
    args.add("qcsD")  # Not "r": members may have the same name.
    args.add(archive)
    args.add_all(objects)
    ctx.actions.run(
        executable = toolchain.ar_executable,
        arguments = [args],
        inputs = depset(objects, transitive = [toolchain.all_files]),
        outputs = [archive],
        mnemonic = "Archive",
    )
    return archive

def _installed_library_impl(ctx):
    workspace = ctx.attr.workspace or ctx.label.workspace_name
    required = depset(transitive = [dep[InstalledInfo].closure for dep in ctx.attr.requires])
    known = {key: None for key in required.to_list()}
    inputs = depset(transitive = [
        dep[CcInfo].linking_context.linker_inputs
        for dep in ctx.attr.deps
    ]).to_list()

    objects = []
    linkopts = []
    own_keys = []
    contents = []
    whole = False
    for linker_input in inputs:
        owner = linker_input.owner.workspace_name
        own = owner == workspace
        if _key(linker_input) in known or (not own and (linker_input.libraries or ctx.attr.workspace)):
            continue
        own_keys.append(_key(linker_input))
        linkopts += [flag for flag in linker_input.user_link_flags if flag not in linkopts]
        if linker_input.libraries:
            contents.append(str(linker_input.owner))
        for library in linker_input.libraries:
            objects += _objects(library)
            whole = whole or library.alwayslink

    archive = _archive(ctx, objects) if objects else None
    headers = depset(transitive = [
        dep[CcInfo].compilation_context.headers
        for dep in ctx.attr.deps
    ]).to_list()
    return [
        DefaultInfo(files = depset([archive] if archive else [])),
        InstalledInfo(
            archive = archive,
            closure = depset(own_keys, transitive = [required]),
            contents = contents,
            description = ctx.attr.description,
            headers = [h for h in headers if h.owner.workspace_name == workspace],
            linkopts = linkopts,
            name = ctx.label.name,
            requires = [dep.label.name for dep in ctx.attr.requires],
            whole = whole,
        ),
    ]

installed_library = rule(
    implementation = _installed_library_impl,
    doc = "One archive of what some targets link, without what other libraries have of it.",
    attrs = {
        "deps": attr.label_list(mandatory = True, providers = [CcInfo]),
        "description": attr.string(mandatory = True),
        "requires": attr.label_list(providers = [InstalledInfo]),
        "workspace": attr.string(doc = "Take what this one has, instead of what is ours."),
        "_cc_toolchain": attr.label(default = "@bazel_tools//tools/cpp:current_cc_toolchain"),
    },
    fragments = ["cpp"],
    toolchains = use_cc_toolchain(),
)

# Where a header is found by those who include it.
def _include_path(header):
    virtual = header.path.split("/_virtual_includes/")
    if len(virtual) == 2:
        return virtual[1].partition("/")[2]
    if header.owner.workspace_root:
        return header.path.rpartition(header.owner.workspace_root + "/")[2]
    return None  # The file behind a virtual one.

def _installed_tree_impl(ctx):
    libraries = [dep[InstalledInfo] for dep in ctx.attr.libraries]
    homes = {}
    headers = {}
    plan = []
    inputs = []
    for library in libraries:
        for header in library.headers:
            path = _include_path(header)
            if path:
                headers[path] = header
        for target in library.contents:
            if target in homes:
                fail("%s is in two libraries: %s and %s" % (target, homes[target], library.name))
            homes[target] = library.name
        if library.archive:
            inputs.append(library.archive)
        plan.append(struct(
            name = library.name,
            description = library.description,
            archive = library.archive.path if library.archive else None,
            linkopts = library.linkopts,
            requires = library.requires,
            whole = library.whole,
        ))
    inputs += headers.values()
    spec = ctx.actions.declare_file(ctx.label.name + ".json")
    ctx.actions.write(spec, struct(
        libraries = plan,
        headers = {path: header.path for path, header in headers.items()},
        shared = [file.path for file in ctx.files.shared],
        documents = [file.path for file in ctx.files.documents],
        version = ctx.file.version.path,
    ).to_json())
    tree = ctx.actions.declare_file(ctx.label.name + ".tar")
    ctx.actions.run(
        executable = ctx.executable._pack,
        arguments = [spec.path, tree.path],
        inputs = inputs + [spec, ctx.file.version] + ctx.files.shared + ctx.files.documents,
        outputs = [tree],
        mnemonic = "Pack",
    )
    return [DefaultInfo(files = depset([tree]), runfiles = ctx.runfiles([tree]))]

installed_tree = rule(
    implementation = _installed_tree_impl,
    doc = "A tar of what is installed below a prefix: lib, include, pkg-config and CMake files.",
    attrs = {
        "documents": attr.label_list(allow_files = True),
        "libraries": attr.label_list(mandatory = True, providers = [InstalledInfo]),
        "shared": attr.label_list(allow_files = True, doc = "Shared libraries."),
        "version": attr.label(allow_single_file = True, mandatory = True),
        "_pack": attr.label(cfg = "exec", default = ":pack", executable = True),
    },
)
