'use strict';
// createSessions over a real Redis: what lies there, foreign and tampered bytes, keys, other processes, and a server that
// is killed or frozen in the middle.

const { createRedis } = require('../../lib');
const { createSessions } = require('../../lib/session/tokens/sessions');
const { Peer } = require('../helpers/peer');
const { RedisServer } = require('../helpers/redis-server');
const { delay, rejection, until } = require('../helpers/until');

const SESSIONS = require.resolve('../../lib/session/tokens/sessions');
const [KEY, NEWER, FOREIGN] = [1, 2, 3].map((byte) => Buffer.alloc(32, byte));

let server;
let redis;
let cleanups = [];
const open = (options) => {
  const sessions = createSessions({ redis: server.url, ...options });
  cleanups.push(() => sessions.close());
  return sessions;
};
/** Errors that sessions tell. */
const heard = (sessions) => {
  const errors = [];
  sessions.on('error', (error) => errors.push(error.code));
  return errors;
};
const allKeys = async () => (await redis.call('KEYS', '*')).sort();
const only = async (pattern) => {
  const keys = await redis.call('KEYS', pattern);
  expect(keys.length).toBe(1);
  return keys[0];
};
/** Commands that the server has run meanwhile, by name, without those that everybody sends. */
const commandsOf = async (work) => {
  await redis.call('CONFIG', 'RESETSTAT');
  await work();
  const info = await redis.call('INFO', 'commandstats');
  const counts = Object.fromEntries([...info.matchAll(/cmdstat_(\S+?):calls=(\d+)/g)].map(([, name, n]) => [name, +n]));
  delete counts['config|resetstat'];
  delete counts.ping;
  return counts;
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

describe('what lies in Redis', () => {
  test('neither id nor user stand in it; every key has an expiry', async () => {
    const sessions = open({ keys: [KEY] });
    const { id } = await sessions.create({ secret: 'geheim' }, { userId: 'ada@example.org', label: 'phone' });
    const keys = await allKeys();
    expect(keys.map((key) => key.slice(0, 11))).toEqual(['sessions:g:', 'sessions:i:', 'sessions:s:']);
    for (const key of keys) {
      expect(await redis.call('PTTL', key)).toBeGreaterThan(80_000_000);
      const dump = Buffer.concat([Buffer.from(key), await redis.buffers.call('DUMP', key)]).toString('latin1');
      for (const text of [id, 'geheim', 'ada@', 'phone']) expect(dump.includes(text)).toBe(false);
    }
  });

  test('hashIds: false keeps ids as they are, and lists still show none', async () => {
    const sessions = open({ hashIds: false, prefix: 'p:' });
    const { id, handle } = await sessions.create({}, { userId: 'u' });
    expect(await allKeys()).toContain(`p:s:${id}`);
    expect(handle).not.toBe(id);
    expect((await sessions.allForUser('u')).map((entry) => entry.handle)).toEqual([handle]);
    expect(JSON.stringify(await sessions.allForUser('u')).includes(id)).toBe(false);
    expect(await sessions.destroyForUser('u', handle)).toBe(true);
    expect(await sessions.exists(id)).toBe(false);
  });

  test('prefixes are apart', async () => {
    const [a, b] = [open({ prefix: 'a:' }), open({ prefix: 'a*' })];
    const { id } = await a.create({}, { userId: 'u' });
    await b.create({}, { userId: 'u' });
    expect(await b.get(id)).toBeUndefined();
    expect(await b.destroyAllForUser('u')).toBe(1);
    expect(await a.exists(id)).toBe(true);
  });

  test('a read is one round trip of two commands once its user is known, a refresh one script', async () => {
    const sessions = open();
    const { id } = await sessions.create({}, { userId: 'u' });
    const anonymous = await sessions.create();
    await sessions.get(id);
    await sessions.refresh(id);
    const session = await sessions.get(id);
    expect(await commandsOf(() => sessions.get(id))).toEqual({ get: 2 });
    expect(await commandsOf(() => sessions.get(anonymous.id))).toEqual({ get: 1 });
    expect(await commandsOf(() => sessions.get('no id'))).toEqual({});
    const { evalsha, ...inner } = await commandsOf(() => sessions.refresh(session));
    expect([evalsha, inner]).toEqual([1, { getrange: 1, setrange: 1, pexpire: 1 }]);
  });

  test('no key of a session outlives its maxAge', async () => {
    const sessions = open({ ttl: '1h', maxAge: '2h' });
    const { id } = await sessions.create({}, { ttl: '1h', maxAge: '1h' });
    const key = await only('sessions:s:*');
    const hour = 3_600_000;
    await delay(50);
    for (const use of [() => sessions.refresh(id), () => sessions.set(id, {}), () => sessions.update(id, { a: 1 })]) {
      await use();
      expect(await redis.call('PTTL', key)).toBeLessThanOrEqual(hour - 50);
    }
  });

  test('nothing is sent with KEYS, SCAN or several keys', async () => {
    const sessions = open();
    const commands = await commandsOf(async () => {
      const made = [];
      for (let i = 0; i < 5; i++) made.push(await sessions.create({}, { userId: 'u' }));
      await sessions.update(made[0].id, { a: 1 });
      await sessions.allForUser('u');
      await sessions.destroy(made[1].id);
      await sessions.destroyAllForUser('u', { except: made[0].id });
    });
    for (const name of ['keys', 'scan', 'mget', 'mset', 'multi', 'flushall']) expect(commands[name]).toBeUndefined();
  });
});

describe('bytes that are not ours', () => {
  test.each([
    ['text', 'x'],
    ['nothing', ''],
    ['JSON', '{"u":"u"}'],
    ['a head without a body', `t1${'a'.repeat(16)}1795000000000`],
    ['a head with JSON of something else', `t1${'a'.repeat(16)}1795000000000[]`],
    ['a body without data', `t1${'a'.repeat(16)}1795000000000{"c":1,"e":9e15,"t":1}`],
    ['a time that is none', `t1${'a'.repeat(16)}x795000000000{"c":1,"e":9e15,"t":1,"d":{}}`],
    ['bytes', Buffer.from([0xff, 0, 0x74, 0x31])],
  ])('%s: no session, told as an event, and nothing is overwritten', async (_, bytes) => {
    for (const options of [{}, { keys: [KEY] }]) {
      const sessions = open(options);
      const errors = heard(sessions);
      const { id } = await sessions.create({ a: 1 });
      const key = await only('sessions:s:*');
      await redis.set(key, bytes);
      expect(await sessions.get(id)).toBeUndefined();
      expect([await sessions.set(id, {}), await sessions.refresh(id)]).toEqual([false, false]);
      expect(await redis.buffers.get(key)).toEqual(Buffer.from(bytes));
      expect(errors).toEqual(['SESSION_UNREADABLE', 'SESSION_UNREADABLE', 'SESSION_UNREADABLE']);
      expect(await sessions.destroy(id)).toBe(true);
    }
  });

  test('another type', async () => {
    const sessions = open();
    const errors = heard(sessions);
    const { id } = await sessions.create({}, { userId: 'u' });
    const key = await only('sessions:s:*');
    await redis.call('DEL', key);
    await redis.call('HSET', key, 'a', '1');
    expect(await sessions.get(id)).toBeUndefined();
    expect(errors).toEqual(['SESSION_UNREADABLE']);
    expect(await sessions.allForUser('u')).toEqual([]);
    expect(await sessions.destroy(id)).toBe(true);
    expect(await redis.call('EXISTS', key)).toBe(0);
  });

  test('a foreign generation makes no session good, and is overwritten by the next', async () => {
    const sessions = open();
    const { id } = await sessions.create({}, { userId: 'u' });
    const key = await only('sessions:g:*');
    for (const bytes of ['', 'x', 'undefined 1', ' ', '\xff']) {
      await redis.set(key, bytes);
      expect(await sessions.exists(id)).toBe(false);
    }
    const next = await sessions.create({}, { userId: 'u' });
    expect([await sessions.exists(id), await sessions.exists(next.id)]).toEqual([false, true]);
  });

  test('without a generation (expired, evicted) no session of the user is good, now or later', async () => {
    const sessions = open();
    const { id } = await sessions.create({}, { userId: 'u' });
    await redis.call('DEL', await only('sessions:g:*'));
    expect(await sessions.get(id)).toBeUndefined();
    await sessions.create({}, { userId: 'u' });
    expect(await sessions.get(id)).toBeUndefined();
  });
});

describe('keys', () => {
  test('a newer key seals, an older one still opens, a wrong one opens nothing', async () => {
    const { id } = await open({ keys: [KEY] }).create({ a: 1 });
    const rotated = open({ keys: [NEWER, KEY] });
    expect((await rotated.get(id)).data).toEqual({ a: 1 });
    const wrong = open({ keys: [FOREIGN] });
    const errors = heard(wrong);
    expect([await wrong.get(id), await wrong.set(id, {}), await wrong.update(id, {})]).toEqual([
      undefined,
      false,
      undefined,
    ]);
    expect(errors).toEqual(Array(3).fill('SESSION_UNREADABLE'));
    await rotated.update(id, { b: 2 });
    expect((await open({ keys: [NEWER] }).get(id)).data).toEqual({ a: 1, b: 2 });
    expect(await open({ keys: [KEY] }).get(id)).toBeUndefined();
  });

  test('what was stored without a key is not taken with one, nor the other way round', async () => {
    const [plain, sealed] = [open(), open({ keys: [KEY] })];
    const [a, b] = [await plain.create({ a: 1 }), await sealed.create({ b: 1 })];
    expect(await sealed.get(a.id)).toBeUndefined();
    expect(await plain.get(b.id)).toBeUndefined();
  });

  test('every flipped bit of the body, and of its mark, is found', async () => {
    const sessions = open({ keys: [KEY] });
    const { id } = await sessions.create({ a: 1 });
    const key = await only('sessions:s:*');
    const good = await redis.buffers.get(key);
    for (let i = 0; i < good.length; i++) {
      // The time of the last use is in plain text.
      if (i >= 18 && i < 31) continue;
      const bad = Buffer.from(good);
      bad[i] ^= 1 << (i % 8);
      await redis.set(key, bad);
      expect(await sessions.get(id)).toBeUndefined();
    }
    await redis.set(key, good.subarray(0, -1));
    expect(await sessions.get(id)).toBeUndefined();
    await redis.set(key, good);
    expect(await sessions.exists(id)).toBe(true);
  });

  test("a record in another session's place is not taken", async () => {
    const sessions = open({ keys: [KEY] });
    const mine = await sessions.create({ admin: false });
    const mineKey = await only('sessions:s:*');
    const theirs = await sessions.create({ admin: true }, { userId: 'root' });
    const theirsKey = (await redis.call('KEYS', 'sessions:s:*')).find((key) => key !== mineKey);
    await redis.set(mineKey, await redis.buffers.get(theirsKey));
    expect(await sessions.get(mine.id)).toBeUndefined();
    expect((await sessions.get(theirs.id)).data).toEqual({ admin: true });
  });
});

describe('two processes', () => {
  const start = async (options) => {
    const peer = await Peer.start({ redis: server.url });
    cleanups.push(() => peer.end());
    const work = (state, file, given) => {
      state.sessions = process.mainModule.require(file).createSessions({ cache: state.cache, ...given });
    };
    await peer.run(work, SESSIONS, options);
    return peer;
  };

  test('changes of both are kept, and a logout there counts here at once', async () => {
    const [peer, sessions] = [await start({ keys: [KEY] }), open({ keys: [KEY] })];
    const { id } = await peer.run(({ sessions: there }) => there.create({ n: 0 }, { userId: 'u' }));
    const there = peer.run(async ({ sessions: it }, given) => {
      for (let i = 0; i < 50; i++) await it.update(given, (data) => ({ ...data, n: data.n + 1, [`there${i}`]: i }));
    }, id);
    for (let i = 0; i < 50; i++) await sessions.update(id, (data) => ({ ...data, n: data.n + 1, [`here${i}`]: i }));
    await there;
    const { data } = await sessions.get(id);
    expect([data.n, Object.keys(data).length]).toEqual([100, 101]);
    await peer.run(({ sessions: it }, given) => it.destroy(given), id);
    expect(await sessions.get(id)).toBeUndefined();
  });

  test('a logout during updates, sets and refreshes of another process is final', async () => {
    const [peer, sessions] = [await start(), open()];
    for (let round = 0; round < 20; round++) {
      const { id } = await sessions.create({ n: 0 }, { userId: 'u' });
      const writing = peer.run(async ({ sessions: it }, given) => {
        const outcomes = [];
        for (let i = 0; i < 15; i++) {
          outcomes.push(
            ...(await Promise.all([it.update(given, { [i]: i }), it.set(given, { i }), it.refresh(given)])).map(
              Boolean,
            ),
          );
        }
        return outcomes;
      }, id);
      await delay(round / 4);
      expect(await sessions.destroy(id)).toBe(true);
      expect(await sessions.get(id)).toBeUndefined();
      await writing;
      expect(await sessions.get(id)).toBeUndefined();
      expect(await redis.call('KEYS', 'sessions:s:*')).toEqual([]);
    }
  });
});

describe('when Redis fails', () => {
  let own;
  const connected = async (options) => {
    own = await RedisServer.start();
    cleanups.push(() => own.stop());
    const sessions = open({ redis: { url: own.url, commandTimeout: '300ms' }, ...options });
    return { sessions, id: (await sessions.create({ a: 1 }, { userId: 'u' })).id };
  };
  const calls = (sessions, id) => [
    () => sessions.create(),
    () => sessions.create({}, { userId: 'u' }),
    () => sessions.get(id),
    () => sessions.exists(id),
    () => sessions.set(id, {}),
    () => sessions.update(id, {}),
    () => sessions.destroy(id),
    () => sessions.refresh(id),
    () => sessions.allForUser('u'),
    () => sessions.destroyForUser('u', 'x'),
    () => sessions.destroyAllForUser('u'),
  ];

  test('killed: every call rejects within a second, none says that there is no session; back, it works', async () => {
    const { sessions, id } = await connected();
    const states = [];
    sessions.on('disconnect', () => states.push('disconnect'));
    sessions.on('connect', () => states.push('connect'));
    await own.kill();
    for (const call of calls(sessions, id)) {
      const began = performance.now();
      expect((await rejection(call())).code).toBe('SESSION_UNAVAILABLE');
      expect(performance.now() - began).toBeLessThan(1500);
    }
    await until('the loss to be told', () => states.includes('disconnect'));
    await own.restart();
    await until('it to be back', () => states.includes('connect'));
    expect(states).toEqual(['disconnect', 'connect']);
    expect(await sessions.get(id)).toBeUndefined();
    const next = await sessions.create({ b: 1 }, { userId: 'u' });
    expect((await sessions.get(next.id)).data).toEqual({ b: 1 });
  });

  test('killed in the middle of a thousand calls: each of them settles', async () => {
    const { sessions, id } = await connected();
    const working = Promise.allSettled(Array.from({ length: 1000 }, (_, i) => sessions.update(id, { [i]: i })));
    const creating = Promise.allSettled(Array.from({ length: 500 }, () => sessions.create({}, { userId: 'u' })));
    await delay(5);
    await own.kill();
    const settled = [...(await working), ...(await creating)];
    const codes = new Set(settled.filter(({ status }) => status === 'rejected').map(({ reason }) => reason.code));
    expect([...codes]).toEqual(['SESSION_UNAVAILABLE']);
  });

  test('frozen: no call waits longer than the command timeout, and the session is there again afterwards', async () => {
    const { sessions, id } = await connected();
    own.pause();
    const began = performance.now();
    const outcomes = await Promise.all(calls(sessions, id).map((call) => rejection(call())));
    expect(performance.now() - began).toBeLessThan(2500);
    expect(new Set(outcomes.map(({ code }) => code))).toEqual(new Set(['SESSION_UNAVAILABLE']));
    own.resume();
    const created = await until('it to be back', () => sessions.create({ c: 1 }).catch(() => undefined));
    expect((await sessions.get(created.id)).data).toEqual({ c: 1 });
  });

  test('after close() calls are refused', async () => {
    const { sessions, id } = await connected();
    await sessions.close();
    for (const call of calls(sessions, id)) expect((await rejection(call())).code).toBe('SESSION_CLOSED');
  });

  test('out of memory: a refused write is an error, and loses nothing', async () => {
    const { sessions, id } = await connected();
    const direct = createRedis(own.url);
    cleanups.push(() => direct.close());
    await direct.call('CONFIG', 'SET', 'maxmemory', '1');
    const writes = [() => sessions.create(), () => sessions.set(id, { b: 1 }), () => sessions.update(id, { b: 1 })];
    for (const write of writes) expect((await rejection(write())).code).toBe('SESSION_UNAVAILABLE');
    expect((await sessions.get(id)).data).toEqual({ a: 1 });
    await direct.call('CONFIG', 'SET', 'maxmemory', '0');
    expect(await sessions.set(id, { b: 1 })).toBe(true);
  });

  test('scripts that the server has forgotten are sent again', async () => {
    const { sessions, id } = await connected();
    const direct = createRedis(own.url);
    cleanups.push(() => direct.close());
    for (const call of [
      () => sessions.update(id, { b: 1 }),
      () => sessions.refresh(id),
      () => sessions.allForUser('u'),
    ]) {
      await direct.call('SCRIPT', 'FLUSH');
      expect(await call()).toBeTruthy();
    }
    await direct.call('SCRIPT', 'FLUSH');
    expect(await sessions.create({}, { userId: 'u' })).toBeTruthy();
  });
});
