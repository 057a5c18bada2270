'use strict';
// What an outage costs the callers of a cache with default options: at most one command timeout, once, and not for each
// call; and after it the hits are back within about a second.

const express = require('express');
const { createCache } = require('../../lib');
const { cacheResponse } = require('../../lib/http');
const { SessionStore } = require('../../lib/session');
const { PATIENCE } = require('../helpers/patience');
const { FaultProxy } = require('../helpers/fault-proxy');
const { cleanUp, onCleanUp, request, serve } = require('../helpers/http');
const { RedisServer, testServers } = require('../helpers/redis-server');
const { delay, until } = require('../helpers/until');

const PRICE_MS = 400;
const CALLS = 50;
// What the machine may add; an outage that is paid twice costs more.
const SLACK_MS = Math.min(399, 300 * PATIENCE);
const up = (cache) => until('a connection', async () => (await cache.health()).redis === 'ok');
const settled = (promise) => promise.catch(() => undefined);

const hardly = async () => {
  await delay(0);
  return 'loaded';
};
const KINDS = {
  getOrSet: (cache) => (i) => cache.getOrSet(`k${i}`, hardly),
  get: (cache) => (i) => cache.get(`k${i}`),
  set: (cache) => (i) => cache.set(`k${i}`, i),
  delete: (cache) => (i) => settled(cache.delete(`k${i}`)),
  invalidateTag: (cache) => (i) => settled(cache.invalidateTag(`t${i}`)),
  getMany: (cache) => (i) => cache.getMany([`a${i}`, `b${i}`, `c${i}`]),
  getOrSetMany: (cache) => (i) => cache.getOrSetMany([`a${i}`, `b${i}`], async (keys) => keys.map(() => 1)),
  'HTTP request': async (cache) => {
    const app = express();
    app.use(cacheResponse({ cache, ttl: '1m' }));
    app.get('/:id', (req, res) => res.send(req.params.id));
    const site = await serve(app);
    return async (i) => expect((await request(site, `/${i}`)).status).toBe(200);
  },
  'session get': (cache) => {
    const store = new SessionStore({ cache });
    return (i) => settled(store.get(`s${i}`));
  },
};

/** Fifty calls, one after the other: how long they waited. */
async function pay(call) {
  let paid = 0;
  for (let i = 0; i < CALLS; i++) {
    const began = performance.now();
    await call(i);
    // What each takes without waiting, on a busy machine, is not the price.
    paid += Math.max(0, performance.now() - began - 50);
  }
  return paid;
}

/** Waits until a value is stored and found again; how long that took. */
async function hitsAfter(cache) {
  const began = performance.now();
  let loads = 0;
  await until(
    'hits',
    async () => {
      const before = loads;
      await cache.getOrSet('back', () => ++loads);
      return before > 0 && before === loads;
    },
    10_000,
  );
  return performance.now() - began;
}

afterEach(cleanUp);

describe.each(testServers())('%s', (_program, program) => {
  let server;
  let proxy;
  beforeEach(async () => {
    server = await RedisServer.start({ program });
    proxy = await FaultProxy.start(server.port);
  });
  afterEach(async () => {
    await proxy.close();
    await server.stop();
  });
  const open = (redis) => {
    const cache = createCache({ redis });
    onCleanUp(() => cache.close());
    return cache;
  };

  const FAULTS = {
    frozen: [() => server.pause(), () => server.resume()],
    'half-open': [() => proxy.swallow(), () => proxy.pass()],
    'slower than the command timeout': [() => proxy.delay(300), () => proxy.pass()],
  };

  describe.each(Object.keys(FAULTS))('Redis is %s', (fault) => {
    test.each(Object.keys(KINDS))('%s pays once', async (kind) => {
      const [begin, end] = FAULTS[fault];
      const cache = open(proxy.url);
      await up(cache);
      const call = await KINDS[kind](cache);
      await call('first');
      await begin();
      try {
        expect(await pay(call)).toBeLessThan(PRICE_MS + SLACK_MS);
      } finally {
        await end();
      }
      expect(await hitsAfter(cache)).toBeLessThan(1500 * PATIENCE);
    });
  });

  test('callers at the same time pay at the same time, and load a key once', async () => {
    const cache = open(proxy.url);
    await up(cache);
    server.pause();
    try {
      const began = performance.now();
      let loads = 0;
      const load = async () => (await delay(20), ++loads);
      const values = await Promise.all(Array.from({ length: 100 }, () => cache.getOrSet('k', load)));
      expect(values).toEqual(Array(100).fill(1));
      expect(performance.now() - began).toBeLessThan(PRICE_MS + SLACK_MS);
      const more = await Promise.all(Array.from({ length: 100 }, () => cache.getOrSet('l', load)));
      expect(more).toEqual(Array(100).fill(2));
    } finally {
      server.resume();
    }
  });

  test('a late answer is given to nobody', async () => {
    // Of another name, and so with another memory.
    const writer = open(server.url);
    await up(writer);
    for (const key of ['a', 'b', 'c']) expect(await writer.set(key, key)).toBe(true);
    const reader = open(proxy.url);
    await up(reader);
    proxy.delay(300);
    expect(await Promise.all(['a', 'b', 'c'].map((key) => reader.get(key)))).toEqual(Array(3).fill(undefined));
    proxy.pass();
    await until('answers', async () => (await reader.get('c')) !== undefined);
    expect(await Promise.all(['c', 'b', 'a'].map((key) => reader.get(key)))).toEqual(['c', 'b', 'a']);
  });

  test('TLS to a plain port', async () => {
    const cache = open({ port: server.port, tls: true });
    expect(await pay(KINDS.getOrSet(cache))).toBeLessThan(PRICE_MS + SLACK_MS);
    expect(await cache.health()).toMatchObject({ status: 'degraded', redis: 'connecting' });
  });

  test('a host that takes the connection and is silent, and then speaks', async () => {
    proxy.swallow();
    for (const kind of Object.keys(KINDS)) {
      const cache = open(proxy.url);
      expect(await pay(await KINDS[kind](cache))).toBeLessThan(PRICE_MS + SLACK_MS);
    }
    const cache = open(proxy.url);
    await cache.get('k');
    proxy.pass();
    expect(await hitsAfter(cache)).toBeLessThan(1500 * PATIENCE);
  });

  test('a server whose first answers take too long is not asked for more', async () => {
    proxy.delay(250);
    const cache = open(proxy.url);
    const calls = KINDS.getOrSet(cache);
    const began = performance.now();
    let paid = 0;
    // Past the moment at which the connection is made after all.
    for (let i = 0; performance.now() - began < 2500; i++) {
      const before = performance.now();
      await calls(i);
      paid += Math.max(0, performance.now() - before - 50);
      await delay(5);
    }
    expect(paid).toBeLessThan(PRICE_MS + SLACK_MS);
  });
});

test('sets into a frozen server take no memory', async () => {
  const server = await RedisServer.start();
  const cache = createCache({ redis: server.url, memory: { maxBytes: '1mb' } });
  await up(cache);
  const value = 'x'.repeat(64 * 1024);
  await cache.set('warm', value);
  server.pause();
  try {
    const before = process.memoryUsage().rss;
    let most = before;
    let open = 0;
    // As fast as 20 s of 400 a second would be, and then some: what is refused is refused at once.
    for (let i = 0; i < 1600; i++) {
      open++;
      void cache.set(`k${i}`, value + i).then(() => open--);
      if (i % 2 === 0) await delay(4);
      most = Math.max(most, process.memoryUsage().rss);
    }
    await until('the answers', () => open === 0);
    expect(most - before).toBeLessThan(64 << 20);
  } finally {
    server.resume();
    await cache.close();
    await server.stop();
  }
});
