'use strict';
// More than one cacheResponse on the way, and caches that fail.
const express4 = require('express4');
const express5 = require('express');
const { cacheResponse } = require('../../lib/http');
const { HttpCache } = require('../../lib/http/http-cache');
const { serve, request, cleanUp, onCleanUp } = require('../helpers/http');
const { memoryCache } = require('../helpers/memory-cache');

afterEach(cleanUp);

function newCache() {
  const cache = memoryCache();
  onCleanUp(() => cache.close());
  return cache;
}

describe.each([
  ['4', express4],
  ['5', express5],
])('Express %s', (version, express) => {
  /**
   * @param {any[]} layers
   * @param {(req: any, res: any, run: number) => void} [handler]
   */
  function build(layers, handler = (req, res, run) => res.send(`run ${run}`)) {
    const built = { app: /** @type {any} */ (express)(), runs: 0 };
    built.app.use(...layers);
    built.app.use((/** @type {any} */ req, /** @type {any} */ res) => {
      handler(req, res, ++built.runs);
    });
    return built;
  }

  test.each(['one cache', 'two caches'])('two middlewares in one chain, %s', async (caches) => {
    const cache = newCache();
    const other = caches === 'one cache' ? cache : newCache();
    const built = build([
      cacheResponse({ cache, ttl: 60, name: 'outer' }),
      cacheResponse({ cache: other, ttl: 60, name: 'inner' }),
    ]);
    const server = await serve(built.app);
    const first = await request(server, '/');
    expect(first.body).toBe('run 1');
    expect(first.cacheStatus).toBe('inner; fwd=uri-miss; stored, outer; fwd=uri-miss; stored');
    const answers = await Promise.all([request(server, '/'), request(server, '/x'), request(server, '/x')]);
    expect(answers[0].body).toBe('run 1');
    expect(answers[0].cacheStatus).toMatch(/outer; hit; ttl=\d+$/);
    expect(answers[1].body).toBe(answers[2].body);
    expect(built.runs).toBe(2);
    // A change drops both copies.
    await request(server, '/', { method: 'POST' });
    expect((await request(server, '/')).body).toBe('run 4');
  });

  test('the same middleware twice', async () => {
    const caching = cacheResponse({ cache: newCache(), ttl: 60 });
    const built = build([caching, caching]);
    const server = await serve(built.app);
    const answers = await Promise.all([request(server, '/'), request(server, '/')]);
    expect(answers.map((answer) => answer.body)).toEqual(['run 1', 'run 1']);
    expect((await request(server, '/')).cacheStatus).toMatch(/^tiercel; hit; ttl=\d+$/);
    expect((await request(server, '/', { method: 'POST' })).cacheStatus).toBe('tiercel; fwd=method');
  });

  test('an inner hit is an aged answer for the outer one', async () => {
    const inner = newCache();
    const built = build([cacheResponse({ cache: inner, ttl: 60 })], (req, res) => {
      res.set('Age', '50').send('x');
    });
    const direct = await serve(built.app);
    await request(direct, '/', { headers: { host: 'a.test' } });
    const server = await serve(cacheResponse.front(built.app, { cache: newCache(), ttl: 60, name: 'outer' }));
    await request(server, '/', { headers: { host: 'a.test' } });
    const hit = await request(server, '/', { headers: { host: 'a.test' } });
    expect(hit.headers.age).toMatch(/^5[01]$/);
    expect(hit.cacheStatus).toMatch(/outer; hit; ttl=(9|10)$/);
  });

  test('what is stored behind a login is not served in front of it', async () => {
    const cache = newCache();
    const guarded = build([
      (/** @type {any} */ req, /** @type {any} */ res, /** @type {any} */ next) => {
        if (req.headers['x-key'] === 'right') next();
        else res.status(401).send('who are you');
      },
      cacheResponse({ cache, ttl: 60 }),
    ]);
    // The one in front stores nothing by itself, as it has no ttl.
    const server = await serve(cacheResponse.front(guarded.app, { cache }));
    const headers = { 'x-key': 'right' };
    expect((await request(server, '/', { headers })).body).toBe('run 1');
    expect((await request(server, '/', { headers })).cacheStatus).toMatch(/^tiercel; hit.*, tiercel; fwd=uri-miss$/);
    expect((await request(server, '/')).status).toBe(401);
    // Nor when the login's process stored it without anything in front.
    const direct = await serve(guarded.app);
    const host = 'a.test';
    expect((await request(direct, '/', { headers: { ...headers, host } })).cacheStatus).toContain('stored');
    expect((await request(server, '/', { headers: { host } })).status).toBe(401);
  });

  test('next is called once', async () => {
    const caching = cacheResponse({ cache: newCache(), ttl: 60 });
    let calls = 0;
    const built = build([
      (/** @type {any} */ req, /** @type {any} */ res, /** @type {any} */ next) =>
        caching(req, res, (error) => {
          calls++;
          next(error);
        }),
    ]);
    const server = await serve(built.app);
    await request(server, '/');
    expect(calls).toBe(1);
    await request(server, '/');
    expect(calls).toBe(1);
    await request(server, '/', { method: 'POST' });
    expect(calls).toBe(2);
    await request(server, '/', { headers: { authorization: 'x' } });
    expect(calls).toBe(3);
  });
});

describe('a cache that fails does not fail the request', () => {
  /** @param {Record<string, any>} broken */
  async function start(broken) {
    const store = {
      peek: () => undefined,
      read: async () => undefined,
      write: async () => true,
      remove: async () => true,
      ...broken,
    };
    const options = { cache: {}, store, ttlMs: 60_000, maxBodyBytes: 1000, key: undefined, name: 'tiercel' };
    const cache = new HttpCache(options, 'test');
    const runs = { count: 0 };
    const server = await serve((req, res) =>
      cache.handle(req, res, () => {
        runs.count++;
        res.end(`${req.method} answered`);
      }),
    );
    return { ...server, runs };
  }
  const throws = () => {
    throw new Error('broken');
  };
  const rejects = async () => throws();

  /** @type {Array<[string, any, string[]]>} */
  const failures = [
    ['throws', throws, ['peek', 'read', 'write', 'remove']],
    ['rejects', rejects, ['read', 'write', 'remove']], // peek is synchronous
  ];
  describe.each(failures)('%s', (how, failure, methods) => {
    test.each(methods)('%s', async (method) => {
      const server = await start({ [method]: failure });
      for (let i = 0; i < 2; i++) {
        const answers = await Promise.all([request(server, '/'), request(server, '/')]);
        expect(answers.map((answer) => answer.body)).toEqual(['GET answered', 'GET answered']);
        expect((await request(server, '/', { method: 'DELETE' })).body).toBe('DELETE answered');
      }
    });
  });

  const good = { http: 1, status: 200, message: '', etag: '', modified: '', age: 0, upstream: '', vary: [] };
  test.each([
    ['metadata is missing', {}],
    ['metadata is null', { metadata: null }],
    ['metadata is foreign', { metadata: { a: 1 } }],
    ['metadata is of another version', { metadata: { ...good, http: 2, head: ['Age', '', 'Cache-Status', ''] } }],
    ['the head is no head', { metadata: { ...good, head: 'x' } }],
    ['a field cannot be sent', { metadata: { ...good, head: ['X-A', 'a\nb', 'Age', '', 'Cache-Status', ''] } }],
    ['a name cannot be sent', { metadata: { ...good, head: ['X A', 'b', 'Age', '', 'Cache-Status', ''] } }],
    ['the status cannot be sent', { metadata: { ...good, status: 7, head: ['Age', '', 'Cache-Status', ''] } }],
    ['the payload is no Buffer', { payload: 'x', metadata: { ...good, head: ['Age', '', 'Cache-Status', ''] } }],
  ])('an entry whose %s is a miss', async (what, entry) => {
    const stored = { payload: Buffer.from('stored'), age: 0, ttl: 1000, ...entry };
    const server = await start({ peek: () => stored });
    const answer = await request(server, '/');
    expect(answer.body).toBe('GET answered');
    expect(answer.status).toBe(200);
    expect(answer.cacheStatus).toMatch(/^tiercel; fwd=uri-miss/);
    expect(answer.headers.age).toBeUndefined();
    const whole = {
      ...stored,
      payload: Buffer.from('stored'),
      metadata: { ...good, head: ['Age', '', 'Cache-Status', ''] },
    };
    expect((await request(await start({ peek: () => whole }), '/')).body).toBe('stored');
  });
});
