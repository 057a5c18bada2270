'use strict';
// Redis dies, freezes, is not there yet: the cache goes on, says so, and comes back.

const { createCache, CacheUnavailableError } = require('../../lib');
const { PATIENCE } = require('../helpers/patience');
const { RedisServer, freePort } = require('../helpers/redis-server');
const { runScript } = require('../helpers/run-script');
const { delay, rejection, until } = require('../helpers/until');

let server;
let cache;
const unhandled = [];
const note = (error) => unhandled.push(error);
const never = () => {
  throw new Error('this loader must not run');
};
const up = (wanted = cache) => until('a connection', async () => (await wanted.health()).redis === 'ok');

beforeEach(async () => {
  process.on('unhandledRejection', note);
  unhandled.length = 0;
  server = await RedisServer.start();
  cache = createCache({ redis: server.url, commandTimeout: '100ms' });
});
afterEach(async () => {
  await cache.close();
  await server.stop();
  await delay(1);
  process.off('unhandledRejection', note);
  expect(unhandled).toEqual([]);
});

describe('a server that was killed', () => {
  beforeEach(async () => {
    await up();
    await cache.set('k', 'stored');
    await cache.get('k');
    await server.kill();
    await until('the loss', async () => (await cache.health()).status === 'degraded');
  });

  test('reads are misses, loaders answer, writes say false, deletes reject; all at once', async () => {
    const errors = [];
    cache.on('cache:error', (error) => errors.push(error));
    const began = performance.now();
    expect(await cache.get('k')).toBeUndefined();
    expect(await cache.getMany(['k', 'l'])).toEqual([undefined, undefined]);
    expect([await cache.has('k'), await cache.ttl('k')]).toEqual([false, undefined]);
    expect(await cache.getOrSet('k', () => 'loaded')).toBe('loaded');
    expect(await cache.memoize(async (id) => id, { key: 'user' })(7)).toBe(7);
    expect(await cache.set('k', 1)).toBe(false);
    expect(await cache.setMany({ a: 1, b: 2 })).toBe(false);
    const error = await rejection(cache.delete('k'));
    expect(performance.now() - began).toBeLessThan(50 * PATIENCE);
    expect(error).toBeInstanceOf(CacheUnavailableError);
    expect(error).toMatchObject({ name: 'CacheUnavailableError', code: 'CACHE_UNAVAILABLE' });
    expect(error.message).toContain("'k'");
    expect(errors.length).toBeGreaterThan(5);
    expect(cache.stats().redisErrors).toBeGreaterThan(5);
  });

  test('nothing is kept meanwhile: each call loads, and callers at the same time share one', async () => {
    let loads = 0;
    const load = async () => ++loads;
    for (let i = 1; i <= 3; i++) expect(await cache.getOrSet('k', load)).toBe(i);
    expect(cache.peek('k')).toBeUndefined();
    expect(await Promise.all([1, 2, 3].map(() => cache.getOrSet('k', load)))).toEqual([4, 4, 4]);
  });

  test('errorBackoff holds while an invalidation waits for Redis', async () => {
    await rejection(cache.delete('k'));
    let loads = 0;
    const fails = () => Promise.reject(new Error(`database ${++loads}`));
    const ask = async () => (await rejection(cache.getOrSet('k', fails, { errorBackoff: '1m' }))).message;
    expect([await ask(), await ask(), await ask()]).toEqual(['database 1', 'database 1', 'database 1']);
  });

  test('a failing loader is still the error, and many callers still share one load', async () => {
    const failure = new Error('database');
    expect(await rejection(cache.getOrSet('k', () => Promise.reject(failure), { errorBackoff: 0 }))).toBe(failure);
    let loads = 0;
    const load = async () => (await delay(5), ++loads);
    const all = await Promise.all(Array.from({ length: 200 }, () => cache.getOrSet('k', load)));
    expect(new Set(all)).toEqual(new Set([1]));
  });

  test('what memory has is better than an error for staleIfError, and for nothing else', async () => {
    const fails = () => Promise.reject(new Error('database'));
    const options = { staleIfError: '1m', errorBackoff: 0 };
    expect((await rejection(cache.getOrSet('k', fails, { errorBackoff: 0 }))).message).toBe('database');
    expect(await cache.getOrSet('k', fails, options)).toBe('stored');
    expect(await cache.getOrSet('k', fails, { ...options, errorBackoff: 10 })).toBe('stored');
    expect(await cache.getOrSet('k', fails, { ...options, errorBackoff: 10 })).toBe('stored');
    await rejection(cache.delete('k'));
    expect((await rejection(cache.getOrSet('k', fails, options))).message).toBe('database');
  });

  test('health says why, without secrets', async () => {
    const health = await cache.health();
    expect(health).toMatchObject({ status: 'degraded', redis: 'unavailable', pendingInvalidations: 0 });
    expect(cache.peek('k')).toBeUndefined(); // it would not be told of a change
    expect(health.reason).toMatch(/127\.0\.0\.1/);
  });

  test('hits are back within a second of its return', async () => {
    await server.restart();
    let loads = 0;
    const hit = async () => {
      const before = loads;
      await cache.getOrSet('k', () => ++loads);
      return before > 0 && loads === before;
    };
    await until('hits', hit);
    expect(await cache.health()).toMatchObject({ status: 'ok', redis: 'ok' });
    expect(await cache.delete('k')).toBe(true);
  });
});

describe('a frozen server', () => {
  test('costs no more than commandTimeout, and its late answers confuse nobody', async () => {
    await up();
    // Stored by another process: this one has not read it yet.
    const writer = createCache({ redis: server.unixUrl });
    await up(writer);
    await writer.set('l', 'other');
    await writer.close();
    server.pause();
    const began = performance.now();
    try {
      const outcomes = await Promise.all([
        cache.getOrSet('unread', () => 'loaded'),
        cache.get('l'),
        cache.set('m', 1),
        rejection(cache.delete('n')),
      ]);
      expect(outcomes.slice(0, 3)).toEqual(['loaded', undefined, false]);
      expect(outcomes[3]).toBeInstanceOf(CacheUnavailableError);
      expect(performance.now() - began).toBeLessThan(300 * PATIENCE);
      expect(await cache.health()).toMatchObject({ status: 'degraded', redis: 'unavailable' });
    } finally {
      server.resume();
    }
    await up();
    expect(await cache.get('l')).toBe('other');
    expect(await cache.getOrSet('l', never)).toBe('other');
  });

  test('close() does not wait for it for ever', async () => {
    await up();
    server.pause();
    try {
      const pending = cache.get('k');
      const began = performance.now();
      await cache.close();
      expect(performance.now() - began).toBeLessThan(500 * PATIENCE);
      expect(await pending).toBeUndefined();
    } finally {
      server.resume();
    }
  });
});

describe('a server that comes later', () => {
  test('the cache works meanwhile, and finds it', async () => {
    const port = await freePort();
    const early = createCache({ redis: { port }, commandTimeout: '5s' });
    let later;
    try {
      expect(await early.getOrSet('k', () => 'loaded')).toBe('loaded');
      expect(await early.get('k')).toBeUndefined();
      expect(await early.set('k', 1)).toBe(false);
      expect((await rejection(early.delete('k'))).code).toBe('CACHE_UNAVAILABLE');
      expect((await early.health()).status).toBe('degraded');
      later = await RedisServer.start({ port });
      await until('a store', () => early.set('k', 'stored'));
      // The removal that failed before is not carried out behind it.
      expect(await early.getOrSet('k', never)).toBe('stored');
      expect((await early.health()).pendingInvalidations).toBe(0);
      expect(await early.get('k')).toBe('stored');
    } finally {
      await early.close();
      await later?.stop();
    }
  });
});

test('a server without room is an error that is survived', async () => {
  const full = await RedisServer.start({ args: ['--maxmemory', '1', '--maxmemory-policy', 'noeviction'] });
  const other = createCache({ redis: full.url });
  try {
    expect(await other.set('k', 1)).toBe(false);
    expect(await other.getOrSet('k', () => 'loaded')).toBe('loaded');
    expect(await other.get('k')).toBeUndefined();
    expect((await other.health()).status).toBe('ok');
  } finally {
    await other.close();
    await full.stop();
  }
});

test('a logger is told, and may throw', async () => {
  const told = [];
  const warn = (message) => {
    told.push(message);
    throw new Error('logger');
  };
  const logged = createCache({ redis: server.url, logger: { warn } });
  await up(logged);
  await server.kill();
  await until('the loss', async () => (await logged.health()).status === 'degraded');
  expect(await logged.get('k')).toBeUndefined();
  expect(await logged.set('k', 1)).toBe(false);
  expect(await logged.getOrSet('k', () => 1)).toBe(1);
  expect(told.join('\n')).toMatch(/tiercel: the connection to Redis was lost/);
  await logged.close();
});

describe('a process', () => {
  test.each([
    ['with a server', () => server.url, /^$/],
    ['without one', () => 'redis://127.0.0.1:1', /^\(node:\d+\) \[TIERCEL_REDIS_UNREACHABLE\]/],
    ['with memory alone', () => false, /^$/],
  ])('ends by itself after close(), %s', async (_name, redis, printed) => {
    const { code, stdout, stderr, ms } = await runScript(`
      const cache = tiercel.createCache({ redis: ${JSON.stringify(redis())} });
      console.log(await cache.getOrSet('k', () => 'value'));
      await cache.close();`);
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: 'value', stderr: expect.stringMatching(printed) });
    expect(ms).toBeLessThan(3000);
  });

  test('is not ended by an outage, even with nobody who listens', async () => {
    const { code, stdout, stderr } = await runScript(`
      const cache = tiercel.createCache({ redis: ${JSON.stringify(server.url)}, commandTimeout: '100ms' });
      await cache.set('k', 1);
      process.kill(${server.pid}, 'SIGKILL');
      const answers = [];
      for (let i = 0; i < 20; i++) {
        answers.push(await cache.getOrSet('k', () => 1), await cache.delete('k').catch(() => 1));
        cache.set('k', 1);
        cache.get('k');
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      await cache.close();
      console.log(answers.every(Number.isInteger) || answers.includes(true));`);
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: 'true', stderr: '' });
  });
});
