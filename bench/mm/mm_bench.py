#!/usr/bin/env python3
"""Compares memory allocators: CPU time and peak resident memory, in one table.

Runs each workload under each allocator in turn (A B C A B C ...), each run a process of its own,
and prints medians and ratios to glibc. README.md beside this file explains the table.
"""

import argparse
import contextlib
import glob
import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import mm_bench_programs
import mm_bench_table

BASE = "glibc"
CONTROL = "glibc again"
STRATA = "strata"

# Name -> (file name pattern, Debian package).
RIVALS = {
    "jemalloc": ("libjemalloc.so.2", "libjemalloc2"),
    "mimalloc": ("libmimalloc.so.2*", "libmimalloc2.0"),
    "tcmalloc": ("libtcmalloc_minimal.so.4*", "libtcmalloc-minimal4"),
}
LIBRARY_FROM_HERE = "../../mm/libstrata_mm.so"
LIBRARY_DIRECTORIES = ["/usr/lib/x86_64-linux-gnu", "/usr/lib64", "/usr/lib"]

# Row -> (binary, arguments).
WORKLOADS = {
    "cfrac": ("cfrac", []),
    "espresso": ("espresso", []),
    "barnes": ("barnes", []),
    "larson": ("larson", []),
    "xmalloc": ("xmalloc", []),
    "mstress": ("mstress", []),
    "alloc-test-1": ("alloc_test", ["--threads", "1"]),
    "alloc-test-2": ("alloc_test", ["--threads", "2"]),
    "cache-scratch": ("cache_scratch", []),
    "simple-loops-1": ("simple_loops", ["--threads", "1"]),
    "simple-loops-2": ("simple_loops", ["--threads", "2"]),
    "thread-churn": ("thread_churn", []),
    "mixed-batches": ("mixed_batches", []),
    "containers": ("containers", []),
    "large-blocks": ("large_blocks", []),
    "realloc-growth": ("realloc_growth", []),
}

PAIR_MODES = ["tight", "batch"]
PAIR_THREADS = [1, 2, 8]
QUICK_SCALE = 0.2
DEFAULT_SLICES = 5
DEFAULT_TIMEOUT_S = 120
STDERR_LINES = 3  # Of a failed run, that are shown.


class BenchError(Exception):
    """Something that makes the whole comparison impossible; the message is for the user."""


class RunError(Exception):
    """One run failed; the message goes into its cell."""


class Task:
    """A row of the table: what to run, where, and what of its output must not change."""

    def __init__(self, name, group, command, directory, environment, stdin=None, output=None):
        self.name = name
        self.group = group
        self.command = command
        self.directory = directory
        self.environment = environment
        self.stdin = stdin
        self.output = output


def parse_arguments(argv):
    parser = argparse.ArgumentParser(
        prog="mm_bench", description="Compares memory allocators by CPU time and peak memory.")
    parser.add_argument("--list", action="store_true", help="list workloads and allocators")
    parser.add_argument("--only", metavar="NAME,...", help="only these workloads or programs")
    parser.add_argument("--allocators", metavar="NAME,...",
                        help="only these beside glibc: strata, " + ", ".join(RIVALS))
    parser.add_argument("--extra", metavar="NAME=LIBRARY", action="append", default=[],
                        help="one more allocator, such as another build; may be repeated")
    parser.add_argument("--slices", type=int, default=None, metavar="N",
                        help="runs of each pair (default %d)" % DEFAULT_SLICES)
    kind = parser.add_mutually_exclusive_group()
    kind.add_argument("--programs", action="store_true", help="real programs only")
    kind.add_argument("--workloads", action="store_true", help="workloads of our own only")
    kind.add_argument("--pairs", action="store_true",
                      help="cycles of one malloc and free instead of the table")
    parser.add_argument("--scale", type=float, default=None, metavar="F",
                        help="share of the full work, above 0 (default 1)")
    parser.add_argument("--quick", action="store_true",
                        help="one slice and a fifth of the work: shows that all runs, no more")
    parser.add_argument("--stats", action="store_true",
                        help="end with Strata's heap statistics (always with --programs)")
    parser.add_argument("--timeout", type=int, default=DEFAULT_TIMEOUT_S, metavar="S",
                        help="seconds for one run (default %d)" % DEFAULT_TIMEOUT_S)
    parser.add_argument("--json", metavar="FILE", help="write all figures to FILE")
    # Bazel puts the binaries beside this program, and the library where it stands in the tree.
    here = os.path.dirname(os.path.abspath(__file__))
    parser.add_argument("--bin-dir", metavar="DIR", default=here,
                        help="where the workloads' binaries are (default: beside this program)")
    parser.add_argument("--lib", metavar="FILE",
                        default=os.path.normpath(os.path.join(here, LIBRARY_FROM_HERE)),
                        help="libstrata_mm.so (default: the one built by Bazel)")
    options = parser.parse_args(argv)
    if options.scale is None:
        options.scale = QUICK_SCALE if options.quick else 1.0
    if options.slices is None:
        options.slices = 1 if options.quick else DEFAULT_SLICES
    if options.slices < 1 or options.timeout < 1 or options.scale <= 0:
        parser.error("--slices, --timeout and --scale must be positive")
    return options


def split_names(text, known, what):
    names = [name for name in text.split(",") if name]
    for name in names:
        if name not in known:
            raise BenchError("unknown %s '%s'; known are: %s" % (what, name, ", ".join(known)))
    if not names:
        raise BenchError("no %s named" % what)
    return names


def find_library(pattern):
    for directory in LIBRARY_DIRECTORIES:
        found = sorted(glob.glob(os.path.join(directory, pattern)))
        if found:
            return found[0]
    return None


def choose_allocators(options):
    """Returns {name: path of the library to preload or None}, in the order of the columns."""
    extra = {}
    for item in options.extra:
        name, equals, path = item.partition("=")
        if not name or not equals:
            raise BenchError("--extra '%s' is not NAME=LIBRARY" % item)
        if name in (BASE, CONTROL, STRATA) or name in RIVALS:
            raise BenchError("--extra: the name '%s' is taken" % name)
        extra[name] = path
    known = [BASE, STRATA] + list(RIVALS)
    wanted = split_names(options.allocators, known, "allocator") if options.allocators else known
    chosen = {BASE: None}
    if STRATA in wanted:
        if not os.path.isfile(options.lib):
            raise BenchError("no '%s': name the library by --lib FILE, or leave Strata out by "
                             "--allocators %s" % (options.lib, ",".join(RIVALS)))
        chosen[STRATA] = options.lib
    chosen.update(extra)
    for name in wanted:
        if name not in RIVALS:
            continue
        pattern, package = RIVALS[name]
        path = find_library(pattern)
        if path:
            chosen[name] = path
        else:
            print("skipped: %s: no %s on this machine (Debian package %s)"
                  % (name, pattern, package), file=sys.stderr)
    chosen[CONTROL] = None
    for name, path in chosen.items():
        if path is None:
            continue
        if not os.path.isfile(path):
            raise BenchError("%s: no such file: %s" % (name, path))
        if re.search(r"[\s:]", os.path.realpath(path)):
            raise BenchError("%s: LD_PRELOAD cannot hold a blank or a colon: %s" % (name, path))
        chosen[name] = os.path.realpath(path)
    return chosen


def choose_names(options):
    """Returns the set of rows asked for, in no order."""
    programs = [program.name for program in mm_bench_programs.PROGRAMS]
    if options.only:
        return set(split_names(options.only, list(WORKLOADS) + programs, "workload"))
    names = set()
    if not options.programs:
        names.update(WORKLOADS)
    if not options.workloads:
        names.update(programs)
    return names


def find_binary(options, name):
    path = os.path.join(options.bin_dir, name)
    if not os.access(path, os.X_OK):
        raise BenchError("no program '%s': name the directory of the built ones by --bin-dir"
                         % path)
    return os.path.abspath(path)


def make_tasks(options, directory):
    """Writes all inputs below `directory` and returns the tasks in the order of the rows."""
    names = choose_names(options)
    base_environment = mm_bench_programs.environment(directory)
    tasks = []
    for name, (binary, arguments) in WORKLOADS.items():
        if name in names:
            command = [find_binary(options, binary), "--scale", str(options.scale)] + arguments
            tasks.append(Task(name, "workloads", command, directory, base_environment))
    for program in mm_bench_programs.PROGRAMS:
        if program.name not in names:
            continue
        path = program.path()
        if path is None:
            print("skipped: %s: not on this machine (Debian package %s)"
                  % (program.name, program.package), file=sys.stderr)
            continue
        program.prepare(directory, options.scale)
        tasks.append(Task(program.name, "programs",
                          program.command(path, directory, options.scale), directory,
                          dict(base_environment, **program.environment),
                          program.stdin and os.path.join(directory, program.stdin),
                          program.output and os.path.join(directory, program.output)))
    if not tasks:
        raise BenchError("nothing to run")
    return tasks


def tail(path):
    with open(path, "rb") as file:
        lines = file.read().decode("utf-8", "replace").strip().splitlines()
    return " / ".join(lines[-STDERR_LINES:])


class Runner:
    """Runs tasks under allocators and checks what they print."""

    def __init__(self, options, allocators, directory):
        self.allocators = allocators
        self.directory = directory
        self.timeout = options.timeout
        self.measure = find_binary(options, "measure")
        self.stdout = os.path.join(directory, "stdout")
        self.stderr = os.path.join(directory, "stderr")

    def execute(self, task, library, settings=None, command=None):
        """Runs the task; returns what `measure` reports, as a dictionary of numbers."""
        environment = dict(task.environment, **(settings or {}))
        if library:
            environment["LD_PRELOAD"] = library
        call = [self.measure, "--timeout", str(self.timeout), "--stdout", self.stdout,
                "--stderr", self.stderr, "--directory", task.directory]
        if task.stdin:
            call += ["--stdin", task.stdin]
        for name, value in environment.items():
            call += ["--env", "%s=%s" % (name, value)]
        process = subprocess.run(call + ["--"] + (command or task.command), check=False,
                                 stdout=subprocess.PIPE)
        report = process.stdout.decode("ascii")
        if process.returncode != 0:
            raise BenchError("'%s' failed" % self.measure)
        return {name: int(value) for name, value in re.findall(r"(\w+)=(-?\d+)", report)}

    def run(self, task, allocator):
        """Runs the task; returns its Run and a digest of its output. Raises RunError."""
        if task.output and os.path.exists(task.output):
            os.remove(task.output)
        settings = {}
        if allocator not in (BASE, CONTROL) and "STRATA_MM" in os.environ:
            settings["STRATA_MM"] = os.environ["STRATA_MM"]
        report = self.execute(task, self.allocators[allocator], settings)
        if report["timed_out"]:
            raise RunError("still running after %d s" % self.timeout)
        if report["signal"]:
            raise RunError("ended by %s: %s" % (signal.Signals(report["signal"]).name,
                                                tail(self.stderr)))
        if report["exit"]:
            raise RunError("exit status %d: %s" % (report["exit"], tail(self.stderr)))
        digest = hashlib.sha256()
        for path in [self.stdout] + ([task.output] if task.output else []):
            try:
                with open(path, "rb") as file:
                    digest.update(file.read())
            except FileNotFoundError:
                raise RunError("wrote no output") from None
        return (mm_bench_table.Run((report["user_us"] + report["system_us"]) / 1e6,
                                   report["maxrss_kib"] / 1024), digest.hexdigest())

    def check_preload(self, task, name):
        """Raises BenchError unless the task's program takes malloc from the preloaded library.

        Without this a library that ld.so refuses would be measured as a copy of glibc.
        """
        library = self.allocators[name]
        prefix = os.path.join(self.directory, "bindings")
        arguments = ["--scale", "0.001"] if task.group == "workloads" else ["--version"]
        report = self.execute(task, library, {"LD_DEBUG": "bindings", "LD_DEBUG_OUTPUT": prefix},
                              [task.command[0]] + arguments)
        bound = False
        wanted = "to %s [0]: normal symbol `malloc'" % library
        for path in glob.glob(prefix + ".*"):
            with open(path, encoding="utf-8", errors="replace") as file:
                bound = bound or any(wanted in line for line in file)
            os.remove(path)
        if not bound:
            detail = tail(self.stderr)
            if report["signal"]:
                detail = "ended by %s; %s" % (signal.Signals(report["signal"]).name, detail)
            raise BenchError("%s: %s did not take malloc from %s: %s"
                             % (name, task.command[0], library, detail or "it was not bound"))


def measure_row(runner, task, slices, progress):
    """Returns the Row of a task. After an error an allocator is not tried again on this row."""
    cells = {name: mm_bench_table.Cell() for name in runner.allocators}
    expected = None
    for number in range(slices):
        for name in runner.allocators:
            if cells[name].error:
                continue
            progress("%s, %s, slice %d of %d" % (task.name, name, number + 1, slices))
            try:
                run, digest = runner.run(task, name)
                if expected is None and name == BASE:
                    expected = digest
                if digest != expected:
                    raise RunError("its output differs from the output with glibc")
                cells[name].runs.append(run)
            except RunError as error:
                cells[name].error = str(error)
                if name == BASE:  # Nothing is left to compare with.
                    return mm_bench_table.Row(task.name, task.group, cells)
    return mm_bench_table.Row(task.name, task.group, cells)


def show_statistics(runner, tasks):
    """Prints what Strata says about its heap at the end of one program."""
    task = next((task for task in tasks if task.name == "sqlite3"), tasks[-1])
    settings = ",".join(filter(None, [os.environ.get("STRATA_MM"), "stats=1"]))
    runner.execute(task, runner.allocators[STRATA], {"STRATA_MM": settings})
    print("\nThe heap of %s with Strata (STRATA_MM=stats=1):" % task.name)
    with open(runner.stderr, "rb") as file:
        print(file.read().decode("utf-8", "replace").rstrip() or "(nothing printed)")


def print_pairs(runner, options, progress):
    """Prints the cycles of a malloc and its free. Returns whether all runs succeeded.

    The best run counts: here a disturbance only ever adds.
    """
    columns = [(mode, threads) for mode in PAIR_MODES for threads in PAIR_THREADS]
    best = {name: {} for name in runner.allocators}
    errors = []
    for mode, threads in columns:
        task = Task("pairs", "workloads",
                    [find_binary(options, "pairs"), "--mode", mode, "--threads", str(threads)],
                    runner.directory, mm_bench_programs.environment(runner.directory))
        for number in range(options.slices):
            for name in runner.allocators:
                progress("pairs, %s, %d threads, %s, slice %d" % (mode, threads, name, number + 1))
                try:
                    runner.run(task, name)
                except RunError as error:
                    errors.append("ERROR: pairs %s with %s: %s" % (mode, name, error))
                    continue
                with open(runner.stdout, encoding="ascii") as file:
                    cycles = float(file.read().split()[1])
                best[name][mode, threads] = min(cycles, best[name].get((mode, threads), cycles))
    progress("")
    print("Cycles for one malloc and free of 32 bytes, best of %d." % options.slices)
    print("%-14s" % "" + "".join("%10s" % ("%s %dt" % column) for column in columns))
    for name in runner.allocators:
        print("%-14s" % name + "".join(
            "%10s" % ("%.1f" % best[name][column] if column in best[name] else "ERROR")
            for column in columns))
    print("\n".join(errors), end="\n" if errors else "")
    return not errors


def print_table(runner, options, tasks, progress):
    """Measures and prints. Returns whether all runs succeeded."""
    start = time.monotonic()
    rows = [measure_row(runner, task, options.slices, progress) for task in tasks]
    progress("")
    names = list(runner.allocators)
    print("CPU: user and system seconds; MB: peak resident memory; x: ratio to glibc, of both. "
          "Medians\nof %d (%d s in all). '%s' is glibc against itself: the noise of this run.\n"
          % (options.slices, time.monotonic() - start, CONTROL))
    print(mm_bench_table.render(rows, names, BASE, CONTROL))
    if options.json:
        with open(options.json, "w", encoding="ascii") as file:
            json.dump(mm_bench_table.to_json(rows, names, BASE), file, indent=1)
    if STRATA in names and (options.stats or options.programs):
        show_statistics(runner, tasks)
    return not any(cell.error for row in rows for cell in row.cells.values())


def make_progress():
    """Returns a function that shows one line of progress, where a person looks on."""
    if not sys.stderr.isatty():
        return lambda text: None
    width = shutil.get_terminal_size().columns - 1

    def progress(text):
        print("\r" + text[:width].ljust(width if text else 0), end="\r" if not text else "",
              file=sys.stderr, flush=True)
    return progress


def print_list():
    print("workloads: " + " ".join(WORKLOADS))
    print("programs:  " + " ".join(program.name for program in mm_bench_programs.PROGRAMS))
    print("allocators: " + " ".join([BASE, STRATA] + list(RIVALS)))


def main(argv):
    options = parse_arguments(argv)
    if options.list:
        print_list()
        return 0
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    try:
        with contextlib.ExitStack() as stack:
            allocators = choose_allocators(options)
            directory = stack.enter_context(tempfile.TemporaryDirectory(prefix="mm_bench."))
            runner = Runner(options, allocators, directory)
            progress = make_progress()
            if options.pairs:
                return 0 if print_pairs(runner, options, progress) else 1
            progress("writing inputs")
            tasks = make_tasks(options, directory)
            for name, library in allocators.items():
                for task in tasks if library else []:
                    runner.check_preload(task, name)
            return 0 if print_table(runner, options, tasks, progress) else 1
    except BenchError as error:
        print("mm_bench: %s" % error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("mm_bench: interrupted", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
