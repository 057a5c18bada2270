'use strict';
// The methods beyond one key: peek, read, many keys, invalidateRelated, namespaces, memory. With Redis and without.

const { createCache, CacheError } = require('../../lib');
const { ownNamespace } = require('../helpers/memory-cache');
const { RedisServer } = require('../helpers/redis-server');
const { timed } = require('../helpers/timed');
const { delay, rejection, until } = require('../helpers/until');

let server;
let caches = [];
const never = () => {
  throw new Error('this loader must not run');
};

beforeAll(async () => {
  server = await RedisServer.start();
});
afterEach(async () => {
  await Promise.all(caches.map((cache) => cache.close()));
  caches = [];
});
afterAll(() => server.stop());

const open = (options) => {
  const cache = createCache({ namespace: ownNamespace(), ...options });
  caches.push(cache);
  return cache;
};
/** A cache that is connected. */
const connected = async (options) => {
  const cache = open({ redis: server.url, ...options });
  await until('a connection', async () => (await cache.health()).redis === 'ok');
  return cache;
};
/** A promise and its functions. */
function gate() {
  const made = {};
  made.promise = new Promise((resolve, reject) => Object.assign(made, { resolve, reject }));
  return made;
}

describe.each([
  ['memory alone', async (options) => open({ redis: false, ...options })],
  ['Redis and memory', connected],
])('%s', (mode, make) => {
  const tiers = mode === 'memory alone' ? ['memory'] : ['memory', 'redis'];

  describe('peek', () => {
    test('tells at once what memory has fresh', async () => {
      const cache = await make();
      expect(cache.peek('k')).toBeUndefined();
      await cache.set('k', { a: 1 });
      expect(cache.peek('k')).toEqual({ a: 1 });
      await cache.set('k', null);
      expect(cache.peek('k')).toBeNull();
      await cache.delete('k');
      expect(cache.peek('k')).toBeUndefined();
      await cache.set('short', 1, { ttl: '20ms', staleWhileRevalidate: 60 });
      await delay(30);
      expect(cache.peek('short')).toBeUndefined();
      expect(() => cache.peek('')).toThrow(/^key: expected/);
    });
  });

  describe('read', () => {
    test('tells value, status, tier, age, ttl and tags', async () => {
      const cache = await make();
      expect(await cache.read('k')).toEqual({ value: undefined, status: 'miss' });
      await cache.set('k', { a: 1 }, { ttl: 100, tags: ['x', 'y'] });
      await delay(20);
      const { age, ttl, tags, ...rest } = await cache.read('k');
      expect(rest).toEqual({ value: { a: 1 }, status: 'hit', tier: 'memory' });
      expect(age).toBeGreaterThan(0.01);
      expect(age).toBeLessThan(1);
      expect(ttl).toBeGreaterThan(98);
      expect(ttl).toBeLessThan(100);
      expect([...tags].sort()).toEqual(['x', 'y']);
    });

    timed('tells that a value is stale, and its ttl is 0', async () => {
      const cache = await make();
      await cache.set('k', 'old', { ttl: '20ms', staleWhileRevalidate: 60 });
      await delay(30);
      expect(await cache.read('k')).toMatchObject({ value: 'old', status: 'stale', ttl: 0 });
      expect(await cache.get('k')).toBeUndefined();
      expect(await cache.has('k')).toBe(false);
    });

    test('counts as a read', async () => {
      const cache = await make();
      await cache.set('k', 1);
      cache.resetStats();
      await cache.read('k');
      await cache.read('none');
      expect(cache.stats()).toMatchObject({ hits: 1, misses: 1 });
    });
  });

  describe('deleteMany', () => {
    test('tells how many there were; keys that come twice are one', async () => {
      const cache = await make();
      await cache.setMany({ a: 1, b: 2, c: 3 });
      expect(await cache.deleteMany(['a', 'b', 'a', 'none'])).toBe(2);
      expect(await cache.getMany(['a', 'b', 'c'])).toEqual([undefined, undefined, 3]);
      expect(await cache.deleteMany([])).toBe(0);
      expect((await rejection(cache.deleteMany('a'))).message).toMatch(/^keys: expected an array/);
      expect((await rejection(cache.deleteMany(['c', ''])))).toBeInstanceOf(TypeError); // prettier-ignore
      expect(await cache.get('c')).toBe(3);
    });

    test('keeps a load that is under way out', async () => {
      const cache = await make();
      const loading = gate();
      const load = cache.getOrSet('k', () => loading.promise);
      await delay(10);
      await cache.deleteMany(['k']);
      loading.resolve('old');
      expect(await load).toBe('old');
      expect(await cache.has('k')).toBe(false);
    });
  });

  describe('getOrSetMany', () => {
    test('one call of the loader for all that are missing, in their order', async () => {
      const cache = await make();
      await cache.setMany({ b: 'B', d: null });
      const asked = [];
      const load = (keys, context) => {
        asked.push({ keys, of: context.keys, aborted: context.signal.aborted });
        return keys.map((key) => key.toUpperCase());
      };
      expect(await cache.getOrSetMany(['a', 'b', 'c', 'd', 'a'], load)).toEqual(['A', 'B', 'C', null, 'A']);
      expect(asked).toEqual([{ keys: ['a', 'c'], of: ['a', 'c'], aborted: false }]);
      expect(await cache.getOrSetMany(['c', 'b', 'a'], never)).toEqual(['C', 'B', 'A']);
      expect(await cache.getOrSetMany([], never)).toEqual([]);
      expect(await cache.get('a')).toBe('A');
    });

    test.each([
      ['an array', (keys) => keys.map((key) => ({ key }))],
      ['a Map', (keys) => new Map(keys.toReversed().map((key) => [key, { key }]))],
      ['an object', (keys) => Object.fromEntries(keys.map((key) => [key, { key }]))],
      ['a promise', async (keys) => (await delay(2), keys.map((key) => ({ key })))],
    ])('the loader may return %s', async (_name, load) => {
      const cache = await make();
      expect(await cache.getOrSetMany(['a', 'b'], load)).toEqual([{ key: 'a' }, { key: 'b' }]);
      expect(await cache.getMany(['a', 'b'])).toEqual([{ key: 'a' }, { key: 'b' }]);
    });

    test('what the loader leaves out is undefined, and is not stored', async () => {
      const cache = await make();
      expect(await cache.getOrSetMany(['a', 'b', 'toString'], () => ({ a: 1 }))).toEqual([1, undefined, undefined]);
      expect(await cache.getMany(['a', 'b', 'toString'])).toEqual([1, undefined, undefined]);
    });

    test('its options are those of getOrSet', async () => {
      const cache = await make();
      const options = { ttl: 20, tags: ['t'], cacheIf: (value) => value !== 2 };
      expect(await cache.getOrSetMany(['a', 'b'], () => [1, 2], options)).toEqual([1, 2]);
      expect(await cache.ttl('a')).toBeCloseTo(20, 0);
      expect(await cache.has('b')).toBe(false);
      await cache.invalidateTag('t');
      expect(await cache.get('a')).toBeUndefined();
    });

    test.each([
      ['an error that is thrown', () => Promise.reject(new RangeError('database')), /^database$/],
      ['too few values', () => [1], /^loadMissing: expected 2 values, one for each key, got 1/],
      ['no collection', () => 5, /^loadMissing: expected .* got 5/],
    ])('%s is the error of the call, and nothing is stored', async (_name, load, message) => {
      const cache = await make();
      const error = await rejection(cache.getOrSetMany(['a', 'b'], load, { errorBackoff: 0 }));
      expect(error.message).toMatch(message);
      expect(await cache.getMany(['a', 'b'])).toEqual([undefined, undefined]);
      expect(await cache.getOrSetMany(['a', 'b'], () => [1, 2])).toEqual([1, 2]);
    });

    test('a key that somebody else loads is waited for, and does not hold up the others', async () => {
      const cache = await make();
      const loading = gate();
      const busy = cache.getOrSet('busy', () => loading.promise);
      await delay(10);
      const asked = [];
      const all = cache.getOrSetMany(['busy', 'free'], (keys) => (asked.push(keys), keys.map(() => 'loaded')));
      await until('the load of the other key', () => asked.length === 1);
      expect(asked).toEqual([['free']]);
      expect(await cache.get('free')).toBe('loaded');
      loading.resolve('first');
      expect(await all).toEqual(['first', 'loaded']);
      expect(await busy).toBe('first');
    });

    test('two calls at once load each key once', async () => {
      const cache = await make();
      const asked = [];
      const load = async (keys) => {
        asked.push(...keys);
        await delay(20);
        return keys;
      };
      const both = [cache.getOrSetMany(['a', 'b'], load), cache.getOrSetMany(['b', 'c'], load)];
      expect(await Promise.all(both)).toEqual([['a', 'b'], ['b', 'c']]); // prettier-ignore
      expect(asked.sort()).toEqual(['a', 'b', 'c']);
    });

    test('arguments that are none', async () => {
      const cache = await make();
      expect((await rejection(cache.getOrSetMany('a', never))).message).toMatch(/^keys: expected an array/);
      expect((await rejection(cache.getOrSetMany(['a']))).message).toMatch(/^loadMissing: expected a function/);
      expect((await rejection(cache.getOrSetMany(['a'], never, { tll: 1 }))).message).toMatch(/no option 'tll'/);
    });
  });

  describe('invalidateRelated', () => {
    test('keys, patterns and tags in one call', async () => {
      const cache = await make();
      await cache.setMany({ key: 1, 'user:1': 1, 'user:2': 2, 'users': 3, kept: 4 }); // prettier-ignore
      await cache.set('tagged', 5, { tags: ['t'] });
      await cache.invalidateRelated(['key', 'user:*', { tag: 't' }, 'none']);
      const keys = ['key', 'user:1', 'user:2', 'users', 'tagged', 'kept'];
      expect(await cache.getMany(keys)).toEqual([undefined, undefined, undefined, 3, undefined, 4]);
      await cache.invalidateRelated([]);
    });

    test.each([
      ['no list', 'key', /^related: expected an array/],
      ['a number', [5], /^key: expected/],
      ['an unknown object', [{ tga: 't' }], /^key: expected/],
      ['a tag that is none', [{ tag: '' }], /^related\.tag: expected/],
    ])('refuses %s, and has then removed nothing', async (_name, related, message) => {
      const cache = await make();
      await cache.set('key', 1);
      const given = Array.isArray(related) ? ['key', ...related] : related;
      expect((await rejection(cache.invalidateRelated(given))).message).toMatch(message);
      expect(await cache.get('key')).toBe(1);
    });
  });

  describe('namespaces', () => {
    test('have keys and names of their own', async () => {
      const cache = await make();
      const [users, orders] = [cache.namespace('users'), cache.namespace('orders')];
      expect(cache.namespace('users')).toBe(users);
      expect(users.name).toBe(`${cache.name}.users`);
      const deep = users.namespace('deep');
      expect(deep.name).toBe(`${cache.name}.users.deep`);
      const all = [cache, users, orders, deep];
      for (const [index, one] of all.entries()) await one.set('k', index);
      expect(await Promise.all(all.map((one) => one.get('k')))).toEqual([0, 1, 2, 3]);
      expect(await users.delete('k')).toBe(true);
      expect(await Promise.all(all.map((one) => one.get('k')))).toEqual([0, undefined, 2, 3]);
    });

    test('clear() of one touches neither its siblings nor its parent; that of the parent clears all', async () => {
      const cache = await make();
      const [users, orders] = [cache.namespace('users'), cache.namespace('orders')];
      const deep = users.namespace('deep');
      const all = [cache, users, orders, deep];
      const values = () => Promise.all(all.map((one) => one.get('k')));
      const fill = () => Promise.all(all.map((one, index) => one.set('k', { index })));
      await fill();
      await users.clear();
      expect(await values()).toEqual([{ index: 0 }, undefined, { index: 2 }, undefined]);
      await fill();
      await cache.clear();
      expect(await values()).toEqual([undefined, undefined, undefined, undefined]);
      await fill();
      expect(await values()).toEqual(all.map((_, index) => ({ index })));
    });

    test('clear() of the parent keeps a load of a child out', async () => {
      const cache = await make();
      const users = cache.namespace('users');
      const loading = gate();
      let signal;
      const load = users.getOrSet('k', (context) => ((signal = context.signal), loading.promise));
      await delay(10);
      await cache.clear();
      expect(signal.aborted).toBe(true);
      loading.resolve('old');
      expect(await load).toBe('old');
      expect(await users.get('k')).toBeUndefined();
    });

    test('patterns end at their namespace; tags are those of all', async () => {
      const cache = await make();
      const users = cache.namespace('users');
      await Promise.all([cache, users].map((one) => one.set('a1', 1)));
      expect(await users.invalidatePattern('a*')).toBe(1);
      expect([await cache.get('a1'), await users.get('a1')]).toEqual([1, undefined]);
      await Promise.all([cache, users].map((one) => one.set('t', 1, { tags: ['t'] })));
      await users.invalidateTag('t');
      expect([await cache.get('t'), await users.get('t')]).toEqual([undefined, undefined]);
    });

    test('close with their parent', async () => {
      const cache = await make();
      const users = cache.namespace('users');
      await cache.close();
      expect(await rejection(users.get('k'))).toBeInstanceOf(CacheError);
      expect(() => cache.namespace('users')).toThrow(/closed/);
    });

    test.each([[''], ['a.b'], ['a:b'], ['a b'], ['*'], ['x'.repeat(65)], [5], [undefined]])(
      'refuse the name %j',
      async (name) => {
        const cache = await make();
        expect(() => cache.namespace(name)).toThrow(/^namespace: expected 1 to 64 letters, digits, _ or -, got /);
      },
    );

    test('are not nested without end', async () => {
      let cache = await make();
      const deeper = () => {
        for (;;) cache = cache.namespace('x'.repeat(64));
      };
      expect(deeper).toThrow(/^namespace: expected names of at most 1000 characters in all/);
      expect(await cache.set('k'.repeat(64_000), 1)).toBe(true);
      expect(cache.peek('k'.repeat(64_000))).toBe(1);
    });
  });

  describe('memory', () => {
    test('stats() tells its figures', async () => {
      const cache = await make({ memory: { maxBytes: '1mb', maxEntries: 100 } });
      await cache.set('k', 1);
      await cache.get('k');
      await cache.get('none');
      const stats = cache.memory.stats();
      expect(stats).toEqual(cache.stats().memory);
      expect(stats).toMatchObject({ entries: 1, maxBytes: 1024 ** 2, maxEntries: 100, evictions: 0 });
      expect(stats.hits).toBeGreaterThanOrEqual(1);
      expect(stats.bytes).toBeGreaterThan(50);
    });

    test('maxEntries bounds it, and what is read again and again stays', async () => {
      const cache = await make({ memory: { maxEntries: 50 } });
      await cache.set('hot', 1);
      for (let i = 0; i < 500; i++) {
        await cache.set(`k${i}`, i);
        cache.peek('hot');
        expect(cache.memory.stats().entries).toBeLessThanOrEqual(50);
      }
      expect(cache.memory.stats().entries).toBeGreaterThan(40);
      expect(cache.peek('hot')).toBe(1);
    });

    test('another cache of the same namespace must not ask for something else', async () => {
      const cache = await make({ memory: { maxBytes: '1mb', shared: true } });
      await expect(make({ namespace: cache.name, memory: { maxBytes: '2mb', shared: true } })).rejects.toThrow(
        /^memory: these caches share their memory.*1048576 bytes/,
      );
      await cache.set('k', 1);
      expect(await cache.get('k')).toBe(1);
    });
  });

  test.each(tiers)('Buffers come back from %s, one for each caller', async (tier) => {
    const cache = await make(tier === 'redis' ? { memory: false } : {});
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
    for (const [index, value] of [bytes, bytes.subarray(3, 7), Buffer.alloc(0)].entries()) {
      await cache.set(`k${index}`, value);
      const loaded = await cache.getOrSet(`l${index}`, () => Buffer.from(value));
      const all = await Promise.all([cache.get(`k${index}`), cache.getOrSet(`k${index}`, never), loaded]);
      for (const one of all) {
        expect(Buffer.isBuffer(one)).toBe(true);
        expect(one.equals(value)).toBe(true);
        one.fill(9);
      }
      expect((await cache.get(`k${index}`)).equals(value)).toBe(true);
      expect((await cache.get(`l${index}`)).equals(value)).toBe(true);
    }
  });
});

test('without a memory tier, memory.stats() is null and peek finds nothing', async () => {
  const cache = await connected({ memory: false });
  await cache.set('k', 1);
  expect(cache.peek('k')).toBeUndefined();
  expect(cache.memory.stats()).toBeNull();
  expect(cache.stats().memory).toBeNull();
  expect(await cache.read('k')).toMatchObject({ value: 1, status: 'hit', tier: 'redis', tags: [] });
});

test('getOrSetMany takes what Redis has, and loads the rest with one call', async () => {
  const cache = await connected({ memory: false });
  await cache.setMany({ b: 'B', d: { n: 1 } });
  const asked = [];
  const load = (keys) => {
    asked.push(keys);
    return keys.map(() => 'loaded');
  };
  expect(await cache.getOrSetMany(['a', 'b', 'c', 'd'], load)).toEqual(['loaded', 'B', 'loaded', { n: 1 }]);
  expect(asked).toEqual([['a', 'c']]);
});
