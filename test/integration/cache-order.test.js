'use strict';
// A write or a removal that nobody awaits happens before whatever the same cache calls after it, whether its tags are known or
// not; and what a server forgets meanwhile (FLUSHALL, SCRIPT FLUSH) makes no write fail.
const { createCache, createRedis } = require('../../lib');
const { RedisServer } = require('../helpers/redis-server');

let redis;
let admin;
let cache;
beforeAll(async () => {
  redis = await RedisServer.start();
  admin = createRedis(redis.url);
});
afterAll(async () => {
  await admin.close();
  await redis.stop();
});
afterEach(() => cache.close());

let numbers = 0;
const unique = (name) => `${name}${++numbers}`;

const changes = {
  'delete()': [(key) => cache.delete(key)],
  'delete() with soft': [(key) => cache.delete(key, { soft: true })],
  'deleteMany()': [(key) => cache.deleteMany([key])],
  'set()': [(key) => cache.set(key, 'new'), 'new'],
  'set() with another new tag': [(key) => cache.set(key, 'new', { tags: [unique('other')] }), 'new'],
  'setMany()': [(key) => cache.setMany([[key, 'new']]), 'new'],
  'invalidateTag() of its own tag': [(_key, tag) => cache.invalidateTag(tag)],
  'invalidatePattern()': [(key) => cache.invalidatePattern(key)],
  'clear()': [() => cache.clear()],
};

describe.each([
  ['both tiers', () => ({ redis: redis.url })],
  ['Redis alone', () => ({ redis: redis.url, memory: false })],
  ['memory alone', () => ({ redis: false })],
])('%s', (_mode, options) => {
  beforeEach(async () => {
    cache = createCache({ namespace: unique('order'), ...options() });
    await cache.set('warm', 1);
  });

  test.each(Object.entries(changes))(
    'a set with a tag that is new, and %s behind it',
    async (_name, [change, left]) => {
      const values = [];
      for (let i = 0; i < 10; i++) {
        const [key, tag] = [unique('k'), unique('tag')];
        const written = cache.set(key, 'old', { tags: [tag] });
        await change(key, tag);
        expect(await written).toBe(true);
        values.push(await cache.get(key));
      }
      expect(values).toEqual(new Array(10).fill(left));
    },
  );

  test('a setMany with a tag that is new, and a delete behind it', async () => {
    const keys = [unique('k'), unique('k')];
    const written = cache.setMany(
      keys.map((key) => [key, 'old']),
      { tags: [unique('tag')] },
    );
    await cache.delete(keys[0]);
    expect(await written).toBe(true);
    expect(await cache.getMany(keys)).toEqual([undefined, 'old']);
  });

  test('a set with a tag that is new, and a read behind it', async () => {
    const [key, tag] = [unique('k'), unique('tag')];
    void cache.set(key, 'value', { tags: [tag] });
    expect(await cache.get(key)).toBe('value');
    expect((await cache.read(key)).tags).toEqual([tag]);
    await cache.invalidateTag(tag);
    expect(await cache.get(key)).toBeUndefined();
  });

  test('a set with a tag that is new is in memory when it has been acknowledged', async () => {
    const key = unique('k');
    await cache.set(key, 'value', { tags: [unique('tag')] });
    expect(cache.peek(key)).toBe(options().memory === false ? undefined : 'value');
  });
});

const removals = {
  'delete()': () => cache.delete('user:1'),
  'deleteMany()': () => cache.deleteMany(['user:1']),
  'invalidateTag()': () => cache.invalidateTag('old'),
  'invalidatePattern()': () => cache.invalidatePattern('user:*'),
  'two patterns': () => Promise.all([cache.invalidatePattern('user:*'), cache.invalidatePattern('*:1')]),
  'invalidateRelated()': () => cache.invalidateRelated(['user:*', { tag: 'old' }]),
  'clear()': () => cache.clear(),
};
const writers = {
  set: (cache) => cache.set('user:1', 'new'),
  'set with a new tag': (cache) => cache.set('user:1', 'new', { tags: [unique('tag')] }),
  setMany: (cache) => cache.setMany([['user:1', 'new']]),
  getOrSet: (cache) => cache.getOrSet('user:1', () => 'new'),
  getOrSetMany: (cache) => cache.getOrSetMany(['user:1'], () => ['new']),
};
const readers = {
  get: (cache) => cache.get('user:1'),
  getMany: async (cache) => (await cache.getMany(['user:1']))[0],
  peek: (cache) => cache.peek('user:1'),
  read: async (cache) => (await cache.read('user:1')).value,
  has: async (cache) => (await cache.has('user:1')) || undefined,
  ttl: (cache) => cache.ttl('user:1'),
};

describe.each([
  ['both tiers', () => ({ redis: redis.url })],
  ['Redis alone', () => ({ redis: redis.url, memory: false })],
  ['memory alone', () => ({ redis: false })],
])('%s: a removal that nobody awaits', (_mode, options) => {
  let root;
  beforeEach(() => {
    root = createCache({ namespace: unique('removal'), ...options() });
  });
  afterEach(() => root.close());

  describe.each(Object.entries(removals))('%s', (_name, remove) => {
    test.each(['cache', 'namespace'])('of a %s comes in front of what is called after it', async (where) => {
      cache = where === 'cache' ? root : root.namespace('inner');
      for (const [name, write] of Object.entries(writers)) {
        await cache.set('user:1', 'old', { tags: ['old'] });
        const removed = remove();
        const written = await write(cache);
        await removed;
        expect([name, String(written), await cache.get('user:1')]).toEqual([
          name,
          name.startsWith('set') ? 'true' : 'new',
          'new',
        ]);
      }
      for (const [name, read] of Object.entries(readers)) {
        await cache.set('user:1', 'old', { tags: ['old'] });
        const removed = remove();
        expect([name, await read(cache)]).toEqual([name, undefined]);
        await removed;
      }
    });
  });

  test('a pattern counts what it finds, and what was read and written on the way', async () => {
    cache = root;
    await cache.setMany(Array.from({ length: 10 }, (_, i) => [`user:${i}`, i]));
    const removed = cache.invalidatePattern('user:*');
    void cache.set('user:1', 'new');
    void cache.set('user:new', 'new');
    void cache.get('user:2');
    expect(await removed).toBe(10);
    expect(await cache.getMany(['user:1', 'user:2', 'user:3', 'user:new'])).toEqual([
      'new',
      undefined,
      undefined,
      'new',
    ]);
  });
});

test('memory alone: a pattern that takes many turns leaves what is stored meanwhile', async () => {
  cache = createCache({ redis: false, memory: { maxBytes: '256mb' } });
  const keys = Array.from({ length: 200_000 }, (_, i) => `user:${i}`);
  await cache.setMany(keys.map((key) => [key, 'old']));
  const removed = cache.invalidatePattern('user:*');
  const some = keys.filter((_key, i) => i % 1000 === 0);
  for (const key of some) expect(await cache.getOrSet(key, () => 'new')).toBe('new');
  expect(await removed).toBe(keys.length);
  expect(await cache.getMany(some)).toEqual(some.map(() => 'new'));
  expect(cache.memory.stats().entries).toBe(some.length);
});

describe('a server that forgets', () => {
  let namespace;
  beforeEach(async () => {
    namespace = unique('forgets');
    cache = createCache({ namespace, redis: redis.url });
    await cache.set('warm', 1, { tags: ['known'] });
    await cache.get('warm');
  });

  test('everything: a set right behind a FLUSHALL of somebody else can be read', async () => {
    for (let i = 0; i < 100; i++) {
      await admin.flushall();
      expect(await cache.set('k', i)).toBe(true);
      expect(await cache.get('k')).toBe(i);
    }
  });

  test('everything: the same for setMany, with tags that are known and new', async () => {
    for (let i = 0; i < 50; i++) {
      await admin.flushall();
      const pairs = [
        ['a', i],
        ['b', i],
      ];
      expect(await cache.setMany(pairs, { tags: ['known', unique('tag')] })).toBe(true);
      expect(await cache.getMany(['a', 'b'])).toEqual([i, i]);
    }
  });

  test('everything: a set that a delete follows stays deleted', async () => {
    for (let i = 0; i < 50; i++) {
      await admin.flushall();
      void cache.set('k', i);
      await cache.delete('k');
      expect(await cache.get('k')).toBeUndefined();
    }
  });

  test('everything: all of a setMany of 5,000 can be read', async () => {
    const pairs = Array.from({ length: 5000 }, (_, i) => [`many${i}`, i]);
    await admin.flushall();
    expect(await cache.setMany(pairs)).toBe(true);
    const found = await cache.getMany(pairs.map(([key]) => key));
    expect(found.filter((value) => value === undefined)).toHaveLength(0);
  });

  // What is written once more, because its tags had changed, must not overtake these.
  test.each([
    ['delete() through another object of the namespace', () => cache.namespace('a').delete('k')],
    ['invalidateTag() of the cache above', () => cache.invalidateTag('tag')],
    ['clear() of the cache above', () => cache.clear()],
    ['invalidateTag() through another object', () => cache.namespace('a').invalidateTag('tag')],
    ['invalidatePattern() through another object', () => cache.namespace('a').invalidatePattern('k*')],
  ])('everything: a set in a namespace stays removed by %s', async (_name, change) => {
    const inside = cache.namespace('a');
    const found = [];
    for (let i = 0; i < 20; i++) {
      await admin.flushall();
      void inside.set('k', i, { tags: ['tag'] });
      await change();
      found.push(await inside.get('k'));
    }
    expect(found).toEqual(new Array(20).fill(undefined));
  });

  test('everything: another cache on the same client has the last word', async () => {
    const caches = [0, 1].map(() => createCache({ namespace, redis: admin }));
    try {
      const [first, second] = caches;
      await first.set('known', 1, { tags: ['known'] });
      const found = [];
      for (let i = 0; i < 20; i++) {
        await admin.flushall();
        void first.set('k', 'old', { tags: ['known'] });
        await second.delete('k');
        found.push(await first.get('k'));
      }
      expect(found).toEqual(new Array(20).fill(undefined));
    } finally {
      for (const one of caches) await one.close();
    }
  });

  test('its scripts: no operation fails', async () => {
    const flush = () => admin.call('SCRIPT', 'FLUSH');
    await flush();
    expect(await cache.set('k', 1)).toBe(true);
    await flush();
    expect(await cache.set('tagged', 1, { tags: [unique('tag')] })).toBe(true);
    await flush();
    let loads = 0;
    for (let i = 0; i < 2; i++) expect(await cache.getOrSet('loaded', () => ++loads)).toBe(1);
    await flush();
    const pairs = Array.from({ length: 100 }, (_, i) => [`many${i}`, i]);
    expect(await cache.setMany(pairs)).toBe(true);
    expect(await cache.getMany(pairs.map(([key]) => key))).toEqual(pairs.map(([, value]) => value));
    await flush();
    expect(await cache.delete('k', { soft: true })).toBe(true);
    await flush();
    await expect(cache.getOrSet('bad', () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(cache.stats().redisErrors).toBe(0);
  });
});
