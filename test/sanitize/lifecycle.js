'use strict';
// Run with the addon built with ASan and UBSan (scripts/test-addon-sanitize.sh): connections made and ended a thousand
// times, in every way, and workers killed under load. What leaks or is used after its end fails the process.
const { Worker, isMainThread } = require('node:worker_threads');
const { createCache, createRedis } = require('../..');

const url = process.env.TIERCEL_TEST_REDIS_URL;
if (!url) throw new Error('TIERCEL_TEST_REDIS_URL: expected the URL of a Redis server');
const CONNECTS = 1000;
const WORKERS = 20;

/** One client and a cache on it, used a little, and ended in one of several ways. */
async function connectAndEnd(/** @type {number} */ round) {
  const client = createRedis(url);
  const cache = createCache({ redis: client });
  await Promise.all([
    client.ping(),
    cache.getOrSet(`key:${round % 10}`, () => ({ round })),
    client.pipeline().set('a', round).get('a').call('LPUSH', 'a', 'x').exec(),
    client.multi().incr('n').hset('h', 'f', round).exec(),
    client.buffers.mget('a', 'nothing'),
  ]);
  const late = [client.get('a'), cache.get('key:1')].map((one) => one.catch(() => {}));
  if (round % 2 === 0) await cache.close();
  if (round % 3 === 0) client.destroy();
  else await client.close();
  await Promise.all(late);
  if (round % 2 === 1) await cache.close();
}

async function main() {
  for (let round = 0; round < CONNECTS; round += 4) {
    await Promise.all([0, 1, 2, 3].map((offset) => connectAndEnd(round + offset)));
  }
  const cache = createCache({ redis: url, memory: { maxBytes: '64kb' } });
  for (let i = 0; i < 2000; i++) await cache.getOrSet(`x:${i % 300}`, () => 'v'.repeat(i % 3000));
  await cache.close();
  for (let i = 0; i < WORKERS; i++) {
    const worker = new Worker(__filename);
    await new Promise((resolve) => setTimeout(resolve, 10 + i * 8));
    await worker.terminate();
  }
  const left = process.getActiveResourcesInfo().filter((name) => name !== 'TTYWrap' && name !== 'PipeWrap');
  console.log(`${CONNECTS} connects, ${WORKERS} workers; left behind: ${left.join() || 'nothing'}`);
  process.exitCode = left.length === 0 ? 0 : 1;
}

function load() {
  const client = createRedis(url);
  const cache = createCache({ redis: url });
  setInterval(() => {
    for (let i = 0; i < 50; i++) {
      client.get(`x:${i}`).catch(() => {});
      cache.getOrSet(`w:${i}`, () => i).catch(() => {});
    }
  }, 1);
}

if (isMainThread) main();
else load();
