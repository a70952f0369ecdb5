// The server of the benchmark on the npm package ws, in one process.
//
//   node node_server.js PACKAGE [--fan-out]
//
// PACKAGE is the folder of ws. Prints the free port that it takes.

"use strict";

const path = require("path");

const { WebSocketServer } = require(path.resolve(process.argv[2]));
const fanOut = process.argv[3] === "--fan-out";

const server = new WebSocketServer({
  host: "127.0.0.1",
  port: 0,
  backlog: 4096,
  perMessageDeflate: false,
});
server.on("connection", (socket) => {
  socket.on("error", () => {});
  socket.on("message", (data, isBinary) => {
    for (const receiver of fanOut ? server.clients : [socket]) {
      receiver.send(data, { binary: isBinary });
    }
  });
});
server.on("listening", () => console.log(server.address().port));
