#!/usr/bin/env python3
"""What tools/stress refuses, and what it says of the programs that it runs.

    stress_test.py STRESS
"""

import contextlib
import io
import subprocess
import sys
import unittest

import load_script

STRESS = sys.argv[1]

stress = load_script.load("stress", STRESS)


class StressTest(unittest.TestCase):
    def run_shell(self, script, seconds=60):
        with contextlib.redirect_stdout(io.StringIO()) as out:
            reason = stress.run("name", ["sh", "-c", script], {"GIVEN": "yes"}, seconds)
        return reason, out.getvalue()

    def test_refusals_name_the_reason(self):
        for arguments, reason in (
            (["--suite", "nett"], 'no "nett"; there are mm, net, http, ws, orm, crypto, stack'),
            (["--minutes", "0"], "--minutes: more than 0"),
            (["--minutes", "soon"], "invalid float value: 'soon'"),
            (["--suite", "mm", "--config", "asan"], "no form for --config asan"),
        ):
            done = subprocess.run([STRESS, *arguments], check=False, capture_output=True, text=True)
            self.assertEqual(done.returncode, 2, arguments)
            self.assertIn(reason, done.stderr)

    def test_suites_are_taken_in_the_order_given(self):
        self.assertEqual(stress.arguments_of(["--suite", "ws,net"]).suites, ["ws", "net"])
        self.assertNotIn("mm", stress.arguments_of(["--config", "tsan"]).suites)
        self.assertIn("net", stress.arguments_of(["--config", "tsan"]).suites)

    def test_each_way_of_a_suite_has_the_seconds_and_the_seed(self):
        for name, suite in stress.SUITES.items():
            for way in suite.ways:
                arguments, variables = way(17, 4242)
                told = " ".join([*arguments, *variables.values()])
                self.assertIn("17", told, name)
                self.assertIn("4242", told, name)

    def test_how_a_program_ended(self):
        self.assertEqual(self.run_shell('test "$GIVEN" = yes'), (None, ""))
        self.assertEqual(self.run_shell("exit 3")[0], "it ended with status 3")
        self.assertEqual(self.run_shell("kill -SEGV $$")[0], "it died of SIGSEGV")

    def test_says_that_it_is_still_there(self):
        stress.PROGRESS_SECONDS = 0
        try:
            self.assertIn("tools/stress: name, ", self.run_shell("sleep 1.5")[1])
        finally:
            stress.PROGRESS_SECONDS = 10

    def test_ends_what_hangs_and_its_children(self):
        stress.PATIENCE_SECONDS = 0
        try:
            self.assertEqual(self.run_shell("sleep 1000", seconds=0.1)[0], "it hung")
        finally:
            stress.PATIENCE_SECONDS = 300


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
