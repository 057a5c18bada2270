'use strict';
// More than one cacheResponse on the way, and caches that fail.
const express4 = require('express4');
const express5 = require('express');
const { cacheResponse } = require('../../lib/http');
const { HttpCache } = require('../../lib/http/flow/http-cache');
const { parseOptions } = require('../../lib/http/options');
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
    expect(answers[0].cacheStatus).toMatch(/outer; hit; ttl=\d+; detail=memory$/);
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
    expect((await request(server, '/')).cacheStatus).toMatch(/^tiercel; hit; ttl=\d+; detail=memory$/);
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
    expect(hit.cacheStatus).toMatch(/outer; hit; ttl=(9|10); detail=memory$/);
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
  /** @param {Record<string, any>} [broken] methods of the store */
  async function start(broken = {}) {
    const parsed = parseOptions({ cache: newCache(), ttl: 60 });
    const real = parsed.store;
    const store = /** @type {any} */ ({ maxTtl: real.maxTtl, still: real.still, available: true, behind: false });
    for (const name of ['peek', 'read', 'acquire', 'renew', 'write', 'remove', 'soften', 'countHit']) {
      store[name] = (/** @type {any[]} */ ...args) => /** @type {any} */ (real)[name](...args);
    }
    const cache = new HttpCache({ ...parsed, store: Object.assign(store, broken) }, 'test');
    const runs = { count: 0 };
    const server = await serve((req, res) =>
      cache.handle(req, res, () => {
        runs.count++;
        res.setHeader('Vary', 'X-A');
        res.end(`${req.method} answered`);
      }),
    );
    return { ...server, runs, store: real };
  }
  const throws = () => {
    throw new Error('broken');
  };
  const rejects = async () => throws();
  const leases = async () => ({
    lease: { current: true, fill: rejects, giveUp: rejects, stands: rejects },
  });

  /** @type {Array<[string, any, string[]]>} */
  const failures = [
    ['throws', throws, ['peek', 'acquire', 'renew', 'remove']],
    ['rejects', rejects, ['acquire', 'renew', 'remove']], // peek is synchronous
    ['gives leases that fail', leases, ['acquire']],
    ['says no', async () => false, ['write']],
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

  const good = {
    http: 2,
    status: 200,
    message: '',
    etag: '',
    modified: '',
    age: 0,
    life: 60_000,
    swr: 0,
    sie: 0,
    flags: 0,
    upstream: '',
  };
  const ours = { payload: Buffer.from('stored'), metadata: { ...good, head: ['X-A', 'b'] } };
  test.each([
    ['metadata is foreign', { metadata: { a: 1 } }],
    ['metadata is of another version', { metadata: { ...ours.metadata, http: 1 } }],
    ['the head is no head', { metadata: { ...good, head: 'x' } }],
    ['a field cannot be sent', { metadata: { ...good, head: ['X-A', 'a\nb'] } }],
    ['a name cannot be sent', { metadata: { ...good, head: ['X A', 'b'] } }],
    ['the status cannot be sent', { metadata: { ...ours.metadata, status: 7 } }],
  ])('an entry whose %s is a miss', async (what, entry) => {
    const server = await start();
    const write = (/** @type {string} */ path, /** @type {any} */ bytes) =>
      server.store.write(`test:GET:http://${server.host}${path}`, {
        ...ours,
        ...bytes,
        windows: { fresh: 60_000, stale: 60_000, keep: 60_000 },
        tags: [],
      });
    await write('/', entry);
    const answer = await request(server, '/');
    expect(answer.body).toBe('GET answered');
    expect(answer.status).toBe(200);
    expect(answer.cacheStatus).toMatch(/^tiercel; fwd=uri-miss/);
    expect(answer.headers.age).toBeUndefined();
    await write('/good', {});
    expect((await request(server, '/good')).body).toBe('stored');
  });

  test('what the cache holds under the key as a plain value is a miss, and is replaced', async () => {
    const server = await start();
    const cache = newCache();
    const plain = await serve(cacheResponse.front((req, res) => res.end('answered'), { cache, ttl: 60 }));
    await cache.set(`front:GET:http://${plain.host}/`, { not: 'a response' }, 60);
    expect((await request(plain, '/')).body).toBe('answered');
    expect((await request(plain, '/')).cacheStatus).toContain('hit');
    expect((await request(server, '/')).body).toBe('GET answered');
  });

  test('a cache that is closed', async () => {
    const cache = newCache();
    const server = await serve(
      cacheResponse.front((req, res) => res.end(`${req.method} answered`), { cache, ttl: 60 }),
    );
    await request(server, '/');
    await cache.close();
    for (const method of ['GET', 'GET', 'POST']) {
      expect((await request(server, '/', { method })).body).toBe(`${method} answered`);
    }
  });
});
