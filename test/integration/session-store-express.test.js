'use strict';
// SessionStore under a real Express app, with browsers that keep their cookies.

const { RedisServer } = require('../helpers/redis-server');
const { cleanUp } = require('../helpers/http');
const { SessionApp } = require('../helpers/session-app');
const { closeStores, dataOf, STORES } = require('../helpers/session-stores');
const { timed } = require('../helpers/timed');
const { delay, until } = require('../helpers/until');

let server;
beforeAll(async () => {
  server = await RedisServer.start();
});
afterAll(() => server.stop());
afterEach(async () => {
  await cleanUp();
  await closeStores();
});

describe.each(STORES)('on %s', (kind, open) => {
  let store;
  const start = async (options, routes) => {
    store = open(server);
    await store.clear();
    return SessionApp.start({ store, cookie: { maxAge: 60_000 }, ...options }, routes);
  };
  /** Two requests of one session, of which the first loads before the second begins, and ends after it. */
  const around = async (app, browser, held, inside) => {
    const tab = browser.tab();
    const waiting = tab.get(`/hold?name=one&${held}`);
    await until('the first has loaded', () => app.isHeld('one'));
    const answer = await inside();
    app.release('one');
    expect((await waiting).body).toBe('ok');
    return answer;
  };

  test('a session is made, kept, changed, ended', async () => {
    const app = await start();
    const browser = app.browser();
    expect((await browser.get('/read')).setCookie).toBeUndefined();
    expect(await store.length()).toBe(0);
    await browser.get('/set?key=name&value=Ada%20%F0%9F%8D%AA');
    expect(await browser.show()).toMatchObject({ name: 'Ada 🍪' });
    await browser.get('/delete?key=name');
    expect((await browser.show()).name).toBeUndefined();
    await browser.get('/logout');
    expect(await store.length()).toBe(0);
    expect((await browser.show()).name).toBeUndefined();
  });

  test.each([
    ['rolling', { rolling: true }],
    ['resave', { resave: true }],
    ['saveUninitialized', { saveUninitialized: true }],
    ['all of them', { rolling: true, resave: true, saveUninitialized: true }],
  ])('%s', async (_, options) => {
    const app = await start(options);
    const browser = app.browser();
    const first = await browser.get('/read');
    expect(Boolean(first.setCookie)).toBe(Boolean(options.saveUninitialized));
    expect(await store.length()).toBe(options.saveUninitialized ? 1 : 0);
    await browser.get('/set?key=a&value=1');
    expect(Boolean((await browser.get('/read')).setCookie)).toBe(Boolean(options.rolling));
    expect(await browser.show()).toMatchObject({ a: '1' });
    expect(await store.length()).toBe(1);
  });

  test('regenerate: a new id, an empty session, the old one gone', async () => {
    const app = await start();
    const browser = app.browser();
    await browser.get('/set?key=a&value=1');
    const old = browser.tab();
    await browser.get('/login?user=ada');
    expect(browser.cookie).not.toBe(old.cookie);
    const data = dataOf(await browser.show());
    expect(data).toEqual({ user: 'ada' });
    expect((await old.show()).a).toBeUndefined();
    expect(await store.length()).toBe(1);
  });

  timed('reading keeps a session alive past its first maxAge, and saving it then does not end it', async () => {
    const app = await start({ cookie: { maxAge: 400 } });
    const browser = app.browser();
    await browser.get('/set?key=a&value=1');
    for (let i = 0; i < 4; i++) {
      await delay(150);
      expect((await browser.get('/read')).status).toBe(200);
    }
    expect((await browser.get('/save')).body).toBe('ok');
    expect(await browser.show()).toMatchObject({ a: '1' });
    await delay(450);
    expect((await browser.show()).a).toBeUndefined();
  });

  timed('a changed maxAge is kept although nothing else was changed', async () => {
    const app = await start({ cookie: { maxAge: 300 } });
    const browser = app.browser();
    await browser.get('/set?key=a&value=1');
    await browser.get('/max-age?ms=60000');
    const { cookie } = await store.get(browser.id);
    // express-session may lose a millisecond.
    expect(Math.abs(cookie.originalMaxAge - 60_000)).toBeLessThan(20);
    await delay(320);
    const shown = await browser.show();
    expect(shown.a).toBe('1');
    expect(shown.cookie.originalMaxAge).toBeGreaterThan(59_900);
  });

  test('reload shows what another request has saved', async () => {
    const meanwhile = [];
    const app = await start({}, (routes) => {
      routes.get('/reload-after', async (req, res) => {
        await meanwhile[0]();
        req.session.reload(() => {
          req.session.reloaded = true;
          res.json(req.session);
        });
      });
    });
    const browser = app.browser();
    await browser.get('/set?key=a&value=1');
    const tab = browser.tab();
    meanwhile.push(() => tab.get('/set?key=b&value=2'));
    expect(JSON.parse((await browser.get('/reload-after')).body)).toMatchObject({ a: '1', b: '2' });
    expect(await browser.show()).toMatchObject({ a: '1', b: '2', reloaded: true });
  });

  test('two requests that overlap: both changes are there, the deletion too', async () => {
    const app = await start();
    const browser = app.browser();
    await browser.get('/set?key=a&value=1');
    await browser.get('/set?key=b&value=1');
    await around(app, browser, 'key=a', async () => {
      await browser.get('/set?key=b&value=2');
      await browser.get('/set?key=c&value=3');
    });
    const data = dataOf(await browser.show());
    expect(data).toEqual({ b: '2', c: '3' });
  });

  test.each([
    ['logout', '/logout'],
    ['a new login', '/login?user=eve'],
  ])('%s is final, whatever is still running', async (_, path) => {
    for (const held of ['', 'key=a&value=2']) {
      const app = await start({ resave: held === '' });
      const browser = app.browser();
      await browser.get('/set?key=a&value=1');
      const old = browser.tab();
      await around(app, browser, held, () => browser.get(path));
      expect((await old.show()).a).toBeUndefined();
      expect(await store.get(old.id)).toBeNull();
    }
  });

  test('regenerate and save by hand, then the save at the end of the request', async () => {
    const app = await start({}, (routes) => {
      routes.get('/login-and-save', (req, res) => {
        req.session.regenerate(() => {
          req.session.user = 'ada';
          req.session.save(() => {
            req.session.late = 1;
            res.send('ok');
          });
        });
      });
    });
    const browser = app.browser();
    await browser.get('/login-and-save');
    expect(await browser.show()).toMatchObject({ user: 'ada', late: 1 });
    expect(await store.length()).toBe(1);
  });

  test('1 MB of data, and a cookie without an end', async () => {
    const app = await start({ cookie: {} }, (routes) => {
      routes.get('/large', (req, res) => {
        req.session.large = 'ü'.repeat(500_000);
        res.send('ok');
      });
    });
    const browser = app.browser();
    await browser.get('/large');
    await browser.get('/read');
    const shown = await browser.show();
    expect(shown.large.length).toBe(500_000);
    expect(shown.cookie).toMatchObject({ originalMaxAge: null, expires: null });
  });

  test('a session that JSON cannot hold is an error of that request', async () => {
    const app = await start({}, (routes) => {
      routes.get('/circular', (req, res) => {
        // express-session itself cannot hash it; the store is asked directly.
        const circular = { cookie: req.session.cookie };
        circular.self = circular;
        req.sessionStore.set('circular', circular, (error) => res.send(error.constructor.name));
      });
      routes.get('/bigint', (req, res) => {
        req.sessionStore.set('big', { cookie: req.session.cookie, big: 1n }, (error) => res.send(error.message));
      });
    });
    const browser = app.browser();
    expect((await browser.get('/circular')).body).toBe('TypeError');
    expect((await browser.get('/bigint')).body).toMatch(/BigInt/);
    expect(await store.length()).toBe(0);
  });
});
