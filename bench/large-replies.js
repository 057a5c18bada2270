'use strict';
// How late the event loop is while many large values arrive at once: 512 reads of 1 MB by default, as strings, as Buffers,
// and through a cache, each three times. A limit is kept, or the exit code is 1.
// usage: node bench/large-replies.js [reads] [bytes]   (TIERCEL_TEST_REDIS_URL names the server)
const { monitorEventLoopDelay } = require('node:perf_hooks');
const { createCache, createRedis } = require('../lib');
const { RedisServer } = require('../test/helpers/redis-server');

const MOST_MS = 50;
// What decoding and the collector cost is the caller's: shown, and not limited.
const JSON_KIND = 'cache.get, JSON';
const [reads = 512, bytes = 1 << 20] = process.argv.slice(2).map(Number);

async function main() {
  const server = process.env.TIERCEL_TEST_REDIS_URL ? undefined : await RedisServer.start();
  const url = process.env.TIERCEL_TEST_REDIS_URL ?? server.url;
  const client = createRedis({ url, commandTimeout: '60s' });
  const cache = createCache({ redis: { url, commandTimeout: '60s' }, memory: false });
  await client.set('large', 'x'.repeat(bytes));
  await cache.set('large', 'x'.repeat(bytes));
  const row = { name: 'a name', text: 'x'.repeat(80) };
  await cache.set(
    'json',
    Array.from({ length: bytes / 108 }, (_, id) => ({ id, ...row })),
  );
  const kinds = {
    'client.get': () => client.get('large'),
    'client.buffers.get': () => client.buffers.get('large'),
    'cache.get': () => cache.get('large'),
    [JSON_KIND]: () => cache.get('json'),
  };
  let missed = false;
  console.log(`${reads} reads of ${bytes} bytes at once; delay of the event loop, ms`);
  console.log(`${'kind'.padEnd(20)} ${'all, ms'.padStart(9)} ${'p99'.padStart(7)} ${'max'.padStart(7)}`);
  for (const [name, read] of Object.entries(kinds)) {
    for (let round = 0; round < 3; round++) {
      const delay = monitorEventLoopDelay({ resolution: 1 });
      delay.enable();
      await new Promise((resolve) => void setTimeout(resolve, 20));
      delay.reset();
      const began = performance.now();
      const values = await Promise.all(Array.from({ length: reads }, read));
      const took = performance.now() - began;
      await new Promise((resolve) => void setTimeout(resolve, 20));
      delay.disable();
      if (values.some((value) => value.length !== bytes && value.at(-1).name !== row.name)) {
        throw new Error('a value is not whole');
      }
      const [p99, max] = [delay.percentile(99) / 1e6, delay.max / 1e6];
      missed ||= p99 > MOST_MS && name !== JSON_KIND;
      console.log(
        `${name.padEnd(20)} ${took.toFixed(0).padStart(9)} ${p99.toFixed(1).padStart(7)} ${max.toFixed(1).padStart(7)}`,
      );
    }
  }
  await cache.close();
  await client.close();
  await server?.stop();
  process.exitCode = missed ? 1 : 0;
}

void main();
