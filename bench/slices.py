"""What the benchmarks of servers share: programs on a processor of their own, their time and
memory, rounds of slices, and tables of ratios.

A slice is one measurement of one row of a table. A round is a slice of each row, one after the
other (A B C); rounds follow each other (A B C A B C ...), and a ratio is taken within a round.
"""

import contextlib
import datetime
import glob
import json
import os
import platform
import random
import resource
import signal
import socket
import statistics
import subprocess
import sys
import time
import typing

import user_time

PER_CLIENT = 9000  # Connections of one process: the limit of descriptors is 20,000 in many places.
MIN_BUSY = 0.5  # Below this share of its processor a server's time is mostly that of waking up.
START_S = 20
STOP_S = 10
TRIED_PORTS = 100


def here(name):
    """A program beside the script that was started, where the build has put both."""
    return os.path.join(os.path.dirname(os.path.abspath(sys.argv[0])), name)


def processors():
    """A processor for the server and another for its client, each as a set."""
    every = sorted(os.sched_getaffinity(0))
    return {every[0]}, {every[-1]}


def pinned(command, cpus, **options):
    """Starts a command on these processors."""
    return subprocess.Popen(
        command, preexec_fn=lambda: os.sched_setaffinity(0, cpus), text=True, **options
    )


def free_port():
    """A free port, as text, for a server that has to be told one.

    It is none of those that the kernel gives to clients: one of these could be taken, or remembered
    of a connection that has ended, when the server comes to listen on it.
    """
    with open("/proc/sys/net/ipv4/ip_local_port_range", encoding="ascii") as file:
        first = int(file.read().split()[0])
    for port in random.sample(range(min(10_000, first // 2), first), TRIED_PORTS):
        with socket.socket() as free, contextlib.suppress(OSError):
            free.bind(("", port))
            return str(port)
    raise RuntimeError("no port is free")


def make_identity(folder):
    """A self-signed certificate of a P-256 key: the paths of both."""
    certificate, key = os.path.join(folder, "certificate.pem"), os.path.join(folder, "key.pem")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
        + ["-nodes", "-days", "1", "-subj", "/CN=localhost", "-keyout", key, "-out", certificate],
        check=True,
        stderr=subprocess.DEVNULL,
    )
    return certificate, key


class Server:
    """A server that runs until the end of the `with` block.

    It prints its port as its first line; or it has been told the port, which then is given here.
    """

    def __init__(self, command, cpus, port=None, **options):
        self.command = command
        self.cpus = cpus
        self.port = port
        self.options = options

    def __enter__(self):
        told = self.port is not None
        output = {} if told else {"stdout": subprocess.PIPE}
        self.process = pinned(self.command, self.cpus, **output, **self.options)
        if told:
            started = self._listens()
        else:
            self.port = self.process.stdout.readline().strip()
            started = self.port != ""
        if not started:
            self.__exit__()
            raise RuntimeError(f"{self.command[0]} did not start")
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(timeout=STOP_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        if self.process.stdout is not None:
            self.process.stdout.close()

    def _listens(self):
        """Waits until it does; False if it has ended, or takes too long."""
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", int(self.port))).close()
                return True
            except ConnectionRefusedError:
                time.sleep(0.01)
        return False

    def processes(self):
        """The server's process and all that have come from it."""
        found = [self.process.pid]
        for pid in found:
            for path in glob.glob(f"/proc/{pid}/task/*/children"):
                with open(path, encoding="ascii") as file:
                    found += [int(child) for child in file.read().split()]
        return found

    def threads(self):
        """The numbers of all threads of all its processes."""
        return [
            int(thread)
            for pid in self.processes()
            for thread in os.listdir(f"/proc/{pid}/task")
        ]

    def cpu_ns(self):
        """Time on a processor of all threads: the first field of schedstat."""
        total = 0
        for thread in self.threads():
            with open(f"/proc/{thread}/schedstat", encoding="ascii") as file:
                total += int(file.read().split()[0])
        return total

    def private_bytes(self):
        """Anonymous memory: what the program itself has allocated, its stacks included."""
        total = 0
        for pid in self.processes():
            with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
                total += next(
                    int(line.split()[1]) * 1024 for line in file if line.startswith("Anonymous:")
                )
        return total


class Idle:
    """Idle connections that stay open until the end of the `with` block.

    `command` makes the command of a client from a number of connections. A client prints a line
    when it has them, and holds them until its input ends.
    """

    def __init__(self, command, connections, cpus):
        self.clients = []
        while connections > 0:
            part = min(connections, PER_CLIENT)
            connections -= part
            self.clients.append(
                pinned(command(part), cpus, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
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


class Slice(typing.NamedTuple):
    """What a server has spent, and what its client has said of that time."""

    seen: dict  # The line of JSON: "ns", how long it took, is in it.
    cpu_ns: int
    user_ns: typing.Optional[int]  # None if it cannot be told.

    def busy(self):
        """The share of its processor that the server has used."""
        return self.cpu_ns / self.seen["ns"]


def load(server, command, cpus, patience_s):
    """One slice, of a server that runs.

    The client, on these processors, prints "ready" when it has warmed up, waits for a line, then
    measures, prints a line of JSON, and ends.
    """
    client = pinned(command, cpus, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        if client.stdout.readline() != "ready\n":
            raise RuntimeError("the client failed")
        # The server has nothing to do before the client is told to go on, and after its end.
        with user_time.UserTime(server.threads()) as user:
            cpu_ns = server.cpu_ns()
            out, _ = client.communicate("\n", timeout=patience_s)
            cpu_ns, user_ns = server.cpu_ns() - cpu_ns, user.ns()
    finally:
        client.kill()
        client.wait()
    if client.returncode != 0:
        raise RuntimeError("the client failed")
    return Slice(json.loads(out), cpu_ns, user_ns)


def user_cell(measured, count):
    """The user time of all slices together, in microseconds for each of what `count` names in their
    JSON: one slice alone has too few samples."""
    if any(one.user_ns is None for one in measured):
        return "-"
    total = sum(one.seen[count] for one in measured)
    return f"{sum(one.user_ns for one in measured) / total / 1000:.2f}"


def add_arguments(parser):
    """Those that all benchmarks of servers have."""
    parser.add_argument("--slices", type=int, default=5, help="of each server and row")
    parser.add_argument("--seconds", type=float, default=1.0, help="of a slice")
    parser.add_argument("--servers", help="only these beside the floors, by commas")
    parser.add_argument("--quick", action="store_true", help="to see that all of it runs")


def parse(parser):
    options = parser.parse_args()
    if options.quick:
        options.slices, options.seconds = 1, 0.1
    return options


def print_heading(*words):
    """When and where this was measured, and what more there is to say."""
    machine = f"Linux {platform.release()}, {len(os.sched_getaffinity(0))} processors"
    print(", ".join([f"{datetime.date.today()}", machine, *words]) + "\n")


def raise_descriptor_limit():
    """For the servers that do not ask for more descriptors themselves."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def chosen(text, names, parser):
    """The names of a list by commas; all of them if it is None."""
    if text is None:
        return names
    some = text.split(",")
    unknown = [name for name in some if name not in names]
    if unknown:
        parser.error(f"no {unknown[0]!r}; there are: {', '.join(dict.fromkeys(names))}")
    return some


def rounds(rows, count, measure):
    """The slices of each row, in the order of their rounds: {row: [measure(row), ...]}."""
    slices = {row: [] for row in rows}
    for _ in range(count):
        for row in rows:
            slices[row].append(measure(row))
    return slices


def ratios(times, base):
    """The cells of a table that say how times compare with those of a base in the same rounds: the
    median of the ratios, then the smallest and the largest of them."""
    each = [time / of_base for time, of_base in zip(times, base)]
    return [f"{statistics.median(each):.3f}", f"{min(each):.2f}", f"{max(each):.2f}"]


def busy_cell(shares):
    """The cell that says how much of its processor a server has used."""
    share = statistics.median(shares)
    return f"{share:.2f}" + ("" if share >= MIN_BUSY else " (too idle)")


def print_row(*cells):
    print("| " + " | ".join(cells) + " |", flush=True)


def print_header(*cells):
    print_row(*cells)
    print("|" + "---|" * len(cells))
