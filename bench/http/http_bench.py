#!/usr/bin/env python3
"""Compares HTTP servers by CPU time per request with a raw epoll server, in tables.

Each slice starts a server on one processor and its client on another, for each server in turn (A B
C A B C ...). README.md beside this file explains the rows and the columns.
"""

import argparse
import json
import os
import random
import shlex
import statistics
import subprocess
import sys
import tempfile
import typing

sys.path.append(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
import crowd
import servers
import slices
from servers import CONTROL, ECHO, FILES, FLOOR, HELLO, JSON, TLS

WARM_UP_S = 0.3
PATIENCE_S = 100
QUICK_CONNECTIONS = 4

JSON_FILE = "1k.json"
JSON_BYTES = 1024
FILE_BYTES = {"13b.txt": 13, "1k.txt": 1 << 10, "10k.txt": 10 << 10, "1m.txt": 1 << 20}


class Row(typing.NamedTuple):
    """A table: what its client is told, and what the floor is told to answer that."""

    name: str
    title: str
    kind: str
    connections: int
    client: typing.Sequence[str]
    floor: typing.Sequence[str] = ()


GREETED = ("--expect=Hello, World!",)


def got(name):
    return f"--path=/files/{name}", f"--expect-file={{folder}}/{name}"


def echoed(name):
    return "--path=/echo", f"--post={{folder}}/{name}"


ROWS = [
    Row("hello-64", "Hello, World!", HELLO, 64, GREETED),
    Row("hello-256", "Hello, World!", HELLO, 256, GREETED),
    Row("hello-1000", "Hello, World!", HELLO, 1000, GREETED),
    Row("pipelined", "Hello, World! 16 at once", HELLO, 64, (*GREETED, "--pipeline=16")),
    Row(
        "json",
        "JSON of 1 KB",
        JSON,
        64,
        ("--path=/json", f"--expect-file={{folder}}/{JSON_FILE}"),
        (f"--body={{folder}}/{JSON_FILE}", "--type=application/json"),
    ),
    Row("file-13b", "file of 13 B", FILES, 64, got("13b.txt"), ("--body={folder}/13b.txt",)),
    Row("file-10k", "file of 10 KB", FILES, 64, got("10k.txt"), ("--body={folder}/10k.txt",)),
    Row("file-1m", "file of 1 MB", FILES, 16, got("1m.txt"), ("--file={folder}/1m.txt",)),
    Row("post-1k", "POST of 1 KB", ECHO, 64, echoed("1k.txt"), ("--echo=1024",)),
    Row("post-1m", "POST of 1 MB", ECHO, 16, echoed("1m.txt"), ("--echo=1048576",)),
    Row(
        "tls",
        "Hello, World! over TLS",
        TLS,
        64,
        (*GREETED, "--tls"),
        ("--certificate={certificate}", "--key={key}"),
    ),
    # Each connection that a server closes is remembered by the kernel for a minute: hence a limit.
    Row(
        "close",
        "Connection: close",
        HELLO,
        64,
        (*GREETED, "--close", "--limit=60000"),
        ("--close",),
    ),
]
IDLE = Row("idle", "idle connections", HELLO, 64, GREETED)


class Bench:
    """What all slices have in common: the processors, the folder to serve, the time of a slice."""

    def __init__(self, options, folder):
        self.cpus = slices.processors()
        self.seconds = options.seconds
        self.quick = options.quick
        certificate, key = slices.make_identity(folder)
        self.place = {"folder": folder, "certificate": certificate, "key": key}
        fill(folder)

    def serve(self, entry, row):
        self.place["port"], self.place["tls_port"] = slices.free_port(), slices.free_port()
        port = self.place["tls_port" if row.kind == TLS else "port"]
        return slices.Server(
            entry.command(row, self.place), self.cpus[0], port, stdout=subprocess.DEVNULL
        )

    def connections(self, row):
        return QUICK_CONNECTIONS if self.quick else row.connections

    def client_command(self, row, port, *more):
        words = [word.format(**self.place) for word in row.client]
        return [slices.here("load_client"), f"--port={port}", *words, *more]

    def load(self, row, server):
        """One slice, on a server that runs."""
        command = self.client_command(
            row,
            server.port,
            f"--connections={self.connections(row)}",
            f"--seconds={self.seconds}",
            f"--warm-up={min(WARM_UP_S, self.seconds)}",
        )
        return slices.load(server, command, self.cpus[1], self.seconds + PATIENCE_S)

    def idle(self, server, connections):
        return slices.Idle(
            lambda part: self.client_command(
                IDLE, server.port, f"--connections={part}", "--idle"
            ),
            connections,
            self.cpus[1],
        )


def fill(folder):
    """Makes what the servers serve: text, the same in each run."""
    words = random.Random(1)
    for name, size in FILE_BYTES.items():
        with open(os.path.join(folder, name), "w", encoding="ascii") as file:
            file.write(words.randbytes(size).hex()[:size])
    people = [{"id": i, "name": f"Person {i}", "balance": i * 12.5} for i in range(19)]
    text = json.dumps({"people": people, "note": ""})
    with open(os.path.join(folder, JSON_FILE), "w", encoding="ascii") as file:
        file.write(text[:-2] + "." * (JSON_BYTES - len(text)) + text[-2:])


def cost(one):
    """CPU nanoseconds for each request of a slice."""
    return one.cpu_ns / one.seen["requests"]


def time_table(row, entries, bench, count):
    """Prints a row for each server that serves this kind."""

    def measure(entry):
        with bench.serve(entry, row) as server:
            return bench.load(row, server)

    some = [entry for entry in entries if row.kind in entry.kinds]
    measured = slices.rounds(some, count, measure)
    floor = next(results for entry, results in measured.items() if entry.name == FLOOR)
    slices.print_header(
        f"{row.title}, {bench.connections(row)} connections",
        "us/request",
        "x floor",
        "slices from",
        "to",
        "user us",
        "busy",
        "requests/s",
        "p50 us",
        "p99 us",
        "p99/p50",
    )
    for entry, results in measured.items():
        seen = [one.seen for one in results]
        slices.print_row(
            entry.name,
            f"{statistics.median(cost(one) for one in results) / 1000:.2f}",
            *slices.ratios([cost(one) for one in results], [cost(one) for one in floor]),
            slices.user_cell(results, "requests"),
            slices.busy_cell(one.busy() for one in results),
            f"{statistics.median(one['requests'] / one['ns'] for one in seen) * 1e9:.0f}",
            f"{statistics.median(one['p50_us'] for one in seen):.0f}",
            f"{statistics.median(one['p99_us'] for one in seen):.0f}",
            f"{statistics.median(one['p99_us'] / one['p50_us'] for one in seen):.2f}",
        )
    print(flush=True)


def idle_table(entries, bench, count):
    connections = crowd.QUICK_CONNECTIONS if bench.quick else crowd.CONNECTIONS
    some = {entry.name: entry for entry in entries if HELLO in entry.kinds}

    def measure(name):
        return crowd.measure(
            bench.serve(some[name], IDLE),
            connections,
            lambda server: bench.load(IDLE, server),
            bench.idle,
        )

    measured = slices.rounds(some, count, measure)
    crowd.print_table(measured, connections, bench.connections(IDLE), cost)


def extra_entry(text):
    """NAME[:KIND,...]=COMMAND, as --extra has it."""
    head, equals, command = text.partition("=")
    name, _, kinds = head.partition(":")
    kinds = kinds.split(",") if kinds else [HELLO]
    if not name or not equals or any(kind not in servers.KINDS for kind in kinds):
        raise argparse.ArgumentTypeError(
            f"not NAME[:KIND,...]=COMMAND with KINDs of {', '.join(servers.KINDS)}"
        )
    return servers.Entry(name, tuple(kinds), servers.told(*shlex.split(command)))


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    slices.add_arguments(parser)
    parser.add_argument("--rows", help="only these, by commas")
    parser.add_argument(
        "--extra",
        metavar="NAME[:KIND,...]=COMMAND",
        type=extra_entry,
        action="append",
        default=[],
        help="one more server; its command is an absolute path and may name {port}, {tls_port},"
        " {folder}, {certificate} and {key}; without KINDs it is asked for / alone",
    )
    options = slices.parse(parser)
    names = slices.chosen(options.servers, [entry.name for entry in servers.ENTRIES], parser)
    options.entries = [
        entry for entry in servers.ENTRIES if entry.name in (FLOOR, CONTROL, *names)
    ] + options.extra
    options.rows = slices.chosen(options.rows, [row.name for row in ROWS] + [IDLE.name], parser)
    return options


def main():
    options = parse_arguments()
    slices.raise_descriptor_limit()
    slices.print_heading(f"{options.slices} slices of {options.seconds} s")
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(options, folder)
        for row in ROWS:
            if row.name in options.rows:
                time_table(row, options.entries, bench, options.slices)
        if IDLE.name in options.rows:
            idle_table(options.entries, bench, options.slices)
    return 0


if __name__ == "__main__":
    sys.exit(main())
