'use strict';
// Concurrent misses: one handler run when the answer may be shared, everyone's own when it may not.
const http = require('node:http');
const { AsyncLocalStorage } = require('node:async_hooks');
const express4 = require('express4');
const express5 = require('express');
const { cacheResponse } = require('../../lib/http');
const { HttpCache } = require('../../lib/http/flow/http-cache');
const { parseOptions } = require('../../lib/http/options');
const { serve, request, until, cleanUp, onCleanUp } = require('../helpers/http');
const { turns } = require('../helpers/until');
const { memoryCache } = require('../helpers/memory-cache');

afterEach(cleanUp);

function newCache() {
  const cache = memoryCache();
  onCleanUp(() => cache.close());
  return cache;
}

/** An app that counts its runs, and answers when it is told to. */
function gate() {
  /** @type {Array<{ req: any, res: any }>} */
  const open = [];
  const counts = { runs: 0 };
  return {
    open,
    counts,
    handler: (/** @type {any} */ req, /** @type {any} */ res) => {
      counts.runs++;
      open.push({ req, res });
    },
  };
}

/** @type {Record<string, (handler: any, options: object) => http.RequestListener>} */
const mounts = {
  'Express 4': (handler, options) => express4().use(cacheResponse(options)).use(handler),
  'Express 5': (handler, options) => express5().use(cacheResponse(options)).use(handler),
  'in front of Express 5': (handler, options) => cacheResponse.front(express5().use(handler), options),
};

describe.each(Object.keys(mounts))('%s', (mount) => {
  test('twenty concurrent GETs: one run', async () => {
    const app = gate();
    const server = await serve(mounts[mount](app.handler, { cache: newCache(), ttl: 60 }));
    const answers = Array.from({ length: 20 }, () => request(server, '/'));
    const head = request(server, '/', { method: 'HEAD' });
    await until(() => app.open.length > 0);
    app.open[0].res.write('one');
    await turns(30);
    app.open[0].res.end(' body');
    const all = await Promise.all(answers);
    expect(all.map((answer) => answer.body)).toEqual(Array(20).fill('one body'));
    expect((await head).bytes).toHaveLength(0);
    expect(app.counts.runs).toBe(1);
    const kinds = all.map((answer) => answer.cacheStatus);
    expect(kinds.filter((kind) => kind === 'tiercel; fwd=uri-miss; stored')).toHaveLength(1);
    expect(kinds.filter((kind) => /; fwd=uri-miss; collapsed$|; hit; /.test(kind))).toHaveLength(19);
  });

  test.each([
    { 'Set-Cookie': 'sid=1' },
    { 'Cache-Control': 'private' },
    { 'Cache-Control': 'no-store' },
    { Vary: '*' },
  ])('with %j everyone gets an answer of their own', async (fields) => {
    const app = gate();
    const server = await serve(mounts[mount](app.handler, { cache: newCache(), ttl: 60 }));
    const answers = Array.from({ length: 5 }, (_, id) => request(server, '/', { headers: { 'x-id': id } }));
    await until(() => app.open.length > 0);
    await turns(30);
    expect(app.counts.runs).toBe(1);
    const send = (/** @type {any} */ { req, res }) => {
      res.writeHead(200, fields);
      res.write(`for ${req.headers['x-id']}`);
    };
    send(app.open[0]);
    // The head decides; nobody waits for the body.
    await until(() => app.open.length === 5);
    app.open.slice(1).forEach(send);
    app.open.forEach(({ res }) => res.end());
    expect((await Promise.all(answers)).map((answer) => answer.body)).toEqual([0, 1, 2, 3, 4].map((id) => `for ${id}`));
    expect(app.counts.runs).toBe(5);
  });
});

/**
 * @param {(req: any, res: any) => void} handler
 * @param {string} [timeout] how long one request waits for another
 */
function start(handler, timeout = '5s') {
  const options = parseOptions({ cache: newCache(), ttl: 60, maxBodyBytes: 100, collapse: timeout });
  const cache = new HttpCache(options, 'test');
  return serve((req, res) => cache.handle(req, res, () => handler(req, res)));
}

test('another Accept-Encoding than the leader sent runs on its own', async () => {
  const app = gate();
  const server = await start(app.handler);
  const answers = ['gzip', 'gzip', 'br'].map((encoding) =>
    request(server, '/', { headers: { 'accept-encoding': encoding } }),
  );
  await until(() => app.open.length === 1);
  await turns(30);
  const send = (/** @type {any} */ { req, res }) =>
    res.writeHead(200, { Vary: 'Accept-Encoding' }).end(`for ${req.headers['accept-encoding']}`);
  send(app.open[0]);
  const first = app.open[0].req.headers['accept-encoding'];
  while (app.open.length < (first === 'gzip' ? 2 : 3)) {
    await new Promise((resolve) => setTimeout(resolve, 5));
    if (app.open.length === 2) send(app.open[1]);
    if (first === 'gzip') break;
  }
  await until(() => app.open.length >= 2);
  for (const { req, res } of app.open) if (!res.headersSent) send({ req, res });
  expect((await Promise.all(answers)).map((answer) => answer.body)).toEqual(['for gzip', 'for gzip', 'for br']);
});

test('a body that turns out too long: who waits reads along to its end, who comes later runs alone', async () => {
  const app = gate();
  const server = await start(app.handler);
  const answers = [request(server, '/'), request(server, '/')];
  await until(() => app.open.length === 1);
  await turns(30);
  app.open[0].res.write(Buffer.alloc(60));
  await turns(20);
  app.open[0].res.write(Buffer.alloc(60));
  await turns(20);
  const late = request(server, '/');
  await until(() => app.open.length === 2);
  app.open[0].res.end(Buffer.alloc(5));
  app.open[1].res.end('short');
  expect((await Promise.all(answers)).map((answer) => answer.bytes.length)).toEqual([125, 125]);
  expect((await late).body).toBe('short');
});

test('when the leader loses its client, its handler goes on for those who wait', async () => {
  const app = gate();
  const server = await start(app.handler);
  const leader = http.get({ host: '127.0.0.1', port: server.port, path: '/', agent: false });
  leader.on('error', () => {});
  await until(() => app.open.length === 1);
  let isTold = false;
  app.open[0].res.on('close', () => (isTold = true));
  const answers = [request(server, '/'), request(server, '/'), request(server, '/')];
  await turns(30);
  leader.destroy();
  await turns(30);
  expect(isTold).toBe(false);
  app.open[0].res.write('whole');
  app.open[0].res.end(' body');
  expect((await Promise.all(answers)).map((answer) => answer.body)).toEqual(Array(3).fill('whole body'));
  expect(app.counts.runs).toBe(1);
  await until(() => isTold);
  expect((await request(server, '/')).cacheStatus).toContain('hit');
});

test('when nobody waits, the handler hears that its client has gone', async () => {
  const app = gate();
  const server = await start(app.handler);
  const leader = http.get({ host: '127.0.0.1', port: server.port, path: '/', agent: false });
  leader.on('error', () => {});
  await until(() => app.open.length === 1);
  let isTold = false;
  app.open[0].res.on('close', () => (isTold = true));
  leader.destroy();
  await until(() => isTold);
  const next = request(server, '/');
  await until(() => app.open.length === 2);
  app.open[1].res.end('next');
  expect((await next).body).toBe('next');
});

test('nobody waits longer than the timeout for a handler that hangs', async () => {
  const app = gate();
  const server = await start(app.handler, '60ms');
  const hanging = request(server, '/').catch(() => {});
  await until(() => app.open.length === 1);
  const waiting = request(server, '/');
  await until(() => app.open.length === 2);
  app.open[1].res.end('second');
  expect((await waiting).body).toBe('second');
  app.open[0].res.end('first');
  await hanging;
});

test('a request that comes late starts anew, and is not stuck behind the hanging one', async () => {
  const app = gate();
  const server = await start(app.handler, '30ms');
  const hanging = request(server, '/').catch(() => {});
  await until(() => app.open.length === 1);
  await turns(40);
  const late = request(server, '/');
  await until(() => app.open.length === 2);
  app.open[1].res.end('late');
  expect((await late).body).toBe('late');
  app.open[0].res.end();
  await hanging;
});

test('nobody waits for HEAD, no-store and ranges', async () => {
  const app = gate();
  const server = await start(app.handler);
  const answers = [
    request(server, '/', { method: 'HEAD' }),
    request(server, '/', { headers: { 'cache-control': 'no-store' } }),
    request(server, '/', { headers: { range: 'bytes=0-0' } }),
  ];
  await until(() => app.open.length === 3);
  answers.push(request(server, '/'));
  await until(() => app.open.length === 4);
  for (const { res } of app.open) res.end('x');
  await Promise.all(answers);
});

test('conditions are no part of what others wait for: each is judged for its own request', async () => {
  const app = gate();
  const server = await start(app.handler);
  const first = request(server, '/', { headers: { 'if-none-match': '"x"' } });
  await until(() => app.open.length === 1);
  expect(app.open[0].req.headers['if-none-match']).toBeUndefined();
  const answers = [first, request(server, '/'), request(server, '/', { headers: { 'if-none-match': '"y"' } })];
  await turns(30);
  app.open[0].res.setHeader('ETag', '"x"');
  app.open[0].res.end('body');
  expect((await Promise.all(answers)).map(({ status, body }) => [status, body])).toEqual([
    [304, ''],
    [200, 'body'],
    [200, 'body'],
  ]);
  expect(app.counts.runs).toBe(1);
});

test('what waits goes on in its own asynchronous context', async () => {
  const context = new AsyncLocalStorage();
  const seen = /** @type {any[]} */ ([]);
  const app = gate();
  const cache = new HttpCache(parseOptions({ cache: newCache() }), 'test');
  const server = await serve((req, res) =>
    context.run(req.headers['x-id'], () =>
      cache.handle(req, res, () => {
        seen.push([req.headers['x-id'], context.getStore()]);
        app.handler(req, res);
      }),
    ),
  );
  const answers = ['a', 'b', 'c'].map((id) => request(server, '/', { headers: { 'x-id': id } }));
  await until(() => app.open.length === 1);
  await turns(30);
  app.open[0].res.end('not stored: no ttl');
  await until(() => app.open.length === 3);
  app.open.forEach(({ res }) => res.end());
  await Promise.all(answers);
  expect(seen).toHaveLength(3);
  for (const [id, store] of seen) expect(store).toBe(id);
});
