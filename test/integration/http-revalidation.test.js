'use strict';
// What is stale is revalidated: the handler is asked whether it changed. RFC 9111 sections 4.3 and 3.2.
const { everywhere } = require('../helpers/http-site');
const { delay } = require('../helpers/until');

// Fresh for so short that a test need not wait for a whole second, which is the least a directive can say.
const BRIEF = { ttl: '100ms' };
const AGED_MS = 200;
const MODIFIED = 'Sun, 06 Nov 1994 08:49:37 GMT';

everywhere((test) => {
  /**
   * A handler that knows conditions, as a good one does.
   * @param {{ etag?: string, modified?: string, control?: string, more?: object }} page
   */
  const answering = (page) => (/** @type {any} */ req, /** @type {any} */ res, /** @type {number} */ run) => {
    const { etag, modified, control, more = {} } = page;
    if (control) res.setHeader('Cache-Control', control);
    res.setHeader('X-Run', String(run));
    if (etag) res.setHeader('ETag', etag);
    if (modified) res.setHeader('Last-Modified', modified);
    for (const [name, value] of Object.entries(more)) res.setHeader(name, value);
    const same = etag ? req.headers['if-none-match'] === etag : req.headers['if-modified-since'] === modified;
    if (same && (etag || modified)) return res.writeHead(304).end();
    res.setHeader('Content-Type', 'text/plain');
    return res.end(`body of ${etag ?? modified}`);
  };

  test('a 304 makes what is stored fresh again, with the fields that it says anew', async (start) => {
    /** @type {any} */
    const page = { etag: '"1"', control: 'max-age=1', more: { 'X-Old': 'o', 'X-New': '1' } };
    const site = await start(answering(page));
    await site.get('/');
    await delay(1100);
    Object.assign(page, { control: 'max-age=60', more: { 'X-New': '2' } });
    const answer = await site.get('/');
    expect([answer.status, answer.body, answer.headers['content-type']]).toEqual([200, 'body of "1"', 'text/plain']);
    expect(answer.cacheStatus).toBe('tiercel; fwd=stale; fwd-status=304; stored');
    expect([answer.headers['x-old'], answer.headers['x-new'], answer.headers['x-run']]).toEqual(['o', '2', '2']);
    expect(answer.headers.age).toBe('0');
    const hit = await site.hit('/');
    expect([hit.body, hit.headers['x-new'], hit.headers['cache-control']]).toEqual(['body of "1"', '2', 'max-age=60']);
    expect(hit.cacheStatus).toMatch(/ttl=(59|60)/);
    expect(site.runs).toBe(2);
  });

  test('another ETag is another body, which takes its place', async (start) => {
    /** @type {any} */
    const page = { etag: '"1"' };
    const site = await start(answering(page), BRIEF);
    await site.get('/');
    await delay(AGED_MS);
    Object.assign(page, { etag: '"2"', control: 'max-age=60' });
    const answer = await site.get('/');
    expect([answer.body, answer.cacheStatus]).toEqual(['body of "2"', 'tiercel; fwd=stale; stored']);
    expect((await site.hit('/')).body).toBe('body of "2"');
    expect(site.runs).toBe(2);
  });

  test('no-cache: asked every time, and stored all the same', async (start) => {
    const site = await start(answering({ modified: MODIFIED, control: 'no-cache' }));
    expect((await site.get('/')).cacheStatus).toBe('tiercel; fwd=uri-miss; stored');
    for (let i = 0; i < 2; i++) {
      const answer = await site.later('/');
      expect([answer.body, answer.cacheStatus]).toEqual([
        `body of ${MODIFIED}`,
        'tiercel; fwd=stale; fwd-status=304; stored',
      ]);
    }
    expect(site.runs).toBe(3);
  });

  test('the client’s own conditions are judged against what comes of it', async (start) => {
    /** @type {any} */
    const page = { etag: '"1"' };
    const site = await start(answering(page), BRIEF);
    await site.get('/');
    await delay(AGED_MS);
    page.control = 'max-age=60';
    const [same, other, plain] = [
      await site.get('/', { 'if-none-match': '"1"' }),
      await site.later('/', { 'if-none-match': '"0"' }),
      await site.later('/', { 'if-modified-since': MODIFIED }),
    ];
    expect([same.status, same.body, same.headers.etag]).toEqual([304, '', '"1"']);
    expect([other.status, plain.status, plain.body]).toEqual([200, 200, 'body of "1"']);
    expect(site.runs).toBe(2);
  });

  test('a crowd asks once', async (start) => {
    /** @type {any} */
    const page = { etag: '"1"' };
    const quick = answering(page);
    const site = await start((req, res, run) => setTimeout(() => quick(req, res, run), run === 1 ? 0 : 60), BRIEF);
    await site.get('/');
    await delay(AGED_MS);
    page.control = 'max-age=60';
    const all = await Promise.all(Array.from({ length: 10 }, () => site.get('/')));
    expect(all.map(({ body }) => body)).toEqual(Array(10).fill('body of "1"'));
    expect(site.runs).toBe(2);
  });

  test('an answer that may not be stored any more makes the old one go', async (start) => {
    /** @type {any} */
    const page = { etag: '"1"' };
    const site = await start(answering(page), BRIEF);
    await site.get('/');
    await delay(AGED_MS);
    Object.assign(page, { etag: '"2"', control: 'private' });
    for (let i = 0; i < 2; i++) {
      const answer = await site.later('/', {}, {});
      expect(answer.body).toBe('body of "2"');
      expect(answer.cacheStatus).toBe(i === 0 ? 'tiercel; fwd=stale' : 'tiercel; fwd=uri-miss');
    }
  });
});
