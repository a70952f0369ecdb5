#!/usr/bin/env python3
"""Compares WebSocket servers by CPU time per message with a raw epoll server, in tables.

Each slice starts a server and its client, for each server in turn (A B C A B C ...). README.md
beside this file explains the rows and the columns.
"""

import argparse
import os
import statistics
import sys
import typing

sys.path.append(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
import crowd
import slices

FLOOR = "floor"
CONTROL = "floor again"

WARM_UP_S = 0.3
PATIENCE_S = 100
QUICK_CONNECTIONS = 4

# What a row asks a server for.
ECHO = "echo"
FAN_OUT = "fan-out"  # What one client sends goes to all, on two loops.


class Row(typing.NamedTuple):
    """A table: what its client is told."""

    name: str
    title: str
    kind: str
    connections: int
    client: typing.Sequence[str]


ROWS = [
    Row("echo-64", "echo of 125 B", ECHO, 64, ()),
    Row("echo-200", "echo of 125 B", ECHO, 200, ()),
    Row("echo-16k", "echo of 16 KB", ECHO, 64, ("--size=16384",)),
    Row("echo-burst", "echo of 125 B, 16 at once", ECHO, 64, ("--burst=16",)),
    Row("fan-out", "fan-out of 125 B", FAN_OUT, 10_000, ("--fan-out",)),
    Row(
        "fan-out-burst",
        "fan-out of 125 B, 16 at once",
        FAN_OUT,
        10_000,
        ("--fan-out", "--burst=16"),
    ),
]
IDLE = Row("idle", "idle connections", ECHO, 64, ("--size=16",))
DEFLATE = "--deflate"


class Entry(typing.NamedTuple):
    """A server: its commands, for what it can be asked for."""

    name: str
    echo: typing.Sequence[str]
    fan_out: typing.Optional[typing.Sequence[str]] = None
    deflate: typing.Optional[typing.Sequence[str]] = None  # An echo, for the idle.


def entries(node_ws):
    """All servers; `node_ws` is the folder of the npm package ws."""
    floor = (slices.here("floor_ws"),)
    floor_fan_out = (*floor, "--fan-out", "--threads=2")
    strata = (slices.here("../../ws/echo_server"),)
    script = os.path.join(os.path.dirname(os.path.realpath(__file__)), "node_server.js")
    node = ("node", script, node_ws)
    return [
        Entry(FLOOR, floor, floor_fan_out),
        Entry(CONTROL, floor, floor_fan_out),
        Entry(
            "strata",
            strata,
            (slices.here("strata_hub"), "--threads=2"),
            (*strata, "--deflate"),
        ),
        Entry("Boost.Beast", (slices.here("beast_server"),)),
        Entry("node ws", node, (*node, "--fan-out")),
    ]


class Bench:
    """What all slices have in common: the processors, the time of a slice."""

    def __init__(self, options):
        self.cpus = slices.processors()
        self.seconds = options.seconds
        self.quick = options.quick

    def serve(self, command, kind=ECHO):
        # Two loops have all processors, and share them with the client.
        cpus = self.cpus[0] if kind == ECHO else os.sched_getaffinity(0)
        return slices.Server(command, cpus)

    def connections(self, row):
        return QUICK_CONNECTIONS if self.quick else row.connections

    def client_command(self, row, server, connections, *more):
        port = server.port.rsplit(":", 1)[-1]  # Ours says where it listens, in words.
        return [
            slices.here("load_client"),
            f"--port={port}",
            f"--connections={connections}",
            *row.client,
            *more,
        ]

    def load(self, row, server):
        """One slice, on a server that runs."""
        command = self.client_command(
            row,
            server,
            self.connections(row),
            f"--seconds={self.seconds}",
            f"--warm-up={min(WARM_UP_S, self.seconds)}",
        )
        return slices.load(server, command, self.cpus[1], self.seconds + PATIENCE_S)

    def idle(self, server, connections, *more):
        return slices.Idle(
            lambda part: self.client_command(IDLE, server, part, "--idle", *more),
            connections,
            self.cpus[1],
        )


def cost(one):
    """CPU nanoseconds for each message of a slice that came to a client."""
    return one.cpu_ns / one.seen["messages"]


def time_table(row, every, bench, count):
    """Prints a row for each server that serves this kind."""
    commands = {
        entry.name: entry.echo if row.kind == ECHO else entry.fan_out
        for entry in every
        if row.kind == ECHO or entry.fan_out
    }

    def measure(name):
        with bench.serve(commands[name], row.kind) as server:
            return bench.load(row, server)

    measured = slices.rounds(commands, count, measure)
    slices.print_header(
        f"{row.title}, {bench.connections(row)} connections",
        "us/message",
        "x floor",
        "slices from",
        "to",
        "user us",
        "busy",
        "messages/s",
        "messages/write",
    )
    floor = [cost(one) for one in measured[FLOOR]]
    for name, results in measured.items():
        seen = [one.seen for one in results]
        slices.print_row(
            name,
            f"{statistics.median(cost(one) for one in results) / 1000:.2f}",
            *slices.ratios([cost(one) for one in results], floor),
            slices.user_cell(results, "messages"),
            slices.busy_cell(one.busy() for one in results),
            f"{statistics.median(one['messages'] / one['ns'] for one in seen) * 1e9:.0f}",
            f"{statistics.median(one['messages'] / one['segments'] for one in seen):.2f}",
        )
    print(flush=True)


def idle_table(every, bench, count):
    connections = crowd.QUICK_CONNECTIONS if bench.quick else crowd.CONNECTIONS
    commands = {}
    for entry in every:
        commands[entry.name] = (entry.echo, ())
        if entry.deflate:
            commands[f"{entry.name}, permessage-deflate"] = (entry.deflate, (DEFLATE,))

    def measure(name):
        command, more = commands[name]
        return crowd.measure(
            bench.serve(command),
            connections,
            lambda server: bench.load(IDLE, server),
            lambda server, count: bench.idle(server, count, *more),
        )

    measured = slices.rounds(commands, count, measure)
    crowd.print_table(measured, connections, bench.connections(IDLE), cost)


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    slices.add_arguments(parser)
    parser.add_argument("--rows", help="only these, by commas")
    parser.add_argument("--node-ws", required=True, help="package.json of the npm package ws")
    options = slices.parse(parser)
    every = entries(os.path.dirname(os.path.abspath(options.node_ws)))
    names = slices.chosen(options.servers, [entry.name for entry in every], parser)
    options.entries = [entry for entry in every if entry.name in (FLOOR, CONTROL, *names)]
    options.rows = slices.chosen(options.rows, [row.name for row in ROWS] + [IDLE.name], parser)
    return options


def main():
    options = parse_arguments()
    slices.raise_descriptor_limit()
    slices.print_heading(f"{options.slices} slices of {options.seconds} s")
    bench = Bench(options)
    for row in ROWS:
        if row.name in options.rows:
            time_table(row, options.entries, bench, options.slices)
    if IDLE.name in options.rows:
        idle_table(options.entries, bench, options.slices)
    return 0


if __name__ == "__main__":
    sys.exit(main())
