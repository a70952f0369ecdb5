#!/usr/bin/env python3
"""Tests of the programs: each does each work, on rows that it then finds, and with the settings
that the others have."""

import json
import os
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(sys.argv[0]))
SQL_PROGRAMS = ["sqlite", "strata", "soci_sqlite", "sqlitecpp"]
SQL_WORKS = ["direct", "trans", "batch", "batch-trans", "one", "one-trans", "all"]
MEMORY_WORKS = SQL_WORKS + ["find", "to-json", "from-json"]
STORAGES = ["full", "off", "exclusive", "memory"]
ROWS = 1234  # More than a batch, and no multiple of any.


class ProgramsTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(dir=os.environ.get("TEST_TMPDIR"))

    def tearDown(self):
        # They leave nothing.
        self.assertEqual(os.listdir(self.folder.name), [])
        self.folder.cleanup()

    def run_program(self, program, *arguments):
        return subprocess.run(
            [os.path.join(HERE, program), f"--folder={self.folder.name}", *arguments],
            check=False,
            capture_output=True,
            text=True,
        )

    def works(self, program, work, *arguments, rows=ROWS):
        with self.subTest(program=program, work=work, arguments=arguments):
            done = self.run_program(program, f"--work={work}", f"--rows={rows}", *arguments)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            seen = json.loads(done.stdout)
            self.assertEqual(seen["rows"], rows)
            self.assertGreater(seen["ns"], 0)

    def fails(self, complaint, program, *arguments):
        done = self.run_program(program, *arguments)
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertIn(complaint, done.stderr)

    def test_databases(self):
        for program in SQL_PROGRAMS:
            for storage in STORAGES:
                for work in SQL_WORKS:
                    synced = (storage, work) == ("full", "direct")
                    rows = 20 if synced else ROWS
                    self.works(program, work, f"--storage={storage}", rows=rows)

    def test_ways(self):
        for storage in ("off", "memory"):
            for work in ("batch", "batch-trans"):
                self.works("sqlite", work, f"--storage={storage}", "--how=values")
                self.works("strata", work, f"--storage={storage}", "--how=batch")
            self.works("strata", "all", f"--storage={storage}", "--how=select")

    def test_encrypted_files(self):
        for cipher in ("--cipher=gcm", "--cipher=ctr"):
            for work in SQL_WORKS:
                self.works("strata", work, "--storage=off", cipher)
            self.works("strata", "batch-trans", "--storage=off", cipher, "--rollback")
            self.works("strata", "all", "--storage=off", cipher, "--cold")

    def test_memory(self):
        for work in MEMORY_WORKS:
            self.works("memory_floor", work)
            self.works("memory", work)
        for work in SQL_WORKS:
            self.works("memory", work, "--storage=off")
        self.works("memory", "batch", "--storage=full")
        for work in ("batch-trans", "find-text", "all"):
            self.works("memory_floor", work, "--how=indexed")
            self.works("memory", work, "--how=indexed")

    def test_settings_are_the_same(self):
        for storage in STORAGES:
            for arguments in ([], ["--rollback"], ["--cache-bytes=1234567"]):
                said = set()
                for program in SQL_PROGRAMS:
                    done = self.run_program(
                        program, "--work=settings", f"--storage={storage}", *arguments
                    )
                    self.assertEqual((done.returncode, done.stderr), (0, ""))
                    said.add(done.stdout)
                self.assertEqual(len(said), 1, "\n".join(said))
                self.assertIn("PRAGMA synchronous: ", said.pop())

    def test_repeats_for_a_time(self):
        done = self.run_program("sqlite", "--work=all", "--rows=100", "--seconds=0.01")
        seen = json.loads(done.stdout)
        self.assertGreater(seen["rows"], 100)
        self.assertGreaterEqual(seen["ns"], 10_000_000)

    def test_says_what_it_does_not_know(self):
        self.fails("no work dirrect", "strata", "--work=dirrect")
        self.fails("no storage disk", "strata", "--work=direct", "--storage=disk")
        self.fails("no cipher aes", "strata", "--work=direct", "--storage=off", "--cipher=aes")
        self.fails("no way fast", "sqlite", "--work=direct", "--how=fast")
        self.fails("no JSON", "sqlite", "--work=to-json")


if __name__ == "__main__":
    unittest.main()
