#!/usr/bin/env python3
"""Compares TLS handshakes by the server's CPU time with openssl s_server, in one table.

Each slice starts a server on one processor and its client on another, for each server in turn (A B
C A B C ...). README.md beside this file explains the table.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile

sys.path.append(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
import slices

RIVAL = "openssl s_server"
CONTROL = "openssl s_server again"
KINDS = [("1.3", "full"), ("1.3", "resumed"), ("1.2", "full"), ("1.2", "resumed")]


def serve(row, identity, cpus):
    if row == "strata":
        return slices.Server([slices.here("strata_tls"), *identity], cpus)
    # s_server does not say where it listens: it is told.
    port = slices.free_port()
    command = ["openssl", "s_server", "-quiet", "-rev", "-accept", port]
    command += ["-cert", identity[0], "-key", identity[1]]
    quiet = {"stdin": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    return slices.Server(command, cpus, port, **quiet)


def handshakes(port, count, kind, cpus):
    """Runs a client; returns how many of its sessions were resumed."""
    client = slices.pinned(
        [slices.here("tls_client"), port, str(count), *kind], cpus, stdout=subprocess.PIPE
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
    slices.print_header(
        f"TLS {kind[0]}, {kind[1]}", "us/connection", "x s_server", "slices from", "to"
    )
    measured = slices.rounds(
        [RIVAL, CONTROL, "strata"],
        options.slices,
        lambda row: slice_of(row, identity, kind, options.count, cpus),
    )
    for row, times in measured.items():
        slices.print_row(
            row,
            f"{statistics.median(times) / 1000:.1f}",
            *slices.ratios(times, measured[RIVAL]),
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
    cpus = slices.processors()
    slices.print_heading(f"{options.slices} slices of {options.count} connections", "P-256")
    with tempfile.TemporaryDirectory() as folder:
        identity = slices.make_identity(folder)
        for kind in KINDS:
            table(kind, identity, options, cpus)
    return 0


if __name__ == "__main__":
    sys.exit(main())
