'use strict';
// Hazard: compression and the cache in each order: gzip to a client that takes none, a page of one coding under the
// length of another, a copy for every browser's own list of codings.
const zlib = require('node:zlib');
const { everywhere, SOME_PLACES } = require('../helpers/http-site');
const { turns } = require('../helpers/until');

const PAGE = 'The quick brown fox jumps over the lazy dog. '.repeat(100);
// What is really sent.
const CLIENTS = {
  chrome: 'gzip, deflate, br, zstd',
  'older chrome': 'gzip, deflate, br',
  firefox: 'gzip, deflate, br, zstd',
  safari: 'gzip, deflate, br',
  'curl --compressed': 'deflate, gzip, br, zstd',
  'node fetch': 'gzip, deflate',
  wget: 'gzip',
  curl: undefined,
  identity: 'identity',
  'nothing at all': '',
  'no gzip': 'gzip;q=0',
  'No GZIP': 'GZIP;Q=0, identity',
  'no gzip but anything': 'gzip;q=0, br;q=0, deflate;q=0, *',
  deflate: 'deflate',
  anything: '*',
  weighted: 'br;q=0.1, gzip;q=0.9',
  'x-gzip': 'x-gzip',
  'a coding nobody has': 'sdch',
};

/** @param {{ headers: Record<string, any>, bytes: Buffer }} answer */
function decoded({ headers, bytes }) {
  const coding = headers['content-encoding'];
  if (coding === undefined) return bytes.toString();
  if (coding === 'gzip') return zlib.gunzipSync(bytes).toString();
  if (coding === 'br') return zlib.brotliDecompressSync(bytes).toString();
  if (coding === 'deflate') return zlib.inflateSync(bytes).toString();
  throw new Error(`an unknown coding: ${coding}`);
}

/** @param {string | undefined} codings */
const taking = (codings) => (codings === undefined ? {} : { 'accept-encoding': codings });

/** Whether a client takes a coding. https://www.rfc-editor.org/rfc/rfc9110.html#section-12.5.3 */
function takes(accept, coding) {
  if (coding === undefined) return true;
  // An old name of the same: https://www.rfc-editor.org/rfc/rfc9110.html#section-8.4.1.3
  const members = (accept ?? '')
    .toLowerCase()
    .replace('x-gzip', 'gzip')
    .split(',')
    .map((member) => member.trim().split(';'));
  const named = members.find(([name]) => name === coding) ?? members.find(([name]) => name === '*');
  return named !== undefined && !/q=0(\.0*)?$/.test(named[1] ?? '');
}

/** In one piece, in two, and in two with a pause; with a length or without. */
const pages = (req, res) => {
  res.setHeader('Content-Type', 'text/plain');
  res.setHeader('Cache-Control', 'public, max-age=60');
  if (req.url.startsWith('/length')) res.setHeader('Content-Length', Buffer.byteLength(PAGE));
  if (req.url.startsWith('/whole') || req.url.startsWith('/length')) return res.end(PAGE);
  res.write(PAGE.slice(0, 1000));
  if (req.url.startsWith('/two')) return res.end(PAGE.slice(1000));
  return turns(15).then(() => res.end(PAGE.slice(1000)));
};

everywhere((test) => {
  describe.each(/** @type {const} */ (['inside', 'outside']))('compression %s', (order) => {
    test.each(['/whole', '/length', '/two', '/slow'])(
      '%s: everyone gets the page in a coding they take',
      async (start, path) => {
        const site = await start(pages, {}, order);
        for (let round = 0; round < 3; round++) {
          const lists = Object.entries(CLIENTS);
          // One after the other, then all at once, on the same URL and on a cold one.
          const asked =
            round === 0
              ? []
              : await Promise.all(lists.map(([, list]) => site.get(`${path}?${round >> 1}`, taking(list))));
          if (round === 0) for (const [, list] of lists) asked.push(await site.get(`${path}?0`, taking(list)));
          asked.forEach((answer, at) => {
            const [name, list] = lists[at];
            const coding = answer.headers['content-encoding'];
            expect([name, decoded(answer) === PAGE]).toEqual([name, true]);
            // compression itself does not see that Q is q; what it sends is for this client alone.
            if (name !== 'No GZIP') expect([name, coding, takes(list, coding)]).toEqual([name, coding, true]);
            const length = answer.headers['content-length'];
            if (length !== undefined) expect([name, Number(length)]).toEqual([name, answer.bytes.length]);
            expect(answer.headers.vary?.toLowerCase()).toContain('accept-encoding');
          });
        }
      },
    );

    test('few variants serve all of them', async (start) => {
      const site = await start(pages, {}, order);
      for (const list of Object.values(CLIENTS)) await site.hit('/whole', taking(list));
      const kinds = new Set(
        Object.values(CLIENTS).filter((list) => list && !/q=|\*|sdch|deflate$|identity/.test(list)),
      );
      expect(kinds.size).toBeGreaterThan(4);
      const runs = site.runs;
      // What browsers of one kind send in another order or spelling is no variant of its own.
      for (const list of [
        'br, gzip, zstd, deflate',
        'gzip,deflate,br,zstd',
        'GZIP, Deflate, BR, zstd',
        'identity;q=1',
      ]) {
        expect((await site.get('/whole', taking(list))).cacheStatus).toContain('hit');
      }
      expect(site.runs).toBe(runs);
      expect(runs).toBeLessThanOrEqual(order === 'outside' ? 1 : 9);
    });

    test.each([
      'gzip;Q=0',
      'gzip;q=0.0001',
      'deflate, gzip;q=0.5',
      'gzip;q=x',
      'x-gzip',
      ', ,',
      'gzip;q=0;q=1',
      '*;q=0.5',
      'gzip;;',
    ])('whoever comes first with %j decides for nobody else', async (start, list) => {
      const site = await start(pages, {}, order);
      const onePath = async (/** @type {string} */ path) => {
        const others = ['gzip', 'identity', '', undefined, 'deflate', 'br', 'gzip;q=0', 'gzip, deflate'];
        const first = site.get(path, taking(list));
        const together = await Promise.all(others.map((other) => site.get(path, taking(other))));
        expect(decoded(await first)).toBe(PAGE);
        const after = [];
        for (const other of others) after.push(await site.later(path, taking(other)));
        for (const answers of [together, after]) {
          answers.forEach((answer, at) => {
            expect(decoded(answer)).toBe(PAGE);
            const coding = answer.headers['content-encoding'];
            expect([others[at], coding, takes(others[at], coding)]).toEqual([others[at], coding, true]);
          });
        }
      };
      await Promise.all(['/whole', '/slow'].map(onePath));
    });

    test('conditions: no 304 for another coding’s copy that would be taken for this one', async (start) => {
      const site = await start(pages, {}, order);
      const zipped = await site.hit('/whole', taking('gzip'));
      const plain = await site.hit('/whole');
      expect(zipped.headers['content-encoding']).toBe('gzip');
      for (const { headers } of [zipped, plain]) expect(headers.etag).toBeDefined();
      const again = await site.get('/whole', { ...taking('gzip'), 'if-none-match': zipped.headers.etag });
      expect([again.status, again.bytes.length]).toEqual([304, 0]);
      const other = await site.get('/whole', { 'if-none-match': '"another"' });
      expect(decoded(other)).toBe(PAGE);
      // Inside, the copies differ, and so do their tags.
      if (order === 'inside') expect(zipped.headers.etag).not.toBe(plain.headers.etag);
    });

    test('HEAD, and what must not be compressed', async (start) => {
      const site = await start(
        (req, res) => {
          res.setHeader('Cache-Control', `max-age=60${req.url === '/raw' ? ', no-transform' : ''}`);
          res.setHeader('Content-Type', 'text/plain');
          if (req.url === '/coded') res.setHeader('Content-Encoding', 'br');
          res.end(req.url === '/coded' ? zlib.brotliCompressSync(PAGE) : PAGE);
        },
        {},
        order,
      );
      for (const path of ['/raw', '/coded', '/plain']) {
        const hit = await site.hit(path, taking('gzip, br'));
        expect(decoded(hit)).toBe(PAGE);
        const head = await site.get(path, taking('gzip, br'), { method: 'HEAD' });
        expect([head.status, head.bytes.length]).toEqual([200, 0]);
        expect(decoded(await site.get(path, taking('gzip, br')))).toBe(PAGE);
      }
      expect((await site.hit('/raw', taking('gzip'))).headers['content-encoding']).toBeUndefined();
      expect((await site.hit('/coded', taking('gzip, br'))).headers['content-encoding']).toBe('br');
    });

    test('a Range of a compressed page: the part that the client gets is a part of what it asked for', async (start) => {
      const site = await start(pages, {}, order);
      const whole = await site.hit('/whole', taking('gzip'));
      expect(decoded(whole)).toBe(PAGE);
      const part = await site.get('/whole', { range: 'bytes=4-8' });
      // Its plain copy may have to be made first: then the whole comes, which every client takes.
      if (part.status === 206) expect([part.body, part.headers['content-encoding']]).toEqual(['quick', undefined]);
      else expect(decoded(part)).toBe(PAGE);
      const zipped = await site.get('/whole', { ...taking('gzip'), range: 'bytes=0-9' });
      if (zipped.status === 206 && zipped.headers['content-encoding'] === 'gzip') {
        // A part of the stored copy, byte by byte; and it says of which.
        expect(zipped.bytes).toEqual(whole.bytes.subarray(0, 10));
        expect(zipped.headers['content-range']).toBe(`bytes 0-9/${whole.bytes.length}`);
      }
      expect(decoded(await site.get('/whole', taking('gzip')))).toBe(PAGE);
      expect(decoded(await site.get('/whole'))).toBe(PAGE);
    });
  });
}, SOME_PLACES);
