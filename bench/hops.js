'use strict';
// How many files and functions of lib run for one operation, by V8's precise coverage: a measure of how far its way goes
// through the code. usage: node bench/hops.js [--list OPERATION]   (a redis-server in PATH)
const inspector = require('node:inspector');
const http = require('node:http');
const path = require('node:path');
const { RedisServer } = require('../test/helpers/redis-server');
const { createCache, cacheResponse } = require('../lib');

const LIB = path.join(__dirname, '../lib') + path.sep;
const listed = process.argv[2] === '--list' ? process.argv[3] : undefined;

const session = new inspector.Session();
session.connect();
const post = (method, params) =>
  new Promise((resolve, reject) => {
    session.post(method, params, (error, result) => (error ? reject(error) : resolve(result)));
  });

/** The functions of lib that run while the operation does. */
async function hopsOf(operation) {
  await post('Profiler.startPreciseCoverage', { callCount: true, detailed: false });
  await post('Profiler.takePreciseCoverage');
  await operation();
  const { result } = await post('Profiler.takePreciseCoverage');
  await post('Profiler.stopPreciseCoverage');
  const hops = [];
  for (const { url, functions } of result) {
    const file = url.startsWith('file://') ? new URL(url).pathname : url;
    if (!file.startsWith(LIB)) continue;
    for (const { functionName, ranges } of functions) {
      const [{ count }] = ranges;
      if (count > 0) hops.push({ file: path.relative(LIB, file), functionName, count });
    }
  }
  return hops;
}

async function measure(name, operation) {
  const hops = await hopsOf(operation);
  const files = new Set(hops.map(({ file }) => file));
  const calls = hops.reduce((sum, { count }) => sum + count, 0);
  console.log(
    `${name.padEnd(34)} ${String(files.size).padStart(3)} files ${String(hops.length).padStart(4)} functions ${String(calls).padStart(4)} calls`,
  );
  if (name === listed) {
    for (const { file, functionName, count } of hops) console.log(`  ${file} ${functionName} ${count}`);
  }
}

const get = (port, target) =>
  new Promise((resolve, reject) => {
    http.get({ port, path: target, agent: false }, (res) => res.resume().on('end', resolve)).on('error', reject);
  });
const settled = () => new Promise((resolve) => void setTimeout(resolve, 50));

async function values(redis) {
  const cache = createCache({ redis: redis.url });
  const alone = createCache({ redis: false });
  const second = createCache({ redis: redis.url, memory: false });
  while ((await cache.health()).redis !== 'ok' || (await second.health()).redis !== 'ok') await settled();
  const load = async () => ({ id: 1 });
  for (const one of [cache, alone, second]) await one.getOrSet('warm', load);
  await cache.getOrSet('k', load);
  await alone.getOrSet('k', load);
  await alone.getOrSet('k', load);
  await measure('memory hit, getOrSet', () => alone.getOrSet('k', load));
  await measure('memory miss, getOrSet', () => alone.getOrSet('other', load));
  await measure('Redis hit, get', () => second.get('k'));
  await measure('Redis hit, getOrSet', () => second.getOrSet('k', load));
  await measure('Redis miss, getOrSet', () => cache.getOrSet('another', load));
  await measure('set', () => cache.set('k', 1));
  await measure('delete', () => cache.delete('k'));
  await measure('invalidateTag', () => cache.invalidateTag('t'));
  for (const one of [cache, alone, second]) await one.close();
}

async function responses() {
  const cache = createCache({ redis: false });
  const listener = cacheResponse.front(
    (req, res) => {
      res.setHeader('Cache-Control', 'max-age=60');
      res.end('page');
    },
    { cache, warnings: false },
  );
  const server = http.createServer(listener).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address();
  for (const target of ['/warm', '/warm']) await get(port, target);
  await settled();
  await measure('HTTP miss', async () => {
    await get(port, '/cold');
    await settled();
  });
  await measure('HTTP hit', () => get(port, '/cold'));
  server.close();
  server.closeAllConnections();
  await cache.close();
}

async function main() {
  await post('Profiler.enable');
  const redis = await RedisServer.start();
  try {
    await values(redis);
    await responses();
  } finally {
    await redis.stop();
  }
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
