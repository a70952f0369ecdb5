#!/usr/bin/env python3
"""Compares ways to keep structs in SQLite and in memory by CPU time per row, in tables.

Each slice is a program that does one work on so many people, again and again, for some time on a
processor; those that are compared take turns (A B C A B C ...). README.md beside this file explains
the rows and the columns.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import typing

sys.path.append(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
import slices

QUICK_PEOPLE = 1234
# Each of these inserts in a file waits for the disk.
SYNCED_PEOPLE = 200
SYNCED = [("full", "direct"), ("full", "batch")]
SMALL_CACHE = "--cache-bytes=2097152"


class Entry(typing.NamedTuple):
    """Who does a work, and how."""

    name: str
    program: str
    arguments: tuple = ()


class Line(typing.NamedTuple):
    """A work and those who do it: the first is what the others are compared with."""

    work: str  # As --works has it.
    title: str
    entries: list
    arguments: tuple = ()  # What all of them are told.


def again(entry):
    """The control."""
    return entry._replace(name=entry.name + " again")


SQLITE = Entry("SQLite", "sqlite")
STRATA = Entry("Strata", "strata")
OTHERS = [STRATA, Entry("SOCI", "soci_sqlite"), Entry("SQLiteCpp", "sqlitecpp")]
VALUES = Entry("SQLite, 100 rows a statement", "sqlite", ("--how=values",))
BATCH = Entry("Strata, Batch", "strata", ("--how=batch",))
SELECT = Entry("Strata, Select", "strata", ("--how=select",))

SQL_LINES = [
    Line("direct", "direct", [SQLITE, again(SQLITE), *OTHERS]),
    Line("batch", "batch", [SQLITE, again(SQLITE), VALUES, *OTHERS]),
    Line("trans", "trans", [SQLITE, again(SQLITE), *OTHERS]),
    Line("batch-trans", "batch trans", [SQLITE, again(SQLITE), VALUES, *OTHERS, BATCH]),
    Line("one", "read one", [SQLITE, again(SQLITE), *OTHERS]),
    Line("one-trans", "read one, trans", [SQLITE, again(SQLITE), *OTHERS]),
    Line("all", "read all", [SQLITE, again(SQLITE), *OTHERS, SELECT]),
]

PLAIN = Entry("plain", "strata")
CIPHERS = [
    PLAIN,
    again(PLAIN),
    Entry("AES-256-GCM", "strata", ("--cipher=gcm",)),
    Entry("AES-256-CTR", "strata", ("--cipher=ctr",)),
]
ENCRYPTED_LINES = [
    Line("batch-trans", "batch trans, WAL", CIPHERS),
    Line("batch-trans", "batch trans, rollback journal", CIPHERS, ("--rollback",)),
    Line("direct", "direct, WAL", CIPHERS),
    Line("all", "read all, nothing in the cache", CIPHERS, ("--cold",)),
    Line("one-trans", "read one, trans, 64 MB of cache", CIPHERS, ("--cache-bytes=67108864",)),
    Line("one-trans", "read one, trans, 2 MB of cache", CIPHERS, (SMALL_CACHE,)),
]

FLOOR = Entry("floor", "memory_floor")
ENGINES = [FLOOR, again(FLOOR), Entry("Strata", "memory")]
ENGINE_LINES = [
    Line("direct", "direct", ENGINES),
    Line("trans", "trans", ENGINES),
    Line("batch", "batch", ENGINES),
    Line("batch-trans", "batch trans", ENGINES),
    Line("batch-trans", "batch trans, indexes", ENGINES, ("--how=indexed",)),
    Line("find", "find by id, no copy", ENGINES),
    Line("find-text", "find by text, no copy", ENGINES, ("--how=indexed",)),
    Line("one", "read one, a copy", ENGINES),
    Line("all", "read all, no copy", ENGINES),
    Line("to-json", "to JSON", ENGINES),
    Line("from-json", "from JSON", ENGINES),
]

# With the log, against the same in memory alone.
LOGGED = Entry("memory alone", "memory", ("--storage=memory",))
LOG_LINES = [
    Line(
        work,
        title,
        [
            LOGGED,
            again(LOGGED),
            Entry("log, no sync", "memory", ("--storage=off",)),
            Entry("log, synced", "memory", ("--storage=full",)),
        ],
    )
    for work, title in [("batch", "batch"), ("batch-trans", "batch trans")]
]


class Table(typing.NamedTuple):
    """What has its rows in one place."""

    name: str  # As --tables has it.
    title: str
    storage: str  # "" where the entries say it.
    lines: list


TABLES = [
    Table("full", "file, synchronous=FULL", "full", SQL_LINES),
    Table("off", "file, synchronous=OFF", "off", SQL_LINES),
    Table("exclusive", "file, OFF, exclusive", "exclusive", SQL_LINES),
    Table("memory", ":memory:", "memory", SQL_LINES),
    Table("encrypted", "file, OFF, encrypted", "off", ENCRYPTED_LINES),
    Table("engine", "engine in memory", "memory", ENGINE_LINES),
    Table("log", "engine in memory, and its log", "", LOG_LINES),
]


class Bench:
    """Runs slices as the user wants them."""

    def __init__(self, options, folder):
        self.options = options
        self.folder = folder
        _, self.cpus = slices.processors()

    def people(self, table, line):
        if (table.storage, line.work) in SYNCED:
            return min(SYNCED_PEOPLE, self.options.people)
        return self.options.people

    def slice(self, table, line, entry):
        """The nanoseconds of a row."""
        command = [
            slices.here(entry.program),
            f"--work={line.work}",
            f"--rows={self.people(table, line)}",
            f"--seconds={self.options.seconds}",
            f"--folder={self.folder}",
            *([f"--storage={table.storage}"] if table.storage else []),
            *line.arguments,
            *entry.arguments,
        ]
        process = slices.pinned(command, self.cpus, stdout=subprocess.PIPE)
        out, _ = process.communicate()
        if process.returncode != 0:
            raise RuntimeError(f"{' '.join(command)} failed")
        seen = json.loads(out)
        return seen["ns"] / seen["rows"]


def print_table(table, bench, works):
    slices.print_header(table.title, "who", "rows", "rows/s", "x first", "slices from", "to")
    for line in table.lines:
        if line.work not in works:
            continue
        times = slices.rounds(
            line.entries,
            bench.options.slices,
            lambda entry, line=line: bench.slice(table, line, entry),
        )
        base = times[line.entries[0]]
        for entry in line.entries:
            slices.print_row(
                line.title,
                entry.name,
                str(bench.people(table, line)),
                f"{1e6 / statistics.median(times[entry]):.0f} k",
                # Of rates, which are the inverse of times.
                *slices.ratios(base, times[entry]),
            )
    print(flush=True)


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--people", type=int, default=200_000, help="how many rows")
    parser.add_argument("--slices", type=int, default=5, help="of each line")
    parser.add_argument("--seconds", type=float, default=0.5, help="of a slice")
    parser.add_argument("--tables", help="only these, by commas")
    parser.add_argument("--works", help="only these, by commas")
    parser.add_argument(
        "--folder", default=tempfile.gettempdir(), help="where the files are, for a while"
    )
    parser.add_argument("--quick", action="store_true", help="to see that all of it runs")
    options = parser.parse_args()
    if options.people < 1 or options.slices < 1:
        parser.error("--people and --slices are at least 1")
    if options.quick:
        options.people, options.slices, options.seconds = QUICK_PEOPLE, 1, 0
    options.tables = slices.chosen(options.tables, [table.name for table in TABLES], parser)
    works = [line.work for table in TABLES for line in table.lines]
    options.works = slices.chosen(options.works, works, parser)
    return options


def main():
    options = parse_arguments()
    slices.print_heading(
        f"{options.people} people", f"{options.slices} slices of {options.seconds} s"
    )
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        bench = Bench(options, folder)
        for table in TABLES:
            if table.name in options.tables:
                print_table(table, bench, options.works)
    return 0


if __name__ == "__main__":
    sys.exit(main())
