'use strict';
// Namespaces, caches and clients are opened and closed at random moments under load, a thousand times: in the middle of a
// turn, in the continuation of a reply, from a loader, from a listener, while another process writes entries with tags
// that this one has not seen. Every call is settled, nothing crashes, what is closed is collected, and nothing is left.
// Run by scripts/test-addon-sanitize.sh with ASan, UBSan and LSan, and by test/stress/rounds.test.js as it is.
//
//   TIERCEL_TEST_REDIS_URL=redis://… node --expose-gc test/sanitize/rounds.js [ROUNDS] [SEED]
const { fork } = require('node:child_process');
const { createCache, createRedis } = require('../..');

const url = process.env.TIERCEL_TEST_REDIS_URL;
if (!url) throw new Error('TIERCEL_TEST_REDIS_URL: expected the URL of a Redis server');
if (process.argv[2] !== 'write' && globalThis.gc === undefined) throw new Error('run it with --expose-gc');
const ROUNDS = Number(process.argv[2] ?? 1000);
const SEED = Number(process.argv[3] ?? 1);
const AT_ONCE = 4;
const SETTLE_MS = 60_000;
// What a process may grow by after a quarter of the rounds. RSS converges slowly: allocators keep what they had.
const MOST_HEAP_MIB = 3;
const MOST_RSS_MIB = 64;
const SANITIZED = process.env.LD_PRELOAD !== undefined;

/** mulberry32: rounds can be repeated by their seed. */
function generator(/** @type {number} */ seed) {
  let state = seed >>> 0;
  return (/** @type {number} */ below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

/** Another process, which writes entries with ever new tags into the namespaces of the rounds. */
async function write() {
  const caches = ['shared', 'own'].map((namespace) => createCache({ redis: url, namespace }));
  for (let i = 0; process.connected; i++) {
    const cache = caches[i % 2].namespace(`n${i % 5}`);
    const tags = [`seen-by-nobody-${i % 997}`, `t${i % 3}`];
    await Promise.all([
      cache.set(`k${i % 7}`, { i }, { tags }),
      caches[i % 2].set(`k${i % 7}`, 'x'.repeat(i % 3000), { tags }),
    ]);
  }
}

/** A little of everything, begun and not waited for. */
function load(cache, client, random) {
  const key = () => `k${random(7)}`;
  const loader = async () => {
    if (random(3) === 0) await new Promise((resolve) => setTimeout(resolve, random(4)));
    if (random(5) === 0) throw new Error('of a loader');
    return { value: 'v'.repeat(random(2000)) };
  };
  const begin = [
    () => cache.get(key()),
    () => cache.getOrSet(key(), loader, { ttl: 5, tags: [`t${random(3)}`], staleWhileRevalidate: 5 }),
    () => cache.getOrSet(key(), loader, { tags: () => [`late${random(3)}`] }),
    () => cache.set(key(), { set: random(9) }, { tags: [`t${random(3)}`], ttl: '20ms' }),
    () => cache.delete(key()),
    () => cache.getMany([key(), key(), key()]),
    () => cache.invalidateTag(`t${random(3)}`),
    () => cache.invalidatePattern(`k${random(7)}*`),
    () => cache.getOrSetMany([key(), key()], (missing) => missing.map(() => random(9))),
    () => cache.read(key()),
    () => client.get('plain'),
    () => client.pipeline().set('plain', random(9)).get('plain').exec(),
    () => client.multi().incr('n').exec(),
    () => client.buffers.mget('plain', 'nothing'),
  ];
  return Array.from({ length: 3 + random(12) }, () => {
    try {
      return Promise.resolve(begin[random(begin.length)]());
    } catch (error) {
      return Promise.reject(error);
    }
  });
}

/** Calls `end` at a random moment: now, in a continuation, in a later turn, or in the middle of a batch of replies. */
function someTime(calls, random, end) {
  switch (random(6)) {
    case 0:
      return end();
    case 1:
      return Promise.resolve().then(end);
    case 2:
      return new Promise((resolve) => setImmediate(resolve)).then(end);
    case 3:
      return new Promise((resolve) => setTimeout(resolve, random(5))).then(end);
    case 4:
      return Promise.race(calls.map((call) => call.catch(() => {}))).then(end);
    default:
      return calls[random(calls.length)].then(end, end);
  }
}

let collected = 0;
let closed = 0;
const registry = new FinalizationRegistry(() => collected++);
function watch(one) {
  closed++;
  registry.register(one, undefined);
  return one;
}

/** One round: what is closed in it is collected later, and so are the calls. */
async function round(random, shared) {
  const kind = random(5);
  const client = kind === 0 ? watch(createRedis(url)) : shared.client;
  if (kind === 0) client.on('close', () => void client.stats());
  const open = [
    () => watch(createCache({ redis: client, namespace: 'shared' })),
    () => watch(createCache({ redis: url, namespace: 'own', memory: { maxBytes: '256kb' } })),
    () => watch(shared.cache.namespace(`n${random(5)}`)),
    () => watch(createCache({ redis: false })),
    () => watch(watch(shared.without.namespace(`n${random(5)}`)).namespace('below')),
  ];
  const cache = open[kind === 0 ? 0 : random(open.length)]();
  const ends = [];
  if (random(4) === 0) cache.on('cache:set', (_, open = ends.length === 0) => open && cache.peek('k1'));
  const calls = load(cache, client, random);
  ends.push(someTime(calls, random, () => cache.close()));
  if (kind === 0) ends.push(someTime(calls, random, () => (random(2) === 0 ? client.destroy() : client.close())));
  calls.push(...load(cache, client, random));
  for (const call of calls) call.catch(() => {});
  await settled([...calls, ...ends]);
  if (kind === 0) await client.close();
  await cache.close();
}

async function settled(promises) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`a call was not settled within ${SETTLE_MS} ms`)), SETTLE_MS);
  });
  try {
    await Promise.race([Promise.allSettled(promises), late]);
  } finally {
    clearTimeout(timer);
  }
}

async function collect() {
  for (let i = 0; i < 6; i++) {
    globalThis.gc();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

async function main() {
  const writer = fork(__filename, ['write'], {
    execArgv: [],
    env: { ...process.env, LD_PRELOAD: '', TIERCEL_BINDING_PATH: '' },
  });
  const random = generator(SEED);
  const client = createRedis(url);
  const shared = {
    client,
    cache: createCache({ redis: client, namespace: 'shared' }),
    without: createCache({ redis: client, namespace: 'shared', memory: false }),
  };
  let before = process.memoryUsage();
  const warm = Math.ceil(ROUNDS / 4 / AT_ONCE) * AT_ONCE;
  for (let done = 0; done < ROUNDS; done += AT_ONCE) {
    await Promise.all(Array.from({ length: AT_ONCE }, () => round(random, shared)));
    if (done !== warm) continue;
    await collect();
    before = process.memoryUsage();
  }
  await collect();
  const after = process.memoryUsage();
  await Promise.all([shared.cache.close(), shared.without.close()]);
  await client.close();
  writer.disconnect();
  await new Promise((resolve) => writer.once('exit', resolve));
  await collect();
  const heap = (after.heapUsed - before.heapUsed) / 2 ** 20;
  const rss = (after.rss - before.rss) / 2 ** 20;
  const left = process.getActiveResourcesInfo().filter((name) => name !== 'TTYWrap' && name !== 'PipeWrap');
  const report = [];
  if (collected < closed) report.push(`${closed - collected} were not collected`);
  if (heap > MOST_HEAP_MIB) report.push(`the heap grew by ${heap.toFixed(1)} MiB`);
  if (!SANITIZED && rss > MOST_RSS_MIB) report.push(`RSS grew by ${rss.toFixed(1)} MiB`);
  if (left.length > 0) report.push(`left behind: ${left.join()}`);
  console.log(
    `${ROUNDS} rounds, seed ${SEED}: ${closed} opened and closed, ${collected} collected; from a quarter on the heap grew by ` +
      `${heap.toFixed(1)} MiB, RSS by ${rss.toFixed(1)} MiB; ${report.join('; ') || 'nothing left'}`,
  );
  process.exitCode = report.length === 0 ? 0 : 1;
}

if (process.argv[2] === 'write') void write().then(() => process.exit());
else void main();
