'use strict';
// What callers get of one stored value: share 'copy' and 'frozen', and every codec, through both tiers.

const { createCache } = require('../../lib');
const { ownNamespace } = require('../helpers/memory-cache');
const { RedisServer } = require('../helpers/redis-server');
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

const make = async (options) => {
  const cache = createCache({ redis: server.url, namespace: ownNamespace(), ...options });
  caches.push(cache);
  if (options.redis !== false) await until('a connection', async () => (await cache.health()).redis === 'ok');
  return cache;
};

const modes = [
  ['memory alone', { redis: false }],
  ['Redis and memory', {}],
  ['Redis alone', { memory: false }],
];
/** Every way to a value, for caches that have stored it under 'k'. */
const ways = {
  get: (cache) => cache.get('k'),
  getMany: async (cache) => (await cache.getMany(['k']))[0],
  getOrSet: (cache) => cache.getOrSet('k', never),
  getOrSetMany: async (cache) => (await cache.getOrSetMany(['k'], never))[0],
  read: async (cache) => (await cache.read('k')).value,
};

describe.each(modes)("share 'copy', %s", (_mode, tiers) => {
  const value = () => ({ list: [{ n: 1 }], deep: { a: { b: 'c' } } });
  const spoil = (given) => {
    given.list[0].n = 2;
    given.list.push('more');
    given.deep.a.b = 'spoilt';
    given.added = true;
  };

  test.each(Object.entries(ways))('what one caller does to the object of %s reaches nobody', async (_name, way) => {
    const cache = await make(tiers);
    const written = value();
    await cache.set('k', written);
    spoil(written);
    for (let i = 0; i < 4; i++) {
      const given = await way(cache);
      expect(given).toEqual(value());
      spoil(given);
      const peeked = cache.peek('k');
      if (peeked !== undefined) spoil(peeked);
    }
  });

  test('nor what those do who share a load', async () => {
    const cache = await make(tiers);
    const load = async () => (await delay(5), value());
    const all = await Promise.all(
      [1, 2, 3].map(async () => {
        const given = await cache.getOrSet('k', load);
        expect(given).toEqual(value());
        spoil(given);
        return given;
      }),
    );
    expect(new Set(all).size).toBe(3);
    expect(await cache.get('k')).toEqual(value());
  });
});

describe.each(modes)("share 'frozen', %s", (mode, tiers) => {
  const deeplyFrozen = (value) => {
    if (typeof value !== 'object' || value === null) return true;
    return Object.isFrozen(value) && Object.values(value).every(deeplyFrozen);
  };

  test.each(Object.entries(ways))('%s gives a frozen object', async (_name, way) => {
    const cache = await make({ ...tiers, share: 'frozen' });
    const written = { list: [{ n: 1 }] };
    await cache.set('k', written);
    expect(Object.isFrozen(written)).toBe(false);
    const given = await way(cache);
    expect(given).toEqual({ list: [{ n: 1 }] });
    expect(deeplyFrozen(given)).toBe(true);
    expect(() => given.list.push(2)).toThrow(TypeError);
    expect(() => (given.list[0].n = 2)).toThrow(TypeError);
    written.list.push('later');
    expect(await way(cache)).toEqual({ list: [{ n: 1 }] });
  });

  test('what a loader returned is frozen for all, and stays the own of the loader', async () => {
    const cache = await make({ ...tiers, share: 'frozen' });
    const loaded = { list: [1] };
    const all = await Promise.all([1, 2].map(() => cache.getOrSet('k', async () => (await delay(2), loaded))));
    for (const one of all) {
      expect(one).toEqual({ list: [1] });
      expect(deeplyFrozen(one)).toBe(true);
    }
    expect(Object.isFrozen(loaded)).toBe(false);
    loaded.list.push(2);
    expect(await cache.get('k')).toEqual({ list: [1] });
  });

  if (mode !== 'Redis alone') {
    test('all get the same object, until there is a new fill', async () => {
      const cache = await make({ ...tiers, share: 'frozen' });
      await cache.set('k', { n: 1 });
      const first = await cache.get('k');
      for (const way of Object.values(ways)) expect(await way(cache)).toBe(first);
      expect(cache.peek('k')).toBe(first);
      await cache.set('k', { n: 1 });
      const second = await cache.get('k');
      expect(second).toEqual({ n: 1 });
      expect(second).not.toBe(first);
      await cache.delete('k');
      expect(cache.peek('k')).toBeUndefined();
      expect(await cache.getOrSet('k', () => ({ n: 2 }))).toEqual({ n: 2 });
      const third = await cache.get('k');
      expect(third).toEqual({ n: 2 });
      expect(await cache.get('k')).toBe(third);
    });
  }
});

test("share 'frozen': what another process writes replaces the object", async () => {
  const namespace = ownNamespace();
  const cache = await make({ namespace, share: 'frozen' });
  const other = await make({ namespace, redis: server.unixUrl });
  await other.set('k', { n: 1 });
  expect(await cache.get('k')).toEqual({ n: 1 });
  await until('it in memory', () => cache.peek('k'));
  await other.set('k', { n: 2 });
  await until('the new object', async () => (await cache.get('k')).n === 2);
  expect(Object.isFrozen(await cache.get('k'))).toBe(true);
});

/** Turns the bytes around, so that nobody else can read them. */
const mirror = {
  name: 'mirror',
  encode: (value) => Buffer.from(JSON.stringify(value)).reverse(),
  decode: (bytes) => JSON.parse(Buffer.from(bytes).reverse().toString()),
};
/** The same as text. */
const text = {
  name: 'text',
  encode: (value) => `<${JSON.stringify(value)}>`,
  decode: (bytes) => JSON.parse(bytes.toString().slice(1, -1)),
};

describe.each(modes)('codecs, %s', (_mode, tiers) => {
  const plain = [null, 0, true, '', 'größe 🙂', [], { a: [1, { b: null }] }];
  const rich = {
    date: new Date(86_400_000),
    map: new Map([['a', { b: 1 }]]),
    set: new Set([1, 'x']),
    big: 2n ** 62n,
    bytes: Buffer.from([0, 255]),
    missing: undefined,
    odd: [Number.NaN, Infinity],
  };

  test.each([
    ['json', 'json', plain],
    ['msgpack', 'msgpack', [...plain, rich, [rich.date, rich.map]]],
    ['one of bytes', mirror, plain],
    ['one of text', text, plain],
  ])('%s: every way gives what was stored', async (_name, codec, values) => {
    for (const share of ['copy', 'frozen']) {
      const cache = await make({ ...tiers, codec, share });
      for (const value of values) {
        expect(await cache.set('k', value)).toBe(true);
        for (let i = 0; i < 2; i++) for (const way of Object.values(ways)) expect(await way(cache)).toEqual(value);
        await cache.delete('k');
        expect(await cache.getOrSet('k', () => value)).toEqual(value);
        expect(await cache.get('k')).toEqual(value);
      }
    }
  });

  test('msgpack keeps the types, and copies them', async () => {
    const cache = await make({ ...tiers, codec: 'msgpack' });
    await cache.set('k', rich);
    for (let i = 0; i < 3; i++) {
      const given = await cache.get('k');
      expect(given).toEqual(rich);
      expect(given.date).toBeInstanceOf(Date);
      expect(Buffer.isBuffer(given.bytes)).toBe(true);
      given.date.setTime(0);
      given.map.get('a').b = 2;
      given.map.set('more', 1);
      given.set.add('more');
      given.bytes.fill(7);
    }
  });

  test('a codec of the application is given strings and bytes, too', async () => {
    const seen = [];
    const codec = { ...mirror, encode: (value) => (seen.push(value), mirror.encode(value)) };
    const cache = await make({ ...tiers, codec });
    await cache.set('k', 'text');
    await cache.set('l', [1]);
    expect(seen).toEqual(['text', [1]]);
    expect(await cache.get('k')).toBe('text');
  });

  test('what a codec throws is told by name; what it cannot read is a miss', async () => {
    let broken = false;
    const codec = {
      ...mirror,
      encode: (value) => {
        if (value === 'bad') throw new RangeError('no room');
        return value === 'number' ? 5 : mirror.encode(value);
      },
      decode: (bytes) => (broken ? undefined : mirror.decode(bytes)),
    };
    const cache = await make({ ...tiers, codec });
    const error = await rejection(cache.set('k', 'bad'));
    expect(error).toBeInstanceOf(TypeError);
    expect(error.message).toBe("value: the codec 'mirror' cannot hold it: no room");
    expect(error.cause).toBeInstanceOf(RangeError);
    expect((await rejection(cache.set('k', 'number'))).message).toMatch(/must return a Buffer or a string, got 5$/);
    await cache.set('k', { n: 1 });
    broken = true;
    const errors = [];
    cache.on('cache:error', (told) => errors.push(told.code));
    expect(await cache.get('k')).toBeUndefined();
    // Each tier that has it is told of.
    expect(new Set(errors)).toEqual(new Set(['CORRUPT_ENTRY']));
    expect(cache.stats().corrupt).toBe(errors.length);
    broken = false;
    expect(await cache.getOrSet('k', () => ({ n: 2 }))).toBeDefined();
  });
});

test('entries of another built-in codec stay readable; of one of the application they are a miss', async () => {
  const namespace = ownNamespace();
  const [json, msgpack, own] = [
    await make({ namespace, memory: false }),
    await make({ namespace, memory: false, codec: 'msgpack' }),
    await make({ namespace, memory: false, codec: mirror }),
  ];
  await json.set('json', { a: 1 });
  await msgpack.set('msgpack', new Map([['a', 1]]));
  await own.set('own', { a: 1 });
  expect(await msgpack.get('json')).toEqual({ a: 1 });
  expect(await own.get('json')).toEqual({ a: 1 });
  expect(await json.get('msgpack')).toEqual(new Map([['a', 1]]));
  expect(await json.get('own')).toBeUndefined();
  expect(json.stats().corrupt).toBe(1);
});
