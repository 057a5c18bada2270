'use strict';
// One library in a process of its own: fills it, reads it at random, and then makes garbage for a while. Prints JSON.
// usage: node --expose-gc memory-child.js LIBRARY ENTRIES BYTES

const { monitorEventLoopDelay, PerformanceObserver } = require('node:perf_hooks');

const [library, entriesText, bytesText] = process.argv.slice(2);
const ENTRIES = Number(entriesText);
const BYTES = Number(bytesText);
const KEY_BYTES = 19;
const READ_KEYS = 1 << 16;
const READ_ROUNDS = 20;
const GARBAGE_MS = 3000;

const libraries = {
  none: () => ({ set() {}, get() {} }),
  map() {
    const map = new Map();
    return { set: (key, value) => map.set(key, value), get: (key) => map.get(key) };
  },
  'lru-cache'() {
    const { LRUCache } = require('lru-cache');
    const cache = new LRUCache({ max: ENTRIES + 10, ttl: 600_000 });
    return { set: (key, value) => cache.set(key, value), get: (key) => cache.get(key) };
  },
  tiercel() {
    const { createCache } = require('../..');
    const cache = createCache({ redis: false, ttl: '10m', memory: { maxBytes: ENTRIES * (BYTES + 200) } });
    const stats = () => cache.memory.stats();
    return { set: (key, value) => void cache.set(key, value), get: (key) => cache.peek(key), stats };
  },
};

const nextTurn = () => new Promise((resolve) => setImmediate(resolve));

/** A string that shares its bytes with no other. */
const buffer = Buffer.alloc(BYTES, 'v');
function flat(number) {
  buffer.write(String(number).padStart(8, '0'), BYTES - 8, 'latin1');
  return buffer.latin1Slice(0, BYTES);
}

const keyOf = (number) => `user:profile:${String(number).padStart(6, '0')}`;

async function main() {
  let longestPause = 0;
  let paused = 0;
  new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) {
      paused += duration;
      longestPause = Math.max(longestPause, duration);
    }
  }).observe({ entryTypes: ['gc'] });

  globalThis.gc?.();
  const before = process.memoryUsage().rss;
  const cache = libraries[library]();
  let began = performance.now();
  for (let i = 0; i < ENTRIES; i++) {
    cache.set(keyOf(i), flat(i));
    if ((i & 16_383) === 0) await nextTurn();
  }
  const setNs = ((performance.now() - began) / ENTRIES) * 1e6;
  await nextTurn();
  globalThis.gc?.();
  const rss = process.memoryUsage().rss - before;

  const keys = Array.from({ length: READ_KEYS }, () => keyOf(Math.floor(Math.random() * ENTRIES)));
  let hits = 0;
  for (const key of keys) if (cache.get(key) !== undefined) hits++;
  const wrong =
    library === 'none'
      ? 0
      : keys.slice(0, 1000).filter((key) => Number(cache.get(key)?.slice(-8)) !== Number(key.slice(13))).length;
  began = performance.now();
  for (let round = 0; round < READ_ROUNDS; round++) for (const key of keys) cache.get(key);
  const getNs = ((performance.now() - began) / (READ_ROUNDS * READ_KEYS)) * 1e6;

  await nextTurn();
  longestPause = 0;
  paused = 0;
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  began = performance.now();
  let garbage = [];
  while (performance.now() - began < GARBAGE_MS) {
    for (let i = 0; i < 2000; i++) garbage.push({ i, text: `x${i}`, list: [i, i + 1] });
    if (garbage.length > 400_000) garbage = [];
    await nextTurn();
  }
  delay.disable();
  await nextTurn();
  process.send({
    rss: rss / 1048576,
    overhead: rss / ENTRIES - BYTES - KEY_BYTES,
    counted: cache.stats === undefined ? undefined : cache.stats().bytes / ENTRIES - BYTES - KEY_BYTES,
    setNs,
    getNs,
    hitRatio: hits / READ_KEYS,
    wrong,
    gcShare: paused / GARBAGE_MS,
    longestPause,
    loopP99: delay.percentile(99) / 1e6,
    loopMax: delay.max / 1e6,
  });
}

main().then(
  () => process.disconnect(),
  (error) => {
    console.error(error);
    process.exit(1);
  },
);
