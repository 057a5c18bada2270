'use strict';
// Hazard: a body or a head that is not what the app sent. Streams, binary data, cut-off and failed answers, lengths that
// do not match, trailers, interim answers, clients that leave.
const { createHash, randomBytes } = require('node:crypto');
const http = require('node:http');
const { Readable, pipeline } = require('node:stream');
const { everywhere } = require('../helpers/http-site');
const { exchange } = require('../helpers/http');
const { turns, until } = require('../helpers/until');

const digest = (bytes) => createHash('sha256').update(bytes).digest('hex');

/** A request that may be cut off, or that cuts itself off. */
function begin(site, path, headers = {}) {
  const read = { bytes: 0, ended: false, failed: false, status: 0 };
  const req = http.get({ host: '127.0.0.1', port: site.port, path, headers, agent: false }, (res) => {
    read.status = res.statusCode ?? 0;
    res.on('data', (chunk) => (read.bytes += chunk.length));
    res.on('end', () => (read.ended = true));
    res.on('error', () => (read.failed = true));
    res.on('close', () => (read.failed ||= !read.ended));
  });
  req.on('error', () => (read.failed = true));
  return { req, read };
}

everywhere((test) => {
  describe.each([[undefined], ['inside'], ['outside']])('compression %s', (compress) => {
    test('every byte, streamed in pieces of every kind, on a miss, when shared, and on a hit', async (start) => {
      const data = randomBytes(200_000);
      const site = await start(
        (req, res) => {
          res.writeHead(200, { 'Content-Type': 'image/png', 'Cache-Control': 'max-age=60' });
          const piece = Buffer.alloc(1000);
          for (let at = 0; at < 100_000; at += 1000) {
            // The handler uses its buffer again.
            data.copy(piece, 0, at, at + 1000);
            res.write(at % 2000 ? new Uint8Array(piece) : Buffer.from(piece));
            piece.fill(0);
          }
          res.write(data.subarray(100_000, 100_003).toString('base64'), 'base64');
          res.write(data.subarray(100_003, 100_100).toString('latin1'), 'latin1');
          res.write(data.subarray(100_100, 100_200).toString('hex'), 'hex');
          turns(10).then(() => Readable.from([data.subarray(100_200, 150_000), data.subarray(150_000)]).pipe(res));
        },
        {},
        compress,
      );
      const wanted = digest(data);
      const shared = await Promise.all(Array.from({ length: 5 }, () => site.get('/', { 'accept-encoding': 'gzip' })));
      for (const { bytes } of [...shared, await site.hit('/'), await site.hit('/', { 'accept-encoding': 'br' })]) {
        expect(digest(bytes)).toBe(wanted);
      }
    });

    test('what is cut off, or fails after its head, is not stored; those who shared it are cut off too', async (start) => {
      const site = await start(
        (req, res, run) => {
          if (run > 1) return res.writeHead(200, { 'Cache-Control': 'max-age=60' }).end('whole');
          res.writeHead(200, {
            'Cache-Control': 'max-age=60',
            ...(req.url === '/length' && { 'Content-Length': 1000 }),
          });
          res.write('x'.repeat(500));
          return turns(30).then(() => {
            if (req.url === '/socket') return req.socket.destroy();
            if (req.url === '/stream') return pipeline(Readable.from(failing()), res, () => {});
            return res.destroy(new Error('no'));
          });
        },
        { warnings: false },
        compress,
      );
      for (const path of ['/length', '/chunked', '/socket', '/stream']) {
        site.runs = 0;
        const all = [begin(site, path), begin(site, path), begin(site, path)];
        await until(`all know of ${path}`, () => all.every(({ read }) => read.failed));
        expect(all.map(({ read }) => read.ended)).toEqual([false, false, false]);
        expect((await site.later(path)).body).toBe('whole');
      }
    });
  });

  test('head: reason phrase, latin-1, repeated fields, spelling and order', async (start) => {
    const site = await start((req, res) => {
      res.statusMessage = 'Fine';
      res.setHeader('X-Latin', 'caf\xe9 \xff');
      res.setHeader('X-Twice', ['a', 'b, c', '']);
      res.setHeader('x-LOWER-Upper', '1');
      res.setHeader('Link', ['<a>; rel=x', '<b>; rel=y']);
      res.setHeader('Cache-Control', 'max-age=60');
      // As bytes: with a string Node itself would write the head in the coding of the string.
      res.end(Buffer.from('b\u00f6dy \u20ac'));
    });
    const ask = () => exchange(site, `GET / HTTP/1.1\r\nHost: ${site.host}\r\nConnection: close\r\n\r\n`);
    const parts = (answer) => {
      const [head, body] = answer.toString('latin1').split('\r\n\r\n');
      const ours = head.split('\r\n').filter((line) => /^(HTTP|X-|x-|Link)/.test(line));
      return { ours, body };
    };
    const miss = parts(await ask());
    await site.hit('/');
    const hit = parts(await ask());
    expect(hit).toEqual(miss);
    expect(hit.ours).toEqual([
      'HTTP/1.1 200 Fine',
      'X-Latin: caf\xe9 \xff',
      'X-Twice: a',
      'X-Twice: b, c',
      'X-Twice: ',
      'x-LOWER-Upper: 1',
      'Link: <a>; rel=x',
      'Link: <b>; rel=y',
    ]);
    expect(Buffer.from(hit.body, 'latin1').toString()).toBe('b\u00f6dy \u20ac');
  });

  test.each([
    ['too long', 10, 'abc'],
    ['too short', 2, 'abc'],
    ['no number', 'abc', 'abc'],
  ])('a Content-Length that is %s: not stored', async (start, _, length, body) => {
    const site = await start(
      (req, res, run) => {
        res.setHeader('Cache-Control', 'max-age=60');
        if (run === 1) res.setHeader('Content-Length', length);
        res.write(run === 1 ? body[0] : 'w');
        res.end(run === 1 ? body.slice(1) : 'hole');
      },
      { hitForMiss: 0 },
    );
    const text = `GET / HTTP/1.1\r\nHost: ${site.host}\r\nConnection: close\r\n\r\n`;
    await exchange(site, text);
    expect((await site.later('/')).body).toBe('whole');
    expect((await site.hit('/')).body).toBe('whole');
  });

  test('trailers reach the client that they were sent to, and disturb no other', async (start) => {
    const site = await start((req, res) => {
      res.writeHead(200, { 'Cache-Control': 'max-age=60', Trailer: 'X-Sum' });
      res.write('body');
      res.addTrailers({ 'X-Sum': '42' });
      res.end();
    });
    const text = `GET / HTTP/1.1\r\nHost: ${site.host}\r\nConnection: close\r\nTE: trailers\r\n\r\n`;
    expect((await exchange(site, text)).toString()).toMatch(/\r\n0\r\nX-Sum: 42\r\n\r\n$/);
    const hit = await site.hit('/');
    expect(hit.body).toBe('body');
    expect(hit.headers).not.toHaveProperty('trailer');
  });

  test('102 and 103 pass through, are not stored, and lend their fields to nobody', async (start) => {
    const site = await start((req, res) => {
      res.writeProcessing();
      res.writeEarlyHints({ link: '</a.css>; rel=preload', 'x-hint': '1' });
      res.writeHead(200, { 'Cache-Control': 'max-age=60' });
      res.end('page');
    });
    const ask = async () =>
      (await exchange(site, `GET / HTTP/1.1\r\nHost: ${site.host}\r\nConnection: close\r\n\r\n`)).toString();
    const miss = await ask();
    expect(miss).toMatch(
      /^HTTP\/1\.1 102 Processing\r\n\r\nHTTP\/1\.1 103 Early Hints\r\nLink: [^\r]*\r\nx-hint: 1\r\n\r\nHTTP\/1\.1 200 OK\r\n/,
    );
    await site.hit('/');
    const hit = await ask();
    expect(hit).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    expect(hit).not.toContain('x-hint');
    expect(hit).not.toContain('preload');
    expect(hit).toMatch(/\r\n\r\npage$/);
  });

  test('a client that leaves in the middle stores nothing cut off, and hurts nobody who shares', async (start) => {
    /** @type {any} */
    let handler;
    const site = await start((req, res, run) => {
      res.writeHead(200, { 'Cache-Control': 'max-age=60' });
      res.write(`run ${run} `);
      handler = res;
    });
    const alone = begin(site, '/alone');
    await until('its first bytes', () => alone.read.bytes > 0);
    alone.req.destroy();
    await until('the handler knows', () => handler.destroyed);
    handler.end('cut off');
    const next = site.later('/alone');
    await until('a new run', () => site.runs === 2);
    handler.end('whole');
    expect((await next).body).toBe('run 2 whole');
    expect((await site.hit('/alone')).body).toBe('run 2 whole');

    // Its first client leaves while two others read along, then one of them.
    const leader = begin(site, '/shared');
    await until('its first bytes', () => leader.read.bytes > 0);
    const stays = site.get('/shared');
    const leaves = begin(site, '/shared');
    await until('it reads along', () => leaves.read.bytes > 0);
    leader.req.destroy();
    leaves.req.destroy();
    await turns(30);
    handler.write('more ');
    handler.end('and the end');
    expect((await stays).body).toBe('run 3 more and the end');
    expect((await site.hit('/shared')).body).toBe('run 3 more and the end');
    expect(site.runs).toBe(3);
  });

  test.each(['res.destroy', 'socket', 'next(error)'])(
    'the handler fails after the first client has left: %s',
    async (start, how) => {
      /** @type {any} */
      let fail;
      const site = await start(
        (req, res, run) => {
          res.writeHead(200, { 'Cache-Control': 'max-age=60' });
          if (run > 1) return res.end('whole');
          res.write('a part');
          fail = () => {
            if (how === 'res.destroy') return res.destroy(new Error('no'));
            if (how === 'socket') return req.socket.destroy();
            return req.next(new Error('no'));
          };
          return undefined;
        },
        { warnings: false },
      );
      const leader = begin(site, '/');
      await until('its first bytes', () => leader.read.bytes > 0);
      const followers = [begin(site, '/'), begin(site, '/')];
      await until('they read along', () => followers.every(({ read }) => read.bytes > 0));
      leader.req.destroy();
      await turns(20);
      fail();
      await until('they know', () => followers.every(({ read }) => read.failed));
      expect((await site.later('/')).body).toBe('whole');
    },
  );

  test('a body that is larger than allowed passes whole, and is not stored', async (start) => {
    const data = randomBytes(300_000);
    const site = await start(
      (req, res) => {
        res.writeHead(200, {
          'Cache-Control': 'max-age=60',
          ...(req.url === '/length' && { 'Content-Length': data.length }),
        });
        if (req.url === '/whole') return res.end(data);
        return Readable.from([data.subarray(0, 100_000), data.subarray(100_000, 200_000), data.subarray(200_000)]).pipe(
          res,
        );
      },
      { maxBodyBytes: 150_000 },
    );
    for (const path of ['/whole', '/length', '/stream']) {
      const runs = site.runs;
      for (const answer of [await site.get(path), await site.later(path)]) {
        expect(digest(answer.bytes)).toBe(digest(data));
        expect(answer.cacheStatus).not.toContain('; hit');
      }
      const together = await Promise.all([site.get(path), site.get(path), site.get(path)]);
      for (const { bytes } of together) expect(digest(bytes)).toBe(digest(data));
      expect(site.runs).toBeGreaterThanOrEqual(runs + 3);
    }
  });

  test('answers without a body: 204, an empty page, HEAD', async (start) => {
    const site = await start((req, res) => {
      res.setHeader('Cache-Control', 'max-age=60');
      if (req.url === '/204') res.statusCode = 204;
      res.end();
    });
    for (const [path, status] of /** @type {const} */ ([
      ['/204', 204],
      ['/empty', 200],
    ])) {
      await site.hit(path);
      const text = `GET ${path} HTTP/1.1\r\nHost: ${site.host}\r\n\r\nGET ${path} HTTP/1.1\r\nHost: ${site.host}\r\nConnection: close\r\n\r\n`;
      // The second answer begins where the first one ends.
      const answers = (await exchange(site, text)).toString().split(/(?=HTTP\/1\.1 )/);
      expect(answers.map((answer) => answer.slice(9, 12))).toEqual([String(status), String(status)]);
      for (const answer of answers) expect(answer).toMatch(/\r\n\r\n$/);
    }
  });
});

async function* failing() {
  yield 'a part';
  await turns(5);
  throw new Error('the disk is full');
}
