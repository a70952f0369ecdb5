#!/usr/bin/env -S python3 -B
"""Looks at every file of a source tree, and prints what is not as it should be.

  tidy.py WORKSPACE BUILDIFIER

WORKSPACE is the file of that name at the tree's root, which may be a link to it; BUILDIFIER is the
program. Each line of the output is "path:line: complaint"; the exit status is 1 if there was one.
Lines that begin with "warning" do not count. A line with "tidy: ok" may hold any word.
"""

import os
import re
import subprocess
import sys

import layers

MAX_COLUMNS = 100
MAX_LINES = 800

CPP = (".cc", ".h")
NASM = (".asm", ".inc")
BAZEL = (".bzl", ".bazel", ".BUILD")
SCRIPT = (".py", ".sh")

# Warnings that do not fit: Bazel 4 has the shell rules built in, and no rules_shell to load them
# from; a macro of repositories has no name; short functions need no documentation.
BUILDIFIER_IGNORES = [
    "function-docstring",
    "module-docstring",
    "native-sh-binary",
    "native-sh-test",
    "unnamed-macro",
]

BANNED = [
    (re.compile(r"\b(TODO|FIXME|XXX)\b"), "write an issue, or do it"),  # tidy: ok
    (re.compile(r"(?<![\w.])/(work|root|home)/"), "a path of one machine"),  # tidy: ok
]

REGISTER = re.compile(
    r"\b([re]?(ax|bx|cx|dx|si|di|bp|sp|ip)|[abcd][lh]|(si|di|bp|sp)l|r\d+[dwb]?|[xyz]mm\d+"
    r"|[cdefgs]s)\b",
    re.IGNORECASE,
)
SIZE = re.compile(r"\b(byte|word|dword|qword|oword|yword|rel|wrt)\b", re.IGNORECASE)
# What may follow a name that is no operation but is being defined.
DEFINITION = re.compile(r"\s*(:|equ\b|d[bwdqoty]\b|res[bwdqoty]\b|times\b)")


def files(root):
    """The paths, from the root, of the tree's files: those that git knows or would add."""
    if os.path.exists(os.path.join(root, ".git")):
        command = ["git", "-C", root, "ls-files", "-z", "-co", "--exclude-standard"]
        names = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        found = [name for name in names.split("\0") if name]
    else:
        found = []
        for folder, folders, names in os.walk(root):
            folders[:] = [name for name in folders if not name.startswith("bazel-")]
            found += [os.path.relpath(os.path.join(folder, name), root) for name in names]
    # A file may be deleted and git not know yet; a link is looked at where it leads.
    return sorted(
        name
        for name in found
        if os.path.isfile(os.path.join(root, name)) and not os.path.islink(os.path.join(root, name))
    )


def is_script(path, text):
    return path.endswith(SCRIPT) or text.startswith("#!")


def check_text(path, text):
    """Any file: blanks, the end, words. Sources: columns."""
    if text and not text.endswith("\n"):
        yield text.count("\n") + 1, "no newline at the end"
    if text.endswith("\n\n"):
        yield text.count("\n"), "empty line at the end"
    narrow = path.endswith(CPP + NASM) or is_script(path, text)
    for number, line in enumerate(text.split("\n"), 1):
        if line != line.rstrip():
            yield number, "trailing blank"
        if "\t" in line:
            yield number, "tab"
        if narrow and len(line) > MAX_COLUMNS:
            yield number, f"{len(line)} columns, more than {MAX_COLUMNS}"
        if "tidy: ok" not in line:
            for pattern, why in BANNED:
                for match in pattern.finditer(line):
                    yield number, f"{match.group()}: {why}"


def check_nasm(text):
    """Operations, directives, registers and sizes are lower case; constants and labels are free."""
    for number, line in enumerate(text.split("\n"), 1):
        code = re.sub(r"'[^']*'|\"[^\"]*\"|`[^`]*`", "''", line).split(";")[0]
        statement = re.sub(r"^\s*[\w.$%]+:", "", code)
        operation = re.match(r"\s*(%?[A-Za-z]\w*)", statement)
        if operation and not DEFINITION.match(statement, operation.end()):
            if operation.group(1) != operation.group(1).lower():
                yield number, f"{operation.group(1)}: write it in lower case"
        for pattern in (REGISTER, SIZE):
            for match in pattern.finditer(code):
                if match.group() != match.group().lower():
                    yield number, f"{match.group()}: write it in lower case"


def is_public_header(path):
    parts = path.split("/")
    return (
        path.endswith(".h")
        and not path.endswith("_internal.h")
        and parts[0] not in layers.ABOVE
        and "testing" not in parts
    )


def check_header(path, text):
    """A public header opens with a page of documentation."""
    lines = text.split("\n")
    if lines[0] != f"// File: {os.path.basename(path)}":
        yield 1, f"a public header begins with: // File: {os.path.basename(path)}"
        return
    prose = 0
    for line in lines[1:]:
        if not line.startswith("//"):
            break
        prose += len(line) > len("// ")
    if prose < 3:
        yield 1, "a public header says at its head what it is for, in three lines or more"


def run(root, command, paths):
    """The output of a formatter that fails when it would change a file, else ""."""
    if not paths:
        return ""
    done = subprocess.run(command + paths, cwd=root, check=False, capture_output=True, text=True)
    return done.stdout + done.stderr if done.returncode else ""


def check_cpp_format(root, paths):
    output = run(root, ["clang-format-14", "--dry-run", "--Werror", "--style=file"], paths)
    seen = set()
    for path, line in re.findall(r"^([^\s:]+):(\d+):\d+: error", output, re.MULTILINE):
        if path not in seen:
            yield f"{path}:{line}: clang-format would change this file from here on"
        seen.add(path)
    if output and not seen:
        yield output


def check_bazel_format(root, paths, buildifier):
    warnings = ",".join(f"-{name}" for name in BUILDIFIER_IGNORES)
    output = run(root, [buildifier, "-mode=check", "-lint=warn", f"-warnings={warnings}"], paths)
    for line in output.split("\n"):
        if re.match(r"\S+:\d+: |\S+ # reformat", line):
            yield line.replace(" # reformat", ":1: buildifier would change this file")


def check_includes(path, text):
    """A header that ends in _internal.h is included by its own library alone."""
    folder = path.split("/")[0]
    for number, line in enumerate(text.split("\n"), 1):
        include = re.match(r'#include "strata/([^/]+)/.*_internal\.h"', line)
        if include and include.group(1) != folder and folder not in layers.ABOVE:
            yield number, f"a header of {include.group(1)} alone"


def check(root, buildifier):
    # What a fuzz target begins with may be any bytes.
    paths = [path for path in files(root) if "_corpus/" not in path]
    for path in paths:
        try:
            with open(os.path.join(root, path), encoding="utf-8") as file:
                text = file.read()
        except UnicodeDecodeError:
            yield f"{path}: not UTF-8"
            continue
        complaints = list(check_text(path, text))
        if path.endswith(NASM):
            complaints += check_nasm(text)
        if path.endswith(CPP):
            complaints += check_includes(path, text)
        if is_public_header(path):
            complaints += check_header(path, text)
        if os.path.basename(path) == "BUILD.bazel":
            complaints += layers.check(path, text)
        for number, complaint in sorted(complaints):
            yield f"{path}:{number}: {complaint}"
        if path.endswith(CPP + NASM + SCRIPT) and text.count("\n") > MAX_LINES:
            yield f"warning: {path} has {text.count(chr(10))} lines; {MAX_LINES} is long"
    yield from check_cpp_format(root, [path for path in paths if path.endswith(CPP)])
    bazel = [path for path in paths if path.endswith(BAZEL) or path.endswith("WORKSPACE")]
    yield from check_bazel_format(root, bazel, buildifier)


def main():
    workspace, buildifier = sys.argv[1:]
    root = os.path.dirname(os.path.realpath(workspace))
    complaints = list(check(root, os.path.abspath(buildifier)))
    for complaint in complaints:
        print(complaint)
    return 1 if any(not complaint.startswith("warning") for complaint in complaints) else 0


if __name__ == "__main__":
    sys.exit(main())
