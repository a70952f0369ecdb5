// Objects, native buffers, compression on the thread pool, and worker threads; prints digests.
'use strict';
const crypto = require('crypto');
const zlib = require('zlib');
const {Worker, isMainThread, parentPort, workerData} = require('worker_threads');

const digest = (data) => crypto.createHash('sha256').update(data).digest('hex');

function generator(seed) {
  let state = seed;
  return (bound) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state % bound;
  };
}

function objects(seed) {
  const below = generator(seed);
  const map = new Map();
  for (let i = 0; i < 200000; ++i) {
    const key = 'k' + below(50000);
    if (!map.has(key)) map.set(key, []);
    map.get(key).push({id: i, text: 'x'.repeat(below(20))});
  }
  return digest(JSON.stringify([...map]));
}

function buffers(seed) {
  const below = generator(seed);
  const kept = [];
  const hash = crypto.createHash('sha256');
  for (let i = 0; i < 20000; ++i) {
    const buffer = Buffer.alloc(1 + below(i % 100 === 0 ? 500000 : 9000), i & 255);
    hash.update(buffer.subarray(0, 64));
    kept[below(100)] = buffer;
  }
  return hash.digest('hex');
}

async function compression(seed) {
  const below = generator(seed);
  const jobs = [];
  for (let i = 0; i < 60; ++i) {
    const input = Buffer.from(Array.from({length: 20000}, () => 97 + below(1 + (i % 26))));
    jobs.push(new Promise((resolve, reject) => {
      zlib.deflate(input, (error, packed) => {
        if (error) return reject(error);
        zlib.inflate(packed, (error2, unpacked) => {
          if (error2 || !unpacked.equals(input)) return reject(error2 || new Error('differs'));
          resolve(digest(packed));
        });
      });
    }));
  }
  return digest((await Promise.all(jobs)).join());
}

function worker(seed) {
  return new Promise((resolve, reject) => {
    const thread = new Worker(__filename, {workerData: seed});
    thread.once('message', resolve);
    thread.once('error', reject);
  });
}

async function main() {
  console.log('objects', objects(1));
  console.log('buffers', buffers(2));
  console.log('compression', await compression(3));
  console.log('workers', await Promise.all([4, 5, 6].map(worker)));
}

if (isMainThread) {
  main();
} else {
  parentPort.postMessage(objects(workerData) + buffers(workerData));
}
