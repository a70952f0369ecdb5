#!/usr/bin/env -S python3 -B
"""Reads a page of metrics by the parser of Prometheus's own client for Python.

  metrics_parser_test.py PROGRAM

PROGRAM prints the page; see metrics_example.cc.
"""

import math
import subprocess
import sys
import unittest

from prometheus_client.parser import text_string_to_metric_families

PROGRAM = sys.argv[1]


class MetricsParserTest(unittest.TestCase):
    def setUp(self):
        page = subprocess.run([PROGRAM], check=True, capture_output=True).stdout.decode("utf-8")
        self.families = {family.name: family for family in text_string_to_metric_families(page)}

    def value(self, family, suffix="", **labels):
        """Of the one series with these labels."""
        found = [
            sample.value
            for sample in self.families[family].samples
            if sample.name == family + suffix and sample.labels == labels
        ]
        self.assertEqual(len(found), 1, f"{family}{suffix} {labels}")
        return found[0]

    def test_families(self):
        # The parser takes _total off the names of counters.
        types = {name: family.type for name, family in self.families.items()}
        self.assertEqual(
            types,
            {
                "plain": "counter",
                "labeled": "counter",
                "numbers": "gauge",
                "latency_seconds": "histogram",
            },
        )
        self.assertEqual(
            self.families["labeled"].documentation, 'Help with \\, " and\na second line.'
        )

    def test_labels(self):
        self.assertEqual(self.value("plain", "_total"), 7)
        self.assertEqual(self.value("labeled", "_total", path="/a", code="200"), 1)
        path = 'a"b\\c\nd{e="f"} 1 # \ufffd\u00e9'
        self.assertEqual(self.value("labeled", "_total", path=path, code=""), 2)

    def test_numbers(self):
        self.assertEqual(self.value("numbers", kind="real"), 0.1)
        self.assertEqual(self.value("numbers", kind="small"), -1e-300)
        self.assertEqual(self.value("numbers", kind="large"), float(2**64 - 1))
        self.assertEqual(self.value("numbers", kind="infinite"), math.inf)
        self.assertTrue(math.isnan(self.value("numbers", kind="nan")))

    def test_histogram(self):
        route = "/x/{id}"
        buckets = [
            (float(sample.labels["le"]), sample.value)
            for sample in self.families["latency_seconds"].samples
            if sample.name == "latency_seconds_bucket" and sample.labels["route"] == route
        ]
        self.assertEqual(buckets, sorted(buckets))
        self.assertEqual(len(buckets), 20)
        self.assertEqual(dict(buckets)[0.25], 250)
        self.assertEqual(dict(buckets)[math.inf], 1000)
        self.assertEqual(self.value("latency_seconds", "_count", route=route), 1000)
        self.assertAlmostEqual(self.value("latency_seconds", "_sum", route=route), 500.5)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
