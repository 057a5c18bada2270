'use strict';
// Hazard: requests that client and server, or two servers, read differently. Whatever Node makes of them, refused or
// answered: what is stored before stays what it is, and nothing new can be read by others.
const net = require('node:net');
const { everywhere, SOME_PLACES } = require('../helpers/http-site');
const { turns } = require('../helpers/until');

/**
 * What comes back for these bytes; the connection is closed when it is whole, else when nothing more comes.
 * @param {{ port: number }} site
 * @param {string} text
 * @param {(answer: string) => boolean} [isWhole] who knows what is to come waits for it, however long it takes
 */
function send(site, text, isWhole) {
  return new Promise((resolve) => {
    const socket = net.connect(site.port, '127.0.0.1', () => socket.write(text, 'latin1'));
    /** @type {Buffer[]} */
    const chunks = [];
    const answer = () => Buffer.concat(chunks).toString('latin1');
    socket.on('data', (chunk) => {
      chunks.push(chunk);
      if (isWhole?.(answer())) socket.destroy();
    });
    socket.on('error', () => {});
    socket.setTimeout(isWhole === undefined ? 80 : 15_000, () => socket.destroy());
    socket.on('close', () => resolve(answer()));
  });
}

const HOST = 'Host: site.example\r\n';
const SMUGGLED = `GET /evil HTTP/1.1\r\n${HOST}X-Evil: 1\r\n\r\n`;
/** @type {Array<[string, string]>} */
const REQUESTS = [
  ['obs-fold', `GET / HTTP/1.1\r\n${HOST}X-A: b\r\n evil\r\n\r\n`],
  ['obs-fold of Host', `GET / HTTP/1.1\r\nHost: site.example\r\n evil.example\r\n\r\n`],
  ['obs-fold with a tab, first', `GET / HTTP/1.1\r\n\tX-Evil: 1\r\n${HOST}\r\n`],
  ['Content-Length twice, the same', `GET / HTTP/1.1\r\n${HOST}Content-Length: 4\r\nContent-Length: 4\r\n\r\nevil`],
  [
    'Content-Length twice, not the same',
    `GET / HTTP/1.1\r\n${HOST}Content-Length: 0\r\nContent-Length: ${SMUGGLED.length}\r\n\r\n${SMUGGLED}`,
  ],
  ['Content-Length as a list', `GET / HTTP/1.1\r\n${HOST}Content-Length: 0, ${SMUGGLED.length}\r\n\r\n${SMUGGLED}`],
  ['Content-Length with a sign', `GET / HTTP/1.1\r\n${HOST}Content-Length: +4\r\n\r\nevil`],
  ['Content-Length, negative', `GET / HTTP/1.1\r\n${HOST}Content-Length: -1\r\n\r\nevil`],
  ['Content-Length, hexadecimal', `GET / HTTP/1.1\r\n${HOST}Content-Length: 0x4\r\n\r\nevil`],
  ['Content-Length beyond all numbers', `GET / HTTP/1.1\r\n${HOST}Content-Length: 99999999999999999999999\r\n\r\nevil`],
  [
    'Transfer-Encoding twice',
    `GET / HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n${SMUGGLED}`,
  ],
  [
    'Transfer-Encoding twice, the other way',
    `GET / HTTP/1.1\r\n${HOST}Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${SMUGGLED}`,
  ],
  ['Transfer-Encoding: xchunked', `GET / HTTP/1.1\r\n${HOST}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n${SMUGGLED}`],
  [
    'Transfer-Encoding: chunked, identity',
    `GET / HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n${SMUGGLED}`,
  ],
  [
    'Transfer-Encoding with a space before the colon',
    `GET / HTTP/1.1\r\n${HOST}Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n${SMUGGLED}`,
  ],
  ['CL.TE', `GET / HTTP/1.1\r\n${HOST}Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${SMUGGLED}`],
  [
    'TE.CL',
    `POST / HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n${SMUGGLED.length.toString(16)}\r\n${SMUGGLED}\r\n0\r\n\r\n`,
  ],
  [
    'a chunk extension with a line feed',
    `GET / HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n0;a\nb\r\n\r\n${SMUGGLED}`,
  ],
  [
    'a chunk size too large',
    `GET / HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\nevil\r\n0\r\n\r\n`,
  ],
  ['a bare carriage return in a value', `GET / HTTP/1.1\r\n${HOST}X-A: b\rX-Evil: 1\r\n\r\n`],
  ['a bare line feed in a value', `GET / HTTP/1.1\r\n${HOST}X-A: b\nX-Evil: 1\r\n\r\n`],
  ['line feeds alone', `GET / HTTP/1.1\n${HOST.trim()}\nX-Evil: 1\n\n`],
  ['NUL in a value', `GET / HTTP/1.1\r\n${HOST}X-Evil: a\0b\r\n\r\n`],
  ['CR LF, encoded, in a value', `GET / HTTP/1.1\r\n${HOST}X-Evil: %0d%0aSet-Cookie:%20evil=1\r\n\r\n`],
  ['CR LF, encoded, in the URL', `GET /%0d%0aSet-Cookie:%20evil=1 HTTP/1.1\r\n${HOST}\r\n`],
  ['characters that truncation makes CR LF', `GET / HTTP/1.1\r\n${HOST}X-Evil: \u010d\u010aSet-Cookie: evil=1\r\n\r\n`],
  ['a space in the URL', `GET / evil HTTP/1.1\r\n${HOST}\r\n`],
  ['a tab for a space', `GET\t/\tHTTP/1.1\r\n${HOST}\r\n`],
  ['two Hosts', `GET / HTTP/1.1\r\n${HOST}Host: evil.example\r\nX-Evil: 1\r\n\r\n`],
  ['two Hosts, the other one first', `GET / HTTP/1.1\r\nHost: evil.example\r\n${HOST}X-Evil: 1\r\n\r\n`],
  ['no Host', 'GET / HTTP/1.1\r\nX-Evil: 1\r\n\r\n'],
  ['an empty Host', 'GET / HTTP/1.1\r\nHost:\r\nX-Evil: 1\r\n\r\n'],
  ['a Host with a path', `GET / HTTP/1.1\r\nHost: site.example/\r\nX-Evil: 1\r\n\r\n`],
  ['HTTP/1.0', `GET / HTTP/1.0\r\n${HOST}\r\n`],
  ['HTTP/1.0 with chunks', `GET / HTTP/1.0\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n${SMUGGLED}`],
  ['HTTP/0.9', 'GET /\r\n'],
  ['HTTP/9.9', `GET / HTTP/9.9\r\n${HOST}X-Evil: 1\r\n\r\n`],
  ['a request as the body of a GET', `GET / HTTP/1.1\r\n${HOST}Content-Length: ${SMUGGLED.length}\r\n\r\n${SMUGGLED}`],
  ['an absolute target of another host', `GET http://evil.example/ HTTP/1.1\r\n${HOST}X-Evil: 1\r\n\r\n`],
  ['Expect', `GET / HTTP/1.1\r\n${HOST}Expect: 100-continue\r\nX-Evil: 1\r\n\r\n`],
  ['Upgrade', `GET / HTTP/1.1\r\n${HOST}Connection: Upgrade, X-Evil\r\nUpgrade: h2c\r\nX-Evil: 1\r\n\r\n`],
  ['a head that is too long', `GET / HTTP/1.1\r\n${HOST}X-Evil: ${'x'.repeat(20_000)}\r\n\r\n`],
  ['a head that never ends', `GET / HTTP/1.1\r\n${HOST}X-Evil: 1`],
  ['a body that never comes', `GET / HTTP/1.1\r\n${HOST}Content-Length: 100\r\nX-Evil: 1\r\n\r\n`],
];

everywhere((test) => {
  test('none of them changes what is stored, nor adds what others read', async (start) => {
    const site = await start((req, res) => {
      // A handler that says back what it should not, unless it is asked for nothing special.
      const evil = req.headers['x-evil'] ?? req.headers['x-a'];
      let body = '';
      req.on('data', (chunk) => (body += chunk));
      req.on('error', () => {});
      req.on('end', () => {
        res.setHeader('Cache-Control', 'public, max-age=60');
        res.setHeader('Vary', 'X-Evil, X-A');
        res.end(`page of ${req.headers.host} ${evil ?? ''}${body}`);
      });
    });
    const plain = { host: 'site.example' };
    const before = await site.hit('/', plain);
    expect(before.body).toBe('page of site.example ');
    for (const [name, text] of REQUESTS) {
      const answer = await send(site, text);
      // Whoever speaks the protocol wrongly is answered by an error, by the page, or not at all.
      expect([name, /^(HTTP\/1\.1 (100|101|200|4\d\d) |$)/.test(answer)]).toEqual([name, true]);
      expect([name, /^Set-Cookie:/im.test(answer)]).toEqual([name, false]);
      const after = await site.get('/', plain);
      expect([name, after.body, after.status]).toEqual([name, before.body, 200]);
      expect([name, after.cacheStatus]).toEqual([name, expect.stringContaining('; hit')]);
      expect([name, after.headers.etag]).toEqual([name, before.headers.etag]);
    }
    await turns(20);
    expect((await site.get('/evil', plain)).body).toBe('page of site.example ');
    expect((await site.get('/', { host: 'evil.example' })).body).toBe('page of evil.example ');
    expect((await site.get('/cold', plain)).body).toBe('page of site.example ');
  });

  test('the same before anything is stored: nobody finds what they have left', async (start) => {
    const site = await start((req, res) => {
      let body = '';
      req.on('data', (chunk) => (body += chunk));
      req.on('error', () => {});
      req.on('end', () => {
        res.setHeader('Cache-Control', 'public, max-age=60');
        res.end(`page of ${req.headers.host} ${body}`);
      });
    });
    for (const [name, text] of REQUESTS) {
      // A URL of its own for each.
      const path = `/${encodeURIComponent(name)}`;
      await send(site, text.replace(/^(GET|POST) \/(?=[ \r])/, `$1 ${path}`));
      const answer = await site.get(path, { host: 'site.example' });
      expect([name, answer.body]).toEqual([name, 'page of site.example ']);
    }
  });

  test('pipelined requests are answered in order, each with its own', async (start) => {
    const site = await start((req, res) => {
      res.setHeader('Cache-Control', 'max-age=60');
      setTimeout(() => res.end(`<${req.method} ${req.url}>`), req.url === '/a' ? 20 : 1);
    });
    await site.hit('/b', { host: 'site.example' });
    const targets = ['/a', '/b', '/c', '/a', '/b'];
    const text = targets.map((target) => `GET ${target} HTTP/1.1\r\n${HOST}\r\n`).join('');
    for (let round = 0; round < 2; round++) {
      const bodies = (/** @type {string} */ answer) => answer.match(/<[^>]+>/g) ?? [];
      const answer = await send(site, text, (sofar) => bodies(sofar).length >= targets.length);
      expect(bodies(answer)).toEqual(targets.map((target) => `<GET ${target}>`));
    }
  });

  test('values that would split a head are refused where they are set, and what is stored splits nothing', async (start) => {
    const refused = [];
    const site = await start((req, res) => {
      for (const value of ['a\r\nSet-Cookie: evil=1', 'a\nb', '\u010d\u010a', 'a\0']) {
        try {
          res.writeHead(200, { 'Cache-Control': 'max-age=60', 'X-Value': value });
        } catch (error) {
          refused.push(error.code);
        }
      }
      res.setHeader('Cache-Control', 'max-age=60');
      res.setHeader('X-Value', decodeURIComponent(req.url.slice(2)).replace(/[^\t -~\x80-\xff]/g, '?'));
      res.end('page');
    });
    const answer = await site.hit('/?a%0d%0aSet-Cookie:%20evil=1');
    expect(new Set(refused)).toEqual(new Set(['ERR_INVALID_CHAR']));
    expect(answer.headers['x-value']).toBe('a??Set-Cookie: evil=1');
    expect(answer.headers).not.toHaveProperty('set-cookie');
  });
}, SOME_PLACES);
