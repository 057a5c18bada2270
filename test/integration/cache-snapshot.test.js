'use strict';
// dump() and load(): to start warm. With memory alone a snapshot holds the entries, with Redis the keys.

const { createCache } = require('../../lib');
const { ownNamespace } = require('../helpers/memory-cache');
const { RedisServer } = require('../helpers/redis-server');
const { runScript } = require('../helpers/run-script');
const { timed } = require('../helpers/timed');
const { delay, rejection, until } = require('../helpers/until');

let caches = [];
const make = (options) => {
  const cache = createCache({ redis: false, namespace: ownNamespace(), ...options });
  caches.push(cache);
  return cache;
};
afterEach(async () => {
  await Promise.all(caches.map((cache) => cache.close()));
  caches = [];
});

const values = { text: 'größe', object: { a: [1, null] }, bytes: Buffer.from([0, 255]), nothing: null };

describe('memory alone', () => {
  test('an empty cache of the same namespace has it all again', async () => {
    const from = make();
    await from.setMany(values, 100);
    const snapshot = await from.dump();
    expect(Buffer.isBuffer(snapshot)).toBe(true);
    await from.close();

    const to = make({ namespace: from.name });
    expect(await to.get('text')).toBeUndefined();
    expect(await to.load(snapshot)).toBe(4);
    expect(await to.getMany(Object.keys(values))).toEqual(Object.values(values));
    for (const key of Object.keys(values)) expect(await to.ttl(key)).toBeCloseTo(100, 0);
  });

  test('in another process, from a file or a socket', async () => {
    const from = make();
    await from.set('k', { a: 1 }, 100);
    const snapshot = (await from.dump()).toString('base64');
    const { stdout, code } = await runScript(`
      const cache = tiercel.createCache({ redis: false, namespace: ${JSON.stringify(from.name)} });
      const bytes = Buffer.from(${JSON.stringify(snapshot)}, 'base64');
      console.log(await cache.load(new Uint8Array(bytes)), JSON.stringify(cache.peek('k')));
      await cache.close();`);
    expect([stdout, code]).toEqual(['1 {"a":1}', 0]);
  });

  test('what is there already is newer, and stays', async () => {
    const cache = make();
    await cache.setMany({ a: 'old', b: 'old' });
    const snapshot = await cache.dump();
    await cache.set('a', 'new');
    await cache.delete('b');
    expect(await cache.load(snapshot)).toBe(1);
    expect(await cache.getMany(['a', 'b'])).toEqual(['new', 'old']);
  });

  timed('the time in between counts; what is over is left out', async () => {
    const from = make();
    await from.set('short', 1, '60ms');
    await from.set('stale', 1, { ttl: '60ms', staleWhileRevalidate: 60 });
    await from.set('long', 1, 100);
    const snapshot = await from.dump();
    await from.close();
    await delay(80);
    const to = make({ namespace: from.name });
    expect(await to.load(snapshot)).toBe(2);
    expect(await to.getMany(['short', 'stale', 'long'])).toEqual([undefined, undefined, 1]);
    expect(await to.read('stale')).toMatchObject({ value: 1, status: 'stale' });
    expect(await to.ttl('long')).toBeLessThan(99.95);
  });

  test('what was invalidated before the dump does not come back', async () => {
    const from = make();
    await from.set('a', 1, { tags: ['t'] });
    await from.set('b', 1);
    await from.invalidateTag('t');
    const snapshot = await from.dump();
    await from.clear();
    expect(await from.load(snapshot)).toBe(1);
    expect(await from.getMany(['a', 'b'])).toEqual([undefined, 1]);
  });

  test('namespaces have snapshots of their own', async () => {
    const cache = make();
    const users = cache.namespace('users');
    await cache.set('k', 'parent');
    await users.set('k', 'child');
    const [whole, part] = [await cache.dump(), await users.dump()];
    await cache.clear();
    expect(await users.load(part)).toBe(1);
    expect([await cache.get('k'), await users.get('k')]).toEqual([undefined, 'child']);
    await cache.clear();
    await cache.load(whole);
    expect(await cache.get('k')).toBe('parent');
  });

  test('an empty cache has an empty snapshot', async () => {
    const cache = make();
    expect(await cache.load(await cache.dump())).toBe(0);
  });

  describe('what is refused', () => {
    test.each([
      ['nothing', undefined],
      ['a string', 'TIERCEL'],
      ['an array', [1, 2]],
    ])('%s', async (_name, snapshot) => {
      const error = await rejection(make().load(snapshot));
      expect(error).toBeInstanceOf(TypeError);
      expect(error.message).toMatch(/^snapshot: expected what dump\(\) returned, got /);
    });

    test.each([
      ['no bytes', () => Buffer.alloc(0)],
      ['garbage', () => Buffer.alloc(500, 0xa5)],
      ['text', () => Buffer.from('{"cache":"of something else","entries":[]}')],
      ['another version', (good) => (good.writeUInt8(9, 7), good)],
    ])('%s', async (_name, change) => {
      const cache = make();
      await cache.set('k', 1);
      const error = await rejection(cache.load(change(await cache.dump())));
      expect(error).toBeInstanceOf(TypeError);
      expect(error.message).toMatch(/^snapshot: .*this version/);
      expect(await cache.get('k')).toBe(1);
    });

    test('one that was cut off at any byte, or spoilt at any byte, ends no process', async () => {
      const from = make();
      await from.setMany({ a: { a: 1 }, b: 'text' });
      const snapshot = await from.dump();
      const to = make();
      let refused = 0;
      for (let end = 0; end < snapshot.length; end++) {
        await to.load(snapshot.subarray(0, end)).catch((error) => {
          expect(error).toBeInstanceOf(TypeError);
          refused++;
        });
        const spoilt = Buffer.from(snapshot);
        spoilt[end] ^= 0xff;
        await to.load(spoilt).catch((error) => expect(error).toBeInstanceOf(TypeError));
        await to.getMany(['a', 'b']);
      }
      // But for those that end between two entries.
      expect(refused).toBeGreaterThan(snapshot.length - 4);
      expect(await to.set('a', 1)).toBe(true);
    });
  });

  test('a closed cache has none', async () => {
    const cache = make();
    const snapshot = await cache.dump();
    await cache.close();
    expect((await rejection(cache.dump())).code).toBe('CACHE_CLOSED');
    expect((await rejection(cache.load(snapshot))).code).toBe('CACHE_CLOSED');
  });
});

describe('with Redis', () => {
  let server;
  beforeAll(async () => {
    server = await RedisServer.start();
  });
  afterAll(() => server.stop());
  const connected = async (options) => {
    const cache = make({ redis: server.url, ...options });
    await until('a connection', async () => (await cache.health()).redis === 'ok');
    return cache;
  };

  test('a snapshot has no values: what changed meanwhile is read as it is now', async () => {
    const from = await connected();
    await from.setMany({ kept: 'value that is nowhere in the snapshot', changed: 'old', removed: 1 });
    const snapshot = await from.dump();
    expect(snapshot.includes('nowhere')).toBe(false);
    await from.set('changed', 'new');
    await from.delete('removed');

    const to = await connected({ namespace: from.name, redis: server.unixUrl });
    expect(await to.load(snapshot)).toBe(2);
    expect(to.peek('kept')).toBe('value that is nowhere in the snapshot');
    expect(to.peek('changed')).toBe('new');
    expect(to.peek('removed')).toBeUndefined();
    expect(to.stats()).toMatchObject({ redisErrors: 0, corrupt: 0 });
    expect(await to.load(snapshot)).toBe(0);
  });

  test('1,000 keys', async () => {
    const from = await connected();
    await from.setMany(Array.from({ length: 1000 }, (_, i) => [`k${i}`, i]));
    const { entries } = from.memory.stats();
    const snapshot = await from.dump();
    const to = await connected({ namespace: from.name, redis: server.unixUrl });
    expect(await to.load(snapshot)).toBe(entries);
    // Of so many at once, memory refuses a few without need.
    expect(to.memory.stats().entries).toBeGreaterThan(0.8 * entries);
    expect(entries).toBeGreaterThan(800);
  });

  test('one of memory alone gives nothing: its entries may be out of date', async () => {
    const from = make();
    await from.set('k', 1);
    const to = await connected({ namespace: from.name });
    expect(await to.load(await from.dump())).toBe(0);
    expect(await to.get('k')).toBeUndefined();
  });

  test('garbage is refused, and Redis that is gone is no error', async () => {
    const cache = await connected();
    await cache.set('k', 1);
    const snapshot = await cache.dump();
    expect(await rejection(cache.load(Buffer.from('garbage')))).toBeInstanceOf(TypeError);
    const gone = make({ redis: 'redis://127.0.0.1:1', commandTimeout: '50ms' });
    expect(await gone.load(snapshot)).toBe(0);
  });
});
