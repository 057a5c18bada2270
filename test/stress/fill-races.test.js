'use strict';
// A value that was read before an invalidation is never stored after it: a thousand random rounds for each way in which a
// key becomes invalid, in one process, between two, and between threads without Redis; and the interleavings that other
// libraries fall for, one by one.

const { createCache, createRedis } = require('../../lib');
const { Agent, endAgents } = require('../helpers/agents');
const { WAYS, runRaces, local } = require('../helpers/fill-race');
const { FaultProxy } = require('../helpers/fault-proxy');
const { RedisServer } = require('../helpers/redis-server');
const { delay, until } = require('../helpers/until');

const ROUNDS = Number(process.env.TIERCEL_TEST_ROUNDS ?? 1000);
const ways = Object.keys(WAYS).map((way) => [way]);

let server;
let redis;
const caches = [];
beforeAll(async () => {
  server = await RedisServer.start();
  redis = createRedis(server.url);
});
beforeEach(() => redis.call('FLUSHALL'));
afterEach(async () => {
  await endAgents();
  for (const cache of caches.splice(0)) await cache.close();
});
afterAll(async () => {
  await redis.close();
  await server.stop();
});

async function open(options) {
  const cache = createCache({ redis: server.url, ...options });
  caches.push(cache);
  await until('a connection', async () => (await cache.health()).status === 'ok');
  return cache;
}

/** The source of truth of two processes. */
const sourceOf = (client) => ({
  read: async (key) => Number(await client.call('GET', `source:${key}`)),
  write: (key, version) => client.call('SET', `source:${key}`, String(version)),
});
/** The same within one. */
function sourceHere() {
  const versions = new Map();
  return {
    read: (key) => versions.get(key),
    write: (key, version) => void versions.set(key, version),
  };
}

function expectNoneStale(outcome) {
  expect(outcome).toMatchObject({ stale: [], wrong: [] });
  expect(outcome.rounds).toBeGreaterThanOrEqual(ROUNDS);
  // The race has taken place.
  expect(outcome.overtaken).toBeGreaterThan(ROUNDS / 10);
}

describe('random rounds (F1, F2, F7, F8)', () => {
  test.each(ways)('%s during a load, in one process', async (way) => {
    const cache = await open();
    const source = sourceHere();
    expectNoneStale(await runRaces({ way, reader: local({ cache, delay, source }), cache, source, rounds: ROUNDS }));
  });

  test.each(ways)('%s in another process than the load', async (way) => {
    const cache = await open();
    const reader = await Agent.process({ redis: server.url });
    await reader.run((here, url) => {
      const client = here.tiercel.createRedis(url);
      here.openSource = () => ({ read: async (key) => Number(await client.call('GET', `source:${key}`)) });
    }, server.url);
    expectNoneStale(await runRaces({ way, reader, cache, source: sourceOf(redis), rounds: ROUNDS }));
  });

  test.each(ways)('%s in another thread than the load, with one memory tier for both', async (way) => {
    const cache = await open();
    const reader = await Agent.thread({ redis: server.url });
    await reader.run((here, url) => {
      const client = here.tiercel.createRedis(url);
      here.openSource = () => ({ read: async (key) => Number(await client.call('GET', `source:${key}`)) });
    }, server.url);
    expectNoneStale(await runRaces({ way, reader, cache, source: sourceOf(redis), rounds: ROUNDS }));
  });

  test.each(ways)('%s during a load, without Redis', async (way) => {
    const cache = await open({ redis: false });
    const source = sourceHere();
    expectNoneStale(await runRaces({ way, reader: local({ cache, delay, source }), cache, source, rounds: ROUNDS }));
  });

  test.each(ways)('%s in another thread than the load, without Redis', async (way) => {
    const cache = await open({ redis: false, memory: { shared: true } });
    // One place per key of runRaces(), 'lane7:…:2': two that shared one would read each other's versions.
    const versions = new Int32Array(new SharedArrayBuffer(4 * 1024));
    const placeOf = (key) => Number(key.match(/^lane(\d+):/)[1]) * 10 + Number(key.at(-1));
    const source = { write: (key, version) => void Atomics.store(versions, placeOf(key), version) };
    const reader = await Agent.thread({ redis: false, memory: { shared: true } }, versions);
    await reader.run((here) => {
      const place = (key) => Number(key.match(/^lane(\d+):/)[1]) * 10 + Number(key.at(-1));
      here.openSource = () => ({ read: (key) => Atomics.load(here.shared, place(key)) });
    });
    expectNoneStale(await runRaces({ way, reader, cache, source, rounds: ROUNDS }));
  });
});

describe('one by one', () => {
  const KEY = 'tiercel:1:k:k';

  test('F3, F8: set before the loader ends, and after: the set stays', async () => {
    const cache = await open();
    const agent = await Agent.process({ redis: server.url });
    const writers = [
      (value) => cache.set('k', value),
      (value) => agent.run((here, given) => here.cache.set('k', given), value),
    ];
    for (const set of writers) {
      let finish;
      const loading = cache.getOrSet('k', () => new Promise((resolve) => (finish = resolve)));
      await until('the load', () => finish);
      await set('new');
      finish('old');
      expect(await loading).toBe('old');
      expect([await cache.get('k'), await agent.run((here) => here.cache.get('k'))]).toEqual(['new', 'new']);
      expect(await cache.getOrSet('k', () => 'filled')).toBe('new');
      await cache.delete('k');
      await cache.getOrSet('k', () => 'filled');
      await set('newer');
      await cache.health();
      expect(await cache.get('k')).toBe('newer');
      await cache.delete('k');
    }
  });

  test.each([
    ['delete', (cache) => cache.delete('k')],
    ['a tag', (cache) => cache.invalidateTag('x')],
    ['clear', (cache) => cache.clear()],
    ['a pattern', (cache) => cache.invalidatePattern('k*')],
  ])('a call that comes after %s does not join the load that began before', async (_name, invalidate) => {
    for (const options of [{}, { redis: false }]) {
      const cache = await open(options);
      let source = 'old';
      const load = async () => {
        const value = source;
        await delay(40);
        return value;
      };
      const before = cache.getOrSet('k', load, { tags: ['x'] });
      await delay(10);
      source = 'new';
      await invalidate(cache);
      const after = cache.getOrSet('k', load, { tags: ['x'] });
      expect([await before, await after, await cache.get('k')]).toEqual(['old', 'new', 'new']);
      await cache.close();
    }
  });

  test('nor one that has landed, in the microtasks that it takes to reach those who wait for it', async () => {
    const proxy = await FaultProxy.start(server.port);
    const client = createRedis({ port: proxy.port, commandTimeout: '2s' });
    const cache = await open({ redis: client });
    const other = await Agent.process({ redis: server.url });
    const given = [];
    // After so many microtasks, counted from an answer that comes in one piece with that to the fill.
    for (let microtasks = 0; microtasks < 16; microtasks++) {
      let finish;
      const loading = cache.getOrSet('k', () => new Promise((resolve) => (finish = resolve)));
      await until('the load', () => finish);
      proxy.pause();
      await other.run((here) => here.cache.delete('k'));
      finish('old');
      // The fill is on its way by then.
      await new Promise(setImmediate);
      const asked = client.call('PING');
      await delay(5);
      proxy.resume();
      await asked;
      for (let i = 0; i < microtasks; i++) await undefined;
      given.push(await cache.getOrSet('k', () => 'new'));
      expect(await loading).toBe('old');
      await cache.delete('k');
    }
    expect(given).toEqual(given.map(() => 'new'));
    await cache.close();
    await client.close();
    await proxy.close();
  });

  test.each([
    ['set', (cache) => cache.set('k', 'new')],
    ['soft delete', (cache) => cache.delete('k', { soft: true }).catch((error) => error.code !== 'CACHE_UNAVAILABLE')],
  ])('nor a read that was on its way when a %s failed', async (_name, change) => {
    const proxy = await FaultProxy.start(server.port);
    const cache = await open({ redis: { port: proxy.port }, commandTimeout: '2s', memory: false });
    try {
      for (let round = 0; round < 3; round++) {
        await cache.set('k', 'old');
        await redis.call('CONFIG', 'SET', 'maxmemory', '1');
        proxy.delay(30);
        const changing = change(cache);
        await delay(20);
        const before = cache.getOrSet('k', () => 'new');
        expect(await changing).toBe(false);
        expect(await cache.getOrSet('k', () => 'new')).toBe('new');
        expect(await before).toMatch(/old|new/);
        proxy.delay(0);
        await redis.call('CONFIG', 'SET', 'maxmemory', '0');
      }
    } finally {
      await redis.call('CONFIG', 'SET', 'maxmemory', '0');
    }
    await cache.close();
    await proxy.close();
  });

  test('F4: a change between a read of Redis and its reply does not leave the old value in memory', async () => {
    const proxy = await FaultProxy.start(server.port);
    const cache = await open({ redis: proxy.url });
    const writer = await Agent.process({ redis: server.url });
    for (let round = 0; round < 20; round++) {
      await writer.run((here, value) => here.cache.set('k', value), `old ${round}`);
      await cache.health();
      proxy.delay(20);
      const reading = cache.get('k');
      // The read is on its way there, at the server, or on its way back.
      await delay((round % 10) * 5);
      await writer.run((here, value) => here.cache.set('k', value), `new ${round}`);
      expect([`old ${round}`, `new ${round}`]).toContain(await reading);
      proxy.delay(0);
      await cache.health();
      expect(await cache.get('k')).toBe(`new ${round}`);
    }
    await cache.close();
    await proxy.close();
  });

  test.each([
    ['FLUSHALL', () => redis.call('FLUSHALL')],
    ['DEL by somebody else', () => redis.call('DEL', KEY)],
  ])('F5, F6: %s that comes in one piece with the reply', async (_name, change) => {
    const proxy = await FaultProxy.start(server.port);
    const cache = await open({ redis: proxy.url });
    for (let round = 0; round < 10; round++) {
      await redis.call('FLUSHALL');
      await cache.set('k', 'old');
      // Not from memory: through another connection, which keeps no memory of it.
      await redis.call('PEXPIRE', KEY, 60_000);
      await cache.health();
      proxy.pause();
      const reading = cache.get('k');
      await delay(5);
      proxy.resume();
      await change();
      await reading;
      await cache.health();
      expect([await cache.get('k'), cache.peek('k')]).toEqual([undefined, undefined]);
    }
    await cache.close();
    await proxy.close();
  });

  test('F7: a lease is removed by a plain DEL or UNLINK of another program too', async () => {
    const cache = await open();
    for (const command of ['DEL', 'UNLINK']) {
      let signal;
      let finish;
      const loading = cache.getOrSet('k', (context) => {
        ({ signal } = context);
        return new Promise((resolve) => (finish = resolve));
      });
      await until('the load', () => finish);
      await redis.call(command, KEY);
      await until('it is told', () => signal.aborted);
      finish('old');
      expect(await loading).toBe('old');
      expect(await cache.get('k')).toBeUndefined();
      expect(await redis.call('EXISTS', KEY)).toBe(0);
    }
  });

  test('F7: a lease that comes in one piece with the news that it is gone', async () => {
    const cache = await open({ redis: { url: server.url, commandTimeout: '5s' } });
    await cache.getOrSet('warm', () => 1);
    for (let round = 0; round < 5; round++) {
      let signal;
      let finish;
      server.pause();
      const loading = cache.getOrSet('k', (context) => {
        ({ signal } = context);
        return new Promise((resolve) => (finish = resolve));
      });
      await delay(20);
      // Behind it: whose request came first is served first.
      const removed = redis.call('DEL', KEY);
      await delay(20);
      server.resume();
      expect(await removed).toBe(1);
      await until('the loader is told', () => signal?.aborted);
      expect(await Promise.all([cache.getOrSet('k', () => 'new'), finish('old'), loading])).toEqual([
        'new',
        undefined,
        'old',
      ]);
      await cache.delete('k');
    }
  });

  test('a load whose lease comes in the moment of an invalidation keeps nobody waiting', async () => {
    const cache = await open({ memory: false });
    for (const [tags, invalidate] of [
      [['x'], () => cache.invalidateTag('x')],
      [[], () => cache.clear()],
    ]) {
      await cache.getOrSet('k', () => 'old', { tags });
      await cache.delete('k');
      const loading = cache.getOrSet('k', () => 'one', { tags });
      const invalidated = invalidate();
      const began = performance.now();
      await Promise.all([loading, invalidated]);
      expect(await cache.getOrSet('k', () => 'two', { tags })).toMatch(/one|two/);
      expect(performance.now() - began).toBeLessThan(1000);
      await cache.delete('k');
    }
  });
});
