'use strict';
// The copy of a response: streams pass through, and only whole ones are kept.
const http = require('node:http');
const zlib = require('node:zlib');
const express4 = require('express4');
const express5 = require('express');
const { cacheResponse } = require('../../lib/http');
const { serve, request, until, cleanUp, onCleanUp } = require('../helpers/http');
const { memoryCache } = require('../helpers/memory-cache');

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

test('every way to write a body', async () => {
  const buffer = Buffer.alloc(4, 'a');
  /** @type {Record<string, (res: any) => void>} */
  const ways = {
    '/end': (res) => res.end('aaaa'),
    '/end-encoded': (res) => res.end('YWFhYQ==', 'base64'),
    '/end-callback': (res) => res.end(() => {}),
    '/end-chunk-callback': (res) => res.end('aaaa', () => {}),
    '/write': (res) => {
      res.write('aa', 'latin1', () => {});
      res.write(new Uint8Array([97, 97]));
      res.end();
    },
    '/reused-buffer': (res) => {
      res.write(buffer);
      res.write(buffer, () => {
        buffer.fill('b');
        res.end(buffer, () => buffer.fill('c'));
      });
    },
    '/flushed': (res) => {
      res.flushHeaders();
      res.end('aaaa');
    },
    '/utf-8': (res) => res.end('äöü€'),
    '/empty': (res) => res.end(''),
  };
  const server = await start((req, res) => ways[req.url](res));
  for (const path of Object.keys(ways)) {
    const first = await request(server, path);
    const second = await request(server, path);
    expect([path, second.cacheStatus]).toEqual([path, expect.stringContaining('hit')]);
    expect([path, second.body]).toEqual([path, first.body]);
    expect(second.headers['content-length']).toBe(String(first.bytes.length));
  }
  expect((await request(server, '/reused-buffer')).body).toBe('aaaaaaaabbbb');
});

test('a stream reaches the client while it is being written', async () => {
  /** @type {any} */
  let open;
  const server = await start((req, res) => {
    open = res;
    res.write('first');
  });
  let text = '';
  let isEnd = false;
  http.get({ host: '127.0.0.1', port: server.port, path: '/', agent: false }, (res) => {
    res.on('data', (chunk) => (text += chunk)).on('end', () => (isEnd = true));
  });
  await until(() => text === 'first');
  open.end(' last');
  await until(() => isEnd);
  expect(text).toBe('first last');
  expect((await request(server, '/')).body).toBe('first last');
});

test('write says when the client is slow', async () => {
  const answers = /** @type {boolean[]} */ ([]);
  const server = await start((req, res) => {
    answers.push(res.write('x'), res.write(Buffer.alloc(1 << 20)));
    res.once('drain', () => res.end());
  });
  const { bytes } = await request(server, '/');
  expect(bytes).toHaveLength((1 << 20) + 1);
  expect(answers[1]).toBe(false);
});

test('past maxBodyBytes the copy is dropped, not the response', async () => {
  const server = await start(
    (req, res) => {
      const size = Number(req.url.slice(2));
      if (req.url[1] === 'l') res.setHeader('Content-Length', size);
      if (req.url[1] !== 'e') res.write(Buffer.alloc(size - 1));
      res.end(Buffer.alloc(req.url[1] === 'e' ? size : 1));
    },
    { maxBodyBytes: 1000 },
  );
  for (const [path, isKept] of /** @type {Array<[string, boolean]>} */ ([
    ['/e1000', true],
    ['/e1001', false],
    ['/l1000', true],
    ['/l1001', false],
    ['/c1000', true],
    ['/c1001', false],
  ])) {
    const first = await request(server, path);
    expect(first.bytes).toHaveLength(Number(path.slice(2)));
    // Of a stream without a length it is not known before.
    if (path[1] !== 'c') expect(first.cacheStatus.includes('stored')).toBe(isKept);
    const second = await request(server, path);
    expect(second.bytes).toHaveLength(Number(path.slice(2)));
    expect([path, second.cacheStatus.includes('hit')]).toEqual([path, isKept]);
  }
});

test('a response that is cut off is not stored', async () => {
  let runs = 0;
  const server = await start((req, res) => {
    runs++;
    res.writeHead(200);
    res.write('half');
    setImmediate(() => {
      res.destroy();
      // A handler that does not look may end it all the same.
      if (req.url === '/end') res.end();
    });
  });
  for (const path of ['/destroy', '/destroy', '/end', '/end']) {
    await expect(request(server, path)).rejects.toThrow();
  }
  expect(runs).toBe(4);
});

test('one whose length is not the announced one is not stored', async () => {
  let runs = 0;
  const server = await start((req, res) => {
    runs++;
    res.setHeader('Content-Length', req.url === '/short' ? 10 : 2);
    res.write('half');
    res.end();
    res.socket?.destroySoon();
  });
  await expect(request(server, '/short')).rejects.toThrow();
  await expect(request(server, '/short')).rejects.toThrow();
  await request(server, '/long').catch(() => {});
  await request(server, '/long').catch(() => {});
  expect(runs).toBe(4);
});

test('one whose client left before the end is not stored', async () => {
  /** @type {any} */
  let open;
  let runs = 0;
  const server = await start((req, res) => {
    runs++;
    if (runs > 1) return res.end('whole');
    open = res;
    res.write('half');
  });
  const req = http.get({ host: '127.0.0.1', port: server.port, path: '/', agent: false }, (res) => {
    res.on('error', () => {}).once('data', () => req.destroy());
  });
  req.on('error', () => {});
  await until(() => open?.destroyed);
  open.end();
  expect((await request(server, '/')).body).toBe('whole');
  expect(runs).toBe(2);
});

test('a handler that calls end or writeHead wrongly meets the errors of Node', async () => {
  const seen = /** @type {string[]} */ ([]);
  const server = await start((req, res) => {
    const note = (/** @type {() => void} */ call) => {
      try {
        call();
      } catch (error) {
        seen.push(/** @type {any} */ (error).code);
      }
    };
    res.on('error', () => {});
    note(() => res.end(7));
    note(() => res.writeHead(200, { 'X-Bad': 'line\nbreak' }));
    note(() => res.writeHead(200, ['X-Odd']));
    res.end('right');
    note(() => res.writeHead(200));
    res.end('again');
  });
  expect((await request(server, '/')).body).toBe('right');
  expect(seen).toEqual(['ERR_INVALID_ARG_TYPE', 'ERR_INVALID_CHAR', 'ERR_INVALID_ARG_VALUE', 'ERR_HTTP_HEADERS_SENT']);
  const hit = await request(server, '/');
  expect(hit.cacheStatus).toContain('hit');
  expect(hit.body).toBe('right');
});

/** What the `compression` package does to a response, in short. */
function compression(/** @type {any} */ req, /** @type {any} */ res, /** @type {any} */ next) {
  const { write, end, writeHead } = res;
  /** @type {any} */
  let gzip;
  res.writeHead = function (/** @type {any} */ status) {
    res.vary('Accept-Encoding');
    if (/gzip/.test(req.headers['accept-encoding'] ?? '') && !res.getHeader('Content-Encoding') && !gzip) {
      gzip = zlib.createGzip();
      gzip.on('data', (/** @type {any} */ chunk) => write.call(res, chunk));
      gzip.on('end', () => end.call(res));
      res.setHeader('Content-Encoding', 'gzip');
      res.removeHeader('Content-Length');
    }
    return writeHead.call(res, status);
  };
  res.write = function (/** @type {any} */ chunk, /** @type {any} */ encoding) {
    if (!res.headersSent) res.writeHead(res.statusCode);
    return gzip ? gzip.write(Buffer.from(chunk, encoding)) : write.call(res, chunk, encoding);
  };
  res.end = function (/** @type {any} */ chunk, /** @type {any} */ encoding) {
    if (!res.headersSent) res.writeHead(res.statusCode);
    if (!gzip) return end.call(res, chunk, encoding);
    gzip.end(chunk === undefined ? undefined : Buffer.from(chunk, encoding));
    return res;
  };
  next();
}

describe.each([
  ['4', express4],
  ['5', express5],
])('Express %s', (version, express) => {
  test.each(['before', 'after'])('compression %s the cache', async (order) => {
    let runs = 0;
    const app = /** @type {any} */ (express)();
    const caching = cacheResponse({ cache: newCache(), ttl: 60 });
    app.use(...(order === 'before' ? [compression, caching] : [caching, compression]));
    app.get('/send', (/** @type {any} */ req, /** @type {any} */ res) => {
      runs++;
      res.send('hello '.repeat(100));
    });
    app.get('/stream', (/** @type {any} */ req, /** @type {any} */ res) => {
      runs++;
      for (let i = 0; i < 100; i++) res.write('hello ');
      res.end();
    });
    const server = await serve(app);
    for (const path of ['/send', '/stream']) {
      for (const encoding of ['gzip', 'gzip', 'identity', 'identity']) {
        const answer = await request(server, path, { headers: { 'accept-encoding': encoding } });
        expect(answer.headers['content-encoding']).toBe(encoding === 'gzip' ? 'gzip' : undefined);
        const body = encoding === 'gzip' ? zlib.gunzipSync(answer.bytes) : answer.bytes;
        expect(String(body)).toBe('hello '.repeat(100));
        expect(answer.headers.vary).toMatch(/accept-encoding/i);
      }
    }
    // Outside of the cache, one plain copy serves all; inside, there is one per encoding.
    expect(runs).toBe(order === 'before' ? 2 : 4);
  });

  test('files, JSON and what Express answers to conditions', async () => {
    let runs = 0;
    const app = /** @type {any} */ (express)();
    app.use(cacheResponse({ cache: newCache(), ttl: 60 }));
    app.get('/file', (/** @type {any} */ req, /** @type {any} */ res) => {
      runs++;
      res.sendFile(__filename, { maxAge: 60_000 });
    });
    app.get('/json', (/** @type {any} */ req, /** @type {any} */ res) => {
      runs++;
      res.json({ a: 'ä' });
    });
    const server = await serve(app);
    for (const path of ['/file', '/json']) {
      const first = await request(server, path);
      const second = await request(server, path);
      expect(second.cacheStatus).toContain('hit');
      expect(second.bytes.equals(first.bytes)).toBe(true);
      expect(second.headers['content-type']).toBe(first.headers['content-type']);
      expect(second.headers.etag).toBe(first.headers.etag);
      const same = await request(server, path, { headers: { 'if-none-match': first.headers.etag } });
      expect(same.status).toBe(304);
    }
    expect(runs).toBe(2);
  });
});

test('a cookie that an outer layer adds with the head keeps the page out', async () => {
  let visitors = 0;
  const app = express5();
  app.use((req, res, next) => {
    // As express-session does: the cookie is set when the head is written.
    const { writeHead } = /** @type {any} */ (res);
    /** @type {any} */ (res).writeHead = function (/** @type {any[]} */ ...args) {
      res.setHeader('Set-Cookie', `sid=${++visitors}`);
      return writeHead.apply(res, args);
    };
    next();
  });
  app.use(cacheResponse({ cache: newCache(), ttl: 60 }));
  app.use((req, res) => void res.send(`visitor ${visitors + 1}`));
  const server = await serve(app);
  expect((await request(server, '/')).body).toBe('visitor 1');
  expect((await request(server, '/')).body).toBe('visitor 2');
});

test('fields of outer layers are theirs: they are set anew with every hit', async () => {
  let count = 0;
  const app = express5();
  app.use((req, res, next) => {
    res.setHeader('X-Request-Id', String(++count));
    res.setHeader('X-Layer', ['a', 'b']);
    next();
  });
  app.use(cacheResponse({ cache: newCache(), ttl: 60 }));
  app.use((req, res) => void res.set('X-Inner', 'i').append('X-Layer', 'c').send('x'));
  const server = await serve(app);
  await request(server, '/');
  const hit = await request(server, '/');
  expect(hit.cacheStatus).toContain('hit');
  expect(hit.headers['x-request-id']).toBe('2');
  expect(hit.headers['x-inner']).toBe('i');
  expect(hit.headers['x-layer']).toBe('a, b, c');
});
