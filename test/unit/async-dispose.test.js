'use strict';
// `await using` closes what it holds.
const { createCache, createRedis } = require('../../lib');
const { createSessions, SessionStore } = require('../../lib/session');

test('a cache', async () => {
  const cache = createCache({ redis: false });
  await cache[Symbol.asyncDispose]();
  await expect(cache.get('k')).rejects.toMatchObject({ code: 'CACHE_CLOSED' });
});

test('a client', async () => {
  const client = createRedis({ host: '127.0.0.1', port: 1 });
  client.on('error', () => {});
  await client[Symbol.asyncDispose]();
  await expect(client.get('k')).rejects.toMatchObject({ code: 'CLIENT_CLOSED' });
});

test('a session store', async () => {
  const store = new SessionStore({ redis: { host: '127.0.0.1', port: 1 } });
  await store[Symbol.asyncDispose]();
  const error = await new Promise((resolve) => {
    store.get('x', resolve);
  });
  expect(error).toMatchObject({ code: 'CLIENT_CLOSED' });
});

test('sessions', async () => {
  const cache = createCache({ redis: false });
  const sessions = createSessions({ cache });
  await sessions[Symbol.asyncDispose]();
  await expect(sessions.get('x'.repeat(43))).rejects.toMatchObject({ code: 'SESSION_CLOSED' });
  await cache.close();
});
