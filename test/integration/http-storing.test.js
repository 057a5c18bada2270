'use strict';
// What must never be stored, and never be answered from what is stored.
const { cacheResponse } = require('../../lib/http');
const { serve, request, cleanUp, onCleanUp } = require('../helpers/http');
const { memoryCache } = require('../helpers/memory-cache');

afterEach(cleanUp);

/**
 * @param {(req: any, res: any) => void} handler
 * @param {object} [options]
 */
async function start(handler, options) {
  const cache = memoryCache();
  onCleanUp(() => cache.close());
  const app = { runs: 0 };
  const listener = cacheResponse.front(
    (req, res) => {
      app.runs++;
      handler(req, res);
    },
    { cache, ttl: 60, ...options },
  );
  return { ...(await serve(listener)), app, cache, listener };
}

/** @type {Array<[string, Record<string, string>]>} */
const bypassed = [
  ['If-Match', { 'if-match': '"x"' }],
  ['a body', { 'content-length': '2' }],
];
test('a request with Authorization is served and stored only where the answer is explicitly shared', async () => {
  const server = await start((req, res) => {
    res.setHeader('Cache-Control', `${req.url.slice(1)}max-age=60`);
    res.end(req.headers.authorization ?? 'nobody');
  });
  const headers = { authorization: 'Basic YTpi' };
  for (const path of ['/', '/private,']) {
    expect((await request(server, path, { headers })).cacheStatus).toBe('tiercel; fwd=uri-miss');
    expect((await request(server, path)).body).toBe('nobody');
    expect((await request(server, path, { headers })).body).toBe('Basic YTpi');
  }
  for (const path of ['/public,', '/s-maxage=9,', '/must-revalidate,']) {
    expect((await request(server, path, { headers })).cacheStatus).toBe('tiercel; fwd=uri-miss; stored');
    expect((await request(server, path)).cacheStatus).toContain('hit');
    expect((await request(server, path, { headers })).cacheStatus).toContain('hit');
  }
});

test('a request with Range does not store its answer, and is answered from what is stored', async () => {
  const server = await start((req, res) => {
    if (!req.headers.range) return res.end('whole');
    res.writeHead(206, { 'Content-Range': 'bytes 0-1/5', 'Cache-Control': 'public, max-age=60' });
    res.end('wh');
  });
  const headers = { range: 'bytes=0-1' };
  expect((await request(server, '/', { headers })).cacheStatus).toBe('tiercel; fwd=uri-miss');
  expect((await request(server, '/')).body).toBe('whole');
  const part = await request(server, '/', { headers });
  expect([part.status, part.body, part.headers['content-range']]).toEqual([206, 'wh', 'bytes 0-1/5']);
  expect(part.cacheStatus).toContain('hit');
  expect(server.app.runs).toBe(2);
});

test.each(bypassed)('a request with %s: neither stored nor served', async (name, headers) => {
  const server = await start((req, res) => {
    res.setHeader('Cache-Control', 'public, max-age=60');
    res.end(Object.keys(headers).some((field) => req.headers[field]) ? 'special' : 'plain');
  });
  const body = headers['content-length'] ? 'ab' : undefined;
  const first = await request(server, '/', { headers, body });
  expect(first.body).toBe('special');
  expect(first.cacheStatus).toBe('tiercel; fwd=bypass');
  expect((await request(server, '/')).body).toBe('plain');
  expect((await request(server, '/')).cacheStatus).toContain('hit');
  expect((await request(server, '/', { headers, body })).body).toBe('special');
  expect(server.app.runs).toBe(3);
});

test('request no-store: the answer is not stored', async () => {
  const server = await start((req, res) => res.end('x'));
  const headers = { 'cache-control': 'no-store' };
  expect((await request(server, '/', { headers })).cacheStatus).toBe('tiercel; fwd=uri-miss');
  expect((await request(server, '/')).cacheStatus).toBe('tiercel; fwd=uri-miss; stored');
});

/** @type {Array<Record<string, any>>} */
const refusedFields = [
  { 'Set-Cookie': 'sid=1' },
  { 'Set-Cookie': ['sid=1', 'b=2'], 'Cache-Control': 'public, max-age=60' },
  { 'Cache-Control': 'private, max-age=60' },
  { 'Cache-Control': 'no-store' },
  { 'Cache-Control': 'no-cache' },
  { 'Cache-Control': 'max-age=0' },
  { 'Cache-Control': ['max-age=60', 'private=""'] },
  { Vary: '*' },
  { Vary: ['Accept-Encoding', '*'] },
  { 'Content-Type': 'text/event-stream' },
];
test.each(refusedFields)('a response with %j is not stored, and arrives as it is', async (fields) => {
  const server = await start((req, res) => {
    res.writeHead(200, fields);
    res.end(`run ${server.app.runs}`);
  });
  for (const run of ['run 1', 'run 2']) {
    const answer = await request(server, '/');
    expect(answer.body).toBe(run);
    expect(answer.cacheStatus).toBe('tiercel; fwd=uri-miss');
    for (const [name, value] of Object.entries(fields)) {
      const got = answer.raw.filter((_, at) => at % 2 === 1 && answer.raw[at - 1].toLowerCase() === name.toLowerCase());
      expect(got).toEqual([value].flat());
    }
  }
});

test.each([203, 204, 300, 301, 308, 404, 410])('status %i is stored with explicit freshness only', async (status) => {
  const server = await start((req, res) => {
    if (req.url === '/explicit') res.setHeader('Cache-Control', 'max-age=60');
    res.setHeader('Location', '/elsewhere');
    res.statusCode = status;
    res.end(status === 204 ? undefined : 'body');
  });
  await request(server, '/plain');
  expect((await request(server, '/plain')).cacheStatus).toBe('tiercel; fwd=uri-miss');
  await request(server, '/explicit');
  const hit = await request(server, '/explicit');
  expect(hit.cacheStatus).toContain('hit');
  expect(hit.status).toBe(status);
  expect(hit.body).toBe(status === 204 ? '' : 'body');
  expect(hit.headers['content-length']).toBe(status === 204 ? undefined : '4');
  expect(hit.headers.location).toBe('/elsewhere');
});

test.each([201, 302, 307, 400, 401, 403, 429, 500, 502, 503, 504])(
  'status %i is not stored without explicit freshness, whatever the ttl option says',
  async (status) => {
    const server = await start((req, res) => {
      res.writeHead(status, { 'Last-Modified': 'Sun, 06 Nov 1994 08:49:37 GMT' });
      res.end('body');
    });
    await request(server, '/');
    expect((await request(server, '/')).cacheStatus).toBe('tiercel; fwd=uri-miss');
    expect(server.app.runs).toBe(2);
  },
);

test.each([206, 304, 416])('status %i is never stored', async (status) => {
  const server = await start((req, res) => {
    res.writeHead(status, { 'Cache-Control': 'public, max-age=60', 'Content-Range': 'bytes 0-3/9' });
    res.end(status === 304 ? undefined : 'body');
  });
  await request(server, '/');
  expect((await request(server, '/')).cacheStatus).toBe('tiercel; fwd=uri-miss');
  expect(server.app.runs).toBe(2);
});

describe('a request with Cookie', () => {
  const headers = { cookie: 'sid=alice' };

  test('its answer is not stored', async () => {
    const server = await start((req, res) => res.end(req.headers.cookie ?? 'nobody'));
    expect((await request(server, '/', { headers })).body).toBe('sid=alice');
    expect((await request(server, '/')).body).toBe('nobody');
  });

  test.each(['public, max-age=60', 's-maxage=60'])('unless the app says %s', async (control) => {
    const server = await start((req, res) => {
      res.setHeader('Cache-Control', control);
      res.end('for all');
    });
    await request(server, '/', { headers });
    expect((await request(server, '/')).cacheStatus).toContain('hit');
  });

  test('it is answered from what is stored', async () => {
    const server = await start((req, res) => res.end('for all'));
    await request(server, '/');
    expect((await request(server, '/', { headers })).cacheStatus).toContain('hit');
  });
});

test('Vary: Accept-Encoding: another value is a miss, the same in other words a hit', async () => {
  const server = await start((req, res) => {
    res.setHeader('Vary', 'Accept-Encoding');
    res.end(`for ${req.headers['accept-encoding']}`);
  });
  const get = (/** @type {string} */ value) => request(server, '/', { headers: { 'accept-encoding': value } });
  await get('gzip, br');
  expect((await get('GZIP,br')).body).toBe('for gzip, br');
  const other = await get('identity');
  expect(other.body).toBe('for identity');
  expect(other.cacheStatus).toBe('tiercel; fwd=vary-miss; stored');
  expect((await get('identity')).cacheStatus).toContain('hit');
  expect((await request(server, '/')).body).toBe('for undefined');
});

test('fields of the connection are not replayed, nor what Connection names', async () => {
  const server = await start((req, res) => {
    res.writeHead(200, {
      Connection: 'close, X-Hop',
      'X-Hop': '1',
      'Keep-Alive': 'timeout=77',
      'Proxy-Authenticate': 'Basic',
      'Proxy-Connection': 'close',
      'Proxy-Authentication-Info': 'x',
      TE: 'trailers',
      Trailer: 'X-Sum',
      Upgrade: 'h2c',
      'Transfer-Encoding': 'chunked',
      'X-End': '1',
    });
    res.end('body');
  });
  await request(server, '/');
  const hit = await request(server, '/');
  expect(hit.cacheStatus).toContain('hit');
  expect(hit.headers['x-end']).toBe('1');
  expect(hit.headers['content-length']).toBe('4');
  expect(hit.headers.connection ?? '').not.toContain('X-Hop');
  expect(hit.headers['keep-alive'] ?? '').not.toContain('77');
  const gone =
    'x-hop proxy-authenticate proxy-connection proxy-authentication-info te trailer upgrade transfer-encoding';
  for (const name of gone.split(' ')) expect(hit.headers[name]).toBeUndefined();
});

describe('names, repeated lines and latin-1 values come back as they were', () => {
  const value = 'caf\xe9';
  /** @type {Array<[string, (res: any) => void]>} */
  const ways = [
    ['setHeader', (res) => res.setHeader('X-LATIN', value).setHeader('Link', ['<a>', '<b>']).setHeader('x-Number', 7)],
    [
      'writeHead with an object',
      (res) => res.writeHead(200, { 'X-LATIN': value, Link: ['<a>', '<b>'], 'x-Number': 7 }),
    ],
    [
      'writeHead with a flat array',
      (res) => res.writeHead(200, 'OK', ['X-LATIN', value, 'Link', '<a>', 'Link', '<b>', 'x-Number', 7]),
    ],
    [
      'both',
      (res) => {
        res.setHeader('Link', '<gone>').setHeader('X-LATIN', value);
        res.writeHead(200, ['Link', '<a>', 'link', '<b>', 'x-Number', '7']);
      },
    ],
  ];
  test.each(ways)('%s', async (way, send) => {
    const server = await start((req, res) => {
      send(res);
      // A Buffer: after a string Node itself would spoil the latin-1 value of the first answer.
      res.end(Buffer.from('body'));
    });
    for (const status of ['stored', 'hit']) {
      const { raw, cacheStatus, body } = await request(server, '/');
      expect(cacheStatus).toContain(status);
      expect(body).toBe('body');
      expect(raw[raw.indexOf('X-LATIN') + 1]).toBe(value);
      expect(raw[raw.indexOf('x-Number') + 1]).toBe('7');
      expect(raw.filter((_, at) => at % 2 === 1 && raw[at - 1] === 'Link')).toEqual(['<a>', '<b>']);
    }
  });

  test('a reason phrase too', async () => {
    const server = await start((req, res) => res.writeHead(200, 'Fine').end('body'));
    await request(server, '/');
    expect((await request(server, '/')).message).toBe('Fine');
  });
});

test('cache.stats() counts the entries that are stored, and removed by a purge', async () => {
  const server = await start((req, res) => {
    if (req.url === '/varies') res.setHeader('Vary', 'X-Tenant');
    if (req.url === '/private') res.setHeader('Cache-Control', 'private');
    res.end('body');
  });
  for (const path of ['/', '/', '/private']) await request(server, path);
  expect(server.cache.stats()).toMatchObject({ hits: 1, misses: 2, sets: 1, deletes: 0, loads: 0 });
  await request(server, '/varies');
  expect(server.cache.stats().sets).toBe(3); // the names that it varies by, and the answer
  await server.listener.purge({ url: `http://${server.host}/` });
  await server.listener.purge({ url: `http://${server.host}/` });
  expect(server.cache.stats().deletes).toBe(1);
});
