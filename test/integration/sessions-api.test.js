'use strict';
// createSessions: the same tests on Redis, on Redis with encryption, and in memory.

const { createCache, createRedis } = require('../../lib');
const { createSessions } = require('../../lib/session/tokens/sessions');
const { memoryCache, ownNamespace } = require('../helpers/memory-cache');
const { RedisServer } = require('../helpers/redis-server');
const { timed } = require('../helpers/timed');
const { delay, rejection } = require('../helpers/until');

const KEY = Buffer.alloc(32, 7);
const NO_SUCH_ID = 'A'.repeat(43);

let server;
let redis;
let cleanups = [];

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

const KINDS = {
  Redis: () => ({ redis: server.url }),
  'Redis, encrypted': () => ({ redis: server.url, keys: [KEY] }),
  'Redis, ids as they are': () => ({ redis: server.url, hashIds: false }),
  'an open client': () => ({ redis }),
  'the Redis of a cache': () => {
    const cache = createCache({ redis: server.url, namespace: ownNamespace() });
    cleanups.push(() => cache.close());
    return { cache };
  },
  'a cache in memory': () => {
    const cache = memoryCache();
    cleanups.push(() => cache.close());
    return { cache };
  },
};

describe.each(Object.keys(KINDS))('%s', (kind) => {
  const open = (options) => {
    const sessions = createSessions({ ...KINDS[kind](), ...options });
    cleanups.push(() => sessions.close());
    return sessions;
  };

  test('create gives a session with an id that nobody had before, and get gives it again', async () => {
    const sessions = open();
    const began = Date.now();
    const made = await sessions.create({ cart: [1, { n: null }], name: 'ü🙂\0' }, { userId: 42, label: 'phone' });
    expect(made.id).toMatch(/^[A-Za-z0-9_-]{43}$/);
    expect(Buffer.from(made.id, 'base64url').length).toBe(32);
    expect(made).toEqual({
      id: made.id,
      handle: sessions.handleOf(made.id),
      userId: '42',
      label: 'phone',
      userAgent: undefined,
      createdAt: expect.any(Date),
      lastUsedAt: made.createdAt,
      expiresAt: new Date(made.createdAt.getTime() + 86_400_000),
      data: { cart: [1, { n: null }], name: 'ü🙂\0' },
    });
    expect(made.createdAt.getTime()).toBeGreaterThanOrEqual(began);
    expect(await sessions.get(made.id)).toEqual(made);
    expect(await sessions.exists(made.id)).toBe(true);
    const ids = await Promise.all(Array.from({ length: 50 }, async () => (await sessions.create()).id));
    expect(new Set(ids).size).toBe(50);
  });

  test('what was given or taken is a copy', async () => {
    const sessions = open();
    const data = { list: [1] };
    const creating = sessions.create(data);
    data.list.push(2);
    const { id, data: given } = await creating;
    given.list.push(3);
    expect((await sessions.get(id)).data).toEqual({ list: [1] });
    const patch = { list: [4] };
    const updating = sessions.update(id, patch);
    patch.list.push(5);
    await updating;
    const next = { list: [6] };
    expect((await sessions.get(id)).data).toEqual({ list: [4] });
    const setting = sessions.set(id, next);
    next.list.push(7);
    await setting;
    expect((await sessions.get(id)).data).toEqual({ list: [6] });
  });

  test('set replaces the data and nothing else', async () => {
    const sessions = open();
    const made = await sessions.create({ a: 1 }, { userId: 'u', label: 'l', userAgent: 'a' });
    expect(await sessions.set(made.id, { b: 2 })).toBe(true);
    const now = await sessions.get(made.id);
    expect(now).toEqual({ ...made, data: { b: 2 }, lastUsedAt: now.lastUsedAt, expiresAt: now.expiresAt });
  });

  test('update merges the top level, and removes what is undefined', async () => {
    const sessions = open();
    const { id } = await sessions.create({ a: { x: 1 }, b: 2, c: 3 });
    const updated = await sessions.update(id, { a: { y: 2 }, b: undefined, d: 4 });
    expect(updated.data).toStrictEqual({ a: { y: 2 }, c: 3, d: 4 });
    expect(await sessions.get(id)).toEqual(updated);
  });

  test('update with a function: what it returns, or what it made of its argument', async () => {
    const sessions = open();
    const { id } = await sessions.create({ n: 1 });
    expect((await sessions.update(id, ({ n }) => ({ n: n + 1 }))).data).toEqual({ n: 2 });
    await sessions.update(id, (data) => {
      data.m = 1;
    });
    await sessions.update(id, async (data) => {
      await delay(1);
      delete data.n;
    });
    expect((await sessions.get(id)).data).toEqual({ m: 1 });
    const error = new Error('mine');
    const throwing = () => {
      throw error;
    };
    expect(await rejection(sessions.update(id, throwing))).toBe(error);
    expect((await rejection(sessions.update(id, () => 5))).message).toMatch(/expected a plain object, got 5/);
    expect((await sessions.get(id)).data).toEqual({ m: 1 });
  });

  test('100 changes at once are all kept', async () => {
    const sessions = open();
    const { id } = await sessions.create({ n: 0 });
    await Promise.all(
      Array.from({ length: 100 }, (_, i) =>
        i % 2
          ? sessions.update(id, { [`k${i}`]: i })
          : sessions.update(id, ({ n, ...rest }) => ({ ...rest, n: n + 1 })),
      ),
    );
    const { data } = await sessions.get(id);
    expect(data.n).toBe(50);
    expect(Object.keys(data).length).toBe(51);
  });

  test('a function that never ends holds up the others for a second', async () => {
    const sessions = open();
    const { id } = await sessions.create({ a: 1 });
    let finish;
    const stuck = sessions.update(
      id,
      (data) => new Promise((resolve) => (finish = () => resolve({ ...data, late: 1 }))),
    );
    await sessions.update(id, { b: 2 });
    finish();
    // It was overtaken, and is called again.
    const again = setInterval(() => finish(), 5);
    await stuck;
    clearInterval(again);
    expect((await sessions.get(id)).data).toEqual({ a: 1, b: 2, late: 1 });
  });

  test('keys like __proto__ are data', async () => {
    const sessions = open();
    const { id } = await sessions.create(JSON.parse('{"__proto__":{"admin":1},"constructor":2}'));
    await sessions.update(id, JSON.parse('{"toString":3,"__proto__":{"admin":4}}'));
    const { data } = await sessions.get(id);
    expect(JSON.stringify(data)).toBe('{"__proto__":{"admin":4},"constructor":2,"toString":3}');
    expect(data.admin).toBeUndefined();
  });

  test('destroy is final: nothing brings a session back', async () => {
    const sessions = open();
    const { id } = await sessions.create({ a: 1 }, { userId: 'u' });
    const session = await sessions.get(id);
    expect(await sessions.destroy(id)).toBe(true);
    expect(await sessions.destroy(id)).toBe(false);
    expect(await sessions.set(id, { b: 1 })).toBe(false);
    expect(await sessions.update(id, { b: 1 })).toBeUndefined();
    expect(await sessions.update(id, () => ({ b: 1 }))).toBeUndefined();
    expect(await sessions.refresh(id)).toBe(false);
    expect(await sessions.refresh(session)).toBe(false);
    expect(await sessions.get(id)).toBeUndefined();
    expect(await sessions.exists(id)).toBe(false);
    expect(await sessions.allForUser('u')).toEqual([]);
  });

  test('a change that is under way while the session is destroyed is lost with it', async () => {
    const sessions = open();
    const { id } = await sessions.create({ a: 1 });
    let destroyed;
    const updated = sessions.update(id, async (data) => {
      destroyed = await sessions.destroy(id);
      return { ...data, b: 1 };
    });
    expect(await updated).toBeUndefined();
    expect(destroyed).toBe(true);
    expect(await sessions.get(id)).toBeUndefined();
  });

  test('ids that are none of ours are no sessions, and never errors', async () => {
    const sessions = open();
    const { id } = await sessions.create({ a: 1 }, { userId: 'u' });
    const bad = [
      ...['', 'x', '\n', `${id}\n`, `${id} `, ` ${id}`, id.slice(1), `${id}A`, `${id.slice(1)}\0`, `${id.slice(1)}ü`],
      ...['*', '?'.repeat(43), `${'*'.repeat(42)}A`, '__proto__', 'x'.repeat(10_000), '\ud800', `s:${id}`, NO_SUCH_ID],
      sessions.handleOf(id),
    ];
    for (const one of bad) {
      expect(await sessions.get(one)).toBeUndefined();
      expect(await sessions.exists(one)).toBe(false);
      expect(await sessions.set(one, {})).toBe(false);
      expect(await sessions.update(one, {})).toBeUndefined();
      expect(await sessions.refresh(one)).toBe(false);
      expect(await sessions.destroy(one)).toBe(false);
    }
    for (const one of [undefined, null, 5, {}, [id]]) {
      expect((await rejection(sessions.get(one))).message).toMatch(/^session id: expected a string, got/);
    }
    for (const one of [undefined, null, {}, [id]]) {
      expect(await rejection(sessions.refresh(one))).toBeInstanceOf(TypeError);
    }
    expect(() => sessions.handleOf('x')).toThrow(/^session id: expected one that create\(\) gave/);
    expect(await sessions.get(id)).toMatchObject({ data: { a: 1 } });
  });

  timed('a session that is not used ends; use keeps it, reading does not', async () => {
    const sessions = open({ ttl: '800ms' });
    const [idle, used, written] = await Promise.all([sessions.create(), sessions.create(), sessions.create()]);
    for (let i = 0; i < 6; i++) {
      await delay(160);
      const done = await Promise.all([
        sessions.refresh(used.id),
        sessions.set(written.id, { i }),
        sessions.exists(idle.id),
      ]);
      expect(done.slice(0, 2)).toEqual([true, true]);
      if (i < 2) expect(done[2]).toBe(true);
    }
    expect(await sessions.get(idle.id)).toBeUndefined();
    expect(await sessions.set(idle.id, {})).toBe(false);
    const now = await sessions.get(used.id);
    expect(now.lastUsedAt.getTime()).toBeGreaterThan(used.lastUsedAt.getTime() + 800);
    expect(now.expiresAt.getTime()).toBe(now.lastUsedAt.getTime() + 800);
    expect(now.createdAt).toEqual(used.createdAt);
    expect((await sessions.get(written.id)).data).toEqual({ i: 5 });
  });

  timed('no use keeps a session beyond maxAge', async () => {
    const sessions = open({ ttl: '200ms', maxAge: '450ms' });
    const made = await sessions.create({}, { userId: 'u' });
    const end = made.createdAt.getTime() + 450;
    let alive;
    for (let i = 0; i < 6; i++) {
      await delay(60);
      const session = await sessions.get(made.id);
      if (session === undefined) break;
      alive = session;
      await sessions.refresh(session);
      await sessions.update(made.id, { i });
    }
    const last = await sessions.get(made.id);
    expect((last ?? alive).expiresAt.getTime()).toBeLessThanOrEqual(end);
    await delay(Math.max(0, end - Date.now()) + 10);
    expect(await sessions.get(made.id)).toBeUndefined();
    expect([await sessions.refresh(made.id), await sessions.set(made.id, {})]).toEqual([false, false]);
    expect(alive.lastUsedAt.getTime()).toBeGreaterThan(made.lastUsedAt.getTime());
  });

  timed('a session may have a ttl of its own', async () => {
    const sessions = open({ ttl: '100ms', maxAge: '1h' });
    const [short, long] = [await sessions.create(), await sessions.create({}, { ttl: '1h', maxAge: '2h' })];
    expect(long.expiresAt.getTime()).toBe(long.createdAt.getTime() + 3_600_000);
    await delay(130);
    expect([await sessions.exists(short.id), await sessions.exists(long.id)]).toEqual([false, true]);
  });

  test('what is no object, or not in JSON, is refused', async () => {
    const sessions = open();
    const { id } = await sessions.create({ a: 1 });
    const circular = {};
    circular.self = circular;
    const bad = [null, 5, 'text', [], new Map(), new Date(), circular, { n: 1n }, { toJSON: () => 5 }];
    for (const data of bad) {
      for (const call of [() => sessions.create(data), () => sessions.set(id, data), () => sessions.update(id, data)]) {
        expect(await rejection(call())).toBeInstanceOf(TypeError);
      }
    }
    expect((await sessions.get(id)).data).toEqual({ a: 1 });
    expect((await rejection(sessions.set(id, circular))).message).toMatch(/^data: .*circular/);
  });

  test('after close() calls are refused', async () => {
    const sessions = open();
    const { id } = await sessions.create();
    await sessions.close();
    const calls = [
      () => sessions.get(id),
      () => sessions.create(),
      () => sessions.destroy(id),
      () => sessions.allForUser(1),
    ];
    for (const call of calls) expect((await rejection(call())).code).toBe('SESSION_CLOSED');
    await sessions.close();
  });

  test('a large session, and many at once', async () => {
    const sessions = open();
    const big = 'ü'.repeat(500_000);
    const { id } = await sessions.create({ big });
    expect((await sessions.get(id)).data.big === big).toBe(true);
    const made = await Promise.all(Array.from({ length: 500 }, (_, i) => sessions.create({ i }, { userId: i % 7 })));
    const read = await Promise.all(made.map((session) => sessions.get(session.id)));
    expect(read.map(({ data }) => data.i)).toEqual(made.map((_, i) => i));
  });
});

describe('options', () => {
  test.each([
    ['an unknown option', { maxage: 5 }, /there is no option 'maxage'; there are cache, redis/],
    ['a ttl of nothing', { redis: 'redis://127.0.0.1', ttl: 0 }, /^ttl: expected at least a millisecond/],
    ['maxAge below ttl', { redis: 'redis://127.0.0.1', ttl: '2h', maxAge: '1h' }, /^maxAge: expected at least the ttl/],
    ['a prefix that is no string', { prefix: 5 }, /^prefix: expected a string/],
    ['a short key', { keys: ['secret'] }, /^keys\[0\]: expected 32 bytes/],
    ['no keys', { keys: [] }, /^keys: expected an array of keys/],
    ['hashIds that is no boolean', { hashIds: 'yes' }, /^hashIds: expected true or false/],
    ['something else for a cache', { cache: {} }, /^cache: expected a cache made by createCache\(\)/],
    ['a cache and a Redis', { cache: {}, redis: 'redis://127.0.0.1' }, /expected 'cache' or 'redis', not both/],
    [
      'a string',
      'redis://:secret@127.0.0.1',
      /^options: expected an object with options, got a string: the URL of a Redis is given as { redis: /,
    ],
  ])('refuses %s', (_, options, message) => {
    expect(() => createSessions(options)).toThrow(message);
  });

  test('a key is never part of an error', () => {
    for (const keys of [['sehr geheim'], 'sehr geheim', [Buffer.from('sehr geheim')]]) {
      expect(() => createSessions({ keys })).toThrow(/^(?!.*geheim)/);
    }
  });

  test('refuses options of create that are not valid', async () => {
    const cache = memoryCache();
    const sessions = createSessions({ cache });
    const bad = [
      [{ user: 5 }, /there is no option 'user'/],
      [{ userId: '' }, /^userId: expected a whole number, or a string of 1 to 1024/],
      [{ userId: 1.5 }, /^userId: /],
      [{ userId: NaN }, /^userId: /],
      [{ userId: {} }, /^userId: /],
      [{ userId: null }, /^userId: /],
      [{ userId: '\ud800' }, /^userId: expected well-formed Unicode/],
      [{ userId: 'x'.repeat(1025) }, /^userId: /],
      [{ label: 'x'.repeat(257) }, /^label: expected a string of at most 256/],
      [{ userAgent: 5 }, /^userAgent: expected a string/],
      [{ ttl: '2h', maxAge: '1h' }, /^maxAge: expected at least the ttl/],
    ];
    for (const [options, message] of bad) {
      expect((await rejection(sessions.create({}, options))).message).toMatch(message);
    }
    expect((await sessions.create({}, { userAgent: 'x'.repeat(5000) })).userAgent).toBe('x'.repeat(512));
    await cache.close();
  });

  test('a ttl longer than maxAge by default raises it', async () => {
    const cache = memoryCache();
    const sessions = createSessions({ cache, ttl: '90d' });
    const { createdAt, expiresAt } = await sessions.create();
    expect(expiresAt - createdAt).toBe(90 * 86_400_000);
    await cache.close();
  });
});
