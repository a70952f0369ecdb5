#!/usr/bin/python3 -B
"""Clients that others wrote talk to the echo server, and to README.md's chat room.

  clients_test.py ECHO_SERVER CHAT NODE_CLIENT NODE_WS

By Debian's python3-websockets, and by the npm package ws, whose package.json NODE_WS is; both with
and without permessage-deflate.
"""

import asyncio
import os
import random
import signal
import subprocess
import sys

import websockets


class Server:
    """A server in a process of its own, at self.port."""

    def __init__(self, program, *arguments):
        self.process = subprocess.Popen([program, *arguments], stdout=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline().rsplit(":", 1)[1])
        self.ending = False

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()
        assert self.process.wait(30) == 0

    def end(self):
        # A second signal would end it at once, by itself.
        if not self.ending:
            self.process.send_signal(signal.SIGTERM)
        self.ending = True


async def messages_come_back(port, compression):
    seed = int.from_bytes(os.urandom(4), "big")
    print("seed", seed)
    rng = random.Random(seed)
    async with websockets.connect(
        f"ws://127.0.0.1:{port}/any/path", compression=compression, max_size=None
    ) as socket:
        deflates = any(e.name == "permessage-deflate" for e in socket.extensions)
        assert deflates == (compression is not None), socket.extensions
        for size in (0, 1, 125, 126, 65535, 65536, 1_000_000):
            text = "".join(rng.choice("abc é€😀") for _ in range(size))
            await socket.send(text)
            assert await socket.recv() == text, size
            data = rng.randbytes(size)
            await socket.send(data)
            assert await socket.recv() == data, size
        # In fragments, with a ping between them.
        parts = [rng.randbytes(rng.randrange(3000)) for _ in range(50)]
        await socket.send(parts)
        assert await socket.recv() == b"".join(parts)
        await asyncio.wait_for(await socket.ping(b"are you there"), 30)
    assert socket.close_code == 1000, socket.close_code


async def many_at_once(port):
    async def one(number):
        async with websockets.connect(f"ws://127.0.0.1:{port}/") as socket:
            for i in range(20):
                await socket.send(f"{number} {i}")
                assert await socket.recv() == f"{number} {i}"

    await asyncio.gather(*(one(number) for number in range(50)))


async def goes_away(server):
    async with websockets.connect(f"ws://127.0.0.1:{server.port}/") as socket:
        server.end()
        try:
            await asyncio.wait_for(socket.recv(), 30)
            raise AssertionError("a message out of nowhere")
        except websockets.ConnectionClosed as closed:
            assert closed.rcvd.code == 1001, closed


async def all_hear_all(port):
    url = f"ws://127.0.0.1:{port}/chat"
    async with websockets.connect(url) as one, websockets.connect(url) as other:
        await one.send("is anyone here?")
        await other.send("yes")
        for guest in (one, other):
            heard = [await asyncio.wait_for(guest.recv(), 30) for _ in range(2)]
            assert sorted(heard) == ["is anyone here?", "yes"], heard
    for path, origin, status in (("chta", None, 404), ("chat", "http://example.com", 403)):
        try:
            await websockets.connect(f"ws://127.0.0.1:{port}/{path}", origin=origin)
            raise AssertionError(f"let in by {path}, {origin}")
        except websockets.InvalidStatusCode as refused:
            assert refused.status_code == status, refused


def node_agrees(port, script, package, kind):
    subprocess.run(
        ["node", script, os.path.dirname(package), str(port), kind],
        check=True,
        timeout=100,
    )


def main():
    program, chat, script, package = sys.argv[1:]
    with Server(program, "--deflate", "--threads=2") as server:
        node_agrees(server.port, script, package, "deflate")
        node_agrees(server.port, script, package, "plain")
        asyncio.run(messages_come_back(server.port, "deflate"))
        asyncio.run(messages_come_back(server.port, None))
        asyncio.run(many_at_once(server.port))
        asyncio.run(goes_away(server))
    with Server(chat, "127.0.0.1:0") as server:
        asyncio.run(all_hear_all(server.port))
    # The typo is said to be one.
    wrong = subprocess.run([program, "--prot=1"], capture_output=True, text=True, check=False)
    assert wrong.returncode == 2 and "--prot=1?" in wrong.stderr, wrong


main()
