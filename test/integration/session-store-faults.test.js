'use strict';
// SessionStore when things fail: callbacks that throw, Redis that is gone, frozen, back; calls that nobody waits for.

const { createRedis } = require('../../lib');
const { PATIENCE } = require('../helpers/patience');
const { cleanUp } = require('../helpers/http');
const { freePort, RedisServer } = require('../helpers/redis-server');
const { ROOT, runScript } = require('../helpers/run-script');
const { SessionApp } = require('../helpers/session-app');
const { closeStores, openStore, sessionOf } = require('../helpers/session-stores');
const { delay, rejection, until } = require('../helpers/until');

let server;
const unhandled = [];
const note = (error) => unhandled.push(error);
beforeEach(async () => {
  process.on('unhandledRejection', note);
  unhandled.length = 0;
  server = await RedisServer.start();
});
afterEach(async () => {
  await cleanUp();
  await closeStores();
  await server.stop();
  await delay(5);
  process.off('unhandledRejection', note);
  expect(unhandled).toEqual([]);
});

const asCallback = (call) => new Promise((resolve) => call((error, result) => resolve(error ?? result ?? null)));

describe('callbacks', () => {
  test('with a callback nothing is returned; it is called once, later, with null for no error', async () => {
    const store = openStore({ redis: server.url });
    const session = sessionOf(60_000);
    const calls = [];
    const log = (name) => (...results) => calls.push([name, ...results]); // prettier-ignore
    const returned = [
      store.set('a', session, log('set')),
      store.get('a', log('get')),
      store.touch('a', session, log('touch')),
      store.length(log('length')),
      store.ids(log('ids')),
      store.all(log('all')),
      store.destroy('a', log('destroy')),
      store.get('a', log('none')),
      store.clear(log('clear')),
    ];
    expect(returned).toEqual(Array(9).fill(undefined));
    expect(calls).toEqual([]);
    await until('all of them', () => calls.length === 9);
    await delay(20);
    expect(new Map(calls.map(([name, ...results]) => [name, results]))).toEqual(
      new Map([
        ['set', [null]],
        ['get', [null, session]],
        ['touch', [null]],
        ['length', [null, expect.any(Number)]],
        ['ids', [null, expect.any(Array)]],
        ['all', [null, expect.any(Array)]],
        ['destroy', [null]],
        ['none', [null, null]],
        ['clear', [null]],
      ]),
    );
  });

  test('one that throws is not called again, and its error is uncaught', async () => {
    const { stdout, code } = await runScript(
      `const { SessionStore } = require('${ROOT}/lib/session');
       const store = new SessionStore({ redis: '${server.url}' });
       const seen = [];
       process.on('uncaughtException', (error) => seen.push(error.message));
       process.on('unhandledRejection', (error) => seen.push('unhandled ' + error.message));
       const calls = {};
       const thrower = (name) => () => { calls[name] = (calls[name] ?? 0) + 1; throw new Error(name); };
       store.set('a', { cookie: {} }, thrower('set'));
       store.get('a', thrower('get'));
       store.touch('a', { cookie: {} }, thrower('touch'));
       store.all(thrower('all'));
       store.get('', thrower('bad'));
       store.destroy('a', thrower('destroy'));
       setTimeout(async () => { console.log(JSON.stringify({ calls, seen: seen.sort() })); await store.close(); }, 300);`,
    );
    const names = ['all', 'bad', 'destroy', 'get', 'set', 'touch'];
    expect(JSON.parse(stdout)).toEqual({ calls: Object.fromEntries(names.map((n) => [n, 1])), seen: names });
    expect(code).toBe(0);
  });

  test('a serializer that fails: the callback has its error, and reading is no session', async () => {
    const failure = new Error('mine');
    for (const stringify of [
      () => Promise.reject(failure),
      () => {
        throw failure;
      },
    ]) {
      // prettier-ignore
      const store = openStore({ redis: server.url, serializer: { stringify, parse: JSON.parse } });
      expect(await asCallback((done) => store.set('a', sessionOf(1000), done))).toBe(failure);
    }
    const odd = openStore({ redis: server.url, serializer: { stringify: () => undefined, parse: JSON.parse } });
    expect((await rejection(odd.set('a', sessionOf(1000)))).message).toMatch(
      /^serializer.stringify: expected a string/,
    );
    for (const parse of [
      () => Promise.reject(failure),
      () => {
        throw failure;
      },
    ]) {
      // prettier-ignore
      const store = openStore({ redis: server.url, serializer: { stringify: JSON.stringify, parse } });
      const errors = [];
      store.on('error', (error) => errors.push(error.cause));
      await store.set('a', sessionOf(1000));
      expect(await store.get('a')).toBeNull();
      expect(errors).toEqual([failure]);
    }
  });
});

describe('Redis is gone', () => {
  test('every call has its error, at once', async () => {
    const store = openStore({ redis: server.url });
    await store.set('a', sessionOf(60_000));
    const loaded = await store.get('a');
    await server.kill();
    await delay(400);
    const began = performance.now();
    const errors = await Promise.all([
      asCallback((done) => store.get('a', done)),
      asCallback((done) => store.set('a', sessionOf(1000), done)),
      asCallback((done) => store.set('a', loaded, done)),
      asCallback((done) => store.touch('a', sessionOf(1000), done)),
      asCallback((done) => store.destroy('a', done)),
      asCallback((done) => store.length(done)),
      asCallback((done) => store.all(done)),
      asCallback((done) => store.clear(done)),
    ]);
    expect(performance.now() - began).toBeLessThan(100 * PATIENCE);
    expect(new Set(errors.map(({ code }) => code))).toEqual(new Set(['SESSION_UNAVAILABLE']));
    await server.restart();
    await until('it is back', async () => (await store.get('a').catch(() => 0)) === null);
    await store.set('a', sessionOf(60_000));
    expect(await store.get('a')).not.toBeNull();
  });

  test("'disconnect' and 'connect' are a state that does not stick; requests go on without a session meanwhile", async () => {
    const store = openStore({ redis: server.url });
    const states = [];
    store.on('connect', () => states.push('connect')).on('disconnect', () => states.push('disconnect'));
    const app = await SessionApp.start({ store, cookie: { maxAge: 60_000 } }, (routes) => {
      routes.get('/any', (req, res) => res.send(String(req.session !== undefined)));
    });
    const browser = app.browser();
    for (let round = 1; round <= 2; round++) {
      await browser.get('/set?key=a&value=1');
      expect((await browser.get('/any')).body).toBe('true');
      await server.kill();
      await until('the loss', () => states.length === 2 * round - 1);
      const began = performance.now();
      expect(await browser.get('/any')).toMatchObject({ status: 200, body: 'false' });
      expect(performance.now() - began).toBeLessThan(200 * PATIENCE);
      await server.restart();
      await until('the return', () => states.length === 2 * round);
      expect((await browser.get('/any')).body).toBe('true');
    }
    expect(states).toEqual(['disconnect', 'connect', 'disconnect', 'connect']);
  });

  test('it need not be there at the start', async () => {
    const port = await freePort();
    const store = openStore({ redis: `redis://127.0.0.1:${port}` });
    const early = asCallback((done) => store.get('a', done));
    expect((await early).code).toMatch(/COMMAND_TIMEOUT|SESSION_UNAVAILABLE/);
    const late = await RedisServer.start({ port });
    await until('it is there', async () => (await store.get('a').catch(() => 0)) === null);
    await late.stop();
  });

  test('killed and restarted under requests: every request is answered, and at the end all is well', async () => {
    const store = openStore({ redis: server.url });
    const app = await SessionApp.start({ store, cookie: { maxAge: 60_000 } });
    const browsers = Array.from({ length: 8 }, () => app.browser());
    let stop = false;
    let answers = 0;
    const lanes = browsers.map(async (browser, i) => {
      while (!stop) {
        const { status } = await browser.get(`/set?key=k&value=${i}`).catch((error) => ({ status: error.message }));
        expect([200, 500]).toContain(status);
        answers++;
      }
    });
    await delay(100);
    await server.kill();
    await delay(300);
    await server.restart();
    await until('it is back', async () => (await store.get('x').catch(() => 0)) === null);
    await delay(100);
    stop = true;
    await Promise.all(lanes);
    expect(answers).toBeGreaterThan(10);
    for (const [i, browser] of browsers.entries()) {
      await browser.get(`/set?key=k&value=${i}`);
      expect((await browser.show()).k).toBe(String(i));
    }
  });

  test('READONLY: the error, and another connection', async () => {
    const store = openStore({ redis: server.url });
    const admin = createRedis(server.url);
    await store.set('a', sessionOf(60_000));
    await admin.call('REPLICAOF', '127.0.0.1', String(await freePort()));
    expect((await rejection(store.set('a', sessionOf(60_000)))).code).toBe('READONLY');
    await admin.call('REPLICAOF', 'NO', 'ONE');
    await until('it writes again', () => store.set('a', sessionOf(60_000)).then(() => true, () => false)); // prettier-ignore
    await admin.close();
  });
});

describe('a server that is frozen', () => {
  test('calls end with an error within their time, later ones at once, and all is well when it thaws', async () => {
    const store = openStore({ redis: server.url });
    await store.set('a', sessionOf(60_000));
    server.pause();
    const began = performance.now();
    expect((await rejection(store.get('a'))).code).toBe('COMMAND_TIMEOUT');
    expect(performance.now() - began).toBeLessThan(2000);
    const again = performance.now();
    for (let i = 0; i < 20; i++) expect((await rejection(store.get('a'))).code).toBe('SESSION_UNAVAILABLE');
    expect(performance.now() - again).toBeLessThan(200 * PATIENCE);
    server.resume();
    await until('it answers', async () => (await store.get('a').catch(() => 0)) !== 0);
    expect(await store.get('a')).not.toBeNull();
  });
});

describe('calls without a callback', () => {
  test('a promise, whose error is an event too', async () => {
    const store = openStore({ redis: `redis://127.0.0.1:${await freePort()}` });
    const errors = [];
    store.on('error', (error) => errors.push(error));
    const error = await rejection(store.get('a'));
    expect(errors).toEqual([error]);
  });

  test('they do not end the process: logout and save while Redis is away, with nobody who listens', async () => {
    const port = await freePort();
    const { code, stdout, stderr } = await runScript(
      `const { SessionStore } = require('${ROOT}/lib/session');
       const session = require('express-session');
       const store = new SessionStore({ redis: { port: ${port}, commandTimeout: '300ms' } });
       session({ store, secret: 's', resave: false, saveUninitialized: false });
       const req = { sessionStore: store, sessionID: 'a', headers: {}, connection: {} };
       store.generate(req);
       req.session.save();
       req.session.touch();
       store.touch('a', req.session);
       store.regenerate({ sessionID: 'b', connection: {} });
       req.session.destroy();
       store.clear(); store.all(); store.length(); store.ids(); store.get('a');
       setTimeout(async () => { await store.close(); console.log('still here'); }, 1500);`,
    );
    const warned = expect.stringMatching(/^\(node:\d+\) \[TIERCEL_REDIS_UNREACHABLE\]/);
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: 'still here', stderr: warned });
  });
});

test('a listener that throws ends nothing but itself', async () => {
  const { stdout } = await runScript(
    `const { SessionStore } = require('${ROOT}/lib/session');
     const store = new SessionStore({ redis: '${server.url}' });
     process.on('uncaughtException', (error) => console.log('uncaught', error.message));
     store.on('conflict', () => { throw new Error('mine'); });
     await store.set('a', { cookie: {} });
     const loaded = await store.get('a');
     await store.destroy('a');
     await store.set('a', loaded);
     await store.close();`,
  );
  expect(stdout).toBe('uncaught mine');
});
