#!/usr/bin/env python3
"""Tests of the load client, against servers that answer wrongly, and of the floor, against clients
that ask in pieces."""

import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
import unittest

HERE = os.path.dirname(os.path.abspath(sys.argv[0]))
BODY = b"Hello, World!"
PATIENCE_S = 100


def response(body=BODY, fields=b""):
    return b"HTTP/1.1 200 OK\r\n%sContent-Length: %d\r\n\r\n%s" % (fields, len(body), body)


class FakeServer:
    """Takes connections until the end of the `with` block.

    `answer` is called with the number of a request on its connection and yields what to send; after
    that the connection ends if `close`. Requests are told apart by their empty lines.
    """

    def __init__(self, answer, close=False):
        self.answer = answer
        self.close = close
        self.requests = 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]

    def __enter__(self):
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.listener.close()

    def _accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        number = 0
        received = b""
        with connection:
            try:
                while more := connection.recv(65536):
                    received += more
                    while b"\r\n\r\n" in received:
                        received = received.partition(b"\r\n\r\n")[2]
                        self.requests += 1
                        for part in self.answer(number):
                            connection.sendall(part)
                        number += 1
                        if self.close:
                            return
                    received = received[-3:]
            except OSError:
                return


def run_client(port, *arguments):
    """The client's status, the JSON that it printed or None, and its complaint."""
    done = subprocess.run(
        [os.path.join(HERE, "load_client"), f"--port={port}", "--warm-up=0.01", "--seconds=0.05"]
        + ["--expect=" + BODY.decode(), "--connections=3", *arguments],
        check=False,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=PATIENCE_S,
    )
    lines = done.stdout.splitlines()
    seen = json.loads(lines[1]) if len(lines) > 1 else None
    return done.returncode, seen, done.stderr.strip()


class LoadClientTest(unittest.TestCase):

    def check_refused(self, complaint, answer, *arguments, close=False):
        with FakeServer(answer, close) as server:
            status, seen, error = run_client(server.port, *arguments)
        self.assertEqual((status, seen, error), (1, None, "load_client: " + complaint))

    def test_counts_the_requests_that_it_measures(self):
        with FakeServer(lambda number: [response()]) as server:
            # The first request of each connection warms up.
            status, seen, _ = run_client(server.port, "--warm-up=0")
        self.assertEqual(status, 0)
        self.assertEqual(server.requests, seen["requests"] + 3)
        self.assertLessEqual(seen["p50_us"], seen["p99_us"])
        self.assertLessEqual(seen["p99_us"], seen["p999_us"])
        self.assertGreaterEqual(seen["ns"], 50_000_000)
        self.assertGreater(seen["cpu_ns"], 0)

    def test_takes_answers_in_pieces(self):
        whole = response()
        pieces = [whole[i : i + 1] for i in range(len(whole))]
        with FakeServer(lambda number: pieces) as server:
            status, seen, _ = run_client(server.port)
        self.assertEqual(status, 0)
        self.assertGreater(seen["requests"], 0)

    def test_pipelines(self):
        with FakeServer(lambda number: [response()]) as server:
            status, seen, _ = run_client(server.port, "--pipeline=16")
        self.assertEqual(status, 0)
        self.assertEqual(seen["requests"] % 16, 0)
        self.assertEqual(server.requests % 16, 0)

    def test_refuses_a_wrong_answer_after_right_ones(self):
        # Of the size of the right one.
        self.check_refused(
            "another body", lambda number: [response(BODY if number < 1 else BODY[::-1])]
        )

    def test_refuses_an_answer_too_many(self):
        self.check_refused("more responses than requests", lambda number: [response() * 2])

    def test_refuses_bytes_after_the_answer(self):
        self.check_refused("bytes after the response", lambda number: [response() + b"H"])

    def test_refuses_the_end_of_a_connection(self):
        self.check_refused(
            "the server ended a connection", lambda number: [response()], close=True
        )

    def test_refuses_an_end_within_the_answer(self):
        self.check_refused(
            "the server ended a connection",
            lambda number: [response()[:-1]],
            "--close",
            close=True,
        )

    def test_refuses_an_answer_before_the_request_has_been_sent(self):
        over = threading.Event()

        def answer(number):
            # To the head; of the body nothing more is read, and it fills all buffers.
            yield response()
            over.wait(PATIENCE_S)

        with tempfile.NamedTemporaryFile() as file:
            file.write(b"x" * (32 << 20))
            file.flush()
            self.check_refused(
                "a response before the request's end",
                answer,
                f"--post={file.name}",
                "--connections=1",
            )
        over.set()

    def test_counts_connections_where_they_are_closed(self):
        with FakeServer(lambda number: [response()], close=True) as server:
            status, seen, _ = run_client(server.port, "--close")
        self.assertEqual(status, 0)
        self.assertGreater(seen["requests"], 3)
        self.assertEqual(seen["resets"], 0)

    def test_ends_at_its_limit(self):
        with FakeServer(lambda number: [response()], close=True) as server:
            status, seen, _ = run_client(server.port, "--close", "--limit=7", "--seconds=60")
        self.assertEqual((status, seen["requests"]), (0, 7))

    def test_an_idle_client_asks_once_and_stays(self):
        with FakeServer(lambda number: [response()]) as server:
            client = subprocess.Popen(
                [os.path.join(HERE, "load_client"), f"--port={server.port}", "--connections=5"]
                + ["--expect=" + BODY.decode(), "--idle"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            self.assertEqual(client.stdout.readline(), "ready\n")
            self.assertIsNone(client.poll())
            self.assertEqual(server.requests, 5)
            out, _ = client.communicate(timeout=PATIENCE_S)
        self.assertEqual((client.returncode, out), (0, ""))

    def test_names_an_unknown_argument(self):
        status, _, error = run_client(1, "--connection=3")
        self.assertEqual(status, 2)
        self.assertIn("--connection=3", error)


class Floor:
    """The floor, until the end of the `with` block, and a connection to it."""

    def __init__(self, *arguments):
        command = [os.path.join(HERE, "floor_http"), *arguments]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        port = int(self.process.stdout.readline())
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()

    def receive(self, size):
        received = b""
        while len(received) < size:
            more = self.socket.recv(size - len(received))
            if not more:
                break
            received += more
        return received

    def receive_response(self, body):
        """Receives a response, which has to have this body; returns its head."""
        received = b""
        while b"\r\n\r\n" not in received:
            more = self.socket.recv(1)
            if not more:
                raise AssertionError(f"an end after {received!r}")
            received += more
        rest = self.receive(len(body))
        if rest != body:
            raise AssertionError(f"{rest[:80]!r} instead of {body[:80]!r}")
        return received


GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


class FloorTest(unittest.TestCase):

    def test_answers(self):
        with Floor() as floor:
            floor.socket.sendall(GET)
            head = floor.receive_response(BODY)
        self.assertRegex(
            head,
            rb"^HTTP/1.1 200 OK\r\nServer: strata\r\n"
            rb"Date: [A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT\r\n"
            rb"Content-Type: text/plain\r\nContent-Length: 13\r\n\r\n$",
        )

    def test_takes_requests_in_pieces(self):
        with Floor() as floor:
            floor.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for _ in range(3):
                for byte in GET:
                    floor.socket.sendall(bytes([byte]))
                floor.receive_response(BODY)

    def test_answers_each_request_of_many(self):
        with Floor() as floor:
            floor.socket.sendall(GET * 1000)
            for _ in range(1000):
                floor.receive_response(BODY)

    def test_waits_for_a_reader(self):
        # More than the sockets hold.
        body = os.urandom(8 << 20)
        for argument in ("--body", "--file"):
            with tempfile.NamedTemporaryFile() as file, self.subTest(argument):
                file.write(body)
                file.flush()
                with Floor(f"{argument}={file.name}") as floor:
                    floor.socket.sendall(GET * 3)
                    for _ in range(3):
                        floor.receive_response(body)

    def test_echoes(self):
        for size in (1, 1024, 4 << 20):
            body = os.urandom(size)
            with Floor(f"--echo={size}") as floor, self.subTest(size):
                request = b"POST / HTTP/1.1\r\n\r\n" + body
                sender = threading.Thread(target=floor.socket.sendall, args=(request * 3,))
                sender.start()
                for _ in range(3):
                    floor.receive_response(body)
                sender.join()

    def test_closes(self):
        with Floor("--close") as floor:
            floor.socket.sendall(GET)
            self.assertIn(b"Connection: close\r\n", floor.receive_response(BODY))
            self.assertEqual(floor.receive(1), b"")


if __name__ == "__main__":
    unittest.main()
