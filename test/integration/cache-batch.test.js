'use strict';
// Many keys from Redis without memory: they are read together, and as each would be by itself.
const { createCache, createRedis } = require('../../lib');
const { RedisServer } = require('../helpers/redis-server');
const { until } = require('../helpers/until');

let redis;
let admin;
let cache;
let numbers = 0;
beforeAll(async () => {
  redis = await RedisServer.start();
  admin = createRedis(redis.url);
});
afterAll(async () => {
  await admin.close();
  await redis.stop();
});
const open = (options = {}) => {
  cache = createCache({ redis: redis.url, memory: false, namespace: `batch${++numbers}`, ...options });
  return cache;
};
afterEach(() => cache.close());

/** How often the server carried out each command while `work` ran. */
async function commandsOf(work) {
  await admin.call('CONFIG', 'RESETSTAT');
  await work();
  const info = String(await admin.call('INFO', 'commandstats'));
  return Object.fromEntries([...info.matchAll(/cmdstat_(\w+):calls=(\d+)/g)].map(([, name, n]) => [name, Number(n)]));
}

const VALUES = {
  object: { id: 1, name: 'x', nested: [{ a: null }] },
  text: 'with "quotes", \\ and \n, \u0000, ä, € and 😀',
  empty: '',
  surrogate: 'half \ud800',
  null: null,
  number: -0.5,
  false: false,
  array: [],
  bytes: Buffer.from([0, 255, 34]),
};

describe.each(['json', 'msgpack'])('codec %s', (codec) => {
  test('every kind of value, in the order of the keys', async () => {
    open({ codec });
    await cache.setMany(Object.entries(VALUES));
    const keys = [...Object.keys(VALUES), 'none', 'object', ...Object.keys(VALUES).reverse()];
    const found = await cache.getMany(keys);
    expect(found).toStrictEqual(keys.map((key) => VALUES[key]));
    expect(found[0]).not.toBe(found[Object.keys(VALUES).length + 1]);
  });
});

test('a codec of one’s own', async () => {
  const codec = {
    name: 'own',
    encode: (value) => Buffer.from(`own${JSON.stringify(value)}`),
    decode: (bytes) => JSON.parse(Buffer.from(bytes).toString().slice(3)),
  };
  open({ codec });
  await cache.setMany({ a: 1, b: 'two' });
  expect(await cache.getMany(['a', 'b', 'c'])).toEqual([1, 'two', undefined]);
});

test('few commands, none of them for a lifetime', async () => {
  open();
  const keys = Array.from({ length: 200 }, (_, i) => `k${i}`);
  await cache.setMany(keys.map((key) => [key, key]));
  expect(await commandsOf(async () => expect(await cache.getMany(keys)).toEqual(keys))).toMatchObject({ mget: 1 });
  const commands = await commandsOf(async () => {
    expect(await cache.getMany(keys)).toEqual(keys);
    expect(await cache.get('k1')).toBe('k1');
    expect(await cache.getOrSet('k2', () => 'loaded')).toBe('k2');
    expect(await cache.getOrSetMany(keys, () => [])).toEqual(keys);
  });
  expect(commands).toMatchObject({ mget: 2, get: 2 });
  expect(commands).not.toHaveProperty('pttl');
});

test('values with several windows are as fresh as they are', async () => {
  open();
  const windows = { ttl: '1h', staleWhileRevalidate: '1h', staleIfError: '2h' };
  await cache.setMany({ a: 1, b: 2, c: 3 }, windows);
  await cache.setMany({ stale: 1, old: 2 }, { ...windows, ttl: '1ms' });
  await until('the values to be stale', async () => (await cache.read('old')).status === 'stale');
  for (let i = 0; i < 3; i++) {
    expect(await cache.getMany(['a', 'stale', 'b', 'old', 'c'])).toEqual([1, undefined, 2, undefined, 3]);
    expect(await cache.get('a')).toBe(1);
    expect(await cache.get('stale')).toBeUndefined();
  }
  await cache.delete('a', { soft: true });
  expect(await cache.getMany(['a', 'b'])).toEqual([undefined, 2]);
  expect(await cache.get('a')).toBeUndefined();
  const fails = () => Promise.reject(new Error('no'));
  expect(await cache.getOrSet('a', fails, { staleIfError: '2h' })).toBe(1);
});

test('softly invalidated with one window: gone for those that read', async () => {
  open();
  await cache.setMany({ a: 1, b: 2 });
  await cache.delete('a', { soft: true });
  expect(await cache.getMany(['a', 'b'])).toEqual([undefined, 2]);
  expect(await cache.get('a')).toBeUndefined();
});

test('tags, and what is not ours', async () => {
  open();
  await cache.setMany({ a: 1, b: 2 }, { tags: ['t'] });
  await cache.setMany({ c: 3 }, { tags: ['other'] });
  const other = createCache({ redis: redis.url, memory: false, namespace: `batch${numbers}` });
  expect(await other.getMany(['a', 'b', 'c'])).toEqual([1, 2, 3]);
  await cache.invalidateTag('t');
  expect(await cache.getMany(['a', 'b', 'c'])).toEqual([undefined, undefined, 3]);
  await until('the news', async () => (await other.getMany(['a', 'b', 'c']))[0] === undefined);
  await other.close();
  const [key] = (await admin.keys('*')).filter((name) => name.includes(`batch${numbers}:`) && name.endsWith(':c'));
  await admin.set(key, 'foreign');
  expect(await cache.getMany(['a', 'b', 'c'])).toEqual([undefined, undefined, undefined]);
});

test('statistics and events', async () => {
  open();
  await cache.setMany({ a: 1, b: 2 });
  const heard = [];
  cache.on('cache:hit', ({ key, tier }) => heard.push(`hit ${key} ${tier}`));
  cache.on('cache:miss', ({ key }) => heard.push(`miss ${key}`));
  cache.resetStats();
  await cache.getMany(['a', 'none', 'b']);
  expect(heard).toEqual(['hit a redis', 'miss none', 'hit b redis']);
  expect(cache.stats()).toMatchObject({ hits: 2, redisHits: 2, misses: 1 });
  heard.length = 0;
  cache.resetStats();
  expect(await cache.getOrSetMany(['a', 'none', 'b'], (keys) => keys.map((key) => `loaded ${key}`))).toEqual([
    1,
    'loaded none',
    2,
  ]);
  expect(heard).toEqual(['hit a redis', 'hit b redis', 'miss none']);
  expect(cache.stats()).toMatchObject({ hits: 2, misses: 1, loads: 1 });
});

test('frozen values', async () => {
  open({ share: 'frozen' });
  await cache.setMany({ a: { in: [1] }, b: 2 });
  const [a] = await cache.getMany(['a', 'b']);
  expect([a, Object.isFrozen(a), Object.isFrozen(a.in)]).toEqual([{ in: [1] }, true, true]);
});

test('large values are read in smaller batches', async () => {
  open();
  const large = 'x'.repeat(200_000);
  const keys = Array.from({ length: 20 }, (_, i) => `k${i}`);
  await cache.setMany(keys.map((key) => [key, large + key]));
  for (let i = 0; i < 2; i++) {
    expect((await cache.getMany(keys)).every((value, at) => value === large + keys[at])).toBe(true);
  }
  expect(await commandsOf(() => cache.getMany(keys))).not.toHaveProperty('mget');
});

test('a namespace, and an invalidation that nobody awaited in front', async () => {
  open();
  const space = cache.namespace('a');
  await space.setMany({ a: 1, b: 2, c: 3 });
  void space.delete('b');
  expect(await space.getMany(['a', 'b', 'c'])).toEqual([1, undefined, 3]);
  void space.set('b', 'new');
  expect(await space.getMany(['a', 'b', 'c'])).toEqual([1, 'new', 3]);
  expect(await cache.getMany(['a', 'b', 'c'])).toEqual([undefined, undefined, undefined]);
});

test('a user who may GET and not MGET reads one by one', async () => {
  open();
  await cache.setMany({ a: 1, b: 2 });
  await admin.call('ACL', 'SETUSER', 'reader', 'on', 'nopass', '~*', '+@all', '-mget');
  const url = new URL(redis.url);
  const { host, port } = { host: url.hostname, port: Number(url.port) };
  const reader = createCache({
    redis: { host, port, username: 'reader' },
    memory: false,
    namespace: `batch${numbers}`,
  });
  try {
    for (let i = 0; i < 2; i++) expect(await reader.getMany(['a', 'b', 'c'])).toEqual([1, 2, undefined]);
    expect(reader.stats().redisErrors).toBe(0);
  } finally {
    await reader.close();
  }
});

test('without a server, all are misses, at once', async () => {
  const server = await RedisServer.start();
  cache = createCache({ redis: server.url, memory: false, commandTimeout: '100ms' });
  await cache.setMany({ a: 1, b: 2 });
  await server.kill();
  await until('the loss', async () => (await cache.health()).status === 'degraded');
  cache.resetStats();
  expect(await cache.getMany(['a', 'b', 'c'])).toEqual([undefined, undefined, undefined]);
  expect(cache.stats()).toMatchObject({ misses: 3, redisHits: 0 });
  expect(await cache.getOrSetMany(['a', 'b'], () => [1, 2])).toEqual([1, 2]);
});
