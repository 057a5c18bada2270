'use strict';
// The classes of errors, as applications see them.
const { CacheError, CacheUnavailableError, createCache, RedisError } = require('../..');
const { createSessions, SessionError } = require('../../lib/session');

/** One of each class. */
const MADE = {
  CacheError: () => new CacheError('X', 'message'),
  CacheUnavailableError: () => new CacheUnavailableError('message'),
  RedisError: () => new RedisError('X', 'message'),
  SessionError: () => new SessionError('SESSION_CLOSED', 'message'),
};

test.each(Object.keys(MADE))('%s has its name also when a minifier renames the class', (name) => {
  const { constructor } = MADE[name]();
  const before = constructor.name;
  Object.defineProperty(constructor, 'name', { value: 'c' });
  try {
    const error = MADE[name]();
    expect([error.name, String(error)]).toEqual([name, `${name}: message`]);
    expect(error.stack).toMatch(new RegExp(`^${name}: message\n`));
    expect(Object.keys(error)).not.toContain('name');
  } finally {
    Object.defineProperty(constructor, 'name', { value: before });
  }
});

test('SessionError of tiercel/session is the class of what sessions throw', async () => {
  const cache = createCache({ redis: false });
  const sessions = createSessions({ cache });
  await sessions.close();
  const error = await sessions.get('A'.repeat(43)).catch((thrown) => thrown);
  expect(error).toBeInstanceOf(SessionError);
  expect(error).toBeInstanceOf(CacheError);
  expect(error.code).toBe('SESSION_CLOSED');
  await cache.close();
});

test('keys that are no array: the message shows what they are, not a key', async () => {
  const cache = createCache({ redis: false });
  expect(() => createSessions({ cache, keys: 'secret' })).toThrow(
    'keys: expected an array of keys, the newest first, got a string',
  );
  expect(() => createSessions({ cache, keys: [] })).toThrow('the newest first, got an empty array');
  await cache.close();
});
