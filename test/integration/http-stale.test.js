'use strict';
// Stale answers: while the page is made anew, and when it cannot be. RFC 5861, RFC 9111 section 4.2.4.
const express4 = require('express4');
const express5 = require('express');
const { createCache } = require('../../lib');
const { cacheResponse } = require('../../lib/http');
const { serve, request, cleanUp, onCleanUp } = require('../helpers/http');
const { everywhere } = require('../helpers/http-site');
const { memoryCache, ownNamespace } = require('../helpers/memory-cache');
const { delay, until } = require('../helpers/until');
const { RedisServer } = require('../helpers/redis-server');

// Fresh for so short that a test need not wait for a whole second, which is the least a directive can say.
const BRIEF = { ttl: '100ms' };
const AGED_MS = 200;

const text = (/** @type {any} */ res, /** @type {string} */ control, /** @type {string} */ body) =>
  res.setHeader('Cache-Control', control).end(body);

everywhere((test) => {
  test('stale-while-revalidate: answered at once, and made anew once, behind it', async (start) => {
    /** @type {any[]} */
    const held = [];
    const site = await start((req, res, run) => {
      const send = () => text(res, 'max-age=1, stale-while-revalidate=60', `run ${run}`);
      if (run === 1) send();
      else held.push(send);
    });
    await site.get('/');
    await delay(1100);
    const stale = await Promise.all(Array.from({ length: 8 }, () => site.get('/')));
    expect(stale.map(({ body }) => body)).toEqual(Array(8).fill('run 1'));
    for (const { cacheStatus, headers } of stale) {
      expect(cacheStatus).toMatch(/^tiercel; hit; ttl=-\d+; detail=(memory|redis)$/);
      expect(Number(headers.age)).toBeGreaterThan(0);
    }
    await until('a background run', () => held.length > 0);
    expect((await site.get('/')).body).toBe('run 1');
    expect(site.runs).toBe(2);
    held[0]();
    await until('the new page', async () => (await site.get('/')).body === 'run 2');
    expect(site.runs).toBe(2);
  });

  test('behind the window nobody is answered by what is stale', async (start) => {
    const site = await start((req, res, run) => res.end(`run ${run}`), { ...BRIEF, staleWhileRevalidate: '200ms' });
    await site.get('/');
    await delay(AGED_MS + 200);
    expect((await site.get('/')).body).toBe('run 2');
  });

  test('a background run that fails leaves what there is, and the next one is tried', async (start) => {
    const site = await start((req, res, run) => {
      if (run === 2) res.statusCode = 503;
      text(res, ['stale-while-revalidate=60, stale-if-error=60', 'no-store', 'max-age=60'][run - 1], `run ${run}`);
    }, BRIEF);
    await site.get('/');
    await delay(AGED_MS);
    expect((await site.get('/')).body).toBe('run 1');
    await until('a failed run', () => site.runs === 2);
    await until('the next one', async () => (await site.get('/')).body !== 'run 1');
    expect((await site.get('/')).body).toBe('run 3');
  });

  test('stale-if-error: one handler fails for all who wait', async (start) => {
    const site = await start(async (req, res, run) => {
      if (run === 1) return void text(res, 'stale-if-error=60', 'run 1');
      await delay(150);
      res.statusCode = 503;
      res.end();
    }, BRIEF);
    await site.get('/');
    await delay(AGED_MS);
    const answers = await Promise.all(Array.from({ length: 8 }, () => site.get('/')));
    expect(answers.map(({ status, body }) => `${status} ${body}`)).toEqual(Array(8).fill('200 run 1'));
    expect(site.runs).toBe(2);
  });

  describe('stale-if-error', () => {
    /** @param {any} start @param {number} status @param {string} control */
    const failing = (start, status, control) =>
      start(
        (/** @type {any} */ req, /** @type {any} */ res, /** @type {number} */ run) => {
          if (run > 1) res.statusCode = status;
          text(res, run > 1 ? 'no-store' : control, `run ${run}`);
        },
        { ...BRIEF, staleIfDisconnected: 0 },
      );

    test('500, 502, 503 and 504 within the window, and behind it', async (start) => {
      const statuses = [500, 502, 503, 504];
      const sites = await Promise.all(statuses.map((status) => failing(start, status, 'max-age=1, stale-if-error=1')));
      const all = () => Promise.all(sites.map((site) => site.get('/')));
      await all();
      await delay(1100);
      for (const [at, stale] of (await all()).entries()) {
        const status = statuses[at];
        expect([status, stale.status, stale.body]).toEqual([status, 200, 'run 1']);
        expect(stale.cacheStatus).toBe(`tiercel; fwd=stale; fwd-status=${status}; detail=stale-if-error`);
        expect(Number(stale.headers.age)).toBeGreaterThanOrEqual(1);
      }
      await delay(1000);
      expect((await all()).map(({ status, body }) => [status, body])).toEqual(statuses.map((is) => [is, 'run 3']));
    });

    test('never with must-revalidate, proxy-revalidate or s-maxage', async (start) => {
      const directives = ['must-revalidate', 'proxy-revalidate', 's-maxage=1'];
      const sites = await Promise.all(
        directives.map((directive) =>
          failing(start, 503, `max-age=1, ${directive}, stale-if-error=60, stale-while-revalidate=60`),
        ),
      );
      const all = () => Promise.all(sites.map((site) => site.get('/')));
      await all();
      await delay(1100);
      const statuses = (await all()).map(({ status }, at) => [directives[at], status]);
      expect(statuses).toEqual(directives.map((directive) => [directive, 503]));
    });

    test('404 is no error of this kind', async (start) => {
      const site = await failing(start, 404, 'stale-if-error=60');
      await site.get('/');
      await delay(AGED_MS);
      expect((await site.get('/')).status).toBe(404);
    });
  });

  test('502 and 504 without a directive: what is stored stands in, for as long as it is kept', async (start) => {
    const site = await start((req, res, run) => {
      if (run > 1) res.statusCode = run === 2 ? 502 : run === 3 ? 504 : 500;
      text(res, run > 1 ? 'no-store' : '', `run ${run}`);
    }, BRIEF);
    await site.get('/');
    await delay(AGED_MS);
    for (const status of [502, 504]) {
      const { body, cacheStatus } = await site.get('/');
      expect([body, cacheStatus]).toEqual(['run 1', `tiercel; fwd=stale; fwd-status=${status}; detail=stale-if-error`]);
    }
    // It was reached, and said no.
    expect((await site.get('/')).status).toBe(500);
  });
});

describe.each([
  ['4', express4],
  ['5', express5],
])('behind a login in Express %s', (version, express) => {
  afterEach(cleanUp);

  test('the background run passes all that stands before the cache, with the fields of the request', async () => {
    const cache = memoryCache();
    onCleanUp(() => cache.close());
    /** @type {any[]} */
    const seen = [];
    let runs = 0;
    const app = /** @type {any} */ (express)();
    app.use((/** @type {any} */ req, /** @type {any} */ res, /** @type {any} */ next) => {
      seen.push([req.url, req.headers['x-key'], req.ip]);
      if (req.headers['x-key'] !== 'right') return void res.status(401).send('who are you');
      req.user = 'alice';
      next();
    });
    const router = /** @type {any} */ (express).Router();
    router.use(cacheResponse({ cache, ttl: '100ms', staleWhileRevalidate: 60 }));
    router.get('/page', (/** @type {any} */ req, /** @type {any} */ res) =>
      res.send(`${req.user} ${req.query.q} ${++runs}`),
    );
    app.use('/shop', router);
    const server = await serve(app);
    const get = (key = 'right') => request(server, '/shop/page?q=1', { headers: { 'x-key': key } });
    expect((await get()).body).toBe('alice 1 1');
    await delay(150);
    expect((await get('wrong')).status).toBe(401);
    expect((await get()).body).toBe('alice 1 1');
    await until('a background run', () => runs === 2);
    expect(seen).toHaveLength(4);
    expect(seen[3]).toEqual(seen[2]);
    await until('the new page', async () => (await get()).body === 'alice 1 2');
  });
});

describe('of several processes', () => {
  /** @type {any} */
  let redis;
  beforeAll(async () => (redis = await RedisServer.start()));
  afterEach(cleanUp);
  afterAll(() => redis.stop());

  test('one makes the page anew, for all', async () => {
    const namespace = ownNamespace();
    let runs = 0;
    const servers = [];
    for (let i = 0; i < 3; i++) {
      const cache = createCache({ redis: redis.url, namespace });
      onCleanUp(() => cache.close());
      await until('a connection', async () => (await cache.health()).redis === 'ok');
      const app = (/** @type {any} */ req, /** @type {any} */ res) => {
        const run = ++runs;
        setTimeout(() => text(res, 'max-age=1, stale-while-revalidate=60', `run ${run}`), run === 1 ? 0 : 100);
      };
      servers.push(await serve(cacheResponse.front(app, { cache })));
    }
    const headers = { host: 'a.test' };
    const all = () => Promise.all(servers.flatMap((server) => [1, 2].map(() => request(server, '/', { headers }))));
    await request(servers[0], '/', { headers });
    await all();
    await delay(1100);
    expect((await all()).map(({ body }) => body)).toEqual(Array(6).fill('run 1'));
    await until('a background run', () => runs > 1);
    await until('the new page everywhere', async () => (await all()).every(({ body }) => body === 'run 2'));
    expect(runs).toBe(2);
  });
});
