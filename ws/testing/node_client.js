// The npm package ws talks to an echo server; see clients_test.py.
//
//   node node_client.js PACKAGE PORT deflate|plain
//
// Ends with status 0 if all came back.

"use strict";

const assert = require("assert");
const crypto = require("crypto");
const { once } = require("events");
const path = require("path");

const [packagePath, port, kind] = process.argv.slice(2);
const { WebSocket } = require(path.resolve(packagePath));

async function received(socket) {
  const [data, isBinary] = await once(socket, "message");
  return isBinary ? data : data.toString();
}

async function main() {
  const deflate = kind === "deflate";
  const socket = new WebSocket(`ws://127.0.0.1:${port}/any/path?and=query`, {
    perMessageDeflate: deflate && { threshold: 0 },
  });
  await once(socket, "open");
  const early = (code, reason) => {
    console.error(`closed too early: ${code} ${reason}`);
    process.exit(1);
  };
  socket.on("close", early);
  assert.strictEqual(socket.extensions !== "", deflate, socket.extensions);

  for (const size of [0, 1, 125, 126, 65535, 65536, 1000000]) {
    const text = "é€😀x".repeat(size / 4) + "y".repeat(size % 4);
    socket.send(text);
    assert.strictEqual(await received(socket), text);
    const data = crypto.randomBytes(size);
    socket.send(data);
    assert.ok(data.equals(await received(socket)), `${size} bytes`);
  }

  // In fragments, with a ping between them, which is answered first.
  const pong = once(socket, "pong");
  const answer = received(socket);
  socket.send("Hello, ", { fin: false });
  socket.ping("between");
  socket.send("World!", { fin: true });
  assert.strictEqual((await pong)[0].toString(), "between");
  assert.strictEqual(await answer, "Hello, World!");

  // Many at once keep their order.
  const all = [];
  await new Promise((resolve) => {
    socket.on("message", (data) => {
      if (all.push(Number(data.toString())) === 1000) resolve();
    });
    for (let i = 0; i < 1000; ++i) socket.send(String(i));
  });
  assert.ok(all.every((number, i) => number === i));

  socket.off("close", early);
  socket.close(4001, "enough");
  const [code] = await once(socket, "close");
  assert.strictEqual(code, 4001);
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
