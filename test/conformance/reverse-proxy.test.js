'use strict';
// The reverse proxy of the conformance runs: it has to hand on what the origin says, or the suite would measure the proxy.

const http = require('node:http');
const net = require('node:net');
const { reverseProxy } = require('./reverse-proxy');
const { serve, request, exchange, onCleanUp, cleanUp } = require('../helpers/http');

afterEach(cleanUp);

/** A proxy in front of a listener. */
async function proxied(listener, options) {
  return inFrontOf(await serve(listener), options);
}

async function inFrontOf({ port }, options) {
  const proxy = reverseProxy({ host: '127.0.0.1', port }, options);
  onCleanUp(() => proxy.close());
  return serve(proxy);
}

/** An origin that answers the first bytes of every connection with these, and closes it. */
async function rawOrigin(answer) {
  const server = net.createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', () => socket.end(answer, 'latin1'));
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  onCleanUp(() => new Promise((resolve) => server.close(resolve)));
  return /** @type {import('node:net').AddressInfo} */ (server.address());
}

/** The lines that a client sees for a GET, up to the end of the connection. */
async function lines(server, fields = '') {
  const text = `GET /x?y HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n${fields}\r\n`;
  return (await exchange(server, text)).toString('latin1').split('\r\n');
}

test.each(['raw', 'parsed'])('the request arrives as it was sent: %s', async (fields) => {
  const seen = [];
  const server = await proxied(
    (req, res) => {
      let body = '';
      req.on('data', (chunk) => (body += chunk));
      req.on('end', () => {
        seen.push({ method: req.method, url: req.url, headers: req.headers, raw: req.rawHeaders, body });
        res.end();
      });
    },
    { fields },
  );
  const headers = { Host: 'a.example', 'X-Case': ['1', '2'], Connection: 'x-hop', 'X-Hop': '1', 'content-length': 4 };
  await request(server, '/a?b', { method: 'PUT', headers, body: 'four' });
  await request(server, '/c', { method: 'POST', headers: { 'Transfer-Encoding': 'chunked' }, body: 'chunks' });
  await request(server, '/d', { headers: { 'If-None-Match': '"1"' } });

  expect(seen.map(({ method, url, body }) => `${method} ${url} ${body}`)).toEqual([
    'PUT /a?b four',
    'POST /c chunks',
    'GET /d ',
  ]);
  expect(seen[0].headers).toMatchObject({ host: 'a.example', 'x-case': '1, 2', 'content-length': '4' });
  expect(seen[0].headers).not.toHaveProperty('x-hop');
  if (fields === 'raw') expect(seen[0].raw.filter((name) => name === 'X-Case')).toHaveLength(2);
  expect(seen[1].headers).toHaveProperty('transfer-encoding', 'chunked');
  expect(seen[2].headers).not.toHaveProperty('transfer-encoding');
  expect(seen[2].headers).toHaveProperty('if-none-match', '"1"');
});

test('the parsed fields are those that a layer before the proxy has put there', async () => {
  const { port } = await serve((req, res) => res.end(req.headers['if-none-match']));
  const proxy = reverseProxy({ host: '127.0.0.1', port }, { fields: 'parsed' });
  onCleanUp(() => proxy.close());
  const server = await serve((req, res) => {
    req.headers['if-none-match'] = '"stored"';
    proxy(req, res);
  });
  expect((await request(server, '/')).body).toBe('"stored"');
});

test('the head arrives with its case, its repeated lines and its bytes', async () => {
  const origin = await rawOrigin(
    'HTTP/1.1 299 Odd Reason\r\nX-TWICE: a\r\nETag: "\xe9"\r\nx-twice: b\r\nConnection: close, X-Hop\r\nX-Hop: 1\r\n' +
      'Content-Length: 2\r\n\r\nok',
  );
  const seen = await lines(await inFrontOf(origin));
  expect(seen[0]).toBe('HTTP/1.1 299 Odd Reason');
  expect(seen).toEqual(expect.arrayContaining(['X-TWICE: a', 'X-TWICE: b', 'ETag: "\xe9"', 'Content-Length: 2', 'ok']));
  expect(seen.join('\n')).not.toMatch(/x-hop/i);
});

test('a body that is shorter than the bytes behind the head is whole', async () => {
  const origin = await rawOrigin('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokay');
  const answer = await request(await inFrontOf(origin), '/');
  expect(answer).toMatchObject({ status: 200, body: 'ok' });
});

test('interim responses are handed on, 100 is not', async () => {
  const server = await proxied((req, res) => {
    res.writeContinue();
    res.writeProcessing();
    res.writeEarlyHints({ link: '</a.css>; rel=preload', 'x-early': '1' });
    res.end('done');
  });
  const seen = await lines(server);
  expect(seen.filter((line) => line.startsWith('HTTP/1.1'))).toEqual([
    'HTTP/1.1 102 Processing',
    'HTTP/1.1 103 Early Hints',
    'HTTP/1.1 200 OK',
  ]);
  expect(seen).toEqual(expect.arrayContaining(['Link: </a.css>; rel=preload', 'x-early: 1']));
});

test('trailers are handed on', async () => {
  const server = await proxied((req, res) => {
    res.setHeader('Trailer', 'X-Sum');
    res.write('body');
    res.addTrailers({ 'X-Sum': 'abc' });
    res.end();
  });
  const seen = await lines(server);
  expect(seen).toContain('Trailer: X-Sum');
  expect(seen.indexOf('X-Sum: abc')).toBeGreaterThan(seen.indexOf('body'));
});

test('an origin that is gone before it answers is a 502 with nothing about caching', async () => {
  let requests = 0;
  const server = await proxied((req, res) => {
    requests++;
    res.setHeader('Cache-Control', 'max-age=60');
    res.socket.destroy();
  });
  const answer = await request(server, '/');
  expect(answer).toMatchObject({ status: 502, body: '' });
  expect(Object.keys(answer.headers).sort()).toEqual(['connection', 'content-length', 'date']);
  // Not sent again, either.
  expect(requests).toBe(1);
});

test('nobody listens: 502', async () => {
  const origin = net.createServer();
  await new Promise((resolve) => origin.listen(0, '127.0.0.1', resolve));
  const { port } = /** @type {import('node:net').AddressInfo} */ (origin.address());
  await new Promise((resolve) => origin.close(resolve));
  expect(await request(await inFrontOf({ port }), '/')).toMatchObject({ status: 502 });
});

test('an origin that does not answer is a 504', async () => {
  const server = await proxied(() => {}, { timeout: 50 });
  expect(await request(server, '/')).toMatchObject({ status: 504, body: '' });
});

test.each([
  ['with a length', { 'Content-Length': 100 }],
  ['in chunks', {}],
])('a body %s that is cut off is cut off for the client', async (_, headers) => {
  const server = await proxied((req, res) => {
    res.writeHead(200, headers);
    res.write('part', () => res.socket.destroy());
  });
  await expect(request(server, '/')).rejects.toThrow(/aborted|socket hang up/);
});

test('a client that leaves ends the request to the origin', async () => {
  const gone = new Promise((resolve) => {
    proxied((req, res) => res.on('close', resolve)).then((server) => {
      const req = http.get({ host: '127.0.0.1', port: server.port, agent: false });
      req.on('error', () => {});
      setTimeout(() => req.destroy(), 50);
    });
  });
  await gone;
});
