#!/usr/bin/env python3
"""Tests of the benchmark's arithmetic, of its table, and of what it says to wrong options."""

import contextlib
import io
import unittest

import mm_bench
import mm_bench_programs
import mm_bench_table
from mm_bench_table import Cell, Row, Run


def cell(*figures):
    return Cell([Run(cpu_s, rss_mb) for cpu_s, rss_mb in figures])


class SummaryTest(unittest.TestCase):

    def test_figures_are_medians(self):
        base = cell((1.0, 10), (1.0, 10), (1.0, 10))
        summary = mm_bench_table.summarize(cell((3.0, 20), (1.0, 40), (2.0, 30)), base)
        self.assertEqual(summary.cpu_s, 2.0)
        self.assertEqual(summary.rss_mb, 30)

    def test_ratios_are_taken_within_a_slice(self):
        # The second slice was ten times slower for all; the ratio of the medians would be 0.55.
        base = cell((1.0, 10), (10.0, 10), (2.0, 10))
        summary = mm_bench_table.summarize(cell((0.5, 20), (5.0, 20), (1.1, 20)), base)
        self.assertAlmostEqual(summary.cpu_ratio, 0.5)
        self.assertAlmostEqual(summary.rss_ratio, 2.0)

    def test_an_error_has_no_figures(self):
        base = cell((1.0, 10))
        self.assertIsNone(mm_bench_table.summarize(Cell(error="crashed"), base))
        self.assertIsNone(mm_bench_table.summarize(Cell([Run(1, 1)], error="differs"), base))

    def test_missing_slices_have_no_figures(self):
        base = cell((1.0, 10), (1.0, 10))
        self.assertIsNone(mm_bench_table.summarize(cell((1.0, 10)), base))

    def test_no_time_at_all_divides(self):
        base = cell((0.0, 10))
        self.assertGreater(mm_bench_table.summarize(cell((0.1, 10)), base).cpu_ratio, 1)


class GeometricMeanTest(unittest.TestCase):

    def test_is_the_root_of_the_product(self):
        self.assertAlmostEqual(mm_bench_table.geometric_mean([0.5, 2.0]), 1.0)
        self.assertAlmostEqual(mm_bench_table.geometric_mean([2, 4, 8]), 4.0)

    def test_of_nothing_is_none(self):
        self.assertIsNone(mm_bench_table.geometric_mean([]))


class TableTest(unittest.TestCase):

    def setUp(self):
        self.names = ["glibc", "strata", "glibc again"]
        self.rows = [
            Row("one", "workloads", {"glibc": cell((1.0, 10)), "strata": cell((0.5, 20)),
                                     "glibc again": cell((1.01, 10))}),
            Row("two", "programs", {"glibc": cell((4.0, 100)), "strata": cell((8.0, 50)),
                                    "glibc again": cell((4.0, 100))}),
        ]

    def render(self):
        return mm_bench_table.render(self.rows, self.names, "glibc", "glibc again").splitlines()

    def cells(self, start):
        line = next(line for line in self.render() if line.startswith("| %s " % start))
        return [cell.strip() for cell in line.strip("|").split("|")][1:]

    def test_a_row_shows_figures_and_ratios(self):
        self.assertEqual(self.cells("one"),
                         ["1.00, 10.0", "0.50, 20.0", "0.50", "2.00", "1.01, 1.00"])

    def test_means_stand_for_each_group_and_for_all(self):
        self.assertEqual(self.cells("geomean workloads")[2:4], ["0.50", "2.00"])
        self.assertEqual(self.cells("geomean programs")[2:4], ["2.00", "0.50"])
        self.assertEqual(self.cells("geomean all")[2:], ["1.00", "1.00", "1.00, 1.00"])

    def test_one_group_needs_no_mean_of_all(self):
        del self.rows[1]
        self.assertFalse(any(line.startswith("| geomean all") for line in self.render()))

    def test_all_lines_have_all_columns(self):
        self.rows[0].cells["strata"] = Cell(error="ended by SIGSEGV")
        lines = [line for line in self.render() if line.startswith("|")]
        self.assertEqual({line.count("|") for line in lines}, {7})
        self.assertEqual(self.cells("CPU s, peak MB"),
                         ["glibc", "strata", "strata x CPU", "strata x MB", "glibc again x"])

    def test_an_error_is_shown_and_named(self):
        self.rows[0].cells["strata"] = Cell(error="ended by SIGSEGV")
        lines = self.render()
        self.assertEqual(self.cells("one")[1], "ERROR")
        self.assertIn("ERROR: one with strata: ended by SIGSEGV", lines)
        self.assertIn("geomean all of strata: over 1 of 2 rows", lines)

    def test_json_holds_runs_and_means(self):
        values = mm_bench_table.to_json(self.rows, self.names, "glibc")
        self.assertEqual(values["rows"][0]["allocators"]["strata"]["runs"],
                         [{"cpu_s": 0.5, "rss_mb": 20}])
        self.assertAlmostEqual(values["geometric_means"]["geomean all"]["strata"]["cpu_ratio"], 1.0)


class OptionsTest(unittest.TestCase):

    def complaint(self, *argv):
        """Returns what the program says when it refuses `argv`."""
        errors = io.StringIO()
        with contextlib.redirect_stderr(errors):
            try:
                self.assertEqual(mm_bench.main(list(argv)), 2)
            except SystemExit as end:
                self.assertEqual(end.code, 2)
        return errors.getvalue()

    def test_wrong_options_are_named(self):
        self.assertIn("--fast", self.complaint("--fast"))
        self.assertIn("'tlsf'", self.complaint("--allocators", "tlsf"))
        self.assertIn("/nowhere", self.complaint("--allocators", "strata", "--lib", "/nowhere"))
        self.assertIn("positive", self.complaint("--slices", "0"))
        self.assertIn("positive", self.complaint("--scale", "-1"))
        self.assertIn("NAME=LIBRARY", self.complaint("--allocators", "glibc", "--extra", "x"))
        self.assertIn("taken", self.complaint("--allocators", "glibc", "--extra", "strata=x.so"))

    def test_wrong_names_are_told_from_known_ones(self):
        options = mm_bench.parse_arguments(["--only", "cfrac,chess"])
        with self.assertRaisesRegex(mm_bench.BenchError, "'chess'; known are: cfrac"):
            mm_bench.choose_names(options)

    def test_programs_and_workloads_part_the_rows(self):
        def choose(*argv):
            return mm_bench.choose_names(mm_bench.parse_arguments(list(argv)))
        programs = {program.name for program in mm_bench_programs.PROGRAMS}
        self.assertEqual(choose("--programs"), programs)
        self.assertEqual(choose("--workloads"), set(mm_bench.WORKLOADS))
        self.assertEqual(choose(), programs | set(mm_bench.WORKLOADS))


if __name__ == "__main__":
    unittest.main()
