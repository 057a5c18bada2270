'use strict';
// SessionStore where one call says little about the next: touches that overlap, writes that failed, answers that were lost.

const { createRedis } = require('../../lib');
const { FaultProxy } = require('../helpers/fault-proxy');
const { RedisServer } = require('../helpers/redis-server');
const { KEY, closeStores, dataOf, openStore, sessionOf } = require('../helpers/session-stores');
const { rejection, until } = require('../helpers/until');

const HOUR = 3_600_000;
let server;
let redis;
beforeAll(async () => {
  server = await RedisServer.start();
  redis = createRedis(server.url);
});
afterAll(async () => {
  await redis.close();
  await server.stop();
});
beforeEach(() => redis.flushdb());
afterEach(closeStores);

/** What express-session does at the end of a request. */
const used = (session) => {
  session.cookie.expires = new Date(Date.now() + session.cookie.originalMaxAge);
  return session;
};

describe('touches', () => {
  test('a changed maxAge is kept however many others touch at the same time', async () => {
    const store = openStore({ redis: server.url });
    await store.set('a', sessionOf(60_000));
    const [one, remember, ...others] = await Promise.all(Array.from({ length: 5 }, () => store.get('a')));
    remember.cookie.originalMaxAge = HOUR;
    await Promise.all([one, remember, ...others].map((session) => store.touch('a', used(session))));
    expect((await store.get('a')).cookie.originalMaxAge).toBe(HOUR);
    expect(await redis.pttl('session:a')).toBeGreaterThan(HOUR - 10_000);
  });

  test.each([
    ['JSON', {}],
    ['encryption', { keys: [KEY] }],
  ])('a changed maxAge is kept when somebody who had loaded the old one saves: %s', async (_, options) => {
    const store = openStore({ redis: server.url, ...options });
    await store.set('a', sessionOf(60_000));
    const [remember, other] = [await store.get('a'), await store.get('a')];
    remember.cookie.originalMaxAge = HOUR;
    await store.touch('a', used(remember));
    other.n = 1;
    await store.set('a', used(other));
    expect(await store.get('a')).toMatchObject({ n: 1, cookie: { originalMaxAge: HOUR } });
    expect(await redis.pttl('session:a')).toBeGreaterThan(HOUR - 10_000);
    // And it brings nothing back.
    await store.destroy('a');
    remember.cookie.originalMaxAge = 2 * HOUR;
    await store.touch('a', used(remember));
    expect(await store.get('a')).toBeNull();
  });

  test('whoever changed maxAge himself has no conflict with that', async () => {
    const store = openStore({ redis: server.url, onConflict: 'reject' });
    await store.set('a', sessionOf(60_000));
    const session = await store.get('a');
    session.cookie.originalMaxAge = HOUR;
    const touched = store.touch('a', used(session));
    session.n = 1;
    await Promise.all([touched, store.set('a', session)]);
    await store.touch('a', used(session));
    session.n = 2;
    await store.set('a', session);
    expect(await store.get('a')).toMatchObject({ n: 2, cookie: { originalMaxAge: HOUR } });
  });

  test('whoever touched a session of connect-redis himself has no conflict with that', async () => {
    const store = openStore({ redis: server.url, prefix: 'sess:', onConflict: 'reject' });
    await redis.set('sess:a', JSON.stringify(sessionOf(60_000)), 'EX', 60);
    const session = await store.get('a');
    await store.touch('a', used(session));
    session.n = 1;
    await store.set('a', session);
    expect((await store.get('a')).n).toBe(1);
  });

  test('touchAfter: what only connect-redis has touched is touched, whatever its cookie says', async () => {
    const store = openStore({ redis: server.url, prefix: 'sess:', touchAfter: '1m' });
    const old = sessionOf(HOUR, { user: 'ada' });
    old.cookie.expires = new Date(Date.now() - 5000).toISOString();
    await redis.set('sess:a', JSON.stringify(old), 'EX', 55);
    await store.touch('a', used(await store.get('a')));
    expect(await redis.pttl('sess:a')).toBeGreaterThan(HOUR - 10_000);
  });

  test('touchAfter: a write that failed is none', async () => {
    const store = openStore({ redis: server.url, ttl: '1h', touchAfter: '1m', onConflict: 'reject' });
    const elsewhere = openStore({ redis: server.url, ttl: '1h' });
    await elsewhere.set('a', sessionOf(null));
    const [mine, theirs] = [await store.get('a'), await elsewhere.get('a')];
    theirs.n = 1;
    await elsewhere.set('a', theirs);
    await redis.pexpire('session:a', 5000);
    mine.n = 2;
    expect(await rejection(store.set('a', mine))).toMatchObject({ code: 'SESSION_CONFLICT' });
    await store.touch('a', mine);
    expect(await redis.pttl('session:a')).toBeGreaterThan(HOUR - 10_000);
  });
});

test('a session that a serializer gives frozen is answered, also when its cookie is to be mended', async () => {
  const parse = (text) => {
    const session = JSON.parse(text);
    Object.freeze(session.cookie);
    return Object.freeze(session);
  };
  const store = openStore({ redis: server.url, prefix: 'sess:', serializer: { parse, stringify: JSON.stringify } });
  const old = sessionOf(HOUR);
  old.cookie.expires = new Date(Date.now() - 5000).toISOString();
  await redis.set('sess:a', JSON.stringify(old), 'EX', 55);
  const answers = [];
  store.get('a', (error, session) => answers.push([error, session]));
  await until('an answer', () => answers.length > 0);
  expect(answers).toEqual([[null, null]]);
});

describe.each([
  ['merge', {}],
  ['merge', { keys: [KEY] }],
  ['reject', {}],
])('a write whose answer was lost: %s, %p', (onConflict, options) => {
  let proxy;
  let store;
  let conflicts;
  beforeEach(async () => {
    proxy = await FaultProxy.start(server.port);
    store = openStore({ redis: proxy.url, onConflict, ...options });
    conflicts = [];
    store.on('conflict', ({ outcome }) => conflicts.push(outcome));
    await store.set('a', sessionOf(60_000, { n: 0 }));
  });
  afterEach(async () => {
    await closeStores();
    await proxy.close();
  });

  /** Redis carries it out, and nobody hears of it. */
  const lost = async (session) => {
    proxy.cut('toClient', 0);
    expect(await rejection(store.set('a', session))).toMatchObject({ code: 'CONNECTION_LOST' });
    await until('the connection to be back', () => store.get('a').then(Boolean, () => false)); // prettier-ignore
  };

  test('it is no conflict with oneself: the next one replaces it', async () => {
    const session = await store.get('a');
    session.flash = 'once';
    await lost(session);
    expect((await store.get('a')).flash).toBe('once');
    delete session.flash;
    session.n = 1;
    await store.set('a', session);
    expect(dataOf(await store.get('a'))).toEqual({ n: 1 });
    session.n = 2;
    await store.set('a', session);
    expect(dataOf(await store.get('a'))).toEqual({ n: 2 });
    expect(conflicts).toEqual([]);
  });

  test('nor does it bring back what was destroyed since', async () => {
    const session = await store.get('a');
    session.n = 1;
    await lost(session);
    await openStore({ redis: server.url, ...options }).destroy('a');
    await store.set('a', session);
    expect(await store.get('a')).toBeNull();
    expect(conflicts).toEqual(['gone']);
  });
});
