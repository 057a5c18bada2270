'use strict';
// Options of SessionStore that are wrong say so.

const { cacheResponse, createCache } = require('../../lib');
const { createKeyv } = require('../../lib/keyv');
const { SessionStore, createSessions } = require('../../lib/session');

const redis = 'redis://127.0.0.1:1';

test.each([
  [
    { client: {} },
    /^SessionStore options: there is no option 'client' here: write redis: 'redis:\/\/…', or a client made by createRedis\(\)$/,
  ],
  [{ store: {} }, /^SessionStore options: there is no option 'store'; there are cache, redis, prefix/],
  [
    { redis: new (class Redis {})() },
    /^redis: expected an object with options, got an instance of Redis: a client of another library does not fit here, give its URL$/,
  ],
  [{ url: 'redis://h' }, /^SessionStore options: there is no option 'url' here: write redis: { url }$/],
  [{ prefix: '' }, /^prefix: expected a string that is not empty, got ''/],
  [{ prefix: 7 }, /^prefix: expected a string/],
  [{ ttl: 0 }, /^ttl: expected at least a millisecond/],
  [{ ttl: '1 week' }, /^ttl: expected a number of seconds/],
  [{ touchAfter: -1 }, /^touchAfter: expected a number of seconds, not negative/],
  [
    { serializer: { parse() {} } },
    /^serializer: expected an object with methods parse\(text\) and stringify\(session\)/,
  ],
  [{ scanCount: 0 }, /^scanCount: expected a positive whole number, got 0/],
  [{ onConflict: 'deep' }, /^onConflict: expected 'merge', 'last-wins', 'reject' or a function .*, got 'deep'/],
  [{ disableTTL: 1 }, /^disableTTL: expected true or false, got 1/],
  [{ memory: 'yes' }, /^memory: expected true or false/],
  [{ hashIds: 'sha256' }, /^hashIds: expected true or false/],
  [{ redis: 'http://x' }, /^redis: expected redis:\/\//],
  [{ cache: {}, redis: undefined }, /^cache: expected a cache made by createCache\(\)/],
  [{ cache: {} }, /^expected 'cache' or 'redis', not both/],
])('%p', (options, message) => {
  expect(() => new SessionStore({ ...(('redis' in options) ? {} : { redis }), ...options })).toThrow(message); // prettier-ignore
});

test('a cache or a URL in place of options is told where it goes', async () => {
  const cache = createCache({ redis: false });
  const given = /expected an object with options, got an instance of Cache: a cache is given as { cache }$/;
  for (const make of [(options) => new SessionStore(options), createSessions, cacheResponse, createKeyv]) {
    expect(() => make(cache)).toThrow(given);
  }
  for (const make of [(options) => new SessionStore(options), createSessions]) {
    expect(() => make(redis)).toThrow(/, got a string: the URL of a Redis is given as { redis: 'redis:\/\/…' }$/);
    expect(() => make(new URL(redis))).toThrow(/, got a URL: the URL of a Redis is given as/);
  }
  await cache.close();
});

test('neither a cache nor a Redis', () => {
  const before = { ...process.env };
  for (const name of ['REDIS_URL', 'REDIS_HOST']) delete process.env[name];
  expect(() => new SessionStore()).toThrow(/REDIS_URL in the environment/);
  Object.assign(process.env, before);
});

test('two stores of one cache without Redis have the same sessions', async () => {
  const cache = createCache({ redis: false, namespace: 'session-options' });
  const [one, two] = [new SessionStore({ cache }), new SessionStore({ cache })];
  await one.set('a', { cookie: {}, n: 1 });
  expect((await two.get('a')).n).toBe(1);
  await two.destroy('a');
  expect(await one.get('a')).toBeNull();
  await cache.close();
});
