"""Runs Python's own regression tests with and without a library preloaded, and compares verdicts.

  python_verdicts.py LIBRARY NAME...

NAME is what unittest calls a module, class or method: test.test_json, test.test_re.ReTests. Only a
test that passes plainly and then fails or hangs with the library counts, for some fail or hang on
some machines without it. Such a test is run again alone, with and without, before it is called a
failure: a few depend on time.

Needs the interpreter and the tests of one Debian package set (libpython3.11-testsuite).
"""

import faulthandler
import os
import signal
import subprocess
import sys
import tempfile
import unittest

# For one test, and for one process that runs many.
TEST_SECONDS = 60
PROCESS_SECONDS = 400

# How many hanging tests are skipped in turn before the rest is given up.
HANGS_MAX = 4


class VerdictResult(unittest.TestResult):
    """Writes a line when a test starts and a line when its verdict is known."""

    def __init__(self, report):
        super().__init__()
        self.report = report
        self.verdict = ""

    def startTest(self, test):
        super().startTest(test)
        self.verdict = "passed"
        print("started", test.id(), file=self.report, flush=True)
        faulthandler.dump_traceback_later(TEST_SECONDS, exit=True)

    def stopTest(self, test):
        super().stopTest(test)
        faulthandler.cancel_dump_traceback_later()
        print(self.verdict, test.id(), file=self.report, flush=True)

    def spoil(self, verdict, error=None):
        self.verdict = verdict
        if error:
            print(self._exc_info_to_string(error, self), file=sys.stderr)

    def addError(self, test, err):
        super().addError(test, err)
        self.spoil("failed", err)
        if not isinstance(test, unittest.TestCase):  # A setUpClass or setUpModule.
            print("failed", test.id(), file=self.report, flush=True)

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self.spoil("failed", err)

    def addSubTest(self, test, subtest, err):
        super().addSubTest(test, subtest, err)
        if err:
            self.spoil("failed", err)

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self.spoil("skipped")

    def addExpectedFailure(self, test, err):
        super().addExpectedFailure(test, err)
        self.spoil("failed")

    def addUnexpectedSuccess(self, test):
        super().addUnexpectedSuccess(test)
        self.spoil("failed")


def run_tests(report_name, skipped, names):
    """In the process under test: runs what `names` hold but `skipped`."""

    def chosen(suite):
        for test in suite:
            if isinstance(test, unittest.TestSuite):
                yield from chosen(test)
            elif test.id() not in skipped:
                yield test

    # Threads and processes that the tests start are looked at when a test ends; the report of this
    # process must not be theirs.
    with open(report_name, "a") as report:
        os.set_inheritable(report.fileno(), False)
        suite = unittest.defaultTestLoader.loadTestsFromNames(names)
        unittest.TestSuite(chosen(suite)).run(VerdictResult(report))
        print("end", "of all", file=report, flush=True)


def read_verdicts(report_name):
    verdicts = {}
    with open(report_name) as report:
        for line in report:
            verdict, _, name = line.strip().partition(" ")
            verdicts[name] = verdict
    return verdicts


def verdicts_of(environment, folder, names):
    """Returns a dict from test to "passed", "skipped", "failed" or "hung", and what was printed."""
    report_name = os.path.join(folder, "report")
    errors_name = os.path.join(folder, "errors")
    verdicts = {}
    for _ in range(HANGS_MAX + 1):
        skipped = [name for name in verdicts if name != "of all"]
        open(report_name, "w").close()
        with open(errors_name, "a") as errors:
            process = subprocess.Popen(
                [sys.executable, os.path.abspath(__file__), "--run", report_name, ",".join(skipped)]
                + names,
                cwd=folder,
                env=dict(os.environ, **environment),
                stdin=subprocess.DEVNULL,
                stdout=errors,
                stderr=errors,
                start_new_session=True,
            )
            try:
                process.wait(PROCESS_SECONDS)
            except subprocess.TimeoutExpired:
                pass
            try:
                os.killpg(process.pid, signal.SIGKILL)  # With whatever children are left.
            except ProcessLookupError:
                pass
            process.wait()
        found = read_verdicts(report_name)
        for name, verdict in found.items():
            verdicts[name] = "hung or crashed" if verdict == "started" else verdict
        if "of all" in found:
            break
        if not found:
            break
    verdicts.pop("of all", None)
    with open(errors_name, errors="replace") as errors:
        return verdicts, errors.read()


def compare(library, names):
    variables = {"PYTHONMALLOC": "malloc", "PYTHONDONTWRITEBYTECODE": "1", "PYTHONHASHSEED": "1"}
    preloading = dict(variables, LD_PRELOAD=library)

    def run(environment, names):
        with tempfile.TemporaryDirectory() as folder:
            return verdicts_of(environment, folder, names)

    plain, _ = run(variables, names)
    passed = {name for name, verdict in plain.items() if verdict == "passed"}
    print(f"plain: {len(passed)} of {len(plain)} tests pass", flush=True)
    if not passed:
        sys.exit("no test passes plainly: is libpython3.11-testsuite installed?")
    preloaded, _ = run(preloading, names)
    print(f"preloaded: {sum(v == 'passed' for v in preloaded.values())} of {len(preloaded)} pass")

    failures = 0
    for name in sorted(passed):
        verdict = preloaded.get(name, "not run")
        if verdict == "passed":
            continue
        again, errors = run(preloading, [name])
        plain_again, _ = run(variables, [name])
        if again.get(name) == "passed" or plain_again.get(name) != "passed":
            print(f"unsteady: {name}: {verdict}, then not")
            continue
        failures += 1
        print(f"FAILED: {name}: {verdict} with the library, passes without it\n{errors[-4000:]}")
    return 1 if failures else 0


if __name__ == "__main__":
    if sys.argv[1] == "--run":
        run_tests(sys.argv[2], set(sys.argv[3].split(",")), sys.argv[4:])
    else:
        sys.exit(compare(os.path.realpath(sys.argv[1]), sys.argv[2:]))
