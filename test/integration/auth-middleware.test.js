'use strict';
// authMiddleware in real Express apps (4 and 5) and without Express, over real HTTP: who asks, from a cookie or a token,
// with what the database knows of him, in memory and in Redis.

const http = require('node:http');
const { createRedis } = require('../../lib');
const { authMiddleware } = require('../../lib/session/auth/auth-middleware');
const { createSessions } = require('../../lib/session/tokens/sessions');
const { PATIENCE } = require('../helpers/patience');
const { MOUNTS, bearer, cookie, database, openCache, startAuthApp } = require('../helpers/auth-app');
const { cleanUp, onCleanUp, request, serve } = require('../helpers/http');
const { memoryCache, ownNamespace } = require('../helpers/memory-cache');
const { Peer } = require('../helpers/peer');
const { RedisServer } = require('../helpers/redis-server');
const { timed } = require('../helpers/timed');
const { delay, until } = require('../helpers/until');

let server;
let redis;

beforeAll(async () => {
  server = await RedisServer.start();
  redis = createRedis(server.url);
});
beforeEach(() => redis.call('FLUSHALL'));
afterEach(cleanUp);
afterAll(async () => {
  await redis.close();
  await server.stop();
});

const openHere = (options) => openCache({ redis: server.url, ...options });
const start = async (options = {}, { cache, ...more } = {}) =>
  startAuthApp(options, { cache: cache ?? (await openHere()), ...more });

describe.each(Object.keys(MOUNTS))('%s', (mount) => {
  test('a cookie or a token says who asks; without one it is 401', async () => {
    const { users, load } = database();
    const { sessions, get } = await start({ load }, { mount });
    const { id, handle } = await sessions.create({ cart: [1] }, { userId: 2 });
    for (const given of [cookie(id), bearer(id)]) {
      const { status, auth } = await get(given);
      expect(status).toBe(200);
      expect(auth.user).toEqual(users.get('2'));
      expect(auth.session).toMatchObject({ id, handle, userId: '2', data: { cart: [1] } });
    }
    const { status, headers, body } = await get();
    expect([status, body]).toEqual([401, '{"error":"Unauthorized"}']);
    expect([headers['www-authenticate'], headers['cache-control']]).toEqual(['Bearer', 'no-store']);
  });

  test('an error of load goes to the error handler', async () => {
    const load = () => {
      throw Object.assign(new Error('the database is away'), { status: 502 });
    };
    const { sessions, get } = await start({ load }, { mount });
    const { id } = await sessions.create({}, { userId: 1 });
    expect(await get(cookie(id))).toMatchObject({ status: 502, body: 'the database is away' });
  });
});

describe('who asks', () => {
  test('whatever is no id is nobody', async () => {
    const { sessions, get } = await start();
    const { id } = await sessions.create({ a: 1 });
    const bad = [
      ...[
        '',
        ' ',
        '""',
        'x',
        `${id}x`,
        id.slice(1),
        `${id}%00`,
        `"${id}`,
        `${id.slice(0, 42)}*`,
        '*',
        'x'.repeat(10_000),
      ],
      ...['%0d%0aSet-Cookie:a=b', `${id} x`, `${id},`, '__proto__', encodeURIComponent('ü'.repeat(43))],
      sessions.handleOf(id),
    ];
    for (const one of bad) {
      expect((await get(cookie(one))).status).toBe(401);
      expect((await get(bearer(one))).status).toBe(401);
    }
    for (const header of ['Bearer', 'Bearer ', `Basic ${id}`, `Bearer${id}`, id, `Bearer ${id} ${id}`]) {
      expect((await get({ headers: { authorization: header } })).status).toBe(401);
    }
    for (const one of [`sid2=${id}`, `xsid=${id}`, `SID=${id}`, `sid`, `=${id}`, `sid=x; sid=${id}`]) {
      expect((await get({ headers: { cookie: one } })).status).toBe(401);
    }
    expect((await get(cookie(id))).status).toBe(200);
  });

  test('the cookie is found among others', async () => {
    const { sessions, get } = await start({ cookie: '__Host-id' });
    const { id } = await sessions.create();
    for (const header of [
      `a=b; __Host-id=${id}`,
      `a="x;__Host-id=${id};b`,
      `__Host-id="${id}";c`,
      `=; ;;__Host-id = ${id} `,
    ]) {
      expect((await get({ headers: { cookie: header } })).status).toBe(200);
    }
    expect((await get(cookie(id))).status).toBe(401);
  });

  test('a Bearer token counts alone, also when it is not valid; other schemes do not count', async () => {
    const { sessions, get } = await start();
    const [a, b] = [await sessions.create({ is: 'a' }), await sessions.create({ is: 'b' })];
    const both = (authorization) => get({ headers: { ...cookie(a.id).headers, authorization } });
    expect((await both(`Bearer ${b.id}`)).auth.session.data).toEqual({ is: 'b' });
    expect((await both(`bEARER   ${b.id}`)).auth.session.data).toEqual({ is: 'b' });
    expect((await both('Bearer x')).status).toBe(401);
    expect((await both('Basic eDp5')).auth.session.data).toEqual({ is: 'a' });
  });

  test('cookie: false and bearer: false', async () => {
    const tokens = await start({ cookie: false });
    const { id } = await tokens.sessions.create();
    expect([(await tokens.get(cookie(id))).status, (await tokens.get(bearer(id))).status]).toEqual([401, 200]);
    const cookies = await start({ bearer: false });
    const other = await cookies.sessions.create();
    expect([(await cookies.get(cookie(other.id))).status, (await cookies.get(bearer(other.id))).status]).toEqual([
      200, 401,
    ]);
  });

  test('required: false lets everybody pass, and says who it is when it knows', async () => {
    const { load } = database();
    const { sessions, get } = await start({ load, required: false });
    const { id } = await sessions.create({}, { userId: 1 });
    expect(await get()).toMatchObject({ status: 200, auth: null });
    expect(await get(cookie('x'))).toMatchObject({ status: 200, auth: null });
    expect((await get(cookie(id))).auth.user.name).toBe('user 1');
  });

  test('what stood in req.auth before does not count', async () => {
    const { sessions } = await start();
    const optional = authMiddleware({ sessions, required: false });
    const listening = await serve((req, res) => {
      req.auth = { user: 'root' };
      optional(req, res, () => res.end(String(req.auth)));
    });
    expect((await request(listening, '/')).body).toBe('undefined');
  });

  test('onUnauthorized answers, or passes, or fails', async () => {
    const { sessions } = await start();
    const app = async (onUnauthorized) => {
      const listening = await serve(MOUNTS['Express 5'](authMiddleware({ sessions, onUnauthorized })));
      return request(listening, '/');
    };
    const redirected = await app((req, res) => res.redirect('/login'));
    expect([redirected.status, redirected.headers.location]).toEqual([302, '/login']);
    expect((await app((req, res, next) => next())).body).toBe('null');
    const failing = async () => {
      throw Object.assign(new Error('no'), { status: 418 });
    };
    expect((await app(failing)).status).toBe(418);
  });

  test('another property', async () => {
    const { sessions } = await start();
    const { id } = await sessions.create({ a: 1 });
    const auth = authMiddleware({ sessions, property: 'who' });
    const listening = await serve((req, res) =>
      auth(req, res, () => res.end(JSON.stringify([req.who.session.data, req.auth]))),
    );
    expect((await request(listening, '/', cookie(id))).body).toBe('[{"a":1},null]');
  });
});

describe('users', () => {
  test('the database is asked once for all requests, sessions and processes of a user', async () => {
    const { asked, load } = database();
    const cache = await openHere();
    const one = await start({ load }, { cache });
    const two = await start({ load }, { cache });
    const [a, b] = [await one.sessions.create({}, { userId: 1 }), await one.sessions.create({}, { userId: '1' })];
    const answers = await Promise.all(
      Array.from({ length: 40 }, (_, i) => (i % 2 ? one : two).get(i % 3 ? cookie(a.id) : bearer(b.id))),
    );
    expect(new Set(answers.map(({ auth }) => auth.user.name))).toEqual(new Set(['user 1']));
    expect(asked).toEqual(['1']);
    const peer = await Peer.start({ redis: server.url, namespace: cache.name });
    onCleanUp(() => peer.end());
    const found = await peer.run((state) => state.cache.namespace('auth').get('user:sessions%3A:u%3A1'));
    expect(found).toEqual({ id: 1, name: 'user 1' });
  });

  test('nobody is given the data of somebody else', async () => {
    const { load } = database();
    const { sessions, get } = await start({ load });
    const made = [];
    for (const userId of [1, 2, 3, undefined]) {
      for (let i = 0; i < 3; i++) made.push(await sessions.create({ of: userId ?? null }, userId ? { userId } : {}));
    }
    await Promise.all(
      Array.from({ length: 300 }, async (_, i) => {
        const { id, userId } = made[i % made.length];
        const { status, auth } = await get(i % 2 ? cookie(id) : bearer(id));
        if (userId === undefined) return expect(status).toBe(401);
        expect([auth.session.id, auth.session.data.of, auth.user.id]).toEqual([id, +userId, +userId]);
      }),
    );
  });

  test('users whose ids look alike are apart, and from sessions without one', async () => {
    const load = ({ userId, handle }) => ({ of: userId ?? handle });
    const { sessions, get } = await start({ load });
    const anonymous = await sessions.create();
    const users = ['1', '1:', 'u:1', 's:1', '%3A', ':', '*', 'user', `s:${anonymous.handle}`, 'ü'];
    for (const userId of users) {
      const { id } = await sessions.create({}, { userId });
      expect((await get(cookie(id))).auth.user).toEqual({ of: userId });
    }
    expect((await get(cookie(anonymous.id))).auth.user).toEqual({ of: anonymous.handle });
  });

  test('sessions of another prefix are those of other users: theirs is not asked, nor given', async () => {
    const cache = await openHere();
    const [admins, customers] = ['admins', 'customers'].map((kind) =>
      start({ load: ({ userId }) => ({ kind, userId }) }, { cache, sessions: { prefix: `${kind}:` } }),
    );
    for (const [kind, app] of [
      ['admins', admins],
      ['customers', customers],
    ]) {
      const { sessions, get } = await app;
      const { id } = await sessions.create({}, { userId: 42 });
      expect((await get(cookie(id))).auth.user).toEqual({ kind, userId: '42' });
    }
  });

  timed('a user who is not there is nobody, and is asked for again', async () => {
    const { users, asked, load } = database();
    const { sessions, get } = await start({ load });
    const { id } = await sessions.create({}, { userId: 9 });
    expect((await get(cookie(id))).status).toBe(401);
    await delay(150);
    users.set('9', { id: 9, name: 'new' });
    expect((await get(cookie(id))).auth.user.name).toBe('new');
    expect(asked).toEqual(['9', '9']);
  });

  test('forget: what has changed is loaded anew, in all processes', async () => {
    const { users, load } = database();
    const namespace = ownNamespace();
    const [one, two] = [
      await start({ load }, { cache: await openHere({ namespace }) }),
      // By another address it is another process to the cache: with memory of its own.
      await start({ load }, { cache: await openHere({ namespace, redis: server.unixUrl }) }),
    ];
    const { id } = await one.sessions.create({}, { userId: 1 });
    const bystander = await one.sessions.create({}, { userId: 2 });
    for (const app of [one, two, one, two]) expect((await app.get(cookie(id))).auth.user.name).toBe('user 1');
    await one.get(cookie(bystander.id));
    users.set('1', { id: 1, name: 'renamed' });
    users.set('2', { id: 2, name: 'not told' });
    await one.auth.forget(1);
    expect((await one.get(cookie(id))).auth.user.name).toBe('renamed');
    await until('the other one to know', async () => (await two.get(cookie(id))).auth.user.name === 'renamed');
    expect((await one.get(cookie(bystander.id))).auth.user.name).toBe('user 2');
  });

  timed('ttl, name and key', async () => {
    const cache = await openHere();
    let loads = 0;
    const load = async (session, req) => ({ n: ++loads, tenant: req.headers['x-tenant'] });
    const { sessions, get } = await start({ load, ttl: '60ms' }, { cache });
    const { id } = await sessions.create({}, { userId: 1 });
    expect([(await get(cookie(id))).auth.user.n, (await get(cookie(id))).auth.user.n]).toEqual([1, 1]);
    await delay(80);
    expect((await get(cookie(id))).auth.user.n).toBe(2);
    const tenants = await start(
      { load, name: 'tenant', key: ({ userId }, req) => `${userId} ${req.headers['x-tenant']}` },
      { cache },
    );
    for (const tenant of ['a', 'b', 'a', 'b']) {
      const headers = { ...cookie(id).headers, 'x-tenant': tenant };
      expect((await tenants.get({ headers })).auth.user.tenant).toBe(tenant);
    }
    expect(loads).toBe(4);
  });
});

describe('logging out, and use', () => {
  test('a logout counts with the next request, whatever is in memory', async () => {
    const { load } = database();
    const { sessions, get } = await start({ load });
    const made = [await sessions.create({}, { userId: 1 }), await sessions.create({}, { userId: 1 })];
    for (const { id } of made) expect((await get(cookie(id))).status).toBe(200);
    await sessions.destroy(made[0].id);
    expect([(await get(cookie(made[0].id))).status, (await get(cookie(made[1].id))).status]).toEqual([401, 200]);
    await sessions.destroyAllForUser(1);
    expect((await get(cookie(made[1].id))).status).toBe(401);
  });

  timed('also one that lives shorter than the default of refreshAfter', async () => {
    const { sessions, get } = await start({}, { sessions: { ttl: '800ms' } });
    const { id } = await sessions.create();
    for (let i = 0; i < 6; i++) {
      await delay(200);
      expect((await get(cookie(id))).status).toBe(200);
    }
  });

  timed('a session that is used lives on; refreshAfter: false leaves it', async () => {
    const using = await start({ refreshAfter: '100ms' }, { sessions: { ttl: '600ms' } });
    const leaving = await start({ refreshAfter: false }, { sessions: { ttl: '600ms', prefix: 'other:' } });
    const [used, left] = [await using.sessions.create(), await leaving.sessions.create()];
    for (let i = 0; i < 8; i++) {
      await delay(100);
      expect((await using.get(cookie(used.id))).status).toBe(200);
      await leaving.get(cookie(left.id));
    }
    expect((await leaving.get(cookie(left.id))).status).toBe(401);
  });

  test('refreshes are few', async () => {
    const { sessions, get } = await start({ refreshAfter: '1h' });
    const { id, lastUsedAt } = await sessions.create();
    for (let i = 0; i < 5; i++) await get(cookie(id));
    expect((await sessions.get(id)).lastUsedAt).toEqual(lastUsedAt);
  });
});

describe('when Redis is away', () => {
  test('503 where a session is required, and nobody where it is not', async () => {
    const own = await RedisServer.start();
    onCleanUp(() => own.stop());
    const { load } = database();
    const cache = await openHere({ redis: own.url, commandTimeout: '200ms' });
    const required = await start({ load }, { cache });
    const optional = await start({ load, required: false }, { cache });
    const { id } = await required.sessions.create({}, { userId: 1 });
    expect((await required.get(cookie(id))).status).toBe(200);
    await own.kill();
    expect((await required.get(cookie(id))).status).toBe(503);
    expect((await required.get()).status).toBe(401);
    expect(await optional.get(cookie(id))).toMatchObject({ status: 200, auth: null });
    await own.restart();
    // An empty server: it answers, and knows nobody.
    await until('it to be back', async () => (await required.get(cookie(id))).status === 401);
    const again = await required.sessions.create({}, { userId: 2 });
    expect((await required.get(cookie(again.id))).auth.user.name).toBe('user 2');
  });
});

describe('memory alone, and options', () => {
  test('works without Redis', async () => {
    const cache = memoryCache();
    onCleanUp(() => cache.close());
    const { asked, load } = database();
    const { sessions, get } = await start({ load }, { cache });
    const { id } = await sessions.create({}, { userId: 3 });
    expect([(await get(cookie(id))).auth.user.id, (await get(cookie(id))).auth.user.id, asked.length]).toEqual([
      3, 3, 1,
    ]);
    await sessions.destroyAllForUser(3);
    expect((await get(cookie(id))).status).toBe(401);
  });

  test('refuses what is not valid', async () => {
    const cache = memoryCache();
    onCleanUp(() => cache.close());
    const sessions = createSessions({ cache });
    const bare = createSessions({ redis });
    const bad = [
      [undefined, /^options: expected an object/],
      [{}, /^sessions: expected what createSessions\(\) gave, got undefined/],
      [{ sessions: {} }, /^sessions: /],
      [{ sessions, cookies: 'x' }, /there is no option 'cookies'/],
      [{ sessions, cookie: 'a b' }, /^cookie: expected the name of a cookie, or false/],
      [{ sessions, cookie: false, bearer: false }, /^cookie and bearer: expected at least one/],
      [{ sessions, bearer: 1 }, /^bearer: expected true or false/],
      [{ sessions, required: 'no' }, /^required: /],
      [{ sessions, property: '__proto__' }, /^property: /],
      [{ sessions, load: {} }, /^load: expected a function/],
      [{ sessions: bare, load: () => 1 }, /^cache: expected a cache made by createCache\(\), for what load gives/],
      [{ sessions, key: 'user' }, /^key: expected a function/],
      [{ sessions, name: '' }, /^name: /],
      [{ sessions, ttl: 'soon' }, /^ttl: /],
      [{ sessions, refreshAfter: 0 }, /^refreshAfter: /],
      [{ sessions, onUnauthorized: 401 }, /^onUnauthorized: expected a function/],
    ];
    for (const [options, message] of bad) expect(() => authMiddleware(options)).toThrow(message);
  });

  test('a request with ten thousand cookies is answered', async () => {
    const { sessions } = await start();
    const auth = authMiddleware({ sessions });
    const listener = (req, res) => auth(req, res, () => res.end('in'));
    const listening = await new Promise((resolve) => {
      const app = http
        .createServer({ maxHeaderSize: 200_000 }, listener)
        .listen(0, '127.0.0.1', () => resolve(app.address()));
      onCleanUp(() => new Promise((done) => app.close(done)));
    });
    const { id } = await sessions.create();
    const header = `${'a=b;'.repeat(10_000)}sid=${id}`;
    const began = performance.now();
    expect((await request(listening, '/', { headers: { cookie: header } })).status).toBe(401);
    expect(performance.now() - began).toBeLessThan(500 * PATIENCE);
  });
});
