'use strict';
// `await using` closes what it holds.
const { createCache } = require('../../lib');
const { createSessions } = require('../../lib/session');

test('a cache', async () => {
  const cache = createCache({ redis: false });
  await cache[Symbol.asyncDispose]();
  await expect(cache.get('k')).rejects.toMatchObject({ code: 'CACHE_CLOSED' });
});

test('sessions', async () => {
  const cache = createCache({ redis: false });
  const sessions = createSessions({ cache });
  await sessions[Symbol.asyncDispose]();
  await expect(sessions.get('x'.repeat(43))).rejects.toMatchObject({ code: 'SESSION_CLOSED' });
  await cache.close();
});
