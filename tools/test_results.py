#!/usr/bin/env python3
"""Counts the tests of one Bazel run, and says which did not pass.

  test_results.py EVENTS STATUS [LABEL...]

EVENTS is what `bazel test --build_event_json_file=EVENTS` wrote and STATUS its exit status. Each
LABEL is a test that has to pass in this run: if Bazel skipped it, or did not come to it, then it
has failed. The end of each failed test's log is shown. The last line of the output is "N passed,
N failed, N skipped".
"""

import json
import sys
import urllib.parse

NO_TESTS = 4
LOG_LINES = 20
LOG_COLUMNS = 300


def read_verdicts(path):
    """Returns a verdict for each test of the run, logs of failures, and what else failed."""
    tests, verdicts, logs, broken = set(), {}, {}, []
    with open(path, encoding="utf-8") as events:
        for line in events:
            event = json.loads(line)
            kind, identity = next(iter(event["id"].items()))
            label = identity.get("label")
            if kind == "targetConfigured":
                if "_test " in event.get("configured", {}).get("targetKind", ""):
                    tests.add(label)
            elif kind == "testSummary":
                verdicts[label] = event["testSummary"]["overallStatus"]
                logs[label] = [log["uri"] for log in event["testSummary"].get("failed", [])]
            elif kind == "targetCompleted":
                if "aborted" in event:
                    verdict = event["aborted"].get("reason", "ABORTED")
                elif event["completed"].get("success"):
                    continue
                else:
                    verdict = "FAILED_TO_BUILD"
                if label in tests:
                    verdicts.setdefault(label, verdict)
                elif verdict != "SKIPPED":
                    broken.append(label)
    return verdicts, logs, broken


def print_end(uri):
    path = urllib.parse.unquote(urllib.parse.urlparse(uri).path)
    try:
        with open(path, encoding="utf-8", errors="replace") as log:
            for line in log.readlines()[-LOG_LINES:]:
                print("    " + line.rstrip("\n")[:LOG_COLUMNS])
    except OSError as error:
        print(f"    {error}")


def main():
    path, status, wanted = sys.argv[1], int(sys.argv[2]), sys.argv[3:]
    verdicts, logs, broken = read_verdicts(path)
    for label in wanted:
        if verdicts.get(label, "SKIPPED") == "SKIPPED":
            verdicts[label] = "WAS NOT RUN"

    passed = [label for label, verdict in verdicts.items() if verdict in ("PASSED", "FLAKY")]
    skipped = [label for label, verdict in verdicts.items() if verdict == "SKIPPED"]
    failed = sorted(set(verdicts) - set(passed) - set(skipped))
    for label in failed:
        print(f"{verdicts[label]}: {label}")
        for uri in logs.get(label, []):
            print_end(uri)
    for label in broken:
        print(f"FAILED_TO_BUILD: {label}")

    failures = len(failed) + len(broken)
    if not failures and status not in (0, NO_TESTS):
        print(f"Bazel stopped with status {status}")
        failures = 1
    print(f"{len(passed)} passed, {failures} failed, {len(skipped)} skipped")


if __name__ == "__main__":
    main()
