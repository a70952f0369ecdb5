#!/usr/bin/env python3
"""Tests of the load client, against servers that answer wrongly, and of the floor, against clients
that send in pieces."""

import json
import os
import socket
import subprocess
import sys
import threading
import unittest

HERE = os.path.dirname(os.path.abspath(sys.argv[0]))
PATIENCE_S = 100
HANDSHAKE = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"  # All that the floor needs.
ANSWER = (
    b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"
)
MASK = b"\x01\x02\x03\xff"


def frame(payload, masked=False):
    size = len(payload)
    mask = 0x80 if masked else 0
    if size < 126:
        head = bytes([0x82, mask | size])
    elif size < 65536:
        head = bytes([0x82, mask | 126]) + size.to_bytes(2, "big")
    else:
        head = bytes([0x82, mask | 127]) + size.to_bytes(8, "big")
    if not masked:
        return head + payload
    return head + MASK + bytes(byte ^ MASK[i % 4] for i, byte in enumerate(payload))


def receive(connection, size):
    received = b""
    while len(received) < size:
        more = connection.recv(size - len(received))
        if not more:
            raise AssertionError(f"an end after {received[:80]!r}")
        received += more
    return received


class FakeServer:
    """Answers the handshake, and each message by what `answer` makes of it; `messages` counts."""

    def __init__(self, answer, handshake=ANSWER):
        self.answer = answer
        self.handshake = handshake
        self.messages = 0
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
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        with connection:
            try:
                request = b""
                while not request.endswith(b"\r\n\r\n"):
                    request += connection.recv(65536)
                connection.sendall(self.handshake)
                while True:
                    head = receive(connection, 6)
                    payload = receive(connection, head[1] & 0x7F)
                    plain = bytes(byte ^ head[2 + i % 4] for i, byte in enumerate(payload))
                    self.messages += 1
                    connection.sendall(self.answer(plain))
            except (OSError, AssertionError):
                pass


def run_client(port, *arguments):
    """The client's status, what it has seen, and its errors."""
    done = subprocess.run(
        [os.path.join(HERE, "load_client"), f"--port={port}", "--connections=3"]
        + ["--seconds=0.05", "--warm-up=0.01", *arguments],
        input="\n",
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    lines = done.stdout.splitlines()
    seen = json.loads(lines[1]) if len(lines) == 2 else None
    return done.returncode, seen, done.stderr


class LoadClientTest(unittest.TestCase):

    def test_counts_what_comes_back(self):
        with FakeServer(frame) as server:
            status, seen, _ = run_client(server.port)
        self.assertEqual(status, 0)
        self.assertGreater(seen["messages"], 2)
        self.assertGreater(seen["ns"], 0)
        # Each came by a write of its own.
        self.assertEqual(seen["segments"], seen["messages"])

    def test_takes_no_wrong_byte(self):
        for wrong in (
            lambda payload: frame(payload[:-1] + b"!"),
            lambda payload: b"\x81" + frame(payload)[1:],
            lambda payload: frame(payload) + b"\x82",
        ):
            with FakeServer(wrong) as server:
                status, _, error = run_client(server.port)
            self.assertEqual(status, 1)
            self.assertRegex(error, "wrong bytes|more than was sent")

    def test_takes_no_wrong_handshake(self):
        for answer in (
            ANSWER.replace(b"101", b"200"),
            ANSWER.replace(b"xOo=", b"xOoA"),
            ANSWER[:-2] + b"Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n",
        ):
            with FakeServer(frame, answer) as server:
                status, _, error = run_client(server.port)
            self.assertEqual(status, 1)
            self.assertIn("handshake", error)

    def test_an_end_is_an_error(self):
        with FakeServer(lambda payload: 1 / 0 and payload) as server:
            threading.excepthook = lambda *_: None
            status, _, error = run_client(server.port)
        self.assertEqual(status, 1)
        self.assertIn("ended a connection", error)

    def test_an_idle_client_sends_once_and_stays(self):
        with FakeServer(frame) as server:
            client = subprocess.Popen(
                [os.path.join(HERE, "load_client"), f"--port={server.port}"]
                + ["--connections=5", "--idle"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            self.assertEqual(client.stdout.readline(), "ready\n")
            self.assertIsNone(client.poll())
            self.assertEqual(server.messages, 5)
            out, _ = client.communicate(timeout=PATIENCE_S)
        self.assertEqual((client.returncode, out), (0, ""))

    def test_names_an_unknown_argument(self):
        status, _, error = run_client(1, "--connection=3")
        self.assertEqual(status, 2)
        self.assertIn("--connection=3", error)


class Floor:
    """The floor, until the end of the `with` block."""

    def __init__(self, *arguments):
        command = [os.path.join(HERE, "floor_ws"), *arguments]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline())
        self.sockets = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for one in self.sockets:
            one.close()
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()

    def connect(self):
        """A connection through its handshake."""
        one = socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE_S)
        one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sockets.append(one)
        one.sendall(HANDSHAKE)
        if receive(one, len(ANSWER)) != ANSWER:
            raise AssertionError("a wrong answer to the handshake")
        return one


class FloorTest(unittest.TestCase):

    def test_echoes_messages_of_all_lengths(self):
        with Floor() as floor:
            client = floor.connect()
            for size in (0, 1, 15, 16, 17, 125, 126, 65535, 65536, 300_000):
                payload = os.urandom(size)
                client.sendall(frame(payload, masked=True))
                want = frame(payload)
                self.assertEqual(receive(client, len(want)), want, size)

    def test_takes_frames_in_pieces(self):
        with Floor() as floor:
            client = floor.connect()
            payload = os.urandom(130)
            for byte in frame(payload, masked=True) * 2:
                client.sendall(bytes([byte]))
            self.assertEqual(receive(client, 2 * 134), frame(payload) * 2)

    def test_echoes_each_message_of_many(self):
        with Floor() as floor:
            client = floor.connect()
            payloads = [os.urandom(i % 200) for i in range(1000)]
            client.sendall(b"".join(frame(payload, masked=True) for payload in payloads))
            want = b"".join(frame(payload) for payload in payloads)
            self.assertEqual(receive(client, len(want)), want)

    def test_fans_out(self):
        for threads in (1, 2):
            with Floor("--fan-out", f"--threads={threads}") as floor:
                clients = [floor.connect() for _ in range(5)]
                clients[2].sendall(frame(b"one", masked=True) + frame(b"two", masked=True))
                for client in clients:
                    self.assertEqual(receive(client, 10), frame(b"one") + frame(b"two"))


class BothTest(unittest.TestCase):

    def test_client_and_floor_agree(self):
        with Floor() as floor:
            for arguments in ([], ["--size=16384"], ["--burst=16"], ["--size=0"]):
                status, seen, error = run_client(floor.port, *arguments)
                self.assertEqual((status, error), (0, ""), arguments)
                self.assertGreater(seen["messages"], 0)
        with Floor("--fan-out", "--threads=2") as floor:
            status, seen, error = run_client(floor.port, "--fan-out", "--burst=16")
        self.assertEqual((status, error), (0, ""))
        # Each burst came to each client, by one write.
        self.assertEqual(seen["messages"], 16 * seen["segments"])


if __name__ == "__main__":
    unittest.main()
