#!/usr/bin/env python3
"""Compares echo servers by CPU time per message with a raw epoll loop, in one table.

Each slice starts a server on one processor and its clients on another, for each server in turn (A B
C A B C ...). README.md beside this file explains the table.
"""

import argparse
import os
import statistics
import subprocess
import sys
import time

sys.path.append(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
import slices

FLOOR = "floor"
CONTROL = "floor again"

# Row -> command, beside this file.
SERVERS = {
    FLOOR: ["floor_echo"],
    CONTROL: ["floor_echo"],
    "strata": ["strata_echo", "1"],
    "libuv": ["uv_echo"],
    "Boost.Asio": ["asio_echo"],
}
CONNECTIONS = [64, 256, 1000]
WARM_UP_S = 0.3


def serve(command, cpus):
    return slices.Server([slices.here(command[0])] + command[1:], cpus)


def load(port, connections, seconds, cpus):
    """Runs a client; returns the messages echoed."""
    command = [slices.here("load_client"), port, str(connections), str(seconds)]
    client = slices.pinned(command, cpus, stdout=subprocess.PIPE)
    out, _ = client.communicate(timeout=seconds + 60)
    if client.returncode != 0:
        raise RuntimeError("the client failed")
    return int(out)


def idle(port, connections, cpus):
    command = slices.here("load_client")
    return slices.Idle(lambda part: [command, port, str(part), "idle"], connections, cpus)


def slice_of(server, connections, seconds, cpus):
    """CPU nanoseconds per message, and the share of a processor that the server was busy."""
    with serve(SERVERS[server], cpus[0]) as running:
        load(running.port, connections, WARM_UP_S, cpus[1])
        cpu, wall = running.cpu_ns(), time.monotonic()
        messages = load(running.port, connections, seconds, cpus[1])
        cpu, wall = running.cpu_ns() - cpu, time.monotonic() - wall
    return cpu / max(messages, 1), cpu / 1e9 / wall


def time_table(servers, connections, options, cpus):
    """Prints a row for each server; returns nothing."""
    slices.print_header(
        f"{connections} connections", "ns/message", "x floor", "slices from", "to", "busy"
    )
    measured = slices.rounds(
        servers, options.slices, lambda row: slice_of(row, connections, options.seconds, cpus)
    )
    floor = [ns for ns, _ in measured[FLOOR]]
    for server, results in measured.items():
        times = [ns for ns, _ in results]
        slices.print_row(
            server,
            f"{statistics.median(times):.0f}",
            *slices.ratios(times, floor),
            slices.busy_cell(share for _, share in results),
        )
    print(flush=True)


def memory_table(servers, connections, cpus):
    slices.print_header(f"{connections} idle connections", "bytes of user memory for each")
    for server in servers:
        if server == CONTROL:
            continue
        with serve(SERVERS[server], cpus[0]) as running:
            load(running.port, 10, WARM_UP_S, cpus[1])
            before = running.private_bytes()
            with idle(running.port, connections, cpus[1]):
                # The server has accepted them when it answers one that came after.
                load(running.port, 1, WARM_UP_S, cpus[1])
                slices.print_row(
                    server, f"{(running.private_bytes() - before) / connections:.0f}"
                )
    print(flush=True)


def crowd(idle_count, busy, seconds):
    """Many idle connections beside busy ones, on two loops."""
    every = os.sched_getaffinity(0)
    with serve(["strata_echo", "2"], every) as running:
        load(running.port, 10, WARM_UP_S, every)  # Its threads run now.
        before = len(running.threads())
        with idle(running.port, idle_count, every):
            cpu = running.cpu_ns()
            messages = load(running.port, busy, seconds, every)
            cpu = running.cpu_ns() - cpu
            threads = len(running.threads())
    print(
        f"strata on 2 loops, {idle_count} connections idle and {busy} busy: {messages} messages,"
        f" {cpu / max(messages, 1):.0f} ns of CPU for each; threads {before} before, {threads} then"
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    slices.add_arguments(parser)
    options = slices.parse(parser)
    servers = slices.chosen(options.servers, list(SERVERS), parser)
    servers = [FLOOR] + [server for server in servers if server != FLOOR]
    connections, idle_count, crowded = CONNECTIONS, 10_000, (15_000, 1_000)
    if options.quick:
        connections, idle_count, crowded = [2], 100, (100, 10)

    cpus = slices.processors()
    slices.print_heading(
        f"{options.slices} slices of {options.seconds} s", "messages of 64 bytes"
    )
    for count in connections:
        time_table(servers, count, options, cpus)
    memory_table(servers, idle_count, cpus)
    crowd(*crowded, options.seconds)
    return 0


if __name__ == "__main__":
    sys.exit(main())
