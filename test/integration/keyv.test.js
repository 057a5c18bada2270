'use strict';
// The Keyv adapter beyond Keyv's own suite: namespaces, lifetimes, many processes, a Redis that dies, and the libraries
// that are built on Keyv.

const { Keyv } = require('keyv');
const { Cacheable } = require('cacheable');
const cacheManager = require('cache-manager');
const { createCache, createRedis } = require('../../lib');
const { KeyvTiercel, createKeyv } = require('../../lib/keyv');
const { PATIENCE } = require('../helpers/patience');
const { Peer } = require('../helpers/peer');
const { memoryCache, ownNamespace } = require('../helpers/memory-cache');
const { RedisServer } = require('../helpers/redis-server');
const { timed } = require('../helpers/timed');
const { delay, rejection, until } = require('../helpers/until');

let server;
let redis;
let cleanups = [];
const later = (task) => cleanups.push(task);

const ready = async (options = {}) => {
  const cache = createCache({ redis: server.url, namespace: ownNamespace(), ...options });
  later(() => cache.close());
  await until('the cache to be ready', async () => (await cache.health()).status === 'ok');
  return cache;
};
/** Its class is another one, as that of the ES module is. */
const anotherCopyOfKeyv = () => {
  let copy;
  jest.isolateModules(() => (copy = require('keyv')));
  return copy;
};
const collect = async (iterator) => {
  const found = [];
  for await (const entry of iterator) found.push(entry);
  return found.sort(([a], [b]) => (a < b ? -1 : 1));
};

beforeAll(async () => {
  server = await RedisServer.start();
  redis = createRedis(server.url);
});
beforeEach(() => redis.call('FLUSHALL'));
afterEach(async () => {
  for (const task of cleanups.reverse()) await task();
  cleanups = [];
});
afterAll(async () => {
  await redis.close();
  await server.stop();
});

describe.each(['both tiers', 'memory alone'])('namespaces, %s', (tiers) => {
  const open = () => {
    if (tiers === 'both tiers') return ready();
    const cache = memoryCache();
    later(() => cache.close());
    return cache;
  };
  const NAMES = ['a', 'b', 'a*', 'a?', '[ab]', 'a:b', 'a::b', '*', '?*', 'ü🙂', '\ud800', '\ud801', '', undefined];
  const LONG = ['x'.repeat(61), 'x'.repeat(100_000)];

  test('clear() of one leaves all others, whatever characters they have', async () => {
    const cache = await open();
    const stores = [...NAMES, ...LONG].map((namespace) => new KeyvTiercel({ cache, namespace }));
    // No namespace and the empty one are the same to Keyv.
    stores.splice(NAMES.indexOf(''), 1);
    const keys = ['k', 'b:k', ':k', 'k*'];
    for (const [index, store] of stores.entries()) for (const key of keys) await store.set(key, index);
    for (const [index, store] of stores.entries()) {
      expect(await store.getMany(keys)).toEqual(keys.map(() => index));
      await store.clear();
      expect(await store.getMany(keys)).toEqual(keys.map(() => undefined));
      for (const other of stores.slice(index + 1)) expect(await other.hasMany(keys)).toEqual(keys.map(() => true));
      if (index > 0) expect(await stores[0].has('k')).toBe(false);
    }
  });

  test('clear() leaves what the application itself has in the cache', async () => {
    const cache = await open();
    await cache.set('k', 'mine');
    await cache.namespace('n-a').set('k', 'mine too');
    const store = new KeyvTiercel({ cache });
    await store.set('k', 'its');
    await store.clear();
    expect([await store.get('k'), await cache.get('k'), await cache.namespace('n-a').get('k')]).toEqual([
      undefined,
      'mine',
      'mine too',
    ]);
  });

  test('the iterator gives the keys of its namespace as they were set', async () => {
    const cache = await open();
    const stores = ['a', '*', 'a*'].map((namespace) => new KeyvTiercel({ cache, namespace }));
    const keys = ['1', 'a:1', '*', '[x]', 'ü'].sort();
    for (const store of stores) for (const key of keys) await store.set(key, `${store.namespace} ${key}`);
    await cache.set('1', 'of the application');
    for (const store of stores) {
      expect(await collect(store.iterator())).toEqual(keys.map((key) => [key, `${store.namespace} ${key}`]));
    }
    expect(await collect(stores[0].iterator('*'))).toEqual(keys.map((key) => [key, `* ${key}`]));
  });

  test('the iterator goes through more keys than fit a page', async () => {
    const store = new KeyvTiercel({ cache: await open(), namespace: 'many' });
    await store.setMany(Array.from({ length: 2345 }, (_, i) => ({ key: `k${i}`, value: i })));
    expect(new Set((await collect(store.iterator())).map(([key]) => key)).size).toBe(2345);
  });

  test('the namespace of a store can be changed, as Keyv does', async () => {
    const keyv = new Keyv({ store: new KeyvTiercel({ cache: await open() }), namespace: 'one', useKeyPrefix: false });
    await keyv.set('k', 1);
    keyv.namespace = 'two';
    expect(await keyv.get('k')).toBeUndefined();
    await keyv.set('k', 2);
    keyv.namespace = 'one';
    expect(await keyv.get('k')).toBe(1);
  });
});

describe('lifetimes', () => {
  /** Milliseconds that the one key there is has left in Redis. */
  const lifetime = async () => {
    for await (const key of redis.scan({ match: '*k.keyv.*' })) return redis.call('PTTL', key);
    return undefined;
  };

  test.each([
    ['milliseconds', 1500, 1500],
    ['a fraction, rounded up', 1500.2, 1501],
    ['none', undefined, 1_200_000],
    ['null', null, 1_200_000],
    ['0: none', 0, 1_200_000],
    ['Infinity', Infinity, 1_200_000],
    ['more than maxTtl', 999_999_999, 1_200_000],
  ])('a ttl of %s', async (_, given, most) => {
    const store = new KeyvTiercel({
      cache: await ready({ maxTtl: '20m', ttl: '5s', jitter: 0.9, staleIfError: '30s' }),
    });
    expect(await store.set('k', 'v', given)).toBe(true);
    const left = await lifetime();
    expect(left).toBeLessThanOrEqual(most);
    expect(left).toBeGreaterThan(most - 1000);
  });

  timed('a ttl of a millisecond ends after one', async () => {
    const store = new KeyvTiercel({ cache: await ready() });
    expect(await store.set('k', 'v', 1)).toBe(true);
    await delay(5);
    expect([await store.get('k'), await store.has('k')]).toEqual([undefined, false]);
  });

  test('a negative ttl is over: what was there is gone', async () => {
    const store = new KeyvTiercel({ cache: await ready() });
    await store.set('k', 'old');
    expect(await store.set('k', 'new', -1)).toBe(true);
    expect(await store.get('k')).toBeUndefined();
  });

  test.each([
    ['NaN', NaN],
    ['text', '5m'],
    ['an object', {}],
  ])('a ttl of %s is refused', async (_, ttl) => {
    const store = new KeyvTiercel({ cache: await ready() });
    const error = await rejection(store.set('k', 'v', ttl));
    expect(error).toBeInstanceOf(TypeError);
    expect(error.message).toMatch(/^ttl: expected a number of milliseconds, got/);
  });

  timed('stale windows of the cache bring nothing back', async () => {
    const store = new KeyvTiercel({ cache: await ready({ staleIfError: '1h', staleWhileRevalidate: '1h' }) });
    await store.set('k', 'v', 30);
    await delay(40);
    expect([await store.get('k'), await store.has('k'), await collect(store.iterator())]).toEqual([
      undefined,
      false,
      [],
    ]);
  });
});

describe('processes', () => {
  test('what another process sets, deletes and clears is seen', async () => {
    const namespace = ownNamespace();
    const store = new KeyvTiercel({ cache: await ready({ namespace }), namespace: 'shared' });
    const peer = await Peer.start({ redis: server.url, namespace });
    later(() => peer.end());
    const there = (work, ...args) => peer.run(work, ...args);
    await there(async (state, root) => {
      // The peer runs without `require` of its own.
      const { KeyvTiercel: Adapter } = process.mainModule.require(root);
      state.store = new Adapter({ cache: state.cache, namespace: 'shared' });
      await state.store.set('k', 'theirs');
    }, require.resolve('../../lib/keyv'));
    expect(await store.get('k')).toBe('theirs');
    await there(({ store: its }) => its.delete('k'));
    await until('the removal to arrive', async () => (await store.get('k')) === undefined);
    await there(({ store: its }) => its.set('k', 'again'));
    await until('the value to arrive', async () => (await store.get('k')) === 'again');
    await store.clear();
    await until('the clear to arrive', async () => (await there(({ store: its }) => its.get('k'))) === undefined);
  });

  test('reads come from memory', async () => {
    const store = new KeyvTiercel({ cache: await ready() });
    await store.set('k', 'v');
    await until('it in memory', async () => {
      const { memoryHits } = store.cache.namespace('keyv').namespace('none').stats();
      await store.get('k');
      return store.cache.namespace('keyv').namespace('none').stats().memoryHits > memoryHits;
    });
    const { total_commands_processed: before } = Object.fromEntries(
      (await redis.call('INFO', 'stats')).split('\r\n').map((line) => line.split(':')),
    );
    for (let i = 0; i < 100; i++) await store.get('k');
    const { total_commands_processed: after } = Object.fromEntries(
      (await redis.call('INFO', 'stats')).split('\r\n').map((line) => line.split(':')),
    );
    expect(after - before).toBeLessThan(10 * PATIENCE);
  });
});

describe('when Redis dies', () => {
  test('reads miss, set and delete say false, errors are events, and all is well when it is back', async () => {
    const own = await RedisServer.start();
    later(() => own.stop());
    const cache = await ready({ redis: own.url, commandTimeout: '200ms' });
    const keyv = new Keyv({ store: new KeyvTiercel({ cache }) });
    const errors = [];
    keyv.on('error', (error) => errors.push(error));
    expect(await keyv.set('k', 'v')).toBe(true);
    await own.kill();
    await until('the loss to be seen', async () => (await cache.health()).status === 'degraded');
    expect(await keyv.get('k')).toBeUndefined();
    expect(await keyv.get(['k', 'l'])).toEqual([undefined, undefined]);
    expect(await keyv.has('k')).toBe(false);
    expect(await keyv.set('k', 'w')).toBe(false);
    errors.length = 0;
    expect(await keyv.delete('k')).toBe(false);
    expect(errors.map(({ code }) => code)).toEqual(['CACHE_UNAVAILABLE']);
    await keyv.clear();
    expect(errors.at(-1).code).toBe('CACHE_UNAVAILABLE');
    await own.restart();
    await until('Redis to be back', async () => (await cache.health()).status === 'ok');
    expect(await keyv.set('k', 'x')).toBe(true);
    expect(await keyv.get('k')).toBe('x');
  });

  test('nobody listens: nothing is thrown', async () => {
    const own = await RedisServer.start();
    later(() => own.stop());
    const cache = await ready({ redis: own.url, commandTimeout: '200ms' });
    const store = new KeyvTiercel({ cache });
    await store.set('k', 'v');
    await own.kill();
    expect(await store.set('k', 'w')).toBe(false);
    expect(await store.get('k')).toBeUndefined();
  });

  test('throwOnErrors of createKeyv throws', async () => {
    const own = await RedisServer.start();
    later(() => own.stop());
    const cache = await ready({ redis: own.url, commandTimeout: '200ms' });
    const keyv = createKeyv({ cache, throwOnErrors: true });
    await own.kill();
    expect((await rejection(keyv.delete('k'))).code).toBe('CACHE_UNAVAILABLE');
  });
});

describe('createKeyv and its options', () => {
  test('a URL, an own cache, and its end with disconnect()', async () => {
    const keyv = createKeyv(server.url);
    await keyv.set('k', { a: 1 }, 5000);
    expect(await keyv.get('k')).toEqual({ a: 1 });
    await keyv.disconnect();
    expect((await rejection(keyv.store.get('k'))).code).toBe('CACHE_CLOSED');
  });

  test('disconnect() leaves a cache open that it was given, and does not listen any more', async () => {
    const cache = await ready();
    const keyv = createKeyv({ cache, namespace: 'n' });
    await keyv.set('k', 1);
    const place = cache.namespace('keyv').namespace('n-n');
    expect(place.listenerCount('cache:error')).toBe(1);
    await keyv.disconnect();
    expect(place.listenerCount('cache:error')).toBe(0);
    expect((await cache.health()).status).toBe('ok');
  });

  timed('options of a cache', async () => {
    const keyv = createKeyv({ cache: { redis: false, namespace: ownNamespace() }, ttl: 30, namespace: 'n' });
    later(() => keyv.disconnect());
    expect([keyv.ttl, keyv.namespace, keyv.useKeyPrefix]).toEqual([30, 'n', false]);
    await keyv.set('k', 1);
    await delay(40);
    expect(await keyv.get('k')).toBeUndefined();
  });

  test.each([
    ['something else for a cache', { cache: new Map() }, /^cache: expected a cache made by createCache\(\)/],
    ['an option that does not exist', { uri: 'x' }, /^options: there is no option 'uri'/],
    ['a namespace that is no string', { cache: undefined, namespace: 5 }, /^namespace: expected a string/],
    ['no options', null, /^options: expected an object/],
  ])('refuses %s', (_, options, message) => {
    expect(() => new KeyvTiercel(options)).toThrow(message);
    expect(() => createKeyv(options)).toThrow(message);
  });

  test.each([['5m'], [-1], [Number.NaN]])('createKeyv({ ttl: %p }) is refused', (ttl) => {
    const message = /^ttl: expected a number of milliseconds, as everywhere in Keyv, got /;
    expect(() => createKeyv({ cache: { redis: false }, ttl })).toThrow(message);
  });

  test('bad keys are TypeErrors; numbers are what they read as', async () => {
    const store = new KeyvTiercel({ cache: await ready() });
    for (const key of ['', '\ud800', {}, null, undefined, 'x'.repeat(70_000)]) {
      expect(await rejection(store.get(key))).toBeInstanceOf(TypeError);
      expect(await rejection(store.set(key, 1))).toBeInstanceOf(TypeError);
    }
    expect(await rejection(store.getMany('k'))).toBeInstanceOf(TypeError);
    expect(await rejection(store.setMany({}))).toBeInstanceOf(TypeError);
    await store.set(5, 'five');
    expect(await store.get('5')).toBe('five');
  });
});

describe('what is built on Keyv', () => {
  test('cacheable, with this as its second store', async () => {
    const secondary = createKeyv({ cache: await ready() });
    const cacheable = new Cacheable({ secondary, namespace: 'app' });
    await cacheable.set('k', { a: 1 }, '1m');
    await cacheable.primary.clear();
    expect(await cacheable.get('k')).toEqual({ a: 1 });
    expect(await cacheable.getMany(['k', 'none'])).toEqual([{ a: 1 }, undefined]);
    expect(await cacheable.delete('k')).toBe(true);
    expect(await cacheable.get('k')).toBeUndefined();
    let loads = 0;
    const load = () => cacheable.getOrSet('w', async () => ++loads, { ttl: '1m' });
    expect([await load(), await load(), loads]).toEqual([1, 1, 1]);
  });

  test('cache-manager: get, set, ttl, wrap, mset, mget, mdel, clear', async () => {
    const store = createKeyv({ cache: await ready(), namespace: 'cm' });
    const manager = cacheManager.createCache({ stores: [store], ttl: 10_000 });
    await manager.set('k', 'v', 60_000);
    expect(await manager.get('k')).toBe('v');
    expect((await manager.ttl('k')) - Date.now()).toBeGreaterThan(50_000);
    let loads = 0;
    const load = () => manager.wrap('w', async () => ++loads);
    expect([await load(), await load(), loads]).toEqual([1, 1, 1]);
    await manager.mset([
      { key: 'a', value: 1 },
      { key: 'b', value: 2, ttl: 5000 },
    ]);
    expect(await manager.mget(['a', 'b', 'c'])).toEqual([1, 2, undefined]);
    await manager.mdel(['a']);
    await manager.del('b');
    expect(await manager.mget(['a', 'b'])).toEqual([undefined, undefined]);
    await manager.clear();
    expect(await manager.get('k')).toBeUndefined();
  });

  test('Keyv without a serializer, and with one of its own', async () => {
    const cache = await ready({ codec: 'msgpack' });
    const raw = createKeyv({ cache, namespace: 'raw' });
    raw.serialize = undefined;
    raw.deserialize = undefined;
    const value = { at: new Date(0), map: new Map([[1, 2n]]) };
    await raw.set('k', value);
    expect(await raw.get('k')).toEqual(value);
    const own = createKeyv({ cache, namespace: 'own' });
    own.serialize = (data) => `!${JSON.stringify(data)}`;
    own.deserialize = (text) => JSON.parse(text.slice(1));
    await own.set('k', 'v');
    expect([await own.get('k'), await own.store.get('k')]).toEqual(['v', expect.stringMatching(/^!\{/)]);
  });

  test('a Keyv of another copy of the package takes ours for a store', async () => {
    const { Keyv: Other } = anotherCopyOfKeyv();
    expect(Other).not.toBe(Keyv);
    const inner = createKeyv({ cache: await ready(), namespace: 'mine' });
    const outer = new Other({ store: inner, namespace: 'theirs' });
    await outer.set('k', { a: 1 }, 5000);
    expect(await outer.get('k')).toEqual({ a: 1 });
    expect(await outer.delete('k')).toBe(true);
    expect(await outer.get('k')).toBeUndefined();
  });

  test('got-like use: a Keyv with a prefix over a plain store', async () => {
    const keyv = new Keyv({ store: new KeyvTiercel({ cache: await ready() }), namespace: 'cacheable-request' });
    const entry = { body: Buffer.from('ü'), url: 'http://x/?a=*', headers: { etag: '"1"' } };
    await keyv.set('GET:http://x/?a=*', entry, 60_000);
    expect(await keyv.get('GET:http://x/?a=*')).toEqual(entry);
    expect(await collect(keyv.iterator())).toEqual([['GET:http://x/?a=*', entry]]);
  });
});
