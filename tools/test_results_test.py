#!/usr/bin/env -S python3 -B
"""What test_results.py makes of the events of a Bazel run."""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

PROGRAM = os.path.abspath(sys.argv[1])


def configured(label, kind="cc_test rule"):
    return {"id": {"targetConfigured": {"label": label}}, "configured": {"targetKind": kind}}


def completed(label, **outcome):
    return {"id": {"targetCompleted": {"label": label}}, **outcome}


def summary(label, status, **logs):
    outcome = {"overallStatus": status, **logs}
    return {"id": {"testSummary": {"label": label}}, "testSummary": outcome}


BUILT = {"completed": {"success": True}}
BROKEN = {"completed": {}}
INCOMPATIBLE = {"aborted": {"reason": "SKIPPED"}}


class TestResultsTest(unittest.TestCase):
    def expect(self, events, status, *lines, wanted=()):
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            file.writelines(json.dumps(event) + "\n" for event in events)
            file.flush()
            command = [PROGRAM, file.name, str(status), *wanted]
            done = subprocess.run(command, check=True, capture_output=True, text=True)
        self.assertEqual(done.stdout.splitlines(), list(lines))

    def test_passed_and_failed(self):
        events = [
            configured("//a:a_test"),
            configured("//a:b_test"),
            completed("//a:a_test", **BUILT),
            completed("//a:b_test", **BUILT),
            summary("//a:a_test", "PASSED"),
            summary("//a:b_test", "TIMEOUT"),
        ]
        self.expect(events, 3, "TIMEOUT: //a:b_test", "1 passed, 1 failed, 0 skipped")

    def test_the_end_of_a_log_is_shown(self):
        with tempfile.NamedTemporaryFile("w", prefix="a b", suffix=".log") as log:
            log.writelines(f"line {i} of a test\n" for i in range(100))
            log.write("x" * 1000)
            log.flush()
            logs = [{"uri": pathlib.Path(log.name).as_uri()}, {"uri": "file:///nowhere"}]
            self.expect(
                [configured("//a:a_test"), summary("//a:a_test", "FAILED", failed=logs)],
                3,
                "FAILED: //a:a_test",
                *(f"    line {i} of a test" for i in range(81, 100)),
                "    " + "x" * 300,
                "    [Errno 2] No such file or directory: '/nowhere'",
                "0 passed, 1 failed, 0 skipped",
            )

    def test_what_does_not_build_has_failed(self):
        events = [
            configured("//a:a_test"),
            configured("//a:a", "cc_library rule"),
            completed("//a:a_test", **BROKEN),
            completed("//a:a", **BROKEN),
        ]
        self.expect(
            events,
            1,
            "FAILED_TO_BUILD: //a:a_test",
            "FAILED_TO_BUILD: //a:a",
            "0 passed, 2 failed, 0 skipped",
        )

    def test_a_run_that_stops_early_has_failed(self):
        self.expect([], 2, "Bazel stopped with status 2", "0 passed, 1 failed, 0 skipped")

    def test_skipped(self):
        events = [configured("//a:a_test"), completed("//a:a_test", **INCOMPATIBLE)]
        self.expect(events, 0, "0 passed, 0 failed, 1 skipped")

    def test_a_wanted_test_must_run(self):
        events = [configured("//a:a_test"), completed("//a:a_test", **INCOMPATIBLE)]
        self.expect(
            events,
            0,
            "WAS NOT RUN: //a:a_test",
            "WAS NOT RUN: //a:b_test",
            "0 passed, 2 failed, 0 skipped",
            wanted=["//a:a_test", "//a:b_test"],
        )


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
