"""What each library may depend on, and the check that its BUILD.bazel keeps to it."""

import ast
import os

# A library, or a target of it that has more than the library, and what it may use: libraries,
# single targets, external repositories. Each also may use what those may use.
LAYERS = {
    "mm": [],
    "crypto": ["mm", "crypto:crc32c", "@com_google_absl", "@openssl", "@simdjson"],
    "crypto:crc32c": [],
    "net": ["mm", "@com_google_absl"],
    "net:tls": ["net", "crypto"],
    "http": ["net", "@zlib"],
    "http:tls": ["http", "net:tls"],
    "http:auth": ["http", "crypto"],
    "http:brotli": ["http", "@brotli"],
    "http:zstd": ["http", "@zstd"],
    "ws": ["http"],
    "ws:tls": ["ws", "http:tls"],
    "orm": ["mm", "crypto:crc32c", "@com_google_absl", "@simdjson", "@sqlite3"],
    "orm:encrypted": ["orm", "crypto"],
    "orm/rest": ["orm", "http", "ws"],
}

# These see everything, and no library depends on them; a library's tests may use what "tests" has.
ABOVE = ("bench", "tests", "tools")

# A test or a benchmark may use these, and every target of its own library.
FOR_TESTS = {"tests", "@com_google_googletest", "@com_github_google_benchmark", "@npm_ws"}

# The build's own, which no program contains; "conditions" is of select().
OF_THE_BUILD = {"@bazel_tools", "@nasm", "@platforms", "@rules_cc", "conditions"}

# Attributes whose labels are no dependencies.
NOT_DEPENDENCIES = ("target_compatible_with", "visibility")


def layer_of(package, name):
    """The key in LAYERS of the target //package:name, or its top folder if that is no library."""
    if f"{package}:{name}" in LAYERS:
        return f"{package}:{name}"
    while package not in LAYERS and "/" in package:
        package = os.path.dirname(package)
    return package


def usable(layers):
    """What targets of all these layers may use, themselves included."""
    reached, todo = set(), list(layers)
    while todo:
        layer = todo.pop()
        if layer not in reached:
            reached.add(layer)
            todo += LAYERS.get(layer, [])
    return reached


def target_of(label, package):
    """What LAYERS calls the target of a label in a package's BUILD.bazel; None if that is no label.
    """
    if label.startswith(":"):
        return layer_of(package, label[1:])
    if label.startswith("@") and "//" in label:
        return label.split("//")[0]
    if label.startswith("//"):
        path, _, name = label[2:].partition(":")
        return layer_of(path, name or os.path.basename(path))
    return None


def strings(node, constants):
    """The strings, with their lines, of an expression and the file's constants named in it."""
    for part in ast.walk(node):
        if isinstance(part, ast.Constant) and isinstance(part.value, str):
            yield part.lineno, part.value
        elif isinstance(part, ast.Name) and part.id in constants:
            yield from strings(constants[part.id], {})


def check(path, text):
    """Yields (line, complaint) for each dependency of a BUILD.bazel that points up."""
    package = os.path.dirname(path)
    if not package or package.split("/")[0] in ABOVE:
        return
    if layer_of(package, "") not in LAYERS:
        yield 1, f"//{package} is no library of tools/tidy/layers.py"
        return

    # A BUILD file is written in a subset of Python.
    tree = ast.parse(text)
    constants = {
        node.targets[0].id: node.value
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
    }
    for call in ast.walk(tree):
        if not isinstance(call, ast.Call):
            continue
        attributes = {keyword.arg: keyword.value for keyword in call.keywords}
        name = getattr(attributes.get("name"), "value", "")
        if "name" not in attributes:
            continue
        rule = getattr(call.func, "id", "")
        layer = layer_of(package, name)
        if rule.endswith("_test") or "testonly" in attributes:
            library = layer_of(package, "")
            allowed = usable(key for key in LAYERS if key.split(":")[0] == library) | FOR_TESTS
        else:
            allowed = usable([layer])
        for attribute, value in attributes.items():
            if attribute in NOT_DEPENDENCIES:
                continue
            for line, label in strings(value, constants):
                target = target_of(label, package)
                if target and target not in allowed | OF_THE_BUILD:
                    yield line, f"//{package}:{name} may not depend on {label}"
