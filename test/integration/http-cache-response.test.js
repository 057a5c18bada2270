'use strict';
// What every mount must do: hits, misses, keys, freshness, conditions, HEAD, invalidation.
const express4 = require('express4');
const express5 = require('express');
const { cacheResponse } = require('../../lib/http');
const { serve, request, exchange, cleanUp, onCleanUp } = require('../helpers/http');
const { memoryCache } = require('../helpers/memory-cache');
const { timed } = require('../helpers/timed');

afterEach(cleanUp);

/** @typedef {(req: any, res: any) => void} Handler */
/** @type {Record<string, (handler: Handler, options: object) => import('node:http').RequestListener>} */
const mounts = {
  'Express 4': (handler, options) => express4().use(cacheResponse(options)).use(handler),
  'Express 5': (handler, options) => express5().use(cacheResponse(options)).use(handler),
  'in front of Express 4': (handler, options) => cacheResponse.front(express4().use(handler), options),
  'in front of Express 5': (handler, options) => cacheResponse.front(express5().use(handler), options),
  'in front of a plain listener': (handler, options) => cacheResponse.front(handler, options),
};

describe.each(Object.keys(mounts))('%s', (mount) => {
  /**
   * @param {Handler} handler
   * @param {object} [options]
   */
  async function start(handler, options = { ttl: 60 }) {
    const cache = memoryCache();
    onCleanUp(() => cache.close());
    const app = { runs: 0 };
    const counted = (/** @type {any} */ req, /** @type {any} */ res) => {
      app.runs++;
      handler(req, res);
    };
    const server = await serve(mounts[mount](counted, { cache, ...options }));
    return { ...server, app };
  }

  test('the second request is answered without the handler', async () => {
    const server = await start((req, res) => {
      res.setHeader('Content-Type', 'text/plain');
      res.end(`run for ${req.url}`);
    });
    const first = await request(server, '/a');
    const second = await request(server, '/a');
    expect(server.app.runs).toBe(1);
    expect(first.cacheStatus).toBe('tiercel; fwd=uri-miss; stored');
    expect(first.headers.age).toBeUndefined();
    expect(second.cacheStatus).toMatch(/^tiercel; hit; ttl=(59|60); detail=memory$/);
    expect(second.headers.age).toMatch(/^[01]$/);
    expect(second.status).toBe(200);
    expect(second.body).toBe('run for /a');
    expect(second.headers['content-type']).toBe('text/plain');
    expect(second.headers['content-length']).toBe('10');
    expect(second.headers.date).toBe(first.headers.date);
    expect(second.headers.etag).toMatch(/^"[\w-]+"$/);
    expect(second.headers.etag).toBe(first.headers.etag);
    // Field names in use are standard ones; Express adds its X-Powered-By itself.
    expect(second.raw.filter((name, at) => at % 2 === 0 && /^x-(?!powered-by)/i.test(name))).toEqual([]);
  });

  test('host, path and query make the key, the order of the query too', async () => {
    const server = await start((req, res) => res.end(`${req.headers.host}${req.url}`));
    const seen = [];
    for (const [path, host] of [
      ['/a', 'a.test'],
      ['/a', 'b.test'],
      ['/a?x=1&y=2', 'a.test'],
      ['/a?y=2&x=1', 'a.test'],
      ['/A', 'a.test'],
    ]) {
      seen.push((await request(server, path, { headers: { host } })).body);
    }
    expect(server.app.runs).toBe(5);
    expect(new Set(seen).size).toBe(5);
    expect((await request(server, '/a', { headers: { host: 'A.Test' } })).body).toBe('a.test/a');
    expect(server.app.runs).toBe(5);
  });

  test('a host with a slash, or a target with a host of its own, is neither stored nor answered', async () => {
    const server = await start((req, res) => res.end(`${req.headers.host} ${req.url}`));
    const odd = await request(server, '/y', { headers: { host: 'a.test/x' } });
    expect(odd.cacheStatus).toBe('tiercel; fwd=bypass');
    expect((await request(server, '/x/y', { headers: { host: 'a.test' } })).body).toBe('a.test /x/y');
    const target = 'GET http://good.test/p HTTP/1.1\r\nHost: evil.test\r\nConnection: close\r\n\r\n';
    expect(String(await exchange(server, target))).toMatch(/fwd=bypass/);
    expect((await request(server, '/p', { headers: { host: 'good.test' } })).cacheStatus).toMatch(/fwd=uri-miss/);
  });

  test('HEAD is answered from the GET entry, and never stored', async () => {
    const server = await start((req, res) => res.end('hello'));
    const miss = await request(server, '/a', { method: 'HEAD' });
    expect(miss.cacheStatus).toBe('tiercel; fwd=uri-miss');
    const get = await request(server, '/a');
    expect(get.body).toBe('hello');
    expect(server.app.runs).toBe(2);
    const head = await request(server, '/a', { method: 'HEAD' });
    expect(server.app.runs).toBe(2);
    expect(head.cacheStatus).toMatch(/hit/);
    expect(head.headers['content-length']).toBe('5');
    expect(head.headers.etag).toBe(get.headers.etag);
    expect(head.bytes).toHaveLength(0);
  });

  test('Cache-Control and Expires of the answer come before the ttl option', async () => {
    const server = await start((req, res) => {
      const { searchParams } = new URL(req.url, 'http://x');
      for (const [name, value] of searchParams) res.setHeader(name, value);
      res.end('x');
    });
    const ttlOf = async (/** @type {string} */ query) => {
      await request(server, `/?${query}`);
      return Number(/ttl=(\d+)/.exec((await request(server, `/?${query}`)).cacheStatus)?.[1]);
    };
    /** @param {number} ms */
    const date = (ms) => encodeURIComponent(new Date(Date.now() + ms).toUTCString());
    expect(await ttlOf('')).toBeGreaterThan(57);
    expect(await ttlOf('')).toBeLessThanOrEqual(60);
    expect(await ttlOf('cache-control=max-age=100')).toBeGreaterThan(97);
    expect(await ttlOf('cache-control=max-age=100,s-maxage=20')).toBeLessThanOrEqual(20);
    expect(await ttlOf(`expires=${date(200_000)}`)).toBeGreaterThan(195);
    expect(await ttlOf('cache-control=max-age=0')).toBeNaN();
    expect(await ttlOf('expires=0')).toBeNaN();
    expect(await ttlOf('cache-control=max-age=100&age=100')).toBeNaN();
    expect(await ttlOf('cache-control=max-age=100&age=90')).toBeLessThanOrEqual(10);
  });

  test('without ttl and without explicit freshness nothing is stored', async () => {
    const server = await start((req, res) => res.end('x'), {});
    await request(server, '/');
    expect((await request(server, '/')).cacheStatus).toBe('tiercel; fwd=uri-miss');
    expect(server.app.runs).toBe(2);
  });

  timed('an entry ends with its lifetime', async () => {
    const server = await start((req, res) => res.end('x'), { ttl: '150ms' });
    await request(server, '/');
    await request(server, '/');
    expect(server.app.runs).toBe(1);
    await new Promise((resolve) => setTimeout(resolve, 200));
    await request(server, '/');
    expect(server.app.runs).toBe(2);
  });

  test('Age goes on from the Age of the answer', async () => {
    const server = await start((req, res) => {
      res.setHeader('Age', '7');
      res.setHeader('Cache-Control', 'max-age=60');
      res.end('x');
    });
    expect((await request(server, '/')).headers.age).toBe('7');
    const hit = await request(server, '/');
    expect(hit.headers.age).toMatch(/^[78]$/);
    expect(hit.cacheStatus).toMatch(/ttl=5[123]; detail=memory$/);
  });

  test('conditions are judged against the stored response', async () => {
    const modified = 'Sun, 06 Nov 1994 08:49:37 GMT';
    const server = await start((req, res) => {
      res.setHeader('Content-Type', 'text/plain');
      res.setHeader('ETag', '"v1"');
      res.setHeader('Last-Modified', modified);
      res.setHeader('Cache-Control', 'max-age=60');
      res.end('hello');
    });
    await request(server, '/');
    for (const headers of [
      { 'if-none-match': '"v1"' },
      { 'if-none-match': 'W/"v0", W/"v1"' },
      { 'if-none-match': '*' },
      { 'if-modified-since': modified },
    ]) {
      const answer = await request(server, '/', { headers });
      expect(answer.status).toBe(304);
      expect(answer.bytes).toHaveLength(0);
      expect(answer.headers.etag).toBe('"v1"');
      expect(answer.headers['cache-control']).toBe('max-age=60');
      expect(answer.headers.age).toBeDefined();
      expect(answer.headers.date).toBeDefined();
      expect(answer.headers['content-type']).toBeUndefined();
      expect(answer.headers['content-length']).toBeUndefined();
      expect(answer.cacheStatus).toMatch(/hit/);
    }
    const other = await request(server, '/', { headers: { 'if-none-match': '"v2"', 'if-modified-since': modified } });
    expect(other.status).toBe(200);
    expect(other.body).toBe('hello');
    expect(server.app.runs).toBe(1);
  });

  test('an ETag made by us answers conditions', async () => {
    const server = await start((req, res) => {
      // In two writes: the first reader gets it before the body is known.
      res.write('hel');
      res.end('lo');
    });
    await request(server, '/');
    const { etag } = (await request(server, '/')).headers;
    expect(etag).toMatch(/^"[\w-]+"$/);
    expect((await request(server, '/', { headers: { 'if-none-match': etag } })).status).toBe(304);
    expect(server.app.runs).toBe(1);
  });

  test('a 304 that the app gave one client is not stored', async () => {
    const server = await start((req, res) => {
      if (req.headers['if-none-match'] === '"v1"') res.statusCode = 304;
      res.setHeader('ETag', '"v1"');
      res.setHeader('Cache-Control', 'max-age=60');
      res.end(res.statusCode === 304 ? undefined : 'hello');
    });
    expect((await request(server, '/', { headers: { 'if-none-match': '"v1"' } })).status).toBe(304);
    expect((await request(server, '/')).body).toBe('hello');
  });

  test.each(['POST', 'PUT', 'PATCH', 'DELETE'])(
    '%s that succeeds drops the page, one that fails does not',
    async (method) => {
      const server = await start((req, res) => {
        if (req.method !== 'GET') res.statusCode = Number(req.headers.answer);
        res.end(req.method);
      });
      for (const [answer, expected] of [
        [400, 'hit'],
        [500, 'hit'],
        [200, 'uri-miss'],
        [303, 'uri-miss'],
      ]) {
        await request(server, '/a');
        await request(server, '/b');
        const changed = await request(server, '/a', { method, headers: { answer } });
        expect(changed.body).toBe(method);
        expect(changed.cacheStatus).toBe('tiercel; fwd=method');
        expect((await request(server, '/a')).cacheStatus).toContain(expected);
        expect((await request(server, '/b')).cacheStatus).toContain('hit');
      }
    },
  );

  test('a safe method does not drop the page, and is not answered from it', async () => {
    const server = await start((req, res) => res.end(req.method));
    await request(server, '/a');
    expect((await request(server, '/a', { method: 'OPTIONS' })).body).toBe('OPTIONS');
    expect((await request(server, '/a')).cacheStatus).toContain('hit');
  });

  test('a page read before a change is not stored after it', async () => {
    /** @type {any} */
    let slow;
    const server = await start((req, res) => {
      if (req.method === 'GET' && !slow) slow = res;
      else res.end('new');
    });
    const reading = request(server, '/a');
    while (!slow) await new Promise((resolve) => setTimeout(resolve, 2));
    await request(server, '/a', { method: 'POST' });
    // It does not wait for the old one either.
    const after = request(server, '/a');
    expect((await after).body).toBe('new');
    slow.end('old');
    expect((await reading).body).toBe('old');
    expect((await request(server, '/a')).body).toBe('new');
  });

  test('the key and the name are options', async () => {
    const server = await start((req, res) => res.end(req.url), {
      ttl: 60,
      name: 'edge 1',
      key: (/** @type {any} */ req) => {
        if (req.url === '/broken') throw new Error('no key');
        return req.url.split('?')[0];
      },
    });
    expect((await request(server, '/a?1')).cacheStatus).toBe('"edge 1"; fwd=uri-miss; stored');
    expect((await request(server, '/a?2')).body).toBe('/a?1');
    expect((await request(server, '/broken')).cacheStatus).toBe('"edge 1"; fwd=bypass');
  });

  test('two connections that stay open are served in order', async () => {
    const server = await start((req, res) => res.end(`<${req.url}>`));
    await request(server, '/a');
    const get = (/** @type {string} */ path, more = '') =>
      `GET ${path} HTTP/1.1\r\nHost: ${server.host}\r\n${more}\r\n`;
    const text = String(await exchange(server, get('/a') + get('/b') + get('/a') + get('/a', 'Connection: close\r\n')));
    expect(text.match(/<\/[ab]>/g)).toEqual(['</a>', '</b>', '</a>', '</a>']);
    expect(server.app.runs).toBe(2);
  });
});

timed('Age grows', async () => {
  const cache = memoryCache();
  onCleanUp(() => cache.close());
  const app = (/** @type {any} */ req, /** @type {any} */ res) => res.setHeader('Age', '7').end('x');
  const server = await serve(cacheResponse.front(app, { cache, ttl: 60 }));
  await request(server, '/');
  await new Promise((resolve) => setTimeout(resolve, 1050));
  const { headers, cacheStatus } = await request(server, '/');
  expect(headers.age).toBe('8');
  expect(cacheStatus).toMatch(/ttl=51; detail=memory$/);
});

test('an error of a handler goes to the error handler, once, and is not stored', async () => {
  for (const express of [express4, express5]) {
    const cache = memoryCache();
    onCleanUp(() => cache.close());
    let errors = 0;
    const app = /** @type {any} */ (express)();
    app.use(cacheResponse({ cache, ttl: 60 }));
    app.get('/throws', () => {
      throw new Error('broken');
    });
    app.get('/half', (/** @type {any} */ req, /** @type {any} */ res, /** @type {any} */ next) => {
      res.set('X-Half', 'done');
      next(new Error('broken'));
    });
    app.use((/** @type {any} */ error, /** @type {any} */ req, /** @type {any} */ res, /** @type {any} */ next) => {
      errors++;
      if (error.message !== 'broken') return next(error);
      res.status(503).send(error.message);
    });
    const server = await serve(app);
    for (const path of ['/throws', '/throws', '/half', '/half', '/missing', '/missing']) {
      const answer = await request(server, path);
      expect(answer.status).toBe(path === '/missing' ? 404 : 503);
      expect(answer.cacheStatus).toBe('tiercel; fwd=uri-miss');
    }
    expect(errors).toBe(4);
  }
});

test('behind a mount path the whole path is the key', async () => {
  for (const express of [express4, express5]) {
    const cache = memoryCache();
    onCleanUp(() => cache.close());
    const app = /** @type {any} */ (express)();
    const caching = cacheResponse({ cache, ttl: 60 });
    app.use('/one', caching, (/** @type {any} */ req, /** @type {any} */ res) => res.send('one'));
    app.use('/two', caching, (/** @type {any} */ req, /** @type {any} */ res) => res.send('two'));
    const server = await serve(app);
    expect((await request(server, '/one/p')).body).toBe('one');
    expect((await request(server, '/two/p')).body).toBe('two');
    expect((await request(server, '/one/p')).cacheStatus).toContain('hit');
  }
});

test('mounts without a cache option share one', async () => {
  const url = process.env.REDIS_URL;
  const host = process.env.REDIS_HOST;
  delete process.env.REDIS_URL;
  delete process.env.REDIS_HOST;
  try {
    const app = (/** @type {any} */ req, /** @type {any} */ res) => res.end('x');
    const path = `/shared-${process.pid}`;
    const headers = { host: 'shared.test' };
    const one = await serve(cacheResponse.front(app, { ttl: 60 }));
    const two = await serve(cacheResponse.front(app, { ttl: 60 }));
    await request(one, path, { headers });
    expect((await request(two, path, { headers })).cacheStatus).toContain('hit');
  } finally {
    if (url !== undefined) process.env.REDIS_URL = url;
    if (host !== undefined) process.env.REDIS_HOST = host;
  }
});
