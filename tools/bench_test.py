#!/usr/bin/env python3
"""What tools/bench reads from tables, keeps, and says of two runs: bench_test.py BENCH"""

import contextlib
import io
import json
import os
import subprocess
import sys
import tempfile
import unittest
import xml.dom.minidom

import load_script

BENCH = sys.argv[1]

bench = load_script.load("bench", BENCH)

TEXT = """\
2026-12-01, some machine

| Hello, 64 connections | us/request | x floor | slices from | busy |
|---|---|---|---|---|
| floor | 3.86 | 1.000 | 1.00 | 0.99 |
| strata | 4.25 | 1.106 | 0.88 | 0.43 (too idle) |

| :memory: | who | rows/s | x first |
|---|---|---|---|
| trans | SQLite | 1579 k | 1.000 |
| trans | A <B> & C | 611 k | 0.387 |

| CPU s, peak MB | glibc | strata x |
|---|---|---|
| cfrac | 1.31, 1.5 | 0.88, 1.06 |
| broken | ERROR | - |

| 16 B only | strata | strata/floor |
|---|---|---|
| 16 B | 145 | 0.64 |

no | table
"""


class BenchTest(unittest.TestCase):
    def setUp(self):
        self.tables = bench.tables_of(TEXT)

    def test_finds_tables_and_what_their_rows_are_called(self):
        self.assertEqual(
            [table["title"] for table in self.tables],
            ["Hello, 64 connections", ":memory:", "CPU s, peak MB", "16 B only"],
        )
        self.assertEqual(
            [row["name"] for row in self.tables[1]["rows"]], ["trans SQLite", "trans A <B> & C"]
        )
        self.assertEqual(self.tables[0]["columns"][0], "us/request")

    def test_takes_ratios_and_nothing_else(self):
        ratios = [list(bench.ratios_of(table)) for table in self.tables]
        self.assertEqual(ratios[0], [("x floor", [("floor", 1.0), ("strata", 1.106)])])
        self.assertEqual(
            ratios[1], [("x first", [("trans SQLite", 1.0), ("trans A <B> & C", 0.387)])]
        )
        self.assertEqual(ratios[2], [("strata x", [("cfrac", 0.88)])])
        self.assertEqual(ratios[3], [("strata/floor", [("16 B", 0.64)])])

    def report(self, text):
        return {"date": "d", "machine": "m", "areas": {"http": bench.tables_of(text)}}

    def test_says_what_has_moved(self):
        lines = bench.compare(self.report(TEXT), self.report(TEXT.replace("1.106", "1.300")))
        self.assertEqual(
            lines, ["http, Hello, 64 connections, strata, x floor: 1.106 -> 1.3 (+18 %)"]
        )
        self.assertEqual(bench.compare(self.report(TEXT), self.report(TEXT)), [])
        self.assertEqual(
            bench.compare(self.report(TEXT), self.report(TEXT.replace("1.106", "1.120"))), []
        )

    def test_keeps_json_a_page_and_pictures(self):
        with tempfile.TemporaryDirectory() as folder:
            bench.write(folder, self.report(TEXT), TEXT)
            with open(os.path.join(folder, "report.json"), encoding="utf-8") as file:
                self.assertEqual(json.load(file), self.report(TEXT))
            with open(os.path.join(folder, "report.md"), encoding="utf-8") as file:
                page = file.read()
            pictures = [name for name in os.listdir(folder) if name.endswith(".svg")]
            self.assertEqual(len(pictures), 4)
            for name in pictures:
                self.assertIn(f"![]({name})", page)
                xml.dom.minidom.parse(os.path.join(folder, name))

    def test_refusals_name_the_reason(self):
        for arguments, reason in (
            (["--area", "htp"], 'no "htp"; there are mm, net, http'),
            (["--compare", "/none"], "is no report of tools/bench"),
            (["--compare", BENCH], "is no report of tools/bench"),
        ):
            done = subprocess.run([BENCH, *arguments], check=False, capture_output=True, text=True)
            self.assertEqual(done.returncode, 2, arguments)
            self.assertIn(reason, done.stderr)

    def test_areas_are_taken_in_the_order_given(self):
        with contextlib.redirect_stderr(io.StringIO()):
            self.assertEqual(bench.arguments_of(["--area", "ws,mm"]).areas, ["ws", "mm"])


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
