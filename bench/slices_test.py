#!/usr/bin/env python3
"""Tests of what the benchmarks of servers share."""

import os
import signal
import sys
import tempfile
import unittest

sys.path.append(os.path.dirname(os.path.realpath(__file__)))
import slices

EVERY = os.sched_getaffinity(0)


def python(text):
    """A command that runs this program."""
    return [sys.executable, "-c", text]


# A process of two threads, and a child of one.
FORKS = """
import os, signal, threading
ready, tell = os.pipe()
if os.fork() == 0:
    os.write(tell, b"x")
    signal.pause()
os.read(ready, 1)
threading.Thread(target=signal.pause, daemon=True).start()
print(7, flush=True)
signal.pause()
"""


def cpu_ns(process):
    """Of a process's first thread."""
    with open(f"/proc/{process}/schedstat", encoding="ascii") as file:
        return int(file.read().split()[0])


class RoundsTest(unittest.TestCase):

    def test_rows_take_turns(self):
        order = []
        measured = slices.rounds(["a", "b"], 3, lambda row: order.append(row) or len(order))
        self.assertEqual("".join(order), "ababab")
        self.assertEqual(measured, {"a": [1, 3, 5], "b": [2, 4, 6]})


class CellsTest(unittest.TestCase):

    def test_ratios_are_taken_within_a_round(self):
        # The second round was ten times slower for all; the ratio of the medians would be 2.
        self.assertEqual(slices.ratios([2, 30, 4], [1, 10, 2]), ["2.000", "2.00", "3.00"])
        self.assertEqual(slices.ratios([2, 20, 4], [1, 10, 4]), ["2.000", "1.00", "2.00"])

    def test_an_idle_server_is_marked(self):
        self.assertEqual(slices.busy_cell([0.1, 0.5, 0.9]), "0.50")
        self.assertEqual(slices.busy_cell([0.1, 0.49, 0.9]), "0.49 (too idle)")


class ServerTest(unittest.TestCase):

    def test_it_says_its_port(self):
        text = "print(7, flush=True); import signal; signal.pause()"
        with slices.Server(python(text), EVERY) as server:
            self.assertEqual(server.port, "7")
        self.assertIsNotNone(server.process.returncode)

    def test_it_is_told_its_port(self):
        port = slices.free_port()
        text = (
            "import signal, socket;"
            f"s = socket.create_server(('127.0.0.1', {port}));"
            "signal.pause()"
        )
        with slices.Server(python(text), EVERY, port) as server:
            self.assertEqual(server.port, port)

    def test_one_that_does_not_start_is_an_error(self):
        for port in (None, slices.free_port()):
            with self.assertRaisesRegex(RuntimeError, "did not start"):
                with slices.Server(python(""), EVERY, port):
                    pass

    def test_its_children_and_their_threads_count(self):
        with slices.Server(python(FORKS), EVERY) as server:
            parent, child = server.processes()
            self.assertEqual(len(server.threads()), 3)
            self.assertGreaterEqual(server.cpu_ns(), cpu_ns(parent) + cpu_ns(child))
            self.assertGreater(cpu_ns(child), 0)
            os.kill(child, signal.SIGTERM)


class IdentityTest(unittest.TestCase):

    def test_certificate_and_key_are_made(self):
        with tempfile.TemporaryDirectory() as folder:
            for path in slices.make_identity(folder):
                with open(path, encoding="ascii") as file:
                    self.assertIn("-----BEGIN ", file.read())


if __name__ == "__main__":
    unittest.main()
