'use strict';
// What SessionStore asks of Redis: which commands, how many, and which keys; and what it finds there of others.

const { createRedis } = require('../../lib');
const { FaultProxy } = require('../helpers/fault-proxy');
const { RedisServer } = require('../helpers/redis-server');
const { closeStores, openCache, openStore, sessionOf } = require('../helpers/session-stores');
const { timed } = require('../helpers/timed');
const { delay, until } = require('../helpers/until');

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

/** What the store's connection sends meanwhile: commands by name, without those that scripts call. */
async function commandsOf(work) {
  const before = await redis.info('commandstats');
  await work();
  const after = await redis.info('commandstats');
  const counts = {};
  for (const [name, { calls }] of Object.entries(after.commandstats)) {
    const count = calls - (before.commandstats[name]?.calls ?? 0);
    if (count > 0 && name !== 'cmdstat_info') counts[name.slice('cmdstat_'.length)] = count;
  }
  return counts;
}

describe('one command a call', () => {
  test('get, set, touch, destroy', async () => {
    const store = openStore({ redis: server.url });
    await store.set('a', sessionOf(60_000));
    expect(await commandsOf(() => store.get('a'))).toEqual({ get: 1 });
    expect(await commandsOf(() => store.set('a', sessionOf(60_000)))).toEqual({ set: 1 });
    expect(await commandsOf(() => store.destroy('a'))).toEqual({ unlink: 1 });
    await store.set('a', sessionOf(60_000));
    const loaded = await store.get('a');
    loaded.x = 1;
    await store.set('a', loaded); // loads the script
    loaded.x = 2;
    expect(await commandsOf(() => store.set('a', loaded))).toMatchObject({ evalsha: 1, set: 1 });
    await store.touch('a', sessionOf(50_000));
    const touch = await commandsOf(() => store.touch('a', sessionOf(60_000)));
    expect(touch).toMatchObject({ evalsha: 1, pexpire: 1, setrange: 1 });
    expect([touch.get, touch.set, touch.eval]).toEqual([undefined, undefined, undefined]);
  });

  test('touch sends nothing of the session', async () => {
    const proxy = await FaultProxy.start(server.port);
    const store = openStore({ redis: proxy.url });
    const session = sessionOf(60_000, { large: 'x'.repeat(100_000) });
    await store.set('a', session);
    await store.touch('a', session);
    const before = proxy.bytes.toServer;
    await store.touch('a', { ...session, ...sessionOf(90_000) });
    expect(proxy.bytes.toServer - before).toBeLessThan(300);
    expect((await store.get('a')).cookie.originalMaxAge).toBe(90_000);
    await store.close();
    await proxy.close();
  });

  test('fifty touches at once are a few commands, and each callback is called', async () => {
    const store = openStore({ redis: server.url });
    const session = sessionOf(60_000);
    await store.set('a', session);
    await store.touch('a', session);
    let called = 0;
    const counts = await commandsOf(async () => {
      for (let i = 0; i < 50; i++) store.touch('a', sessionOf(60_000 + i), () => called++);
      await until('all of them', () => called === 50);
    });
    expect(counts.evalsha).toBeLessThanOrEqual(3);
    expect((await store.get('a')).cookie.originalMaxAge).toBe(60_049);
  });

  timed('touchAfter: none at all while the stored end is recent enough', async () => {
    const store = openStore({ redis: server.url, touchAfter: '200ms' });
    await store.set('a', sessionOf(60_000));
    const counts = await commandsOf(async () => {
      for (let i = 0; i < 10; i++) {
        const session = await store.get('a');
        session.cookie.expires = new Date(Date.now() + 60_000);
        await store.touch('a', session);
      }
    });
    expect(counts).toEqual({ get: 10 });
    await delay(250);
    const late = await store.get('a');
    late.cookie.expires = new Date(Date.now() + 60_000);
    expect(await commandsOf(() => store.touch('a', late))).toHaveProperty('pexpire', 1);
    // A changed maxAge is no mere touch.
    expect(await commandsOf(() => store.touch('a', sessionOf(70_000)))).toHaveProperty('pexpire', 1);
  });
});

describe('expiry', () => {
  timed('PX, in milliseconds; ttl where the cookie has no end', async () => {
    const store = openStore({ redis: server.url, ttl: 0.75 });
    await store.set('a', sessionOf(60_500.5));
    await store.set('b', sessionOf(null));
    expect(await redis.pttl('session:a')).toBeGreaterThan(60_400);
    expect(await redis.pttl('session:a')).toBeLessThanOrEqual(60_501);
    expect(await redis.pttl('session:b')).toBeGreaterThan(600);
    await delay(100);
    await store.touch('b', sessionOf(null));
    expect(await redis.pttl('session:b')).toBeGreaterThan(700);
  });

  test('ttl as a duration, and as a function', async () => {
    await openStore({ redis: server.url, prefix: 'x:', ttl: '30m' }).set('a', sessionOf(null));
    expect(await redis.pttl('x:a')).toBeGreaterThan(1_790_000);
    const store = openStore({ redis: server.url, ttl: (session) => session.seconds });
    await store.set('a', sessionOf(60_000, { seconds: 90 }));
    expect(await redis.pttl('session:a')).toBeGreaterThan(89_000);
    await store.touch('a', sessionOf(60_000, { seconds: '2m' }));
    expect(await redis.pttl('session:a')).toBeGreaterThan(119_000);
    await store.set('a', sessionOf(60_000, { seconds: 0 }));
    expect(await redis.exists('session:a')).toBe(0);
  });

  timed.each([
    ['throws', () => { throw new Error('mine'); }, 'mine'], // prettier-ignore
    ['gives no duration', () => 'soon', 'what ttl returned'],
  ])('a ttl function that %s: the callback is told, once', async (_, ttl, message) => {
    const store = openStore({ redis: server.url, ttl });
    const errors = [];
    store.set('a', sessionOf(60_000), (error) => errors.push(error.message));
    await delay(20);
    expect(errors).toEqual([expect.stringContaining(message)]);
  });

  timed('disableTTL: keys have no expiry, sessions end all the same, and touch moves their end', async () => {
    const store = openStore({ redis: server.url, disableTTL: true });
    await store.set('a', sessionOf(200));
    expect(await redis.pttl('session:a')).toBe(-1);
    await store.touch('a', sessionOf(400));
    expect(await redis.pttl('session:a')).toBe(-1);
    await delay(220);
    expect(await store.get('a')).not.toBeNull();
    await delay(220);
    expect(await store.get('a')).toBeNull();
  });

  test('disableTouch', async () => {
    const store = openStore({ redis: server.url, disableTouch: true });
    await store.set('a', sessionOf(60_000));
    expect(await commandsOf(() => store.touch('a', sessionOf(90_000)))).toEqual({});
  });
});

describe('keys', () => {
  test('a prefix with glob characters counts and clears its own alone', async () => {
    const odd = openStore({ redis: server.url, prefix: 'a*[b]?\\' });
    await odd.set('1', sessionOf(60_000));
    await redis.mset('a-b-', 'other', 'abc:1', 'other', 'axbz\\1', 'other', 'a*[b]x\\1', 'other');
    expect(await odd.ids()).toEqual(['1']);
    expect(await odd.length()).toBe(1);
    expect((await odd.all()).length).toBe(1);
    await odd.clear();
    expect(await redis.dbsize()).toBe(4);
  });

  test('a clear() or a tag of the cache takes no session along', async () => {
    const cache = openCache({ redis: server.url });
    const store = openStore({ cache });
    await store.set('a', sessionOf(60_000));
    await cache.set('k', 1, { tags: ['session'] });
    await cache.invalidateTag('session');
    await cache.clear();
    expect(await store.get('a')).not.toBeNull();
    expect(await redis.keys('session:*')).toEqual(['session:a']);
  });

  test('closing the cache closes the connection of the store', async () => {
    const cache = openCache({ redis: server.url });
    const store = openStore({ cache });
    await store.set('a', sessionOf(60_000));
    const open = Number((await redis.info('clients')).clients.connected_clients);
    await cache.close();
    await until(
      'both are gone',
      async () => Number((await redis.info('clients')).clients.connected_clients) === open - 2,
    );
  });

  const fill = async (count) => {
    const text = JSON.stringify(sessionOf(3_600_000, { data: 'x'.repeat(900) }));
    for (let i = 0; i < count; i += 1000) {
      await redis.mset(...Array.from({ length: 1000 }, (_, j) => [`session:id${i + j}`, text]).flat());
    }
  };
  // SLOWLOG goes by the clock on the wall: on a busy machine any command may look slow now and then. One in fifty may;
  // with all keys in one command, or in a few, it would be those.
  const slowCommands = async (work) => {
    await redis.call('CONFIG', 'SET', 'slowlog-log-slower-than', 5000);
    await redis.call('SLOWLOG', 'RESET');
    const counts = await commandsOf(work);
    const slow = (await redis.call('SLOWLOG', 'GET', 1000)).map((entry) => entry[3][0]);
    const sent = Object.values(counts).reduce((sum, count) => sum + count);
    return { slow: slow.length, allowed: sent / 50, counts };
  };

  test.each([20_000, 60_000])('%i sessions are listed and cleared without stopping Redis', async (count) => {
    const store = openStore({ redis: server.url });
    await fill(count);
    const listing = await slowCommands(async () => {
      expect(new Set(await store.ids()).size).toBe(count);
      const all = await store.all();
      expect(new Set(all.map(({ id }) => id)).size).toBe(count);
      expect(await store.length()).toBe(count);
    });
    expect(listing.slow).toBeLessThanOrEqual(listing.allowed);
    expect(listing.counts.mget).toBeGreaterThanOrEqual(count / 100);
    const clearing = await slowCommands(() => store.clear());
    expect(await redis.dbsize()).toBe(0);
    expect(clearing.slow).toBeLessThanOrEqual(clearing.allowed);
    expect(clearing.counts.unlink).toBeGreaterThanOrEqual(count / 100);
    for (const { counts } of [listing, clearing]) expect([counts.keys, counts.del]).toEqual([undefined, undefined]);
  });

  test('among many keys of others, few commands', async () => {
    for (let i = 0; i < 100_000; i += 5000) {
      await redis.mset(...Array.from({ length: 5000 }, (_, j) => [`other:${i + j}`, 'x']).flat());
    }
    const store = openStore({ redis: server.url });
    for (let i = 0; i < 100; i++) await store.set(`${i}`, sessionOf(60_000));
    const counts = await commandsOf(async () => expect(await store.length()).toBe(100));
    expect(counts.scan).toBeLessThan(300);
  });
});

describe('what others have stored', () => {
  test("connect-redis's sessions go on, and are written so that it can read them", async () => {
    const store = openStore({ redis: server.url, prefix: 'sess:' });
    const theirs = sessionOf(60_000, { user: 'ada' });
    await redis.set('sess:a', JSON.stringify(theirs), 'EX', 60);
    const loaded = await store.get('a');
    expect(loaded).toEqual(theirs);
    const touched = sessionOf(90_000);
    await store.touch('a', { ...loaded, cookie: touched.cookie });
    expect(await redis.pttl('sess:a')).toBeGreaterThan(80_000);
    expect((await store.get('a')).cookie).toEqual(touched.cookie);
    // The one that was loaded before is merged with what the touch has written.
    loaded.n = 1;
    await store.set('a', loaded);
    expect(await store.get('a')).toMatchObject({ user: 'ada', n: 1 });
    const raw = JSON.parse(await redis.get('sess:a'));
    expect(raw).toMatchObject({ user: 'ada', n: 1, cookie: { httpOnly: true, path: '/' } });
    expect(new Date(raw.cookie.expires).getTime()).toBe(new Date((await store.get('a')).cookie.expires).getTime());
  });

  test('a session of connect-redis that it has only touched lives on, although its cookie says otherwise', async () => {
    const store = openStore({ redis: server.url, prefix: 'sess:' });
    const old = sessionOf(60_000, { user: 'ada' });
    old.cookie.expires = new Date(Date.now() - 5000).toISOString();
    await redis.set('sess:a', JSON.stringify(old), 'EX', 55);
    const loaded = await store.get('a');
    expect(loaded.user).toBe('ada');
    expect(Date.parse(loaded.cookie.expires)).toBeGreaterThan(Date.now() + 50_000);
    loaded.n = 1;
    await store.set('a', loaded);
    expect((await store.get('a')).n).toBe(1);
  });

  test.each(['{', '', 'null', '7', '[]', '"text"', '{"cookie":{"revision":"'])(
    '%p is no session, and an event',
    async (bytes) => {
      const store = openStore({ redis: server.url });
      const errors = [];
      store.on('error', ({ code, id }) => errors.push([code, id]));
      await redis.set('session:bad', bytes);
      await store.set('good', sessionOf(60_000));
      expect(await store.get('bad')).toBeNull();
      expect((await store.all()).map(({ id }) => id)).toEqual(['good']);
      expect(errors).toEqual([['SESSION_UNREADABLE', 'bad'], ['SESSION_UNREADABLE', 'bad']]); // prettier-ignore
      await store.set('bad', sessionOf(60_000, { n: 1 }));
      expect((await store.get('bad')).n).toBe(1);
    },
  );

  test('a key of another type: an error for get, not for all', async () => {
    const store = openStore({ redis: server.url });
    await redis.sadd('session:set', 'x');
    await store.set('good', sessionOf(60_000));
    await expect(store.get('set')).rejects.toMatchObject({ code: 'WRONGTYPE' });
    expect((await store.all()).map(({ id }) => id)).toEqual(['good']);
  });

  test('scripts that the server has forgotten are sent again', async () => {
    const store = openStore({ redis: server.url });
    await store.set('a', sessionOf(60_000));
    const loaded = await store.get('a');
    await redis.scriptFlush();
    loaded.x = 1;
    await store.set('a', loaded);
    await redis.scriptFlush();
    await store.touch('a', sessionOf(90_000));
    expect(await store.get('a')).toMatchObject({ x: 1, cookie: { originalMaxAge: 90_000 } });
  });
});
