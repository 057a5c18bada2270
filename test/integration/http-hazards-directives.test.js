'use strict';
// Hazard: what the app says of its answer is ignored or rewritten, or the client has a say in it. Errors that are
// replayed, and streams of events.
const http = require('node:http');
const { everywhere, SOME_PLACES } = require('../helpers/http-site');
const { delay, until } = require('../helpers/until');

/** Header field lines of an answer, by name. */
const lines = ({ raw }, name) => raw.filter((_, at) => at % 2 === 1 && raw[at - 1].toLowerCase() === name);

const NEVER = [
  'no-store',
  'private',
  'no-cache',
  'max-age=0',
  's-maxage=0, max-age=60',
  'max-age=60, private',
  'max-age=60, no-store',
  'max-age=60, private="x-user"',
  // Not to be parsed as written: the strict reading counts.
  'max-age=60, private=',
  'max-age=60, private=""',
  'max-age=60, private="x-user',
  'max-age=60, private=x-user',
  'max-age=60, Private',
  'max-age=60, no-store=""',
  'max-age=60, no-store=1',
  'max-age=60, no-cache=',
  'max-age=60, no-cache=""',
  'max-age=60,, ,private',
  'x="max-age=60, public", private',
  'max-age="60, private',
  ['max-age=60', 'private'],
  ['private', 'max-age=60'],
  ['max-age=60', 'private='],
  ['public, max-age=60', 'no-store'],
];

everywhere((test) => {
  test.each(NEVER.map((value) => [value]))(
    'Cache-Control: %j: never reused, and it arrives as it is',
    async (start, value) => {
      // Even where the app gives a ttl for what says nothing.
      const site = await start(
        (req, res, run) => {
          res.setHeader('Cache-Control', value);
          res.end(String(run));
        },
        { ttl: 60 },
      );
      for (const run of ['1', '2']) {
        const answer = await site.later('/');
        expect(answer.body).toBe(run);
        expect(lines(answer, 'cache-control')).toEqual([value].flat());
      }
      const together = await Promise.all([site.get('/'), site.get('/')]);
      expect(together.map(({ body }) => body).sort()).toEqual(['3', '4']);
    },
  );

  test('the app’s Cache-Control is never touched, on a miss or on a hit, nor is one made up', async (start) => {
    const site = await start(
      (req, res) => {
        if (req.url !== '/none') res.setHeader('cache-CONTROL', 'Public,  max-age=60 , x=1');
        res.end('x');
      },
      { ttl: 60 },
    );
    const fields = [];
    for (const answer of [await site.get('/'), await site.hit('/')]) fields.push(...lines(answer, 'cache-control'));
    expect(fields).toEqual(['Public,  max-age=60 , x=1', 'Public,  max-age=60 , x=1']);
    expect((await site.get('/none')).headers).not.toHaveProperty('cache-control');
    expect((await site.hit('/none')).headers).not.toHaveProperty('cache-control');
  });

  test('the client decides nothing: no-cache, max-age=0, max-stale, Pragma, only-if-cached', async (start) => {
    const site = await start((req, res, run) => {
      res.setHeader('Cache-Control', 'max-age=60');
      res.end(String(run));
    });
    const body = (await site.hit('/')).body;
    for (const value of ['no-cache', 'max-age=0', 'min-fresh=600', 'max-stale', 'only-if-cached', 'no-transform']) {
      const answer = await site.get('/', { 'cache-control': value });
      expect([value, answer.body]).toEqual([value, body]);
    }
    for (const headers of [{ pragma: 'no-cache' }, { 'x-apicache-bypass': '1' }, { 'x-apicache-force-fetch': '1' }]) {
      expect((await site.get('/', headers)).body).toBe(body);
    }
    expect((await site.get('/new', { 'cache-control': 'only-if-cached' })).status).toBe(200);
  });

  test('nor does max-stale get anything stale, must-revalidate or not', async (start) => {
    const site = await start((req, res, run) => {
      res.setHeader('Cache-Control', req.url === '/must' ? 'max-age=1, must-revalidate' : 'max-age=1');
      res.end(String(run));
    });
    await site.hit('/must');
    await site.hit('/may');
    await delay(1100);
    const before = site.runs;
    for (const path of ['/must', '/may']) {
      const answer = await site.get(path, { 'cache-control': 'max-stale=3600' });
      expect(Number(answer.body)).toBeGreaterThan(before);
    }
  });

  test.each([400, 401, 403, 404, 405, 410, 429, 500, 501, 502, 503, 504, 301, 302, 303, 307])(
    'status %d is not replayed, unless the app says for how long',
    async (start, status) => {
      const site = await start(
        (req, res, run) => {
          if (req.url === '/explicit') res.setHeader('Cache-Control', 'max-age=60');
          if (status < 400) res.setHeader('Location', '/elsewhere');
          res.statusCode = status;
          if (req.url === '/meant') res.setHeader('Cache-Control', 'max-age=60');
          res.end(String(run));
        },
        { ttl: 60 },
      );
      for (const run of ['1', '2']) expect((await site.later('/')).body).toBe(run);
      const together = await Promise.all([site.get('/'), site.get('/')]);
      expect(together.map(({ body }) => body).sort()).toEqual(['3', '4']);
      expect((await site.hit('/meant')).status).toBe(status);
      // What was said before it turned out to be an error was not said of it.
      if (status < 500) return void expect((await site.hit('/explicit')).status).toBe(status);
      const runs = [await site.later('/explicit'), await site.later('/explicit')].map(({ body }) => Number(body));
      expect(runs[1]).toBe(runs[0] + 1);
    },
  );

  test('an error is not stored, and the next good answer is', async (start) => {
    let broken = true;
    const site = await start((req, res, run) => {
      res.statusCode = broken ? 500 : 200;
      if (!broken) res.setHeader('Cache-Control', 'max-age=60');
      res.end(String(run));
    });
    expect((await site.get('/')).status).toBe(500);
    broken = false;
    expect((await site.hit('/')).status).toBe(200);
  });

  test('a handler that throws', async (start) => {
    const site = await start((req, res, run) => {
      if (run < 3) {
        res.setHeader('Cache-Control', 'max-age=60');
        throw new Error('the database is away');
      }
      res.end(String(run));
    });
    for (const run of [1, 2]) expect([run, (await site.later('/')).status]).toEqual([run, 500]);
    expect((await site.later('/')).body).toBe('3');
  });

  test('event streams are neither stored nor shared', async (start) => {
    /** @type {any[]} */
    const open = [];
    const site = await start((req, res, run) => {
      res.writeHead(200, { 'Content-Type': 'text/event-stream; charset=utf-8', 'Cache-Control': 'public, max-age=60' });
      res.write(`data: ${run}\n\n`);
      open.push(res);
    });
    const read = [];
    const clients = [1, 2, 3].map(() =>
      http.get({ host: '127.0.0.1', port: site.port, path: '/', agent: false }, (res) => {
        res.on('data', (chunk) => read.push(String(chunk)));
        res.on('error', () => {});
      }),
    );
    await until('three events', () => read.length === 3);
    expect(read.sort()).toEqual(['data: 1\n\n', 'data: 2\n\n', 'data: 3\n\n']);
    for (const res of open) res.end();
    clients.forEach((client) => client.on('error', () => {}));
    clients.forEach((client) => client.destroy());
    expect(site.runs).toBe(3);
    // It ended as it should, and is not stored either.
    const late = site.later('/');
    await until('the fourth', () => open.length === 4);
    open[3].end();
    expect((await late).body).toBe('data: 4\n\n');
  });

  test('a condition of one client is not the answer of another: a 304 is never stored', async (start) => {
    const site = await start((req, res) => {
      res.setHeader('Cache-Control', 'max-age=60');
      res.setHeader('ETag', '"v1"');
      if (req.headers['if-none-match'] === '"v1"') {
        res.statusCode = 304;
        return res.end();
      }
      return res.end('the whole');
    });
    const condition = { 'if-none-match': '"v1"' };
    const first = await site.get('/', condition);
    expect([first.status, first.body]).toEqual([304, '']);
    const other = await site.later('/');
    expect([other.status, other.body]).toEqual([200, 'the whole']);
    const hit = await site.hit('/');
    expect([hit.status, hit.body]).toEqual([200, 'the whole']);
    expect((await site.get('/', condition)).status).toBe(304);
    expect((await site.get('/', { 'if-none-match': '"v2"' })).status).toBe(200);
    // Together, on a cold URL.
    const all = await Promise.all([
      site.get('/b', condition),
      site.get('/b'),
      site.get('/b', condition),
      site.get('/b'),
    ]);
    expect(all.map(({ status, body }) => `${status} ${body}`)).toEqual([
      '304 ',
      '200 the whole',
      '304 ',
      '200 the whole',
    ]);
  });

  test('an old ETag, or that of another URL, is no 304', async (start) => {
    let version = 1;
    const site = await start(
      (req, res) => {
        res.setHeader('Cache-Control', 'max-age=60');
        res.setHeader('ETag', `"${req.url}${version}"`);
        res.end(`${req.url} ${version}`);
      },
      { warnings: false },
    );
    await site.hit('/a');
    await site.hit('/b');
    expect((await site.get('/b', { 'if-none-match': '"/a1"' })).body).toBe('/b 1');
    version = 2;
    await site.get('/a', {}, { method: 'POST' });
    expect((await site.later('/a', { 'if-none-match': '"/a1"' })).body).toBe('/a 2');
    expect((await site.hit('/a')).headers.etag).toBe('"/a2"');
    expect((await site.get('/a', { 'if-none-match': '"/a1"' })).body).toBe('/a 2');
  });

  test('a Range request fills nothing, whatever the handler makes of it', async (start) => {
    const whole = '0123456789'.repeat(10);
    const site = await start((req, res) => {
      res.setHeader('Cache-Control', 'max-age=60');
      if (req.headers.range === undefined || req.url === '/deaf') return res.end(whole);
      // With and without saying so.
      if (req.url === '/206') res.writeHead(206, { 'Content-Range': 'bytes 0-3/100' });
      return res.end(whole.slice(0, 4));
    });
    for (const path of ['/206', '/200', '/deaf']) {
      const [part, all] = await Promise.all([site.get(path, { range: 'bytes=0-3' }), site.get(path)]);
      expect(part.body).toBe(path === '/deaf' ? whole : '0123');
      expect(all.body).toBe(whole);
      await site.get(`${path}?cold`, { range: 'bytes=0-3' });
      expect((await site.later(`${path}?cold`)).body).toBe(whole);
      const hit = await site.hit(path);
      expect([hit.status, hit.body]).toEqual([200, whole]);
      const slice = await site.get(path, { range: 'bytes=2-4' });
      expect([slice.status, slice.body, slice.headers['content-range']]).toEqual([206, '234', 'bytes 2-4/100']);
      expect((await site.get(path)).body).toBe(whole);
    }
  });

  test('Age and Cache-Status tell of every hit how old it is', async (start) => {
    const site = await start((req, res) => {
      res.writeHead(200, { 'Cache-Control': 'max-age=60', ...(req.url === '/aged' && { Age: '40' }) });
      res.end('x');
    });
    await site.hit('/');
    await site.hit('/aged');
    await delay(1050);
    const [young, aged] = [await site.get('/'), await site.get('/aged')];
    expect(young.headers.age).toBe('1');
    expect(young.cacheStatus).toMatch(/^tiercel; hit; ttl=58; detail=(memory|redis)$/);
    expect(aged.headers.age).toBe('41');
    expect(aged.cacheStatus).toMatch(/^tiercel; hit; ttl=18; detail=(memory|redis)$/);
  });

  test('Cache-Status is on every answer', async (start) => {
    const site = await start((req, res) => {
      if (req.url === '/throws') throw new Error('no');
      if (req.url === '/404') res.statusCode = 404;
      res.setHeader('Cache-Control', req.url === '/private' ? 'private' : 'max-age=60');
      if (req.url === '/304') res.statusCode = 304;
      res.end(req.url === '/304' ? undefined : 'x');
    });
    const get = async (path, headers, more) => (await site.get(path, headers, more)).cacheStatus;
    expect(await get('/')).toBe('tiercel; fwd=uri-miss; stored');
    expect((await site.hit('/')).cacheStatus).toMatch(/^tiercel; hit; ttl=\d+; detail=(memory|redis)$/);
    expect(await get('/', { 'if-none-match': '*' })).toMatch(/^tiercel; hit/);
    expect(await get('/', {}, { method: 'HEAD' })).toMatch(/^tiercel; hit/);
    expect(await get('/private')).toBe('tiercel; fwd=uri-miss');
    expect(await get('/throws')).toBe('tiercel; fwd=uri-miss');
    expect(await get('/404')).toBe('tiercel; fwd=uri-miss; stored');
    expect(await get('/304')).toBe('tiercel; fwd=uri-miss');
    expect(await get('/', { 'if-match': '"x"' })).toBe('tiercel; fwd=bypass');
    expect(await get('/', { 'content-length': '1' }, { body: 'x' })).toBe('tiercel; fwd=bypass');
    for (const method of ['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'PURGE', 'PROPFIND']) {
      expect(await get('/', {}, { method })).toBe('tiercel; fwd=method');
    }
    const cold = await Promise.all([get('/cold'), get('/cold')]);
    expect(cold.sort()[1]).toMatch(/^tiercel; (fwd=uri-miss; (collapsed|stored)|hit.*)$/);
  });
}, SOME_PLACES);
