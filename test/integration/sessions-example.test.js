'use strict';
// examples/sessions.js over real HTTP, with Redis and with memory alone.

const { createApp } = require('../../examples/sessions');
const { createCache } = require('../../lib');
const { cleanUp, onCleanUp, request, serve } = require('../helpers/http');
const { memoryCache, ownNamespace } = require('../helpers/memory-cache');
const { RedisServer } = require('../helpers/redis-server');

afterEach(cleanUp);

const json = (body, headers) => ({
  method: 'POST',
  headers: { 'content-type': 'application/json', ...headers },
  body: JSON.stringify(body),
});

async function openCache(kind) {
  if (kind === 'memory alone') return memoryCache();
  const server = await RedisServer.start();
  onCleanUp(() => server.stop());
  return createCache({ redis: server.url, namespace: ownNamespace() });
}

test.each(['memory alone', 'Redis'])('a visitor logs in, shops, and logs out, %s', async (kind) => {
  const cache = await openCache(kind);
  onCleanUp(() => cache.close());
  const app = await serve(createApp({ cache, keys: [Buffer.alloc(32, 1)] }));
  const login = async (userAgent) => {
    const { status, headers, body } = await request(
      app,
      '/login',
      json({ name: 'ada', password: 'lovelace' }, { 'user-agent': userAgent }),
    );
    expect(status).toBe(200);
    const [cookie] = headers['set-cookie'];
    expect(cookie).toMatch(/^sid=[\w-]{43}; Max-Age=2592000; Path=\/; Expires=.*; HttpOnly; SameSite=Lax$/);
    return { cookie: cookie.split(';')[0], authorization: `Bearer ${JSON.parse(body).token}` };
  };
  const [{ cookie }, { authorization }] = [await login('laptop'), await login('phone')];
  const [laptop, phone] = [{ cookie }, { authorization }];

  for (const wrong of [
    { name: 'ada', password: 'x' },
    { name: 'x', password: 'lovelace' },
    {},
    { name: {}, password: [] },
  ]) {
    expect((await request(app, '/login', json(wrong))).status).toBe(401);
  }
  expect((await request(app, '/me')).status).toBe(401);
  await Promise.all(['tea', 'milk', 'sugar'].map((item) => request(app, '/cart', json({ item }, laptop))));
  const me = JSON.parse((await request(app, '/me', { headers: laptop })).body);
  expect({ ...me, cart: me.cart.sort() }).toEqual({ id: 1, name: 'ada', cart: ['milk', 'sugar', 'tea'] });
  expect(JSON.parse((await request(app, '/me', { headers: phone })).body).cart).toEqual([]);

  const devices = JSON.parse((await request(app, '/devices', { headers: laptop })).body);
  expect(devices.map(({ userAgent, current }) => [userAgent, current]).sort()).toEqual([
    ['laptop', true],
    ['phone', false],
  ]);
  const third = await login('tablet');
  expect((await request(app, '/password', json({ password: 'new' }, laptop))).body).toBe('{"loggedOut":2}');
  expect((await request(app, '/me', { headers: phone })).status).toBe(401);
  expect((await request(app, '/me', { headers: third })).status).toBe(401);
  expect((await request(app, '/me', { headers: laptop })).status).toBe(200);
  expect(
    (await request(app, `/devices/${devices[0].handle.slice(1)}`, { method: 'DELETE', headers: laptop })).status,
  ).toBe(404);
  expect((await request(app, '/logout', json({}, laptop))).status).toBe(204);
  expect((await request(app, '/me', { headers: laptop })).status).toBe(401);
  expect((await request(app, '/cart', json({ item: 'x' }, laptop))).status).toBe(401);
});
