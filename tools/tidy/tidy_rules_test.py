#!/usr/bin/env -S python3 -B
"""Plants one fault at a time in a small tree, and expects tidy to find that one and no other.

  tidy_rules_test.py CLANG_FORMAT_STYLE BUILDIFIER
"""

import os
import shutil
import sys
import tempfile
import unittest

import tidy

STYLE, BUILDIFIER = (os.path.abspath(argument) for argument in sys.argv[1:3])

HEADER = """\
// File: loop.h
//
// An event loop.
// One thread runs it,
// and no other touches it.

#ifndef STRATA_NET_LOOP_H_
#define STRATA_NET_LOOP_H_

#endif  // STRATA_NET_LOOP_H_
"""

ASSEMBLY = """\
; A comment may say RAX, and an "ADD".
%include "mm/abi.inc"

SYS_mmap equ 9

section .text

Label_Of_Ours:
        mov     rax, SYS_mmap           ; RAX again
        db      "MOV AX"
.Local: ret
"""

BUILD = """\
load("@rules_cc//cc:defs.bzl", "cc_library", "cc_test")

DEPS = ["//mm"]

cc_library(
    name = "net",
    hdrs = ["loop.h"],
    target_compatible_with = ["@platforms//os:linux"],
    visibility = ["//http:__subpackages__"],
    deps = DEPS + ["@com_google_absl//absl/status"],
)

cc_library(
    name = "tls",
    deps = [
        ":net",
        "//crypto",
    ],
)

cc_test(
    name = "tls_test",
    srcs = ["tls_test.cc"],
    deps = [
        ":tls",
        "@com_google_googletest//:gtest_main",
    ],
)
"""

CLEAN = {
    "mm/mm.asm": ASSEMBLY,
    "net/BUILD.bazel": BUILD,
    "net/loop.h": HEADER,
    "net/loop.cc": "int main() { return 0; }\n",
    "net/loop_internal.h": "int Private();\n",
    "tests/BUILD.bazel": BUILD.replace("//mm", "//orm/rest"),
    "tools/run": "#!/bin/bash\nset -euo pipefail\n",
}


class TidyTest(unittest.TestCase):
    def check(self, changes):
        """What tidy says of the clean tree with some files changed."""
        root = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, root)
        shutil.copy(STYLE, os.path.join(root, ".clang-format"))
        for path, text in {**CLEAN, **changes}.items():
            os.makedirs(os.path.join(root, os.path.dirname(path)), exist_ok=True)
            with open(os.path.join(root, path), "w", encoding="utf-8") as file:
                file.write(text)
        return list(tidy.check(root, BUILDIFIER))

    def expect(self, path, text, *complaints):
        """With this text at this path, tidy has exactly these complaints, in part."""
        found = self.check({path: text})
        self.assertEqual(len(found), len(complaints), found)
        for line, complaint in zip(found, complaints):
            self.assertIn(complaint, line)
            self.assertIn(path, line)

    def test_a_clean_tree(self):
        self.assertEqual(self.check({}), [])

    def test_blanks_and_ends(self):
        self.expect("net/README.md", "a \n", ":1: trailing blank")
        self.expect("net/README.md", "a\n\tb\n", ":2: tab")
        self.expect("net/README.md", "a", ":1: no newline at the end")
        self.expect("net/README.md", "a\n\n", ":2: empty line at the end")

    def test_columns(self):
        self.expect("tools/run", "#!/bin/bash\n# " + 98 * "a" + "\n")
        self.expect("tools/run", "#!/bin/bash\n# " + 99 * "a" + "\n", ":2: 101 columns")
        self.expect("mm/mm.asm", "; " + 99 * "a" + "\n", ":1: 101 columns")
        self.expect("net/README.md", 200 * "a" + "\n")

    def test_words(self):
        unfinished = "TO" + "DO"
        self.expect("net/README.md", f"{unfinished} later\n", f":1: {unfinished}")
        self.expect("net/README.md", f"{unfinished} later, tidy: ok\n")
        self.expect("tools/run", "#!/bin/bash\ncd /" + "root/x\n", ":2: /" + "root/")

    def test_long_files_are_only_warned_of(self):
        self.expect("mm/mm.asm", 801 * "; a\n", "warning: ")

    def test_assembly_is_lower_case(self):
        self.expect("mm/mm.asm", "        MOV     rax, 1\n", ":1: MOV")
        self.expect("mm/mm.asm", "        mov     RAX, 1\n", ":1: RAX")
        self.expect("mm/mm.asm", "a:      mov     rax, QWORD [rdi]\n", ":1: QWORD")
        self.expect("mm/mm.asm", "SECTION .text\n", ":1: SECTION")
        self.expect("mm/mm.asm", "%DEFINE a 1\n", ":1: %DEFINE")

    def test_cpp_format(self):
        self.expect("net/loop.cc", "int  main() { return 0; }\n", ":1: clang-format")

    def test_bazel_format(self):
        self.expect("net/BUILD.bazel", 'exports_files( ["a"])\n', "buildifier")
        self.expect(
            "net/BUILD.bazel",
            'load("@rules_cc//cc:defs.bzl", "cc_library", "cc_test")\n\ncc_library(name = "net")\n',
            ":1: load: ",
        )

    def test_public_headers_are_documented(self):
        self.expect("net/loop.h", HEADER.replace("loop.h", "pool.h"), ":1: a public header begins")
        short = HEADER.replace("// and no other touches it.\n", "")
        self.expect("net/loop.h", short, ":1: a public header says")

    def test_internal_headers_stay_in_their_library(self):
        include = '#include "strata/{}/loop_internal.h"\n'
        self.expect("net/loop.cc", include.format("net"))
        self.expect("net/loop.cc", include.format("mm"), ":1: a header of mm alone")

    def test_dependencies_point_down(self):
        for old, new, complaint in [
            ('"//mm"]', '"//http"]', ":3: //net:net may not depend on //http"),
            ('"//mm"]', '"//crypto"]', ":3: //net:net may not depend on //crypto"),
            ('"//mm"]', '":tls"]', ":3: //net:net may not depend on :tls"),
            ('"//mm"]', '"@openssl//:ssl"]', ":3: //net:net may not depend on @openssl//:ssl"),
            ('"//mm"]', '"//tests:x"]', ":3: //net:net may not depend on //tests:x"),
            ("//crypto", "//http:tls", ":17: //net:tls may not depend on //http:tls"),
            ('":tls",', '"//orm",', ":25: //net:tls_test may not depend on //orm"),
        ]:
            with self.subTest(new):
                found = [
                    line
                    for line in self.check({"net/BUILD.bazel": BUILD.replace(old, new)})
                    if "buildifier" not in line
                ]
                self.assertEqual(found, [f"net/BUILD.bazel{complaint}"])

    def test_every_folder_has_a_layer(self):
        self.expect("html/BUILD.bazel", BUILD, ":1: //html is no library")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
