'use strict';
// Cache.inspect: what each tier holds under a key.
const { createCache, createRedis } = require('../../lib');
const { cacheResponse } = require('../../lib/http');
const { RedisServer } = require('../helpers/redis-server');
const { until } = require('../helpers/until');
const http = require('node:http');

let redis;
let cache;
beforeAll(async () => {
  redis = await RedisServer.start();
});
afterAll(() => redis.stop());
beforeEach(() => {
  cache = createCache({ redis: redis.url, namespace: 'inspect' });
});
afterEach(async () => {
  await cache.clear();
  await cache.close();
});

/** What inspect() tells of the entry in Redis, as soon as it is so. */
const inspected = (key, condition) =>
  until(`${key} to be so`, async () => {
    const seen = await cache.inspect(key);
    return condition(seen.redis) && seen;
  });

const open = () => {
  let end;
  const result = new Promise((resolve, reject) => {
    end = { resolve, reject };
  });
  return { result, ...end };
};

test('a value is described in both tiers', async () => {
  const value = { id: 1, name: 'Ada' };
  await cache.set('k', value, { ttl: '1m', staleWhileRevalidate: '1m', tags: ['user:1', 'users'] });
  await cache.get('k');
  const { memory, redis: stored } = await cache.inspect('k');
  for (const entry of [memory, stored]) {
    expect(entry).toMatchObject({
      kind: 'value',
      codec: 'json',
      bytes: JSON.stringify(value).length,
      loadTime: 0,
      tags: ['user:1', 'users'],
      leased: false,
      outdated: false,
      invalidated: false,
      metadata: null,
    });
    expect(entry.ttl).toBeGreaterThan(30);
    expect(entry.ttl).toBeLessThanOrEqual(60);
    expect(entry.staleFor - entry.ttl).toBeCloseTo(60, 1);
    expect(entry.age).toBeLessThan(30);
    expect(Math.abs(entry.created - Date.now())).toBeLessThan(30_000);
  }
  expect(stored.goneIn).toBeGreaterThan(90);
  expect(memory.goneIn).toBeUndefined();
});

test('nothing is nothing, and is not counted', async () => {
  const before = cache.stats();
  expect(await cache.inspect('missing')).toEqual({ memory: undefined, redis: undefined });
  const after = cache.stats();
  expect([after.hits, after.misses]).toEqual([before.hits, before.misses]);
});

test('without Redis there is memory alone', async () => {
  const alone = createCache({ redis: false });
  await alone.set('text', 'hello');
  await alone.set('bytes', Buffer.from([1, 2, 3]));
  expect(await alone.inspect('text')).toMatchObject({ memory: { codec: 'text', bytes: 5 }, redis: undefined });
  expect((await alone.inspect('bytes')).memory).toMatchObject({ codec: 'bytes', bytes: 3 });
  await alone.close();
  await expect(alone.inspect('text')).rejects.toMatchObject({ code: 'CACHE_CLOSED' });
});

test('a load under way shows as a lease, and as leased where the old value stays', async () => {
  const first = open();
  const loading = cache.getOrSet('load', () => first.result, { ttl: '1m' });
  expect(await inspected('load', (entry) => entry !== undefined)).toMatchObject({
    memory: undefined,
    redis: { kind: 'lease', leased: true, tags: [] },
  });
  first.resolve('value');
  await loading;
  expect((await cache.inspect('load')).redis).toMatchObject({ kind: 'value', codec: 'text', leased: false });
  const second = open();
  void cache.getOrSet('load', () => second.result, { ttl: '1m', refreshAhead: '90s' });
  const { redis: leased } = await inspected('load', (entry) => entry.leased);
  expect(leased).toMatchObject({ kind: 'value', bytes: 5 });
  second.resolve('newer value');
  const { redis: refreshed } = await inspected('load', (entry) => !entry.leased);
  expect(refreshed.bytes).toBe(11);
});

test('a failure that is remembered, and a value that was invalidated softly', async () => {
  const failing = cache.getOrSet('bad', () => Promise.reject(new Error('no')), { errorBackoff: '10s' });
  await expect(failing).rejects.toThrow('no');
  expect((await cache.inspect('bad')).redis).toMatchObject({ kind: 'failure' });
  await cache.set('soft', 1, { ttl: '1m', staleIfError: '1m' });
  await cache.delete('soft', { soft: true });
  expect((await cache.inspect('soft')).redis).toMatchObject({ kind: 'value', outdated: true, ttl: 0, staleFor: 0 });
});

test.each([
  ['a tag', (of) => of.invalidateTag('t')],
  ['clear()', (of) => of.clear()],
])('a value that %s has invalidated', async (_name, invalidate) => {
  await cache.set('tagged', 1, { tags: ['t'] });
  const before = await cache.inspect('tagged');
  expect(before.redis).toMatchObject({ kind: 'value', tags: ['t'], invalidated: false });
  // In one turn: it is given back in the background, behind the acknowledgement.
  const [, { memory, redis: stored }] = await Promise.all([invalidate(cache), cache.inspect('tagged')]);
  expect(memory).toBeUndefined();
  expect(stored.invalidated).toBe(true);
});

test('what is none of ours', async () => {
  const client = createRedis(redis.url);
  await cache.set('k', 1);
  const [key] = await client.keys('*k:k');
  await client.set(key, 'foreign');
  expect((await cache.inspect('k')).redis).toEqual({ kind: 'foreign', bytes: 7 });
  await client.del(key);
  await client.call('LPUSH', key, 'a');
  expect((await cache.inspect('k')).redis).toEqual({ kind: 'foreign', bytes: undefined });
  await client.del(key);
  await client.close();
});

test('a namespace inspects its own keys', async () => {
  const inner = cache.namespace('inner');
  await inner.set('k', 'inner');
  expect((await cache.inspect('k')).redis).toBeUndefined();
  expect((await inner.inspect('k')).redis).toMatchObject({ kind: 'value', bytes: 5, tags: [] });
});

test('a bad key is an error', async () => {
  await expect(cache.inspect('')).rejects.toThrow(TypeError);
});

test('without an answer of Redis it rejects', async () => {
  const server = await RedisServer.start();
  const other = createCache({ redis: server.url, namespace: 'gone' });
  await other.set('k', 1);
  await server.stop();
  await expect(other.inspect('k')).rejects.toMatchObject({ name: 'RedisError' });
  await other.close();
});

test('a response shows its metadata', async () => {
  const listener = cacheResponse.front(
    (_req, res) => {
      res.setHeader('Cache-Control', 'max-age=60');
      res.end('page');
    },
    { cache, warnings: false },
  );
  const server = http.createServer(listener).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const url = `http://127.0.0.1:${server.address().port}/page`;
  await (await fetch(url)).text();
  const client = createRedis(redis.url);
  const full = await until('the response', async () => (await client.keys('*:k:*page*'))[0]);
  const key = full.slice(full.indexOf(':k:') + 3);
  const { redis: seen } = await inspected(key, (entry) => entry?.kind === 'value');
  expect(seen).toMatchObject({ codec: 'bytes', bytes: 4, metadata: { status: 200 } });
  await client.close();
  server.close();
  server.closeAllConnections();
});
