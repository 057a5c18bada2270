'use strict';
// How long one call of a cache in memory holds the event loop, by the size of the tier: for each kind of call the longest
// time until it returns, and the longest delay of the loop until its promise has settled. JSON.stringify of a large value
// is the caller's own cost: the values here are strings, and for comparison one copy of the value is timed as well.
// usage: node bench/blocked-loop.js [sizes in MB, by default 64 512 1024]
const { monitorEventLoopDelay } = require('node:perf_hooks');
const { createCache } = require('../lib');

const MOST_MS = 10;
const sizes = process.argv.slice(2).map(Number);
const nextTurn = () => new Promise((resolve) => void setImmediate(resolve));

async function filled(mb, options) {
  const cache = createCache({ redis: false, ttl: '1d', memory: { maxBytes: `${mb}mb`, ...options } });
  const value = 'v'.repeat(60);
  for (let i = 0; cache.memory.stats().evictions === 0; i++) {
    await cache.set(`key:${i}`, value);
    if (i % 1000 === 0) await nextTurn();
  }
  return cache;
}

async function timed(call) {
  globalThis.gc?.();
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  await new Promise((resolve) => void setTimeout(resolve, 20));
  delay.reset();
  const began = process.hrtime.bigint();
  const promise = call();
  const held = Number(process.hrtime.bigint() - began) / 1e6;
  await nextTurn();
  const result = await promise;
  await new Promise((resolve) => void setTimeout(resolve, 50));
  delay.disable();
  return { held, later: delay.max / 1e6, result };
}

async function main() {
  let missed = false;
  console.log(
    `${'tier'.padEnd(8)} ${'call'.padEnd(34)} ${'returns ms'.padStart(10)} ${'loop delay ms'.padStart(14)}  result`,
  );
  for (const mb of sizes.length > 0 ? sizes : [64, 512, 1024]) {
    let cache = await filled(mb, { maxEntryBytes: `${mb / 2}mb` });
    const row = async (name, call, { own = 0 } = {}) => {
      const { held, later, result } = await timed(call);
      const over = held - own > MOST_MS;
      missed ||= over;
      const shown = Buffer.isBuffer(result) ? `${result.length} bytes` : String(result);
      console.log(
        `${`${mb} MB`.padEnd(8)} ${name.padEnd(34)} ${held.toFixed(1).padStart(10)} ${later.toFixed(1).padStart(14)}  ${shown}${over ? '  OVER' : ''}`,
      );
    };
    for (const large of [1, 4, 16, mb / 4]) {
      const value = 'x'.repeat(large << 20);
      const began = process.hrtime.bigint();
      Buffer.from(value, 'latin1');
      const own = (2 * Number(process.hrtime.bigint() - began)) / 1e6;
      for (let i = 0; i < 2; i++) {
        await row(`set ${large} MB (copies: ${own.toFixed(1)} ms)`, () => cache.set('large', value), { own });
      }
    }
    await row("invalidatePattern('nothing:*')", () => cache.invalidatePattern('nothing:*'));
    await row('dump()', () => cache.dump());
    await row("invalidatePattern('key:*')", () => cache.invalidatePattern('key:*'));
    await cache.close();
    cache = await filled(mb);
    await row('clear()', () => cache.clear());
    await row('close()', () => cache.close());
  }
  if (missed) console.log(`OVER: a call held the loop for more than ${MOST_MS} ms beside copying its value`);
  process.exitCode = missed ? 1 : 0;
}

main();
