'use strict';
// Races and edges of the HTTP cache that no single request shows: who waits while the answer changes its state, clients
// that leave before an unsafe method is done, heads that are used again, HTTP/2.
const http = require('node:http');
const http2 = require('node:http2');
const { once } = require('node:events');
const express = require('express');
const { cacheResponse } = require('../../lib/http');
const { storeOf } = require('../../lib/store/store');
const { ParsedResponses } = require('../../lib/http/storage/parsed-responses');
const { DecodedValues } = require('../../lib/store/decoded-values');
const { exchange, request, serve, cleanUp, onCleanUp, until } = require('../helpers/http');
const { memoryCache } = require('../helpers/memory-cache');
const { delay, turns } = require('../helpers/until');

afterEach(cleanUp);

function newCache() {
  const cache = memoryCache();
  onCleanUp(() => cache.close());
  return cache;
}

/**
 * @param {(req: any, res: any) => void} handler
 * @param {object} [options]
 */
const start = (handler, options) => serve(cacheResponse.front(handler, { cache: newCache(), ttl: 60, ...options }));

/**
 * A request that fails instead of waiting for ever.
 * @param {{ port: number }} server
 * @param {string} path
 * @param {Parameters<typeof request>[2]} [options]
 */
const soon = (server, path, options) =>
  Promise.race([
    request(server, path, options),
    delay(2000).then(() => {
      throw new Error(`no answer from ${path}`);
    }),
  ]);

/**
 * A request whose client leaves as soon as the handler has it.
 * @param {{ port: number }} server
 * @param {string} path
 * @param {string} [method]
 */
function leaving(server, path, method = 'GET') {
  const req = http.request({ host: '127.0.0.1', port: server.port, path, method, agent: false });
  req.on('error', () => {});
  req.end();
  return req;
}

describe('collapsing', () => {
  test.each([
    ['ends', ['one ']],
    ['outgrows what is kept', ['one ', 'x'.repeat(2000), 'two']],
  ])('a body that %s in the turn in which it begins to stream reaches those who wait', async (_how, parts) => {
    /** @type {any[]} */
    const open = [];
    const server = await start((_req, res) => open.push(res), { maxBodyBytes: 1000 });
    const leader = soon(server, '/');
    await until(() => open.length === 1);
    const followers = [soon(server, '/'), soon(server, '/')];
    await turns(50);
    const answer = async (/** @type {any} */ res) => {
      for (const part of parts) {
        res.write(part);
        await null;
      }
      res.end();
    };
    void answer(open[0]);
    // Those who came too late for it run their own.
    const own = setInterval(() => {
      for (const res of open.splice(1)) void answer(res);
    }, 10);
    onCleanUp(() => clearInterval(own));
    for (const { body } of await Promise.all([leader, ...followers])) expect(body).toBe(parts.join(''));
  });

  test('a handler that nobody waits for any more hears that its client has gone', async () => {
    let closed = 0;
    let runs = 0;
    const server = await start(
      (_req, res) => {
        if (++runs > 1) return res.end('own');
        res.on('close', () => closed++);
      },
      { collapse: '300ms' },
    );
    const leader = leaving(server, '/');
    await until(() => runs === 1);
    const follower = soon(server, '/');
    await turns(50);
    leader.destroy();
    expect((await follower).body).toBe('own');
    await until(() => closed === 1);
  });

  test('a leader that leaves before its handler begins leaves it to one of those who wait', async () => {
    const cache = newCache();
    const { tiers } = storeOf(cache);
    const acquire = tiers.acquire.bind(tiers);
    /** @type {any} */
    let proceed;
    tiers.acquire = async (/** @type {any[]} */ ...args) => {
      tiers.acquire = acquire;
      await new Promise((resolve) => (proceed = resolve));
      return acquire(...args);
    };
    /** @type {boolean[]} */
    const connected = [];
    const caching = cacheResponse.front(
      (_req, res) => {
        connected.push(!res.destroyed);
        res.end('page');
      },
      { cache, ttl: 60 },
    );
    const server = await serve(caching);
    const leader = leaving(server, '/');
    await until(() => proceed);
    const followers = [soon(server, '/'), soon(server, '/')];
    await turns(50);
    leader.destroy();
    await turns(50);
    proceed();
    for (const { body } of await Promise.all(followers)) expect(body).toBe('page');
    expect(connected).toEqual([true]);
  });

  test('what the handler sets replaces what an outer layer has set, for those who read along, too', async () => {
    /** @type {any} */
    let open;
    const app = express();
    app.disable('x-powered-by');
    app.use((_req, res, next) => {
      res.setHeader('Cache-Control', 'no-store');
      res.setHeader('Content-Type', 'application/json');
      next();
    });
    app.use(cacheResponse({ cache: newCache() }));
    app.use((_req, res) => {
      open = res;
    });
    const server = await serve(app);
    const leader = soon(server, '/');
    await until(() => open);
    const follower = soon(server, '/');
    await turns(50);
    open.setHeader('Cache-Control', 'max-age=60');
    open.setHeader('Content-Type', 'text/plain');
    open.setHeader('Link', ['<a>', '<b>']);
    open.write('one ');
    await turns(50);
    open.end('two');
    await leader;
    const { headers, body, cacheStatus } = await follower;
    expect([body, cacheStatus]).toEqual(['one two', expect.stringContaining('collapsed')]);
    expect([headers['cache-control'], headers['content-type']]).toEqual(['max-age=60', 'text/plain']);
    expect(headers.link).toBe('<a>, <b>');
  });
});

test('a body shorter than announced is not stored when its client is answered with 304', async () => {
  let runs = 0;
  const server = await start((_req, res) => {
    runs++;
    res.writeHead(200, { ETag: '"v1"', 'Content-Length': '10' });
    if (runs === 1) res.write('half');
    else res.write('ten bytes!');
    res.end();
  });
  expect((await request(server, '/', { headers: { 'If-None-Match': '"v1"' } })).status).toBe(304);
  const next = await request(server, '/');
  expect([runs, next.body]).toEqual([2, 'ten bytes!']);
});

test.each([['PUT'], ['POST']])('a %s that succeeds after its client has gone invalidates', async (method) => {
  let version = 1;
  /** @type {any} */
  let open;
  const server = await start(
    (req, res) => {
      if (req.method === 'GET') return res.end(`v${version}`);
      open = res;
    },
    { storePost: false },
  );
  expect((await request(server, '/')).body).toBe('v1');
  expect((await request(server, '/')).cacheStatus).toContain('hit');
  const client = leaving(server, '/', method);
  await until(() => open);
  client.destroy();
  await once(open, 'close');
  version = 2;
  open.end('done');
  await turns(20);
  expect((await request(server, '/')).body).toBe('v2');
});

test('a connection that an outer layer closes is closed after every hit', async () => {
  const app = express();
  app.use((_req, res, next) => {
    res.setHeader('Connection', 'close');
    next();
  });
  app.use(cacheResponse({ cache: newCache(), ttl: 60 }));
  app.use((_req, res) => void res.end('page'));
  const server = await serve(app);
  for (let i = 0; i < 6; i++) {
    const bytes = await Promise.race([
      exchange(server, 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'),
      delay(1000).then(() => Buffer.from('the connection stayed open')),
    ]);
    expect([i, String(bytes)]).toEqual([i, expect.stringMatching(/Connection: close[^]*page$/)]);
  }
});

test('a purge by a URL that is written in other letters than the wire takes', async () => {
  const caching = cacheResponse.front((_req, res) => void res.end('page'), { cache: newCache(), ttl: 60 });
  const server = await serve(caching);
  const path = '/caf%C3%A9?q=%C3%BC';
  await request(server, path);
  expect((await request(server, path)).cacheStatus).toContain('hit');
  await caching.purge({ url: `http://127.0.0.1:${server.port}/café?q=ü` });
  expect((await request(server, path)).cacheStatus).not.toContain('hit');
});

describe('stale-while-revalidate', () => {
  test('a background run that hangs is given up, though it has read its request', async () => {
    let runs = 0;
    let closed = 0;
    const server = await start(
      (req, res) => {
        res.setHeader('Cache-Control', 'max-age=0, stale-while-revalidate=60');
        if (++runs === 1) return res.end('page');
        req.resume();
        res.on('close', () => closed++);
      },
      { leaseTimeout: '200ms' },
    );
    await request(server, '/');
    expect((await request(server, '/')).cacheStatus).toContain('hit');
    await until(() => runs === 2);
    await until(() => closed === 1);
    expect((await request(server, '/')).cacheStatus).toContain('hit');
    await until(() => runs === 3);
  });

  test('asks for the lease once for many stale hits', async () => {
    const cache = newCache();
    const { tiers } = storeOf(cache);
    const refresh = jest.spyOn(tiers, 'refresh');
    /** @type {any[]} */
    const open = [];
    const caching = cacheResponse.front(
      (_req, res) => {
        res.setHeader('Cache-Control', 'max-age=0, stale-while-revalidate=60');
        open.push(res);
        if (open.length === 1) res.end('page 1');
      },
      { cache },
    );
    const server = await serve(caching);
    await request(server, '/');
    for (let i = 0; i < 20; i++) expect((await request(server, '/')).body).toBe('page 1');
    await until(() => open.length === 2);
    expect(refresh).toHaveBeenCalledTimes(1);
    // A run that an invalidation has overtaken keeps nobody from the next.
    await caching.purge({ url: `http://127.0.0.1:${server.port}/` });
    const next = request(server, '/');
    await until(() => open.length === 3);
    open[2].end('page 3');
    expect((await next).body).toBe('page 3');
    expect((await request(server, '/')).body).toBe('page 3');
    await until(() => open.length === 4);
    open[1].end('page 2');
    open[3].end('page 4');
    await turns(20);
    expect((await request(server, '/')).body).toBe('page 4');
  });
});

test('an answer in another language does not take the place of one that was found by its language', async () => {
  let only = '';
  let isDown = false;
  const server = await start((req, res) => {
    if (isDown) return res.writeHead(502).end('down');
    const language = only || req.headers['accept-language'].slice(0, 2);
    res.setHeader('Cache-Control', 'max-age=0, stale-if-error=60');
    res.setHeader('Vary', 'Accept-Language');
    res.setHeader('Content-Language', language);
    res.end(language);
  });
  const ask = async (/** @type {string} */ wanted) => {
    await turns(20);
    return (await request(server, '/', { headers: { 'Accept-Language': wanted } })).body;
  };
  expect(await ask('en')).toBe('en');
  expect(await ask('fr')).toBe('fr');
  only = 'en';
  expect(await ask('fr, en;q=0.5')).toBe('en');
  isDown = true;
  expect(await ask('fr')).toBe('fr');
  expect(await ask('en')).toBe('en');
});

test('what is kept ready for hits is bounded, whatever it consists of', () => {
  let looked = 0;
  const head = ['Link', 'x'.repeat(8000)];
  const room = 8 * 1024 * 1024;
  const decodedValues = new DecodedValues(room, () => true);
  const entries = /** @type {any} */ ({
    decodedValues,
    behind: false,
    still: () => true,
    countHit() {},
    peek: () => ({
      payload: Buffer.alloc(1),
      metadata: { head },
      age: 0,
      fill: 1,
      token: 1,
      tags: [],
      looked: ++looked,
    }),
  });
  const kept = new ParsedResponses(entries);
  for (let at = 0; at < 5000; at++) kept.get(`key ${at}`);
  expect(looked).toBe(5000);
  // The head counts twice: as fields, and as Node sends it.
  expect(decodedValues.bytes).toBeGreaterThan(room * 0.9);
  expect(decodedValues.bytes).toBeLessThanOrEqual(room);
  const entriesThatFit = room / (2 * 8000 + 1024);
  for (let at = 4999; at >= 0; at--) kept.get(`key ${at}`);
  const found = 10_000 - looked;
  expect(found).toBeGreaterThan(entriesThatFit / 10);
  expect(found).toBeLessThanOrEqual(entriesThatFit);
});

describe('HTTP/2', () => {
  /**
   * @param {number} port
   * @param {Record<string, string>} headers
   */
  async function ask(port, headers) {
    const session = http2.connect(`http://127.0.0.1:${port}`);
    try {
      const stream = session.request({ ':path': '/', ...headers });
      stream.end();
      const [head] = await once(stream, 'response');
      let body = '';
      for await (const chunk of stream) body += chunk;
      return { head, body };
    } finally {
      session.close();
    }
  }

  test('a request passes, and an unsafe method invalidates', async () => {
    let version = 1;
    const cache = newCache();
    const handler = (/** @type {any} */ req, /** @type {any} */ res) => {
      if (req.method === 'PUT') {
        version++;
        res.statusCode = 204;
        return res.end();
      }
      res.end(`v${version} of ${req.headers[':authority'] ?? req.headers.host}`);
    };
    const caching = /** @type {any} */ (cacheResponse.front(handler, { cache, ttl: 60, warnings: false }));
    const server = http2.createServer(caching).listen(0, '127.0.0.1');
    await once(server, 'listening');
    onCleanUp(() => new Promise((done) => server.close(done)));
    const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
    const old = await serve(caching);
    for (const host of ['a.example', 'b.example']) {
      expect((await ask(port, { ':authority': host })).body).toBe(`v1 of ${host}`);
    }
    await request(old, '/', { headers: { Host: 'a.example' } });
    expect((await request(old, '/', { headers: { Host: 'a.example' } })).cacheStatus).toContain('hit');
    expect((await ask(port, { ':authority': 'a.example', ':method': 'PUT' })).head[':status']).toBe(204);
    await turns(20);
    expect((await request(old, '/', { headers: { Host: 'a.example' } })).body).toBe('v2 of a.example');
  });
});
