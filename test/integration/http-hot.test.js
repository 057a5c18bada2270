'use strict';
// Hits whose head was made before: what is sent is what writeHead would have sent, and never of an entry that is gone.

const http = require('node:http');
const express = require('express');
const { cacheResponse } = require('../../lib/http');
const { serve, request, exchange, cleanUp, onCleanUp } = require('../helpers/http');
const { memoryCache } = require('../helpers/memory-cache');

// How often Node has built a head: every response, but for those whose head was there already.
const outgoing = /** @type {any} */ (http.OutgoingMessage.prototype);
const { _storeHeader } = outgoing;
let built = 0;
beforeAll(() => {
  outgoing._storeHeader = function (/** @type {any[]} */ ...args) {
    if (this instanceof http.ServerResponse) built++;
    return Reflect.apply(_storeHeader, this, args);
  };
});
afterAll(() => {
  outgoing._storeHeader = _storeHeader;
});
afterEach(cleanUp);

/** Between two seconds of an Age, so that what follows is within one. */
async function earlyInSecond() {
  await new Promise((resolve) => setTimeout(resolve, 30));
}

/**
 * @param {{ wrap?: (listener: any) => any, handler?: (req: any, res: any, run: number) => void, ttl?: number }} [options]
 */
async function start({ wrap = (listener) => listener, handler, ttl = 60 } = {}) {
  const cache = memoryCache();
  onCleanUp(() => cache.close());
  const state = { runs: 0, cache, port: 0, host: '' };
  const app = (/** @type {any} */ req, /** @type {any} */ res) => {
    const run = ++state.runs;
    if (handler) return handler(req, res, run);
    const body = Buffer.from(`run ${run}`);
    res.writeHead(200, { 'Content-Type': 'text/plain', 'Content-Length': body.length, ETag: `"${run}"` });
    return res.end(body);
  };
  Object.assign(state, await serve(wrap(cacheResponse.front(app, { cache, ttl }))));
  return state;
}

/** @param {{ port: number }} server @param {string} lines */
const raw = async (server, lines) => (await exchange(server, lines)).toString('latin1');
const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
const LAST = 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n';
/** @param {string} text of many responses */
const split = (text) => text.split(/(?=HTTP\/1\.1 )/);

test('a head that is sent again is the one that Node built', async () => {
  const server = await start();
  await raw(server, LAST);
  await earlyInSecond();
  built = 0;
  // Peeked, learnt, and sent again three times; the last one closes the connection and says so.
  const answers = split(await raw(server, GET.repeat(5) + LAST));
  expect(answers).toHaveLength(6);
  expect(built).toBeLessThanOrEqual(5);
  expect(built).toBeGreaterThanOrEqual(3);
  for (const answer of answers.slice(0, 5)) expect(answer).toBe(answers[0]);
  expect(answers[0]).toMatch(/^HTTP\/1\.1 200 OK\r\nContent-Type: text\/plain\r\n/);
  expect(answers[0]).toContain(
    '\r\nAge: 0\r\nCache-Status: tiercel; hit; ttl=59; detail=memory\r\nConnection: keep-alive\r\nKeep-Alive:',
  );
  expect(answers[5]).toContain('\r\nConnection: close\r\n');
  expect(server.runs).toBe(1);
});

test('GET, HEAD and GET on one connection, sent at once', async () => {
  const server = await start();
  await raw(server, LAST);
  const head = GET.replace('GET', 'HEAD');
  const answers = split(await raw(server, GET + GET + head + GET + head + LAST));
  expect(answers.map((answer) => answer.split('\r\n\r\n')[1])).toEqual(['run 1', 'run 1', '', 'run 1', '', 'run 1']);
  expect(answers[2]).toContain('\r\nContent-Length: 5\r\n');
});

test('HTTP/1.0 and a limit of requests per connection say what they must', async () => {
  /** @type {http.Server | undefined} */
  let found;
  const server = await start({
    wrap: (listener) => (/** @type {any} */ req, /** @type {any} */ res) => {
      found = req.socket.server;
      found.keepAliveTimeout = 100;
      listener(req, res);
    },
  });
  await raw(server, LAST);
  await raw(server, GET + GET + LAST);
  const old = await raw(server, 'GET / HTTP/1.0\r\nHost: a\r\n\r\n');
  expect(old).toContain('\r\nConnection: close\r\n');
  /** @type {http.Server} */ (found).maxRequestsPerSocket = 2;
  const answers = split(await raw(server, GET + GET));
  expect(answers[0]).toContain('max=2');
  expect(answers[1]).toContain('\r\nConnection: close\r\n');
});

test('events and properties that loggers look at', async () => {
  /** @type {any[]} */
  const log = [];
  const server = await start({
    wrap: (listener) => (/** @type {any} */ req, /** @type {any} */ res) => {
      const note = () => log.push([res.statusCode, res.statusMessage, res.headersSent, res.writableFinished]);
      res.once('finish', note);
      res.once('close', () => log.push('close'));
      listener(req, res);
    },
  });
  await raw(server, LAST);
  await raw(server, GET + GET + GET + LAST);
  expect(log.filter((entry) => entry === 'close')).toHaveLength(5);
  for (const entry of log) if (entry !== 'close') expect(entry).toEqual([200, 'OK', true, true]);
});

test('a layer that replaced writeHead sees every head, and may add to it', async () => {
  let seen = 0;
  const server = await start({
    wrap: (listener) => (/** @type {any} */ req, /** @type {any} */ res) => {
      const { writeHead } = res;
      res.writeHead = function (/** @type {any[]} */ ...args) {
        res.setHeader('X-Seen', String(++seen));
        return Reflect.apply(writeHead, res, args);
      };
      listener(req, res);
    },
  });
  await raw(server, LAST);
  const answers = split(await raw(server, GET.repeat(4) + LAST));
  expect(answers).toHaveLength(5);
  expect(answers.map((answer) => /\r\nX-Seen: (\d)\r\n[^]*run 1$/.exec(answer)?.[1])).toEqual([
    '2',
    '3',
    '4',
    '5',
    '6',
  ]);
});

test('fields of outer layers are those of each request, and ours can be seen by them', async () => {
  let count = 0;
  /** @type {any[]} */
  const lengths = [];
  const server = await start({
    wrap: (listener) => (/** @type {any} */ req, /** @type {any} */ res) => {
      // The first answers are alike.
      res.setHeader('X-Request-Id', String(Math.max(3, ++count)));
      res.once('finish', () => lengths.push(res.getHeader('content-length')));
      listener(req, res);
    },
  });
  await raw(server, LAST);
  const answers = split(await raw(server, GET.repeat(5) + LAST));
  expect(answers.map((answer) => /X-Request-Id: (\d)/.exec(answer)?.[1])).toEqual(['3', '3', '4', '5', '6', '7']);
  expect(lengths.slice(1)).toEqual(Array(6).fill('5'));
});

test('a reason phrase of one request is not that of the next', async () => {
  let count = 0;
  const server = await start({
    wrap: (listener) => (/** @type {any} */ req, /** @type {any} */ res) => {
      if (++count % 2 === 0) res.statusMessage = `Fine ${count}`;
      listener(req, res);
    },
    handler: (req, res) => res.end('x'),
  });
  await raw(server, LAST);
  const answers = split(await raw(server, GET.repeat(5) + LAST));
  const first = answers.map((answer) => answer.slice(0, answer.indexOf('\r\n')).replace('HTTP/1.1 200 ', ''));
  expect(first).toEqual(['Fine 2', 'OK', 'Fine 4', 'OK', 'Fine 6', 'OK']);
});

test('a deleted, replaced or outdated entry is not sent', async () => {
  const server = await start({ ttl: 1 });
  await raw(server, LAST);
  expect(split(await raw(server, GET.repeat(3) + LAST)).at(-1)).toMatch(/run 1$/);
  await request(server, '/', { method: 'POST', headers: { host: 'a' } });
  const runs = server.runs;
  expect(await raw(server, LAST)).toMatch(new RegExp(`run ${runs + 1}$`));
  await raw(server, GET.repeat(3) + LAST);
  await server.cache.clear();
  expect(await raw(server, LAST)).toMatch(new RegExp(`run ${runs + 2}$`));
  await raw(server, GET.repeat(3) + LAST);
  await new Promise((resolve) => setTimeout(resolve, 1050));
  expect(await raw(server, LAST)).toMatch(new RegExp(`run ${runs + 3}$`));
});

test('Age and ttl move on', async () => {
  const server = await start();
  await raw(server, LAST);
  expect(split(await raw(server, GET.repeat(3) + LAST)).at(-1)).toContain('\r\nAge: 0\r\n');
  await new Promise((resolve) => setTimeout(resolve, 1100));
  for (const answer of split(await raw(server, GET.repeat(3) + LAST))) {
    expect(answer).toContain('\r\nAge: 1\r\nCache-Status: tiercel; hit; ttl=58; detail=memory\r\n');
  }
});

test('conditions, parts and credentials are not for what was made before', async () => {
  const server = await start();
  const { headers } = await request(server, '/');
  for (let i = 0; i < 3; i++) await request(server, '/');
  expect((await request(server, '/', { headers: { 'if-none-match': headers.etag } })).status).toBe(304);
  const other = await request(server, '/', { headers: { authorization: 'Basic eDp5' } });
  expect([other.body, other.cacheStatus]).toEqual(['run 2', 'tiercel; fwd=request']);
  expect((await request(server, '/', { headers: { range: 'bytes=0-1' } })).body).toBe('ru');
});

test('another host is another page; a host with a scheme is none', async () => {
  const server = await start();
  for (let i = 0; i < 3; i++) await raw(server, LAST);
  expect(await raw(server, LAST.replace('Host: a', 'Host: b'))).toMatch(/run 2$/);
  expect(await raw(server, LAST)).toMatch(/run 1$/);
  expect(await raw(server, LAST.replace('Host: a', 'Host: https://a'))).toMatch(/fwd=bypass[^]*run 3$/);
});

test('repeated fields, latin-1 and a status without a body', async () => {
  const server = await start({
    handler: (req, res) => {
      if (req.url === '/gone') {
        res.writeHead(204, { 'Cache-Control': 'max-age=60' });
        return res.end();
      }
      res.writeHead(200, ['Link', '<a>', 'Link', '<b>', 'X-Name', 'Ren\u00e9e']);
      return res.end(Buffer.from('\u00e9', 'utf8'));
    },
  });
  await raw(server, LAST);
  for (const answer of split(await raw(server, GET.repeat(4) + LAST))) {
    expect(answer).toMatch(/\r\nLink: <a>\r\nLink: <b>\r\nX-Name: Ren\u00e9e\r\n[^]*\r\n\r\n\u00c3\u00a9$/);
  }
  const gone = GET.replace('/ ', '/gone ');
  const answers = split(await raw(server, gone.repeat(4) + LAST));
  for (const answer of answers.slice(0, 4)) expect(answer).toMatch(/^HTTP\/1\.1 204 No Content\r\n[^]*\r\n\r\n$/);
});

test('the middleware behind Express, whose fields are set', async () => {
  const cache = memoryCache();
  onCleanUp(() => cache.close());
  const app = express();
  app.use(cacheResponse({ cache, ttl: 60 }));
  app.get('/', (req, res) => {
    res.json({ a: 1 });
  });
  const server = await serve(app);
  await raw(server, LAST);
  await earlyInSecond();
  built = 0;
  const answers = split(await raw(server, GET.repeat(5) + LAST));
  for (const answer of answers.slice(0, 5)) expect(answer).toBe(answers[0]);
  expect(answers[0]).toMatch(
    /^HTTP\/1\.1 200 OK\r\nX-Powered-By: Express\r\nContent-Type: application\/json[^]*\{"a":1\}$/,
  );
  expect(built).toBeLessThanOrEqual(5);
});
