#!/usr/bin/env python3
"""Compares TLS handshakes by the server's CPU time with openssl s_server, in one table.

Each slice starts a server on one processor and its client on another, for each server in turn (A B
C A B C ...). README.md beside this file explains the table.
"""

import argparse
import datetime
import os
import platform
import socket
import statistics
import subprocess
import sys
import tempfile
import time

import net_bench

RIVAL = "openssl s_server"
CONTROL = "openssl s_server again"
KINDS = [("1.3", "full"), ("1.3", "resumed"), ("1.2", "full"), ("1.2", "resumed")]


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


class OpenSsl(net_bench.Server):
    """s_server, which does not say where it listens: it is told."""

    def __init__(self, identity, cpus):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = str(free.getsockname()[1])
        self.command = ["openssl", "s_server", "-quiet", "-rev", "-accept", self.port]
        self.command += ["-cert", identity[0], "-key", identity[1]]
        self.cpus = cpus

    def __enter__(self):
        self.process = net_bench.pinned(
            self.command, self.cpus, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            try:
                socket.create_connection(("127.0.0.1", int(self.port))).close()
                return self
            except ConnectionRefusedError:
                time.sleep(0.01)
        raise RuntimeError("s_server did not start")


def serve(row, identity, cpus):
    if row == "strata":
        return net_bench.Server(["strata_tls", *identity], cpus)
    return OpenSsl(identity, cpus)


def handshakes(port, count, kind, cpus):
    """Runs a client; returns how many of its sessions were resumed."""
    client = net_bench.pinned(
        [net_bench.here("tls_client"), port, str(count), *kind], cpus, stdout=subprocess.PIPE
    )
    out, _ = client.communicate(timeout=600)
    if client.returncode != 0:
        raise RuntimeError("the client failed")
    return int(out)


def slice_of(row, identity, kind, count, cpus):
    """CPU nanoseconds of the server for each connection."""
    with serve(row, identity, cpus[0]) as running:
        handshakes(running.port, max(count // 10, 2), kind, cpus[1])
        cpu = running.cpu_ns()
        resumed = handshakes(running.port, count, kind, cpus[1])
        cpu = running.cpu_ns() - cpu
    expected = count - 1 if kind[1] == "resumed" else 0
    if resumed != expected:
        raise RuntimeError(f"{row}: {resumed} sessions resumed, not {expected}")
    return cpu / count


def table(kind, identity, options, cpus):
    print(f"| TLS {kind[0]}, {kind[1]} | us/connection | x s_server | slices from | to |")
    print("|---|---|---|---|---|")
    rows = [RIVAL, CONTROL, "strata"]
    slices = {row: [] for row in rows}
    for _ in range(options.slices):
        for row in rows:
            slices[row].append(slice_of(row, identity, kind, options.count, cpus))
    for row in rows:
        ratios = [ns / base for ns, base in zip(slices[row], slices[RIVAL])]
        print(
            f"| {row} | {statistics.median(slices[row]) / 1000:.1f} |"
            f" {statistics.median(ratios):.3f} | {min(ratios):.2f} | {max(ratios):.2f} |"
        )
    print(flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--slices", type=int, default=7, help="of each server and row")
    parser.add_argument("--count", type=int, default=1000, help="connections of a slice")
    parser.add_argument("--quick", action="store_true", help="to see that all of it runs")
    options = parser.parse_args()
    if options.quick:
        options.slices, options.count = 1, 5
    processors = sorted(os.sched_getaffinity(0))
    cpus = ({processors[0]}, {processors[-1]})
    print(
        f"{datetime.date.today()}, Linux {platform.release()}, {len(processors)} processors,"
        f" {options.slices} slices of {options.count} connections, P-256\n"
    )
    with tempfile.TemporaryDirectory() as folder:
        identity = make_identity(folder)
        for kind in KINDS:
            table(kind, identity, options, cpus)
    return 0


if __name__ == "__main__":
    sys.exit(main())
