'use strict';
// A write that nobody awaits happens before whatever the same process calls after it, whether its tags are known or not; and
// what a server forgets meanwhile (FLUSHALL, SCRIPT FLUSH) makes no write fail.
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
