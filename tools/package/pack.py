#!/usr/bin/env python3
"""Packs the tree that is installed below a prefix: pack.py SPEC.json OUT.tar

    lib/libstrata_NAME.a, lib/libstrata_mm.so
    lib/pkgconfig/strata-NAME.pc
    lib/cmake/strata/strata-config.cmake, strata-config-version.cmake
    include/strata/...                      ours: public headers, and what these include
    include/strata-abseil/absl/...          Abseil, as ours was compiled with it
    share/doc/strata/...

It can be moved: no file names the prefix.
"""

import io
import json
import posixpath
import re
import sys
import tarfile

ABSEIL = "include/strata-abseil"
INCLUDE = re.compile(rb'^\s*#\s*include\s*["<](strata/[^">]+)[">]', re.M)


def is_internal(path):
    return path.startswith("strata/") and path.endswith("_internal.h")


def headers_to_install(headers):
    """Where each header goes: public ones, and internal ones that a public one includes."""
    wanted = {}
    todo = [path for path in headers if not is_internal(path)]
    while todo:
        path = todo.pop()
        if path in wanted:
            continue
        if path not in headers:
            sys.exit(f"pack.py: {path} is included, but no installed library has it")
        with open(headers[path], "rb") as file:
            wanted[path] = file.read()
        if path.startswith("strata/"):
            todo += [found.decode() for found in INCLUDE.findall(wanted[path])]
    return {
        posixpath.join("include" if path.startswith("strata/") else ABSEIL, path): text
        for path, text in wanted.items()
    }


def archive_flags(library, prefix):
    """How a program links what is in the library itself, which may be nothing."""
    if not library["archive"]:
        return []
    flags = [prefix + posixpath.basename(library["archive"])]
    if library["whole"]:
        flags = ["-Wl,--whole-archive"] + flags + ["-Wl,--no-whole-archive"]
    return flags


def pkg_config(library, version):
    # By the file's name: of -lstrata_mm the linker would take the shared library.
    libs = archive_flags(library, "-l:")
    lines = [
        "prefix=${pcfiledir}/../..",
        "",
        f"Name: strata-{library['name']}",
        f"Description: {library['description']}",
        f"Version: {version}",
        "Requires: " + " ".join(f"strata-{name}" for name in library["requires"]),
        f"Cflags: -I${{prefix}}/include -I${{prefix}}/{ABSEIL}",
        " ".join(["Libs: -L${prefix}/lib"] + libs + library["linkopts"]),
    ]
    return "".join(line + "\n" for line in lines if line != "Requires: ")


CMAKE_HEAD = """\
# The libraries of Strata as imported targets, strata::http and so on. Needs CMake 3.13.
if(CMAKE_VERSION VERSION_LESS 3.13)
  message(FATAL_ERROR "strata: CMake 3.13 or newer is needed")
endif()
get_filename_component(_strata_prefix "${CMAKE_CURRENT_LIST_DIR}/../../.." ABSOLUTE)

# _strata_library(NAME WHAT-IT-LINKS...)
function(_strata_library name)
  if(TARGET strata::${name})
    return()
  endif()
  add_library(strata::${name} INTERFACE IMPORTED)
  set_target_properties(strata::${name} PROPERTIES
    INTERFACE_INCLUDE_DIRECTORIES
      "${_strata_prefix}/include;${_strata_prefix}/include/strata-abseil"
    INTERFACE_COMPILE_FEATURES cxx_std_20
    INTERFACE_LINK_LIBRARIES "${ARGN}")
endfunction()

"""

CMAKE_TAIL = """
foreach(_strata_component IN LISTS strata_FIND_COMPONENTS)
  if(TARGET strata::${_strata_component})
    set(strata_${_strata_component}_FOUND TRUE)
  elseif(strata_FIND_REQUIRED_${_strata_component})
    set(strata_FOUND FALSE)
    set(strata_NOT_FOUND_MESSAGE "strata has no library \\"${_strata_component}\\"")
  endif()
endforeach()
"""

CMAKE_VERSION = """\
set(PACKAGE_VERSION {version})
# Before 1.0 a minor version may change what a program relies on.
if(PACKAGE_FIND_VERSION VERSION_GREATER PACKAGE_VERSION OR
   NOT "${{PACKAGE_FIND_VERSION_MAJOR}}.${{PACKAGE_FIND_VERSION_MINOR}}" VERSION_EQUAL "{minor}")
  set(PACKAGE_VERSION_COMPATIBLE FALSE)
else()
  set(PACKAGE_VERSION_COMPATIBLE TRUE)
endif()
if(PACKAGE_FIND_VERSION VERSION_EQUAL PACKAGE_VERSION)
  set(PACKAGE_VERSION_EXACT TRUE)
endif()
"""


def cmake(libraries):
    text = CMAKE_HEAD
    for library in libraries:
        link = archive_flags(library, "${_strata_prefix}/lib/")
        link += [f"strata::{name}" for name in library["requires"]] + library["linkopts"]
        text += f'_strata_library({" ".join([library["name"]] + link)})\n'
    return text + CMAKE_TAIL


def files_of(spec):
    """The tree: from a path below the prefix to bytes and mode."""
    with open(spec["version"], encoding="utf-8") as file:
        version = file.read().strip()
    files = {path: (text, 0o644) for path, text in headers_to_install(spec["headers"]).items()}

    def copy(folder, path, mode):
        with open(path, "rb") as file:
            files[posixpath.join(folder, posixpath.basename(path))] = (file.read(), mode)

    for library in spec["libraries"]:
        if library["archive"]:
            copy("lib", library["archive"], 0o644)
        text = pkg_config(library, version)
        files[f"lib/pkgconfig/strata-{library['name']}.pc"] = (text.encode(), 0o644)
    for path in spec["shared"]:
        copy("lib", path, 0o755)
    for path in spec["documents"]:
        copy("share/doc/strata", path, 0o644)
    text = CMAKE_VERSION.format(version=version, minor=".".join(version.split(".")[:2]))
    files["lib/cmake/strata/strata-config-version.cmake"] = (text.encode(), 0o644)
    files["lib/cmake/strata/strata-config.cmake"] = (cmake(spec["libraries"]).encode(), 0o644)
    return files


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        spec = json.load(file)
    with tarfile.open(sys.argv[2], "w", format=tarfile.GNU_FORMAT) as tar:
        for path, (data, mode) in sorted(files_of(spec).items()):
            # Owner and time are those of nobody, so that the same inputs give the same bytes.
            entry = tarfile.TarInfo(path)
            entry.size = len(data)
            entry.mode = mode
            tar.addfile(entry, io.BytesIO(data))


if __name__ == "__main__":
    main()
