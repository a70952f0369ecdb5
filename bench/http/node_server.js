// The server of the benchmark on Node's own http, in one process.
//
//   node node_server.js PORT TLS_PORT FOLDER CERTIFICATE KEY

"use strict";

const fs = require("fs");
const http = require("http");
const https = require("https");
const path = require("path");

const [port, tlsPort, folder, certificate, key] = process.argv.slice(2);
const json = fs.readFileSync(path.join(folder, "1k.json"));

function answer(response, type, body) {
  response.writeHead(200, {
    "Server": "node",
    "Content-Type": type,
    "Content-Length": Buffer.byteLength(body),
  });
  response.end(body);
}

function answerFile(response, name) {
  const file = path.join(folder, path.basename(name));
  fs.stat(file, (error, about) => {
    if (error) {
      response.writeHead(404).end();
      return;
    }
    response.writeHead(200, {
      "Server": "node",
      "Content-Type": "text/plain",
      "Content-Length": about.size,
      "Last-Modified": about.mtime.toUTCString(),
    });
    fs.createReadStream(file).pipe(response);
  });
}

function handle(request, response) {
  if (request.method === "POST") {
    response.writeHead(200, {
      "Server": "node",
      "Content-Type": "application/octet-stream",
      "Content-Length": request.headers["content-length"],
    });
    request.pipe(response);
  } else if (request.url === "/") {
    answer(response, "text/plain", "Hello, World!");
  } else if (request.url === "/json") {
    answer(response, "application/json", json);
  } else if (request.url.startsWith("/files/")) {
    answerFile(response, request.url);
  } else {
    response.writeHead(404).end();
  }
}

// No timers of idle connections: others here have none.
const options = { keepAliveTimeout: 0, headersTimeout: 0, requestTimeout: 0, noDelay: true };
const identity = { cert: fs.readFileSync(certificate), key: fs.readFileSync(key) };
http.createServer(options, handle).listen({ host: "127.0.0.1", port, backlog: 4096 });
https.createServer({ ...options, ...identity }, handle)
  .listen({ host: "127.0.0.1", port: tlsPort, backlog: 4096 });
