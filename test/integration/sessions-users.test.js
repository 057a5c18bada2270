'use strict';
// The sessions of a user: lists that expire with them, and logging out everywhere, also against other processes.

const { createRedis } = require('../../lib');
const { createSessions } = require('../../lib/session/tokens/sessions');
const { openRecords } = require('../../lib/session/storage/open-records');
const { Generations } = require('../../lib/session/tokens/user-generation');
const { memoryCache } = require('../helpers/memory-cache');
const { Peer } = require('../helpers/peer');
const { RedisServer } = require('../helpers/redis-server');
const { timed } = require('../helpers/timed');
const { delay, rejection } = require('../helpers/until');

const SESSIONS = require.resolve('../../lib/session/tokens/sessions');

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

const open = (kind, options) => {
  const cache = kind === 'memory' ? memoryCache() : undefined;
  const place = kind === 'memory' ? { cache } : { redis: server.url };
  const sessions = createSessions({
    ...place,
    ...(kind === 'Redis, encrypted' ? { keys: [Buffer.alloc(32, 1)] } : {}),
    ...options,
  });
  cleanups.push(async () => {
    await sessions.close();
    await cache?.close();
  });
  return sessions;
};
/** A session as a list shows it. */
const entryOf = (session) => {
  const entry = { ...session };
  delete entry.id;
  delete entry.data;
  return entry;
};
const ids = (made) => made.map(({ id }) => id);
const existing = (sessions, made) => Promise.all(ids(made).map((id) => sessions.exists(id)));
const handles = async (sessions, user) => (await sessions.allForUser(user)).map(({ handle }) => handle);

describe.each(['Redis', 'Redis, encrypted', 'memory'])('%s', (kind) => {
  test('lists the sessions of a user, the last used first, and of nobody else', async () => {
    const sessions = open(kind);
    const phone = await sessions.create({ secret: 1 }, { userId: 7, label: 'phone', userAgent: 'Mobile/1.0' });
    await delay(5);
    const laptop = await sessions.create({}, { userId: '7', label: 'laptop' });
    await sessions.create({}, { userId: 77 });
    await sessions.create();
    const listed = await sessions.allForUser(7n);
    expect(listed).toEqual([laptop, phone].map((session) => entryOf(session)));
    await delay(5);
    await sessions.refresh(phone.id);
    const [first] = await sessions.allForUser(7);
    expect([first.handle, first.userAgent]).toEqual([phone.handle, 'Mobile/1.0']);
    expect(first.lastUsedAt.getTime()).toBeGreaterThan(laptop.lastUsedAt.getTime());
    expect(await sessions.allForUser('nobody')).toEqual([]);
  });

  test('user ids are what they are', async () => {
    const sessions = open(kind);
    const users = ['*', '7*', '7', '7:', ':7', 'ü🙂', 'u\0', ' u', 'u', '__proto__', 'a'.repeat(1024), '../x'];
    const made = [];
    for (const userId of users) made.push(await sessions.create({ userId }, { userId }));
    for (const [i, user] of users.entries()) expect(await handles(sessions, user)).toEqual([made[i].handle]);
    expect(await sessions.destroyAllForUser('*')).toBe(1);
    expect(await sessions.destroyAllForUser('7*')).toBe(1);
    expect(await existing(sessions, made)).toEqual(users.map((user) => user !== '*' && user !== '7*'));
  });

  test('destroyAllForUser ends all of one user, and a new login is good', async () => {
    const sessions = open(kind);
    const mine = [];
    for (let i = 0; i < 5; i++) mine.push(await sessions.create({}, { userId: 'me' }));
    const other = await sessions.create({}, { userId: 'other' });
    expect(await sessions.destroyAllForUser('me')).toBe(5);
    expect(await existing(sessions, [...mine, other])).toEqual([false, false, false, false, false, true]);
    for (const { id } of mine) {
      expect(await sessions.set(id, {})).toBe(false);
      expect(await sessions.update(id, {})).toBeUndefined();
      expect(await sessions.refresh(id)).toBe(false);
    }
    const again = await sessions.create({}, { userId: 'me' });
    expect(await existing(sessions, [...mine, again])).toEqual([false, false, false, false, false, true]);
    expect(await handles(sessions, 'me')).toEqual([again.handle]);
    expect(await sessions.destroyAllForUser('nobody')).toBe(0);
  });

  test('except leaves one session, as often as it is asked, and only one of this user', async () => {
    const sessions = open(kind);
    const made = [];
    for (let i = 0; i < 3; i++) made.push(await sessions.create({}, { userId: 'me' }));
    const foreign = await sessions.create({}, { userId: 'other' });
    const current = made[1].id;
    expect(await sessions.destroyAllForUser('me', { except: current })).toBe(2);
    expect(await existing(sessions, made)).toEqual([false, true, false]);
    expect(await sessions.update(current, { still: 'here' })).toBeTruthy();
    const later = await sessions.create({}, { userId: 'me' });
    expect(await existing(sessions, [made[1], later])).toEqual([true, true]);
    expect(await sessions.destroyAllForUser('me', { except: current })).toBe(1);
    expect(await existing(sessions, [made[1], later, foreign])).toEqual([true, false, true]);
    expect((await sessions.get(current)).data).toEqual({ still: 'here' });
    const last = await sessions.create({}, { userId: 'me' });
    // Now another one stays, and the one that stayed twice does not.
    expect(await sessions.destroyAllForUser('me', { except: last.id })).toBe(1);
    expect(await existing(sessions, [made[1], last])).toEqual([false, true]);
    expect(await sessions.destroyAllForUser('me', { except: foreign.id })).toBe(1);
    expect(await existing(sessions, [last, foreign])).toEqual([false, true]);
    await sessions.create({}, { userId: 'me' });
    for (const except of ['', 'x', 'A'.repeat(43), made[0].id]) await sessions.destroyAllForUser('me', { except });
    expect(await sessions.allForUser('me')).toEqual([]);
  });

  test('a session that was ended is not revived by excepting it', async () => {
    const sessions = open(kind);
    const made = await sessions.create({}, { userId: 'me' });
    await sessions.destroyAllForUser('me');
    await sessions.create({}, { userId: 'me' });
    await sessions.destroyAllForUser('me', { except: made.id });
    expect(await sessions.exists(made.id)).toBe(false);
  });

  test('destroyForUser ends a session by its handle, of this user only', async () => {
    const sessions = open(kind);
    const [mine, other] = [await sessions.create({}, { userId: 'me' }), await sessions.create({}, { userId: 'other' })];
    expect(await sessions.destroyForUser('me', other.handle)).toBe(false);
    expect(await sessions.destroyForUser('me', mine.id)).toBe(false);
    expect(await sessions.destroyForUser('me', '')).toBe(false);
    expect(await existing(sessions, [mine, other])).toEqual([true, true]);
    expect(await sessions.destroyForUser('me', mine.handle)).toBe(true);
    expect(await existing(sessions, [mine, other])).toEqual([false, true]);
    expect(await sessions.destroyForUser('me', mine.handle)).toBe(false);
  });

  timed('a session that is over is in no list, and one that is used stays in it', async () => {
    const sessions = open(kind, { ttl: '900ms' });
    const [idle, used] = [await sessions.create({}, { userId: 'u' }), await sessions.create({}, { userId: 'u' })];
    for (let i = 0; i < 12; i++) {
      await delay(100);
      await sessions.refresh(used.id);
    }
    expect(await handles(sessions, 'u')).toEqual([used.handle]);
    await sessions.destroy(used.id);
    expect(await sessions.allForUser('u')).toEqual([]);
    expect(await sessions.exists(idle.id)).toBe(false);
  });

  test('bad arguments', async () => {
    const sessions = open(kind);
    for (const user of [undefined, null, '', {}, 1.5, '\ud800']) {
      expect((await rejection(sessions.allForUser(user))).message).toMatch(/^userId: expected/);
      expect((await rejection(sessions.destroyAllForUser(user))).message).toMatch(/^userId: expected/);
    }
    expect((await rejection(sessions.destroyAllForUser('u', { exept: 'x' }))).message).toMatch(/no option 'exept'/);
    expect((await rejection(sessions.destroyAllForUser('u', { except: 5 }))).message).toMatch(/^session id: expected/);
    expect((await rejection(sessions.destroyForUser('u', 5))).message).toMatch(/^handle: expected a string/);
  });
});

describe('the list in Redis', () => {
  const members = async () => {
    const [key] = await redis.call('KEYS', 'sessions:i:*');
    return key === undefined ? undefined : redis.call('ZCARD', key);
  };

  test('whose time is over is dropped with every writing', async () => {
    const sessions = open('Redis');
    await sessions.create({}, { userId: 'u' });
    const [key] = await redis.call('KEYS', 'sessions:i:*');
    const over = Array.from({ length: 100 }, (_, i) => [String(Date.now() - 1 - i), `x${i}`]);
    await redis.call('ZADD', key, ...over.flat());
    expect(await members()).toBe(101);
    await sessions.create({}, { userId: 'u' });
    expect(await members()).toBe(2);
  });

  timed('who comes and goes for long leaves no more members than about as many as are there', async () => {
    const sessions = open('Redis', { ttl: '100ms', maxAge: '1h' });
    for (let i = 0; i < 20; i++) {
      await Promise.all(Array.from({ length: 10 }, () => sessions.create({}, { userId: 'u' })));
      await delay(100);
    }
    await sessions.create({}, { userId: 'u' });
    // Members live for ttl and at most another second.
    expect(await members()).toBeLessThan(150);
  });

  timed('it ends with the last session', async () => {
    const sessions = open('Redis', { ttl: '100ms', maxAge: '200ms' });
    await sessions.create({}, { userId: 'u' });
    expect(await members()).toBe(1);
    await delay(300);
    expect(await redis.call('KEYS', 'sessions:[is]:*')).toEqual([]);
  });

  test('its expiry is that of the session that lives longest', async () => {
    const sessions = open('Redis', { maxAge: '10d' });
    await sessions.create({}, { userId: 'u', ttl: '5d' });
    await sessions.create({}, { userId: 'u', ttl: '1m' });
    const [key] = await redis.call('KEYS', 'sessions:i:*');
    expect(await redis.call('PTTL', key)).toBeGreaterThan(5 * 86_400_000 - 60_000);
    const [generation] = await redis.call('KEYS', 'sessions:g:*');
    expect(await redis.call('PTTL', generation)).toBeGreaterThan(10 * 86_400_000);
  });

  test('without it sessions live on, and end with destroyAllForUser all the same', async () => {
    const sessions = open('Redis');
    const made = [await sessions.create({}, { userId: 'u' }), await sessions.create({}, { userId: 'u' })];
    await redis.call('DEL', ...(await redis.call('KEYS', 'sessions:i:*')));
    expect(await existing(sessions, made)).toEqual([true, true]);
    expect(await sessions.destroyAllForUser('u')).toBe(0);
    expect(await existing(sessions, made)).toEqual([false, false]);
  });

  test('a member that points at the session of somebody else ends nothing', async () => {
    const sessions = open('Redis');
    const [mine, other] = [await sessions.create({}, { userId: 'me' }), await sessions.create({}, { userId: 'other' })];
    await redis.call('ZADD', await listOf(sessions, 'me'), String(Date.now() + 60_000), other.handle);
    expect(await handles(sessions, 'me')).toEqual([mine.handle]);
    await redis.call('ZADD', await listOf(sessions, 'me'), String(Date.now() + 60_000), other.handle);
    expect(await sessions.destroyForUser('me', other.handle)).toBe(false);
    expect(await sessions.destroyAllForUser('me')).toBe(1);
    expect(await existing(sessions, [mine, other])).toEqual([false, true]);
  });

  /** The key of the list that has a session of this user. */
  async function listOf(sessions, user) {
    const [first] = await handles(sessions, user);
    for (const key of await redis.call('KEYS', 'sessions:i:*')) {
      if ((await redis.call('ZSCORE', key, first)) !== null) return key;
    }
    throw new Error('no list');
  }
});

describe('against another process', () => {
  const start = async () => {
    const peer = await Peer.start({ redis: server.url });
    cleanups.push(() => peer.end());
    await peer.run((state, file) => {
      state.sessions = process.mainModule.require(file).createSessions({ cache: state.cache });
    }, SESSIONS);
    return peer;
  };

  test('who was logged out everywhere stays so, whatever another process was doing with his sessions', async () => {
    const [peer, sessions] = [await start(), open('Redis')];
    for (let round = 0; round < 15; round++) {
      const userId = `u${round}`;
      const first = await sessions.create({}, { userId });
      const working = peer.run(
        async ({ sessions: it, now }, user, id) => {
          const made = [];
          const end = now() + 40;
          while (now() < end) {
            const began = now();
            const jobs = [it.create({}, { userId: user }), it.refresh(id), it.update(id, { x: 1 }), it.set(id, {})];
            const [{ id: fresh }] = await Promise.all(jobs);
            made.push({ id: fresh, began, ended: now() });
          }
          return made;
        },
        userId,
        first.id,
      );
      await delay(5 + round);
      const before = Number(process.hrtime.bigint()) / 1e6;
      await sessions.destroyAllForUser(userId);
      const after = Number(process.hrtime.bigint()) / 1e6;
      const made = await working;
      expect(await sessions.exists(first.id)).toBe(false);
      const old = made.filter(({ ended }) => ended < before);
      const young = made.filter(({ began }) => began > after);
      expect(await existing(sessions, old)).toEqual(old.map(() => false));
      expect(await existing(sessions, young)).toEqual(young.map(() => true));
      // Of what overlapped, lists and reads say the same.
      const good = (await existing(sessions, made)).filter(Boolean).length;
      expect((await sessions.allForUser(userId)).length).toBe(good);
    }
  });

  test('a session that somebody ends between the reading and the writing of destroyAllForUser is not left by it', async () => {
    const sessions = open('Redis');
    const { id, handle } = await sessions.create({}, { userId: 'u' });
    const key = (await redis.call('KEYS', 'sessions:g:*'))[0];
    const [generation] = (await redis.get(key)).split(' ');
    const copies = await Promise.all(
      (await redis.call('KEYS', 'sessions:s:*')).map(async (one) => [one, await redis.get(one)]),
    );
    const records = openRecords({ redis });
    await sessions.destroyAllForUser('u');
    for (const [one, value] of copies) await redis.set(one, value);
    // What the slower one has read was good, and is not any more.
    await new Generations(records).end(key, { handle, generation });
    expect(await sessions.exists(id)).toBe(false);
  });

  test('logins at the same time do not end each other', async () => {
    const [peer, sessions] = [await start(), open('Redis')];
    const login = ({ sessions: it }) =>
      Promise.all(Array.from({ length: 50 }, async () => (await it.create({}, { userId: 'u' })).id));
    const made = (await Promise.all([peer.run(login), login({ sessions })])).flat();
    expect(await Promise.all(made.map((id) => sessions.exists(id)))).toEqual(made.map(() => true));
    expect((await sessions.allForUser('u')).length).toBe(100);
  });

  test('a session that one process knows is over as soon as another has ended it', async () => {
    const [peer, sessions] = [await start(), open('Redis')];
    const { id } = await sessions.create({}, { userId: 'u' });
    for (let i = 0; i < 3; i++) expect(await sessions.exists(id)).toBe(true);
    await peer.run(({ sessions: it }) => it.destroyAllForUser('u'));
    expect(await sessions.exists(id)).toBe(false);
  });

  test('a process that dies between the two halves of destroyAllForUser has ended them all', async () => {
    const sessions = open('Redis');
    const made = [await sessions.create({}, { userId: 'u' }), await sessions.create({}, { userId: 'u' })];
    const copies = await Promise.all(
      (await redis.call('KEYS', 'sessions:s:*')).map(async (key) => [key, await redis.get(key)]),
    );
    await sessions.destroyAllForUser('u');
    // As if their memory had not been given back.
    for (const [key, value] of copies) await redis.set(key, value);
    expect(await existing(sessions, made)).toEqual([false, false]);
    await sessions.create({}, { userId: 'u' });
    expect(await existing(sessions, made)).toEqual([false, false]);
  });
});
