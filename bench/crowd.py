"""What a server is like beside many idle connections: its memory, its threads, and what the busy
connections cost, alone and beside the idle.
"""

import statistics
import typing

import slices

CONNECTIONS = 15_000
QUICK_CONNECTIONS = 100


class Crowd(typing.NamedTuple):
    """A slice of a server, before the idle connections and with them."""

    base_bytes: int
    bytes_each: float
    threads: int
    threads_then: int
    alone: slices.Slice
    beside: slices.Slice


def measure(server, connections, load, idle):
    """One slice, of a slices.Server that is to be started. `load(server)` makes a slices.Slice of
    the busy connections, `idle(server, connections)` a slices.Idle.
    """
    with server:
        alone = load(server)
        base, threads = server.private_bytes(), len(server.threads())
        with idle(server, connections):
            each = (server.private_bytes() - base) / connections
            beside = load(server)
            return Crowd(base, each, threads, len(server.threads()), alone, beside)


def print_table(measured, connections, busy, cost):
    """A row for each server of {name: [Crowd, ...]}; `cost(slice)` is in nanoseconds."""
    slices.print_header(
        f"{connections} idle connections",
        "bytes each",
        "KB before",
        "threads before",
        "then",
        f"{busy} busy alone, us",
        "beside the idle, us",
        "x alone",
        "slices from",
        "to",
    )
    for name, results in measured.items():
        alone = [cost(one.alone) for one in results]
        beside = [cost(one.beside) for one in results]
        slices.print_row(
            name,
            f"{statistics.median(one.bytes_each for one in results):.0f}",
            f"{statistics.median(one.base_bytes for one in results) / 1024:.0f}",
            f"{max(one.threads for one in results)}",
            f"{max(one.threads_then for one in results)}",
            f"{statistics.median(alone) / 1000:.2f}",
            f"{statistics.median(beside) / 1000:.2f}",
            *slices.ratios(beside, alone),
        )
    print(flush=True)
