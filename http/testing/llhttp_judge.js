// What llhttp, the parser of this node, makes of bytes on the wire.
//
//   node llhttp_judge.js FILE
//
// Each line of the file is "request HEX", "response HEX", or "head HEX": a response to HEAD. For
// each it prints lines as wire_stream.h has them, of a head but these words: method, target and
// version, or status, version and reason; keep-alive. Then "upgrade CODE", "rest CODE", "error CODE"
// or "incomplete", if one applies, CODE being llhttp's, and then ".".
// Ends with 77 if this is not llhttp 9.

"use strict";

process.removeAllListeners("warning");
const fs = require("fs");
const { METHODS } = require("http");
const { HTTPParser } = require("_http_common");

// Earlier ones have other peculiarities.
if (!process.versions.llhttp.startsWith("9.")) process.exit(77);

const kShortestRun = 32;
const kMaxHeaderBytes = 1 << 20;

// The parser tells a method by a number of its own.
const kMethods = new Map(METHODS.map((name) => {
  let number;
  const parser = new HTTPParser();
  parser.initialize(HTTPParser.REQUEST, {}, kMaxHeaderBytes, HTTPParser.kLenientNone);
  parser[HTTPParser.kOnHeadersComplete] = (major, minor, pairs, method) => {
    number = method;
    return 0;
  };
  parser.execute(Buffer.from(`${name} ${name === "CONNECT" ? "a:1" : "/"} HTTP/1.1\r\n\r\n`));
  parser.close();
  return [number, name];
}));

function escapeByte(byte) {
  const named = { 92: "\\\\", 13: "\\r", 10: "\\n", 9: "\\t" }[byte];
  if (named) return named;
  if (byte >= 32 && byte <= 126) return String.fromCharCode(byte);
  return "\\x" + byte.toString(16).padStart(2, "0");
}

// Strings of the parser have a character for each byte.
function escape(text) {
  let escaped = "";
  for (let i = 0; i < text.length;) {
    let end = i + 1;
    while (end < text.length && text[end] === text[i]) ++end;
    const byte = escapeByte(text.charCodeAt(i));
    const run = end - i >= kShortestRun && text[i] !== ")";
    escaped += run ? `\\(${end - i}*${byte})` : byte;
    i = run ? end : i + 1;
  }
  return escaped.endsWith(" ") ? escaped.slice(0, -1) + "\\x20" : escaped;
}

function judge(kind, bytes) {
  const lines = [];
  let body = "";
  const addFields = (word, pairs) => {
    for (let i = 0; i < pairs.length; i += 2) {
      const value = escape(pairs[i + 1]);
      lines.push(`${word} ${escape(pairs[i])}:${value && " "}${value}`);
    }
  };
  let pending = [];  // Fields, which come in portions if they are many.
  let earlierTarget = "";
  const endBody = () => {
    if (body) lines.push(`body "${escape(body)}"`);
    body = "";
  };

  const parser = new HTTPParser();
  const type = kind === "request" ? HTTPParser.REQUEST : HTTPParser.RESPONSE;
  parser.initialize(type, {}, kMaxHeaderBytes, HTTPParser.kLenientNone);
  parser[HTTPParser.kOnMessageBegin] = () => {};
  parser[HTTPParser.kOnHeaders] = (pairs, target) => {
    pending.push(...pairs);
    earlierTarget = target;
  };
  parser[HTTPParser.kOnHeadersComplete] = (
      major, minor, pairs, method, target, status, reason, upgrade, keepAlive) => {
    const version = `${major}.${minor}`;
    const words = kind === "request"
      ? ["request", kMethods.get(method), escape(target ?? earlierTarget), version]
      : ["response", status, version];
    if (kind !== "request" && reason) words.push(`"${escape(reason)}"`);
    if (keepAlive) words.push("keep-alive");
    lines.push(words.join(" "));
    addFields("field", [...pending, ...(pairs ?? [])]);
    pending = [];
    return kind === "head" ? 1 : 0;
  };
  parser[HTTPParser.kOnBody] = (piece) => {
    body += piece.toString("latin1");
  };
  parser[HTTPParser.kOnMessageComplete] = () => {
    endBody();
    addFields("trailer", pending);
    pending = [];
  };

  const result = parser.execute(bytes);
  if (result instanceof Error) {
    endBody();
    lines.push(`${result.code === "HPE_CLOSED_CONNECTION" ? "rest" : "error"} ${result.code}`);
  } else if (result < bytes.length) {
    lines.push("rest UPGRADE");
  } else if (parser.finish() instanceof Error) {
    endBody();
    lines.push("incomplete");
  }
  parser.close();
  lines.push(".");
  return lines.join("\n") + "\n";
}

const inputs = fs.readFileSync(process.argv[2], "latin1").split("\n").filter((line) => line);
let output = "";
for (const line of inputs) {
  const [kind, hex] = line.split(" ");
  output += judge(kind, Buffer.from(hex ?? "", "hex"));
}
process.stdout.write(Buffer.from(output, "latin1"));
