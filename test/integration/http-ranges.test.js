'use strict';
// Parts of what is stored: RFC 9110 section 14, on hits of every mount.
const { everywhere } = require('../helpers/http-site');
const { until } = require('../helpers/until');

const MODIFIED = 'Sun, 06 Nov 1994 08:49:37 GMT';

everywhere((test) => {
  const whole = (/** @type {any} */ req, /** @type {any} */ res) => {
    res.setHeader('Cache-Control', 'max-age=60');
    res.setHeader('ETag', '"v1"');
    res.setHeader('Last-Modified', MODIFIED);
    res.setHeader('Content-Type', 'text/plain');
    res.end('0123456789');
  };

  test('a hit is answered with the part that is asked for', async (start) => {
    const site = await start(whole);
    await site.get('/');
    await site.hit('/');
    /** @type {Array<[string, number, string, string | undefined]>} */
    const rows = [
      ['bytes=0-3', 206, '0123', 'bytes 0-3/10'],
      ['bytes=7-', 206, '789', 'bytes 7-9/10'],
      ['bytes=-2', 206, '89', 'bytes 8-9/10'],
      ['bytes=10-', 416, '', 'bytes */10'],
      ['bytes=0-1,4-5', 200, '0123456789', undefined],
      ['lines=1-2', 200, '0123456789', undefined],
    ];
    for (const [range, status, body, contentRange] of rows) {
      const answer = await site.get('/', { range });
      expect([range, answer.status, answer.body, answer.headers['content-range']]).toEqual([
        range,
        status,
        body,
        contentRange,
      ]);
      expect(answer.headers['content-length']).toBe(String(body.length));
      expect(answer.headers.etag).toBe('"v1"');
      expect(answer.cacheStatus).toContain('; hit');
    }
    expect(site.runs).toBe(1);
  });

  test('If-Range: the part of the same representation, else the whole', async (start) => {
    const site = await start(whole);
    await site.get('/');
    await site.hit('/');
    for (const [condition, status] of [
      ['"v1"', 206],
      [MODIFIED, 206],
      ['"v2"', 200],
      ['W/"v1"', 200],
    ]) {
      expect((await site.get('/', { range: 'bytes=1-2', 'if-range': String(condition) })).status).toBe(status);
    }
  });

  test('conditions come before ranges, HEAD and other statuses have none', async (start) => {
    const site = await start((req, res) => {
      if (req.url === '/gone') res.statusCode = 404;
      whole(req, res);
    });
    for (const path of ['/', '/gone']) {
      await site.get(path);
      await site.hit(path);
    }
    const range = 'bytes=1-2';
    const same = await site.get('/', { range, 'if-none-match': '"v1"' });
    expect([same.status, same.headers['content-range']]).toEqual([304, undefined]);
    const head = await site.get('/', { range }, { method: 'HEAD' });
    expect([head.status, head.headers['content-length'], head.bytes.length]).toEqual([200, '10', 0]);
    expect((await site.get('/gone', { range })).status).toBe(404);
    expect(site.runs).toBe(2);
  });

  test('a part that is asked for while the whole is on its way', async (start) => {
    /** @type {any} */
    let open;
    const site = await start((req, res) => {
      if (req.headers.range) return void res.writeHead(206, { 'Content-Range': 'bytes 0-0/10' }).end('0');
      open = () => whole(req, res);
    });
    const first = site.get('/');
    await until('a run', () => open);
    // Nobody waits with a part for the whole.
    expect((await site.get('/', { range: 'bytes=0-0' })).body).toBe('0');
    open();
    expect((await first).body).toBe('0123456789');
    await site.hit('/');
    expect((await site.get('/', { range: 'bytes=0-0' })).cacheStatus).toContain('; hit');
  });
});
