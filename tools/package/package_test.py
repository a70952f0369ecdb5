#!/usr/bin/env python3
"""Installs the tree, and uses it as strangers do: pkg-config, CMake, LD_PRELOAD, a Debian package.

    package_test.py UNPACK TREE VERSION
"""

import os
import re
import subprocess
import sys
import tempfile
import unittest
import urllib.request

UNPACK, TREE, VERSION = (os.path.abspath(path) for path in sys.argv[1:4])

SERVER = """\
#include <cstdio>
#include "strata/http/server.h"

int main() {
  strata::http::Router router;
  router.Get("/hello/{name}", [](strata::http::Request& request, strata::http::Response& response) {
    response.Send("Hello, " + std::string(request.param("name")) + "!");
  });
  auto server = strata::http::Server::Create(std::move(router), {.address = "127.0.0.1:0"});
  if (!server.ok()) return 1;
  std::printf("%s\\n", (*server)->address().ToString().c_str());
  std::fflush(stdout);
  return (*server)->RunUntilSignal().ok() ? 0 : 1;
}
"""

DATABASE = """\
#include <cstdint>
#include <cstdio>
#include <string>
#include "strata/mm/mm.h"
#include "strata/orm/database.h"
#include "strata/orm/table.h"

struct Person {
  std::int64_t id = 0;
  std::string name;
};
STRATA_TABLE(Person, id, name);

int main() {
  auto database = strata::orm::Database::Open(":memory:", strata::orm::Schema::Of<Person>());
  if (!database.ok()) return 1;
  Person ada{.name = "Ada"};
  if (!(*database)->Insert(&ada).ok()) return 1;
  auto found = (*database)->Get<Person>(ada.id);
  struct strata_mm_stats stats;
  strata_mm_get_stats(&stats);
  std::printf("%s, %d\\n", found.ok() ? found->name.c_str() : "?", stats.live_bytes > 0);
}
"""

CMAKE = """\
cmake_minimum_required(VERSION 3.13)
project(stranger CXX)
find_package(strata 0.1 REQUIRED COMPONENTS orm malloc)
add_executable(database database.cc)
target_link_libraries(database strata::orm strata::malloc)
"""


def run(*command, **kwargs):
    done = subprocess.run(
        command, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **kwargs
    )
    if done.returncode != 0:
        raise AssertionError(f"{' '.join(command)} gave {done.returncode}:\n{done.stdout}")
    return done.stdout


class PackageTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.prefix = os.path.join(cls.folder.name, "prefix")
        with open(VERSION, encoding="utf-8") as file:
            cls.version = file.read().strip()
        cls.told = run(UNPACK, TREE, cls.version, cls.prefix)

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def path(self, *parts):
        return os.path.join(self.folder.name, *parts)

    def write(self, name, text):
        os.makedirs(os.path.dirname(self.path(name)), exist_ok=True)
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(text)
        return self.path(name)

    def pkg_config(self, *arguments):
        environment = dict(os.environ, PKG_CONFIG_PATH=self.path("prefix/lib/pkgconfig"))
        return run("pkg-config", *arguments, env=environment).split()

    def compile(self, source, output, package):
        flags = self.pkg_config("--cflags", "--libs", package)
        run("g++", "-std=c++20", source, "-o", output, *flags)

    def modules(self):
        names = os.listdir(self.path("prefix/lib/pkgconfig"))
        return sorted(name[: -len(".pc")] for name in names)

    def test_says_where_things_are(self):
        self.assertIn(f"Strata {self.version} in {self.prefix}", self.told)

    def test_no_file_names_the_prefix_or_the_build(self):
        for folder, _, names in os.walk(self.path("prefix/lib")):
            for name in names:
                if name.endswith((".pc", ".cmake")):
                    with open(os.path.join(folder, name), encoding="utf-8") as file:
                        text = file.read()
                    self.assertNotIn(self.folder.name, text)
                    self.assertNotIn("bazel", text)

    def test_pkg_config_knows_each_library(self):
        self.assertIn("strata-http", self.modules())
        for module in self.modules():
            self.assertEqual(self.pkg_config("--modversion", module), [self.version])
            flags = self.pkg_config("--cflags", "--libs", module)
            for flag in flags:
                if flag.startswith("-l:"):
                    self.assertTrue(os.path.exists(self.path("prefix/lib", flag[3:])), flag)

    def test_plain_http_needs_no_openssl(self):
        self.assertNotIn("-lssl", self.pkg_config("--libs", "strata-http"))
        self.assertIn("-lssl", self.pkg_config("--libs", "strata-http-tls"))

    def test_every_public_header_compiles_without_others(self):
        root = self.path("prefix/include")
        headers = []
        for folder, _, names in os.walk(os.path.join(root, "strata")):
            headers += [os.path.relpath(os.path.join(folder, name), root) for name in names]
        public = sorted(name for name in headers if not name.endswith("_internal.h"))
        self.assertGreater(len(public), 100)
        # In one file, in which each finds what those before it have not brought: alphabetically,
        # and once in the opposite order.
        for name, order in (("all.cc", public), ("reversed.cc", public[::-1])):
            source = self.write(name, "".join(f'#include "{header}"\n' for header in order))
            flags = self.pkg_config("--cflags", *self.modules())
            run("g++", "-std=c++20", "-fsyntax-only", "-Wall", "-Wextra", "-Werror", source, *flags)

    def test_a_server_by_pkg_config(self):
        source = self.write("server.cc", SERVER)
        self.compile(source, self.path("server"), "strata-http")
        preload = dict(
            os.environ, LD_PRELOAD=self.path("prefix/lib/libstrata_mm.so"), STRATA_MM="stats=1"
        )
        with subprocess.Popen(
            [self.path("server")],
            env=preload,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as server:
            try:
                address = server.stdout.readline().strip()
                with urllib.request.urlopen(f"http://{address}/hello/you", timeout=30) as answer:
                    self.assertEqual(answer.read(), b"Hello, you!")
            finally:
                server.terminate()
            _, errors = server.communicate(timeout=30)
        self.assertEqual(server.returncode, 0)
        self.assertRegex(errors, re.compile("arenas", re.I))  # The preloaded allocator's figures.

    def test_a_database_by_cmake_with_the_allocator_linked(self):
        self.write("cmake/database.cc", DATABASE)
        self.write("cmake/CMakeLists.txt", CMAKE)
        run(
            "cmake",
            "-S",
            self.path("cmake"),
            "-B",
            self.path("cmake/build"),
            f"-DCMAKE_PREFIX_PATH={self.prefix}",
        )
        run("cmake", "--build", self.path("cmake/build"))
        self.assertEqual(run(self.path("cmake/build/database")), "Ada, 1\n")

    def test_cmake_names_a_library_that_there_is_not(self):
        self.write("typo/CMakeLists.txt", CMAKE.replace("COMPONENTS orm", "COMPONENTS orn"))
        self.write("typo/database.cc", DATABASE)
        done = subprocess.run(
            [
                "cmake",
                "-S",
                self.path("typo"),
                "-B",
                self.path("typo/build"),
                f"-DCMAKE_PREFIX_PATH={self.prefix}",
            ],
            check=False,
            capture_output=True,
            text=True,
        )
        self.assertNotEqual(done.returncode, 0)
        self.assertIn('strata has no library "orn"', done.stderr)

    def test_a_debian_package(self):
        package = self.path("strata.deb")
        run(UNPACK, TREE, self.version, "--deb", package)
        self.assertEqual(run("dpkg-deb", "-f", package, "Version").strip(), self.version)
        run("dpkg-deb", "-x", package, self.path("root"))
        for name in ("lib/libstrata_mm.so", "include/strata/http/server.h"):
            self.assertTrue(os.path.exists(self.path("root/usr", name)), name)
        contents = run("dpkg-deb", "-c", package)
        owners = {line.split()[1] for line in contents.splitlines()}
        self.assertEqual(owners, {"root/root"})

    def test_refusals_name_the_reason(self):
        file = self.write("file", "")
        for arguments, reason in (
            (["--prefix", "x"], "--prefix? usage"),
            (["--deb"], "--deb wants one file"),
            (["--deb", self.path("none/x.deb")], "no such folder"),
            ([self.path("a"), self.path("b")], "one prefix, please"),
            ([file], "cannot be written"),
        ):
            done = subprocess.run(
                [UNPACK, "--check", *arguments], check=False, capture_output=True, text=True
            )
            self.assertEqual(done.returncode, 1, arguments)
            self.assertIn(reason, done.stderr)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
