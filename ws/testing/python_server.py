#!/usr/bin/python3 -B
"""An echo server on Debian's python3-websockets, for a test of our client.

Prints its port. "leave" makes it close with 4002 and a reason; "ping" makes it ping and tell of the
pong; "end" ends it, with 1001.
"""

import asyncio
import contextlib

import websockets

ended = asyncio.Event()


async def answer(socket, message):
    if message == "end":
        ended.set()
    elif message == "leave":
        await socket.close(4002, "as you wish")
    elif message == "ping":
        await asyncio.wait_for(await socket.ping(), 30)
        await socket.send("pong")
    else:
        # In two fragments, if there is something for each.
        half = len(message) // 2
        await socket.send([message[:half], message[half:]] if half else message)


async def serve(socket, _path):
    # Which it says of each code but 1000 and 1001.
    with contextlib.suppress(websockets.ConnectionClosedError):
        async for message in socket:
            await answer(socket, message)


async def main():
    server = websockets.serve(serve, "127.0.0.1", 0, subprotocols=["echo"], max_size=None)
    async with server as running:
        print(running.sockets[0].getsockname()[1], flush=True)
        await ended.wait()


asyncio.run(main())
