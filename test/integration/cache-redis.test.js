'use strict';
// A cache over a real Redis: both tiers, several caches (as several processes would) on one server, foreign bytes,
// lifetimes, isolation.

const { createCache, createRedis } = require('../../lib');
const { ownNamespace } = require('../helpers/memory-cache');
const { RedisServer } = require('../helpers/redis-server');
const { runScript } = require('../helpers/run-script');
const { timed } = require('../helpers/timed');
const { delay, rejection, until } = require('../helpers/until');

let server;
let redis;
let caches = [];
const open = (options) => {
  const cache = createCache({ redis: server.url, ...options });
  caches.push(cache);
  return cache;
};
/** A cache that is connected. Those of one namespace on one server share their memory. */
const make = async (options) => {
  const cache = open(options);
  await until('a connection', async () => (await cache.health()).redis === 'ok');
  cache.resetStats();
  return cache;
};
/** The same with memory of its own, as in another process: by another address, the server counts as another one. */
const makeElsewhere = (options) => make({ redis: server.unixUrl, ...options });
const never = () => {
  throw new Error('this loader must not run');
};
/** Reads until the answer comes from memory. */
const settle = (cache, key) =>
  until(`${key} in memory`, async () => {
    const before = cache.stats().memoryHits;
    await cache.get(key);
    return cache.stats().memoryHits > before;
  });
const KEY = (key) => `tiercel:1:k:${key}`;

beforeAll(async () => {
  server = await RedisServer.start();
  redis = createRedis(server.url);
});
beforeEach(() => redis.call('FLUSHALL'));
afterEach(async () => {
  await Promise.all(caches.map((cache) => cache.close()));
  caches = [];
});
afterAll(async () => {
  await redis.close();
  await server.stop();
});

describe('both tiers', () => {
  const values = [null, 0, false, '', 'größe \0 🙂', '\ud800', [], { a: [1, null] }];

  test.each(values.map((value) => [value]))('%j goes through Redis to another cache', async (value) => {
    const [writer, reader] = [await make(), await make({ memory: false })];
    expect(await writer.set('k', value)).toBe(true);
    expect(await reader.get('k')).toStrictEqual(value);
    expect(await reader.getMany(['k', 'x'])).toStrictEqual([value, undefined]);
    expect(await reader.getOrSet('k', never)).toStrictEqual(value);
    expect(await reader.has('k')).toBe(true);
    await settle(writer, 'k');
    expect(await writer.get('k')).toStrictEqual(value);
  });

  test('bytes and large values', async () => {
    const [writer, reader] = [await make(), await makeElsewhere()];
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
    const large = '日'.repeat(400_000);
    expect(await writer.setMany({ bytes, large, none: Buffer.alloc(0) })).toBe(true);
    for (let i = 0; i < 2; i++) {
      const [one, two, three] = await reader.getMany(['bytes', 'large', 'none']);
      expect(one.equals(bytes)).toBe(true);
      one.fill(0);
      expect(two).toBe(large);
      expect(three).toHaveLength(0);
    }
  });

  test('the first read comes from Redis, the next from memory', async () => {
    const [writer, reader] = [await make(), await makeElsewhere()];
    const tiers = [];
    reader.on('cache:hit', ({ tier }) => tiers.push(tier));
    await writer.set('k', 1);
    await reader.get('k');
    await reader.get('k');
    await reader.getOrSet('k', never);
    expect(tiers).toEqual(['redis', 'memory', 'memory']);
    expect(reader.stats()).toMatchObject({ hits: 3, misses: 0, redisHits: 1, memoryHits: 2 });
  });

  test('has() and ttl() answer without counting', async () => {
    const [writer, reader] = [await make(), await make({ memory: false })];
    await writer.set('k', 1, 100);
    expect([await reader.has('k'), await reader.has('x')]).toEqual([true, false]);
    expect(await reader.ttl('k')).toBeCloseTo(100, 0);
    expect(await reader.ttl('x')).toBeUndefined();
    expect(reader.stats()).toMatchObject({ hits: 0, misses: 0, redisHits: 0, memoryHits: 0, hitRatio: 0 });
  });

  test('getMany and setMany of 50,000 keys, with the default limits', async () => {
    const writer = await make({ memory: false, redis: { url: server.url, commandTimeout: '5s' } });
    const entries = Array.from({ length: 50_000 }, (_, i) => [`many:${i}`, i]);
    expect(await writer.setMany(entries)).toBe(true);
    expect(await writer.getMany(entries.map(([key]) => key))).toEqual(entries.map(([, value]) => value));
    expect(writer.stats().redisErrors).toBe(0);
  });

  test('getMany and setMany of 1,000 keys', async () => {
    const [writer, reader] = [await make(), await makeElsewhere()];
    const entries = Array.from({ length: 1000 }, (_, i) => [`k${i}`, { i }]);
    expect(await writer.setMany(entries)).toBe(true);
    expect(await reader.getMany(entries.map(([key]) => key))).toEqual(entries.map(([, value]) => value));
  });

  test('delete tells whether there was one', async () => {
    const cache = await make();
    await cache.set('k', 1);
    expect([await cache.delete('k'), await cache.delete('k')]).toEqual([true, false]);
    expect(await redis.exists(KEY('k'))).toBe(0);
  });

  test('500 callers at once: one load, one SET', async () => {
    const cache = await make();
    let loads = 0;
    const load = async () => ({ loads: ++loads });
    const all = await Promise.all(Array.from({ length: 500 }, () => cache.getOrSet('k', load)));
    expect(loads).toBe(1);
    expect(new Set(all).size).toBe(500);
    expect(await redis.exists(KEY('k'))).toBe(1);
    expect(cache.stats()).toMatchObject({ loads: 1, coalesced: 499, sets: 1 });
  });

  test('bytes that Redis had, for many callers at once', async () => {
    const [writer, reader] = [await make(), await makeElsewhere()];
    await writer.set('k', Buffer.from('abc'));
    const all = await Promise.all([1, 2, 3].map(async () => (await reader.getOrSet('k', never)).fill(0)));
    expect(new Set(all).size).toBe(3);
    expect(String(await reader.get('k'))).toBe('abc');
  });

  test.each([
    ['delete', (cache) => cache.delete('k'), undefined],
    ['set', (cache) => cache.set('k', 'written'), 'written'],
  ])('%s during a load keeps its value out of both tiers', async (_name, write, after) => {
    const cache = await make();
    let finish;
    const load = cache.getOrSet('k', () => new Promise((resolve) => (finish = resolve)));
    await until('the load', () => finish);
    await write(cache);
    finish('old');
    expect(await load).toBe('old');
    expect(await cache.get('k')).toBe(after);
    expect(await (await makeElsewhere()).get('k')).toBe(after);
  });

  test('a client that is already open, for two caches; closing one ends neither it nor the other', async () => {
    const client = createRedis(server.url);
    const [one, two] = [open({ redis: client }), open({ redis: client, namespace: 'other' })];
    await one.set('k', 1);
    await two.set('k', 2);
    expect([await one.get('k'), await two.get('k')]).toEqual([1, 2]);
    await one.close();
    expect(await two.get('k')).toBe(2);
    expect(await client.ping()).toBe('PONG');
    await two.close();
    await client.close();
  });
});

describe('coherence', () => {
  test('what one cache writes or deletes, another one stops serving from memory', async () => {
    const [a, b] = [await make(), await makeElsewhere()];
    await a.set('k', 1);
    await settle(b, 'k');
    await a.set('k', 2);
    await until('the new value', async () => (await b.get('k')) === 2);
    await settle(b, 'k');
    await a.delete('k');
    await until('nothing', async () => (await b.get('k')) === undefined);
  });

  test('a writer hears of what others write after it', async () => {
    const [a, b] = [await make(), await makeElsewhere()];
    for (let i = 0; i < 20; i++) {
      await a.set('k', `a${i}`);
      await settle(a, 'k');
      await b.set('k', `b${i}`);
      await until('the new value', async () => (await a.get('k')) === `b${i}`);
      await settle(b, 'k');
    }
  });

  test('one reads its own writes', async () => {
    const cache = await make();
    for (let i = 0; i < 200; i++) {
      await Promise.all([cache.get('k'), cache.set('k', i), cache.get('k')]);
      expect(await cache.get('k')).toBe(i);
    }
  });

  test.each([['FLUSHALL'], ['FLUSHDB']])('%s empties memory, too', async (command) => {
    const cache = await make();
    await cache.setMany({ a: 1, b: 2 });
    await settle(cache, 'a');
    await settle(cache, 'b');
    await redis.call(command);
    await until('nothing', () => cache.stats().memory.entries === 0);
    expect(await cache.getMany(['a', 'b'])).toEqual([undefined, undefined]);
  });

  test('a connection that was lost takes memory with it', async () => {
    const cache = await make();
    await cache.set('k', 1);
    await settle(cache, 'k');
    const closed = new Promise((resolve) => cache.once('redis:close', resolve));
    const connected = new Promise((resolve) => cache.once('redis:connect', resolve));
    await redis.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    expect((await closed).reason).toMatch(/lost/);
    expect(cache.peek('k')).toBeUndefined();
    await redis.del(KEY('k')); // nobody is told
    await connected;
    expect(await cache.get('k')).toBeUndefined();
    await cache.set('k', 2);
    await settle(cache, 'k');
    await redis.del(KEY('k'));
    await until('nothing', async () => (await cache.get('k')) === undefined);
  });
});

describe('foreign bytes', () => {
  const spoil = {
    garbage: () => redis.set(KEY('k'), Buffer.from([0xff, 0, 1, 2])),
    'an empty string': () => redis.set(KEY('k'), ''),
    'plain JSON': () => redis.set(KEY('k'), '{"a":1}'),
    'a list': () => redis.call('RPUSH', KEY('k'), 'x'),
    'a hash': () => redis.call('HSET', KEY('k'), 'f', 'x'),
    'an envelope without its end': () =>
      redis.call('EVAL', "redis.call('SET', KEYS[1], string.sub(redis.call('GET', KEYS[1]), 1, -2))", 1, KEY('k')),
    'an envelope without its payload': () =>
      redis.call('EVAL', `redis.call('SET', KEYS[1], string.sub(redis.call('GET', KEYS[1]), 1, -14))`, 1, KEY('k')),
    'an envelope with more behind it': () => redis.call('APPEND', KEY('k'), 'x'),
    'another version': () => redis.call('SETRANGE', KEY('k'), 0, Buffer.from([99])),
    'a payload that is no JSON': async () =>
      redis.call('SETRANGE', KEY('k'), (await redis.call('STRLEN', KEY('k'))) - 13, '{{'),
  };

  test.each(Object.entries(spoil))('%s under a key is a miss, is told, and is overwritten', async (name, write) => {
    const [writer, cache] = [await make(), await makeElsewhere()];
    await writer.set('k', { good: true });
    if (/list|hash/.test(name)) await redis.del(KEY('k'));
    await write();
    const errors = [];
    cache.on('cache:error', (error) => errors.push(error));
    expect(await cache.get('k')).toBeUndefined();
    expect(cache.stats()).toMatchObject({ corrupt: 1, misses: 1, hits: 0, redisErrors: 0 });
    expect(errors).toHaveLength(1);
    expect(errors[0]).toMatchObject({ code: 'CORRUPT_ENTRY' });
    expect(errors[0].message).toContain("'k'");
    expect(await cache.getOrSet('k', () => 'filled')).toBe('filled');
    expect(await writer.get('k')).toBe('filled');
    expect(await cache.get('k')).toBe('filled');
    expect(await cache.delete('k')).toBe(true);
  });

  test('in one of many keys, the others are found', async () => {
    const cache = await make();
    await cache.setMany({ a: 1, c: 3 });
    await redis.call('SADD', KEY('b'), 'x');
    expect(await cache.getMany(['a', 'b', 'c'])).toEqual([1, undefined, 3]);
    expect(cache.stats()).toMatchObject({ hits: 2, misses: 1, corrupt: 1 });
  });
});

describe('lifetimes', () => {
  test('every key expires, and not after maxTtl', async () => {
    const cache = await make({ ttl: '1h', maxTtl: '10s' });
    await cache.set('default', 1);
    await cache.set('asked', 1, '1d');
    await cache.set('short', 1, '5s');
    await cache.setMany({ many: 1 }, Infinity);
    await cache.getOrSet('loaded', () => 1, '1d');
    await cache.getOrSet('function', () => 1, { ttl: () => '1d' });
    await cache.getOrSet('context', (context) => (context.setTtl('2h'), 1));
    await cache.memoize('memoized', () => 1, '1d');
    const all = await redis.call('KEYS', '*');
    const keys = all.filter((key) => key.startsWith(KEY('')));
    expect(keys).toHaveLength(8);
    // What else there is are stamps, which outlive every entry that carries them.
    for (const key of all) if (!keys.includes(key)) expect(await redis.pttl(key)).toBeGreaterThan(10_000);
    for (const key of keys) {
      const left = await redis.pttl(key);
      expect(left).toBeGreaterThan(0);
      expect(left).toBeLessThanOrEqual(key.endsWith('short') ? 5000 : 10_000);
    }
  });

  test('the longest durations are taken by Redis', async () => {
    const cache = await make({ maxTtl: Infinity });
    expect(await cache.set('k', 1, Number.MAX_VALUE)).toBe(true);
    expect(await redis.pttl(KEY('k'))).toBeGreaterThan(2 ** 40);
    expect(await cache.get('k')).toBe(1);
  });

  timed('memory never outlives Redis', async () => {
    const [writer, reader] = [await make(), await makeElsewhere()];
    await writer.set('k', 1, '80ms');
    await delay(40);
    await settle(reader, 'k');
    expect(await reader.ttl('k')).toBeLessThanOrEqual(0.045);
    await delay(50);
    expect(await reader.get('k')).toBeUndefined();
  });

  timed('nor when its expiry was shortened from outside', async () => {
    const [before, after] = [await make(), await makeElsewhere()];
    await before.set('k', 1);
    await settle(before, 'k');
    await redis.call('PEXPIRE', KEY('k'), 60);
    await settle(after, 'k');
    expect(await after.ttl('k')).toBeLessThanOrEqual(0.06);
    await delay(70);
    expect([await before.get('k'), await after.get('k')]).toEqual([undefined, undefined]);
  });
});

describe('isolation', () => {
  test('namespaces and versions do not see each other', async () => {
    const all = [{}, { namespace: 'shop' }, { version: 2 }, { version: '1b' }, { namespace: 'größe' }];
    const open = await Promise.all(all.map((options) => make(options)));
    await Promise.all(open.map((cache, index) => cache.set('k', index)));
    expect(await Promise.all(open.map((cache) => cache.get('k')))).toEqual(all.map((_, index) => index));
    const prefixes = ['tiercel:1:', 'shop:1:', 'tiercel:2:', 'tiercel:1b:', 'größe:1:'];
    // The entry, the stamp of the namespace that it carries, and the one that changes with every tag.
    const keys = prefixes.flatMap((prefix) => [`${prefix}k:k`, `${prefix}n`, `${prefix}a`]);
    expect((await redis.call('KEYS', '*')).sort()).toEqual(keys.sort());
    await open[0].delete('k');
    expect(await open[1].get('k')).toBe(1);
    expect(open[1].name).toBe('shop');
  });

  test('a hot key of one cache is not touched by the like of another', async () => {
    const [one, two] = [await make(), await make({ namespace: 'other' })];
    await one.set('k', 1);
    await settle(one, 'k');
    await two.set('k', 2);
    await two.delete('k');
    expect(await one.get('k')).toBe(1);
    expect(one.stats().redisErrors).toBe(0);
  });
});

describe('the environment', () => {
  const script = `
    const cache = tiercel.createCache();
    await cache.set('k', 'from a child');
    const { redis } = await cache.health();
    console.log(redis);
    await cache.close();`;

  test('REDIS_URL, REDIS_HOST and its like, or none', async () => {
    const port = String(server.port);
    const [url, host, none, off] = await Promise.all([
      runScript(script, { env: { REDIS_URL: `${server.url}/1`, REDIS_HOST: 'nowhere.invalid' } }),
      runScript(script, { env: { REDIS_HOST: '127.0.0.1', REDIS_PORT: port, REDIS_DB: '2' } }),
      runScript(script),
      runScript(script.replace('createCache()', 'createCache({ redis: false })'), { env: { REDIS_URL: server.url } }),
    ]);
    expect([url, host, none, off].map(({ stdout, code }) => [stdout, code])).toEqual(
      [['ok', 0], ['ok', 0], ['none', 0], ['none', 0]], // prettier-ignore
    );
    for (const db of [1, 2]) {
      const cache = await make({ redis: `${server.url}/${db}` });
      expect(await cache.get('k')).toBe('from a child');
    }
    expect(await (await make()).get('k')).toBeUndefined();
  });

  test('an open client brings its own timeout', () => {
    expect(() => createCache({ redis, commandTimeout: 1 })).toThrow(/^commandTimeout: /);
  });
});

test('health says connecting until the first attempt has ended', async () => {
  const cache = createCache({ redis: server.url, namespace: ownNamespace() });
  expect(await cache.health()).toMatchObject({
    status: 'degraded',
    redis: 'connecting',
    reason: expect.stringMatching(/^no connection yet: 127\.0\.0\.1:\d+/),
  });
  await until('a connection', async () => (await cache.health()).status === 'ok');
  await cache.close();
  const nowhere = createCache({ redis: 'redis://127.0.0.1:1', namespace: ownNamespace() });
  expect((await nowhere.health()).redis).toBe('connecting');
  await until('the failure', async () => (await nowhere.health()).redis === 'unavailable');
  expect((await nowhere.health()).reason).toMatch(/127\.0\.0\.1:1/);
  await nowhere.close();
});

test('health tells the latency', async () => {
  const cache = await make({ namespace: ownNamespace() });
  const health = await cache.health();
  expect(health).toMatchObject({ status: 'ok', redis: 'ok', memory: { entries: 0 } });
  expect(health.latency).toBeGreaterThan(0);
  await cache.close();
  expect(await cache.health()).toMatchObject({ status: 'closed', redis: 'unavailable' });
  expect((await rejection(cache.get('k'))).code).toBe('CACHE_CLOSED');
});

test('a long synchronous turn before the connection is up is not taken from the time of a command', async () => {
  // From within a timer, as when an app boots: the loop looks at its timers again before it hears of the connection.
  for (const round of [0, 1, 2, 3, 4]) {
    await delay(round);
    const cache = open({ namespace: `blocked${round}`, commandTimeout: '50ms' });
    const end = performance.now() + 100;
    while (performance.now() < end);
    expect(await cache.set('first', round)).toBe(true);
  }
});

test.each([
  ['clear', (cache) => cache.clear()],
  ['delete', (cache) => cache.delete('a')],
  ['invalidateTag', (cache) => cache.invalidateTag('t')],
  ['invalidatePattern', (cache) => cache.invalidatePattern('*')],
])('a set that nobody waited for is overtaken by a %s that was called after it', async (_name, change) => {
  const cache = await make({ namespace: ownNamespace() });
  await cache.set('a', 0, { tags: ['t'] });
  const stored = cache.set('a', 1, { tags: ['t'] });
  await change(cache);
  await stored;
  expect(await cache.get('a')).toBeUndefined();
  expect(cache.peek('a')).toBeUndefined();
});
