'use strict';
// Under fake timers: lifetimes go on by the clock outside of JavaScript, time limits of loads follow the timers, and close()
// needs none.
const { createCache } = require('../../lib');
const { RedisServer } = require('../helpers/redis-server');
const { rejection } = require('../helpers/until');

let redis;
beforeAll(async () => {
  redis = await RedisServer.start();
});
afterAll(() => redis.stop());
afterEach(() => jest.useRealTimers());

describe.each([
  ['memory', () => ({ redis: false })],
  ['both tiers', () => ({ redis: redis.url })],
])('%s', (_mode, options) => {
  test('a lifetime does not follow them', async () => {
    const cache = createCache(options());
    jest.useFakeTimers();
    await cache.getOrSet('k', () => 'value', '1h');
    jest.advanceTimersByTime(2 * 3_600_000);
    expect(await cache.getOrSet('k', () => 'other')).toBe('value');
    expect(await cache.ttl('k')).toBeGreaterThan(3000);
    await cache.close();
  });

  test('timeout and softTimeout do', async () => {
    const cache = createCache({ ...options(), staleIfError: '1h' });
    await cache.set('stale', 'old');
    await cache.delete('stale', { soft: true });
    jest.useFakeTimers();
    let started = 0;
    let onBothRun;
    const bothRun = new Promise((resolve) => (onBothRun = resolve));
    const never = () => {
      if (++started === 2) onBothRun();
      return new Promise(() => {});
    };
    const late = rejection(cache.getOrSet('slow', never, { timeout: '1h' }));
    const instead = cache.getOrSet('stale', never, { softTimeout: '1h' });
    await bothRun;
    jest.advanceTimersByTime(3_600_000);
    expect((await late).code).toBe('LOAD_TIMEOUT');
    expect(await instead).toBe('old');
    await cache.close();
  });
});
