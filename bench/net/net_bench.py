#!/usr/bin/env python3
"""Compares echo servers by CPU time per message with a raw epoll loop, in one table.

Each slice starts a server on one processor and its clients on another, for each server in turn (A B
C A B C ...). README.md beside this file explains the table.
"""

import argparse
import datetime
import glob
import os
import platform
import signal
import statistics
import subprocess
import sys
import time

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
PER_CLIENT = 9000  # Connections of one process: the limit of descriptors is 20,000 in many places.
WARM_UP_S = 0.3
MIN_BUSY = 0.5  # Below this share of its processor a server's time is mostly that of waking up.


def here(name):
    """A program beside the script that was started, where the build has put both."""
    return os.path.join(os.path.dirname(os.path.abspath(sys.argv[0])), name)


def pinned(command, cpus, **options):
    """Starts a command on these processors."""
    return subprocess.Popen(
        command, preexec_fn=lambda: os.sched_setaffinity(0, cpus), text=True, **options
    )


class Server:
    """A server that runs until the end of the `with` block."""

    def __init__(self, command, cpus):
        self.command = [here(command[0])] + command[1:]
        self.cpus = cpus

    def __enter__(self):
        self.process = pinned(self.command, self.cpus, stdout=subprocess.PIPE)
        self.port = self.process.stdout.readline().strip()
        if not self.port:
            raise RuntimeError(f"{self.command[0]} did not start")
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def cpu_ns(self):
        """Time on a processor of all threads: the first field of schedstat."""
        total = 0
        for path in glob.glob(f"/proc/{self.process.pid}/task/*/schedstat"):
            with open(path, encoding="ascii") as file:
                total += int(file.read().split()[0])
        return total

    def threads(self):
        return len(os.listdir(f"/proc/{self.process.pid}/task"))

    def private_bytes(self):
        """Anonymous memory: what the program itself has allocated, its stacks included."""
        with open(f"/proc/{self.process.pid}/smaps_rollup", encoding="ascii") as file:
            for line in file:
                if line.startswith("Anonymous:"):
                    return int(line.split()[1]) * 1024
        raise RuntimeError("no Anonymous in smaps_rollup")


def load(port, connections, seconds, cpus):
    """Runs a client; returns the messages echoed."""
    client = pinned(
        [here("load_client"), port, str(connections), str(seconds)], cpus, stdout=subprocess.PIPE
    )
    out, _ = client.communicate(timeout=seconds + 60)
    if client.returncode != 0:
        raise RuntimeError("the client failed")
    return int(out)


class Idle:
    """Idle connections that stay open until the end of the `with` block."""

    def __init__(self, port, connections, cpus):
        self.clients = []
        while connections > 0:
            part = min(connections, PER_CLIENT)
            connections -= part
            command = [here("load_client"), port, str(part), "idle"]
            self.clients.append(
                pinned(command, cpus, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            )

    def __enter__(self):
        for client in self.clients:
            if not client.stdout.readline():
                raise RuntimeError("a client could not connect")
        return self

    def __exit__(self, *_):
        for client in self.clients:
            client.stdin.close()
            client.wait(timeout=60)


def slice_of(server, connections, seconds, cpus):
    """CPU nanoseconds per message, and the share of a processor that the server was busy."""
    with Server(SERVERS[server], cpus[0]) as running:
        load(running.port, connections, WARM_UP_S, cpus[1])
        cpu, wall = running.cpu_ns(), time.monotonic()
        messages = load(running.port, connections, seconds, cpus[1])
        cpu, wall = running.cpu_ns() - cpu, time.monotonic() - wall
    return cpu / max(messages, 1), cpu / 1e9 / wall


def time_table(servers, connections, options, cpus):
    """Prints a row for each server; returns nothing."""
    print(f"| {connections} connections | ns/message | x floor | slices from | to | busy |")
    print("|---|---|---|---|---|---|")
    slices = {server: [] for server in servers}
    for _ in range(options.slices):
        for server in servers:
            slices[server].append(slice_of(server, connections, options.seconds, cpus))
    floor = [ns for ns, _ in slices[FLOOR]]
    for server in servers:
        ratios = [ns / base for (ns, _), base in zip(slices[server], floor)]
        busy = statistics.median(share for _, share in slices[server])
        mark = "" if busy >= MIN_BUSY else " (too idle)"
        print(
            f"| {server} | {statistics.median(ns for ns, _ in slices[server]):.0f} |"
            f" {statistics.median(ratios):.3f} | {min(ratios):.2f} | {max(ratios):.2f} |"
            f" {busy:.2f}{mark} |"
        )
    print(flush=True)


def memory_table(servers, connections, cpus):
    print(f"| {connections} idle connections | bytes of user memory for each |")
    print("|---|---|")
    for server in servers:
        if server == CONTROL:
            continue
        with Server(SERVERS[server], cpus[0]) as running:
            load(running.port, 10, WARM_UP_S, cpus[1])
            before = running.private_bytes()
            with Idle(running.port, connections, cpus[1]):
                # The server has accepted them when it answers one that came after.
                load(running.port, 1, WARM_UP_S, cpus[1])
                print(f"| {server} | {(running.private_bytes() - before) / connections:.0f} |")
    print(flush=True)


def crowd(idle, busy, seconds):
    """Many idle connections beside busy ones, on two loops."""
    every = os.sched_getaffinity(0)
    with Server(["strata_echo", "2"], every) as running:
        load(running.port, 10, WARM_UP_S, every)  # Its threads run now.
        before = running.threads()
        with Idle(running.port, idle, every):
            cpu = running.cpu_ns()
            messages = load(running.port, busy, seconds, every)
            cpu = running.cpu_ns() - cpu
            threads = running.threads()
    print(
        f"strata on 2 loops, {idle} connections idle and {busy} busy: {messages} messages,"
        f" {cpu / max(messages, 1):.0f} ns of CPU for each; threads {before} before, {threads} then"
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--slices", type=int, default=5, help="of each server and row")
    parser.add_argument("--seconds", type=float, default=1.0, help="of a slice")
    parser.add_argument("--servers", default=",".join(SERVERS), help="rows, by commas")
    parser.add_argument("--quick", action="store_true", help="to see that all of it runs")
    options = parser.parse_args()
    servers = options.servers.split(",")
    unknown = [server for server in servers if server not in SERVERS]
    if unknown:
        parser.error(f"no server {unknown[0]!r}; there are: {', '.join(SERVERS)}")
    servers = [FLOOR] + [server for server in servers if server != FLOOR]
    connections, idle, crowded = CONNECTIONS, 10_000, (15_000, 1_000)
    if options.quick:
        options.slices, options.seconds = 1, 0.1
        connections, idle, crowded = [2], 100, (100, 10)

    processors = sorted(os.sched_getaffinity(0))
    cpus = ({processors[0]}, {processors[-1]})
    print(
        f"{datetime.date.today()}, Linux {platform.release()}, {len(processors)} processors,"
        f" {options.slices} slices of {options.seconds} s, messages of 64 bytes\n"
    )
    for count in connections:
        time_table(servers, count, options, cpus)
    memory_table(servers, idle, cpus)
    crowd(*crowded, options.seconds)
    return 0


if __name__ == "__main__":
    sys.exit(main())
