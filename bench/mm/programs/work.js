// Work for node: JSON, maps, strings, and buffers (whose bytes come from malloc, while most objects
// live in the engine's own heap). The same on every run.
//
// Usage: work.js SCALE

'use strict';

const crypto = require('crypto');
const zlib = require('zlib');

const scale = Number(process.argv[2]);
let state = 1;

function number() {
  state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
  return state >>> 8;
}

function shuffleRecords(count) {
  const records = [];
  for (let i = 0; i < count; ++i) {
    records.push({id: i, name: `record ${number()}`, tags: [number() % 7, number() % 11]});
  }
  const copy = JSON.parse(JSON.stringify(records));
  copy.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : a.id - b.id));
  const groups = new Map();
  for (const record of copy) {
    const key = record.tags.join('/');
    if (!groups.has(key)) groups.set(key, []);
    groups.get(key).push(record.id);
  }
  return groups.size + copy[count >> 1].id;
}

function churnBuffers(count) {
  const kept = new Array(64).fill(null);
  const hash = crypto.createHash('sha256');
  for (let i = 0; i < count; ++i) {
    const buffer = Buffer.alloc(64 + (number() % 16384), i & 0xff);
    kept[number() % kept.length] = buffer;
    if (i % 16 === 0) hash.update(buffer);
    if (i % 64 === 0) hash.update(zlib.deflateSync(buffer));
  }
  return hash.digest('hex');
}

let total = 0;
for (let i = 0; i < 3; ++i) {
  total += shuffleRecords(Math.floor(120000 * scale) + 10);
  console.log(churnBuffers(Math.floor(80000 * scale)));
}
console.log(total);
