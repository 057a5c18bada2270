'use strict';
// What an operation costs in round trips, once the connection is warm and the stamps are known.

const { createCache, createRedis } = require('../../lib');
const { RedisServer } = require('../helpers/redis-server');
const { TurnCounter } = require('../helpers/turn-counter');
const { delay, until } = require('../helpers/until');

let server;
let redis;
let counter;
let cache;
beforeAll(async () => {
  server = await RedisServer.start();
  redis = createRedis(server.url);
  counter = await TurnCounter.start(server.port);
});
beforeEach(async () => {
  await redis.call('FLUSHALL');
  // A command that is not answered in time is a value that is not stored: round trips are what is counted here.
  cache = createCache({ redis: counter.url, commandTimeout: '10s' });
  await until('a connection', async () => (await cache.health()).status === 'ok');
  // The stamps of the tags, and the texts of the scripts.
  await cache.getOrSet('warm', async () => 1, { tags: ['x', 'y'] });
  await cache.set('warm', 1, { tags: ['x', 'y'] });
  await cache.get('warm');
});
afterEach(() => cache.close());
afterAll(async () => {
  await counter.close();
  await redis.close();
  await server.stop();
});

const turns = (work) => counter.count(work);
const tagged = [
  ['without tags', {}],
  ['with tags', { tags: ['x', 'y'] }],
];

describe.each(tagged)('%s', (_name, options) => {
  test('a hit in memory: none', async () => {
    await cache.set('k', { a: 1 }, options);
    expect(await turns(() => cache.get('k'))).toBe(0);
    expect(await turns(() => cache.getOrSet('k', () => 2, options))).toBe(0);
    expect(await turns(() => cache.getMany(['k', 'warm']))).toBe(0);
    const { memoryHits } = cache.stats();
    expect(memoryHits).toBeGreaterThanOrEqual(4);
  });

  test('a hit in Redis: one', async () => {
    for (const [i, read] of [
      () => cache.get('copy0'),
      () => cache.getOrSet('copy1', () => 2, options),
      () => cache.read('copy2'),
      () => cache.getMany(['copy3', 'copy3']),
    ].entries()) {
      await cache.set('k', 'value', options);
      await redis.call('COPY', 'tiercel:1:k:k', `tiercel:1:k:copy${i}`);
      expect([i, await turns(read)]).toEqual([i, 1]);
    }
    expect(cache.stats().redisHits).toBeGreaterThanOrEqual(4);
  });

  test('a miss: one, the load, and one', async () => {
    let before;
    const total = await turns(() =>
      cache.getOrSet(
        'k',
        async () => {
          before = await turns(() => delay(20));
          return 'value';
        },
        options,
      ),
    );
    expect([total, before]).toEqual([2, 0]);
    expect(await turns(() => cache.get('none'))).toBe(1);
  });

  test('1,000 at a time: as many', async () => {
    const keys = Array.from({ length: 1000 }, (_, i) => `k${i}`);
    const load = (missing) => missing.map((key) => key);
    expect(await turns(() => cache.getOrSetMany(keys, load, options))).toBeLessThanOrEqual(4);
    // Memory does not keep each of a thousand that come at once.
    expect(await turns(() => cache.getOrSetMany(keys, load, options))).toBeLessThanOrEqual(4);
    await until('all of them in memory', async () => (await turns(() => cache.getMany(keys))) === 0);
  });

  test('a set, a delete: one', async () => {
    expect(await turns(() => cache.set('k', 1, options))).toBe(1);
    expect(await turns(() => cache.delete('k'))).toBe(1);
  });
});

test('tags of the result: none more', async () => {
  const load = (context) => {
    context.setTags(['x']);
    return 'value';
  };
  await cache.getOrSet('first', load, { tags: () => ['y'] });
  expect(await turns(() => cache.getOrSet('k', load, { tags: () => ['y'] }))).toBe(2);
});

test('an invalidation of tags, a cleared namespace: one', async () => {
  await cache.set('k', 1, { tags: ['x', 'y'] });
  expect(await turns(() => cache.invalidateTag('x'))).toBe(1);
  await delay(50); // the sweep
  expect(await turns(() => cache.invalidateTags(['x', 'y']))).toBe(1);
  await delay(50);
  expect(await turns(() => cache.clear())).toBe(1);
});

test('two callers of one key: those of one', async () => {
  const load = () => delay(20).then(() => 'value');
  expect(await turns(() => Promise.all([cache.getOrSet('k', load), cache.getOrSet('k', load)]))).toBe(2);
});
