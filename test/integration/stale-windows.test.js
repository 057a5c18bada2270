'use strict';
// What may be served when it is no longer fresh, and who refreshes it: staleWhileRevalidate, staleIfError, refreshAhead,
// the two timeouts, jitter; and what a loader is given and may say. Beside Redis, without its memory tier, and alone.

const { createCache, createRedis } = require('../../lib');
const { Agent, endAgents } = require('../helpers/agents');
const { RedisServer } = require('../helpers/redis-server');
const { timed } = require('../helpers/timed');
const { delay, rejection, until } = require('../helpers/until');

const SLACK = Number(process.env.TIERCEL_TEST_SLACK ?? 1);

let server;
let redis;
const caches = [];
beforeAll(async () => {
  server = await RedisServer.start();
  redis = createRedis(server.url);
});
beforeEach(() => redis.call('FLUSHALL'));
afterEach(async () => {
  await endAgents();
  for (const cache of caches.splice(0)) await cache.close();
});
afterAll(async () => {
  await redis.close();
  await server.stop();
});

async function open(options) {
  const cache = createCache({ redis: server.url, ...options });
  caches.push(cache);
  await until('a connection', async () => (await cache.health()).status === 'ok');
  return cache;
}
const processes = (count, options) =>
  Promise.all(Array.from({ length: count }, () => Agent.process({ redis: server.url, ...options })));
/** Answers its calls one after the other. */
const answers = (...values) => jest.fn(async () => values.shift());
const down = () =>
  jest.fn(async () => {
    throw Object.assign(new Error('down'), { code: 'E_DOWN' });
  });

describe.each([
  ['both tiers', () => ({})],
  ['Redis alone', () => ({ memory: false })],
  ['memory alone', () => ({ redis: false })],
])('%s', (_tiers, options) => {
  timed('staleWhileRevalidate: the old value at once, one load behind it, then the new one; and it ends', async () => {
    const cache = await open({ ...options(), ttl: '60ms', staleWhileRevalidate: '300ms' });
    const load = jest.fn(async () => {
      await delay(40);
      return 'new';
    });
    await cache.set('k', 'old');
    await delay(80);
    const began = performance.now();
    const seen = await Promise.all(Array.from({ length: 50 }, () => cache.getOrSet('k', load, { ttl: '1m' })));
    expect(performance.now() - began).toBeLessThan(35 * SLACK);
    expect(new Set(seen)).toEqual(new Set(['old']));
    await until('the refresh', async () => (await cache.getOrSet('k', load, { ttl: '1m' })) === 'new');
    expect(load).toHaveBeenCalledTimes(1);
    await cache.set('k', 'old');
    await delay(400);
    expect(await cache.getOrSet('k', load)).toBe('new');
    expect(load).toHaveBeenCalledTimes(2);
  });

  timed('staleWhileRevalidate with a source that fails: one load per errorBackoff (S3, S4)', async () => {
    const cache = await open({ ...options(), ttl: '30ms', staleWhileRevalidate: '1m' });
    const load = down();
    await cache.set('k', 'old');
    await delay(40);
    const end = performance.now() + 700;
    while (performance.now() < end) {
      expect(await cache.getOrSet('k', load, { errorBackoff: '300ms' })).toBe('old');
      await delay(5);
    }
    expect(load.mock.calls.length).toBeGreaterThanOrEqual(2);
    expect(load.mock.calls.length).toBeLessThanOrEqual(3);
  });

  timed(
    'staleIfError: the old value when the load fails, and through errorBackoff, with one load in each',
    async () => {
      const cache = await open({ ...options(), ttl: '30ms', staleIfError: '1m' });
      const load = down();
      await cache.set('k', 'old');
      await delay(40);
      expect(await cache.get('k')).toBeUndefined();
      const seen = await Promise.all(
        Array.from({ length: 20 }, () => cache.getOrSet('k', load, { errorBackoff: '200ms' })),
      );
      expect(new Set(seen)).toEqual(new Set(['old']));
      for (let i = 0; i < 10; i++) expect(await cache.getOrSet('k', load, { errorBackoff: '200ms' })).toBe('old');
      expect(load).toHaveBeenCalledTimes(1);
      await delay(250);
      expect(await cache.getOrSet('k', load, { errorBackoff: '200ms' })).toBe('old');
      expect(load).toHaveBeenCalledTimes(2);
      await delay(250);
      expect(await cache.getOrSet('k', () => 'new')).toBe('new');
    },
  );

  timed('staleIfError ends: then the error', async () => {
    const cache = await open({ ...options(), ttl: '30ms', staleIfError: '100ms', errorBackoff: 0 });
    await cache.set('k', 'old');
    await delay(40);
    expect(await cache.getOrSet('k', down())).toBe('old');
    await delay(120);
    expect(await rejection(cache.getOrSet('k', down()))).toMatchObject({ message: 'down', code: 'E_DOWN' });
  });

  test('a delete leaves nothing; a soft one a copy for staleIfError alone', async () => {
    const cache = await open({ ...options(), staleIfError: '1m', staleWhileRevalidate: '1m', errorBackoff: 0 });
    await cache.set('k', 'old');
    expect(await cache.delete('k', { soft: true })).toBe(true);
    expect([await cache.get('k'), cache.peek('k'), await cache.has('k')]).toEqual([undefined, undefined, false]);
    expect(await cache.getOrSet('k', down())).toBe('old');
    expect(await cache.get('k')).toBeUndefined();
    expect(await cache.getOrSet('k', () => 'new')).toBe('new');
    expect(await cache.get('k')).toBe('new');
    await cache.delete('k');
    expect(await rejection(cache.getOrSet('k', down()))).toMatchObject({ code: 'E_DOWN' });
    expect(await cache.delete('k', { soft: true })).toBe(false);
    await cache.set('short', 1, { staleIfError: 0 });
    await cache.delete('short', { soft: true });
    expect(await cache.get('short')).toBeUndefined();
  });

  timed.each([
    ['a share', 0.5, 800],
    ['a duration', '800ms', 800],
  ])('refreshAhead as %s: not before, and one load after it', async (_name, refreshAhead, at) => {
    const cache = await open(options());
    const load = answers('new', 'newer');
    const ask = (more) => cache.getOrSet('k', load, { refreshAhead, ttl: '1m', ...more });
    // As long again behind the moment at which the refresh is due: a server that is late must not make it stale.
    await cache.set('k', 'old', { ttl: '1600ms' });
    const began = performance.now();
    expect(await ask()).toBe('old');
    await delay(20);
    if (performance.now() - began < at - 20) expect(load).not.toHaveBeenCalled();
    await delay(at + 20 - (performance.now() - began));
    expect(await ask()).toBe('old');
    await until('the refresh', async () => (await cache.get('k')) === 'new');
    for (let i = 0; i < 5; i++) expect(await ask()).toBe('new');
    expect(load).toHaveBeenCalledTimes(1);
    expect(cache.stats().refreshes).toBe(1);
  });

  timed("refreshAhead 'xfetch': long before the end never, a load's time before it likely", async () => {
    const cache = await open(options());
    const keys = Array.from({ length: 40 }, (_, i) => `k${i}`);
    for (const [ttl, often] of [
      ['1h', false],
      ['1s', true],
    ]) {
      const load = () => delay(200).then(() => 'value');
      const ask = (key) => cache.getOrSet(key + ttl, load, { refreshAhead: 'xfetch', ttl });
      await Promise.all(keys.map(ask));
      await delay(790);
      const before = cache.stats().refreshes;
      await Promise.all(keys.map(ask));
      await delay(20);
      const refreshes = cache.stats().refreshes - before;
      // Of 40 loads that took 200 ms, 200 ms before the end: 15 on average.
      if (often) expect([refreshes > 2, refreshes < 35]).toEqual([true, true]);
      else expect(refreshes).toBe(0);
    }
  });

  timed('softTimeout: the old value when the load takes longer, and the load goes on', async () => {
    const cache = await open({ ...options(), ttl: '30ms', staleIfError: '1m' });
    await cache.set('k', 'old');
    await delay(40);
    const began = performance.now();
    const load = jest.fn(async () => {
      await delay(200);
      return 'new';
    });
    const ask = () => cache.getOrSet('k', load, { softTimeout: '50ms', ttl: '1m' });
    expect(await Promise.all([ask(), ask()])).toEqual(['old', 'old']);
    expect(performance.now() - began).toBeGreaterThan(45);
    expect(performance.now() - began).toBeLessThan(50 + 80 * SLACK);
    await until('the load', async () => (await cache.get('k')) === 'new');
    // With nothing to give, it waits.
    expect(await cache.getOrSet('none', () => delay(100).then(() => 'late'), { softTimeout: '20ms' })).toBe('late');
    expect(load).toHaveBeenCalledTimes(1);
  });

  timed('timeout: an error, or the old value; the signal is aborted', async () => {
    const cache = await open({ ...options(), ttl: '30ms', staleIfError: '1m', errorBackoff: 0 });
    const signals = [];
    const stuck = ({ signal }) => {
      signals.push(signal);
      return new Promise(() => {});
    };
    expect(await rejection(cache.getOrSet('none', stuck, { timeout: '50ms' }))).toMatchObject({ code: 'LOAD_TIMEOUT' });
    await cache.set('k', 'old');
    await delay(40);
    expect(await cache.getOrSet('k', stuck, { timeout: '50ms' })).toBe('old');
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, true]);
    expect(await cache.getOrSet('none', () => 'next', { timeout: '50ms' })).toBe('next');
  });

  test('an AbortSignal: its caller leaves; the load goes on for others, and is aborted with the last', async () => {
    const cache = await open({ ...options(), errorBackoff: '1m' });
    let inner;
    let finish;
    const load = jest.fn((context) => {
      inner = context.signal;
      return new Promise((resolve, reject) => {
        finish = resolve;
        inner.addEventListener('abort', () => reject(inner.reason));
      });
    });
    const [one, two, three] = [new AbortController(), new AbortController(), new AbortController()];
    const left = rejection(cache.getOrSet('k', load, { signal: one.signal }));
    const stays = cache.getOrSet('k', load, { signal: two.signal });
    await until('the load', () => finish);
    one.abort(new Error('gone'));
    expect(await left).toMatchObject({ message: 'gone' });
    expect(inner.aborted).toBe(false);
    finish('value');
    expect(await stays).toBe('value');
    finish = undefined;
    const last = rejection(cache.getOrSet('k2', load, { signal: three.signal }));
    await until('the load', () => finish);
    three.abort();
    expect(await last).toMatchObject({ name: 'AbortError' });
    expect(inner.aborted).toBe(true);
    // That nobody waited is no failure of the source.
    expect(await cache.getOrSet('k2', () => 'next')).toBe('next');
    expect(await rejection(cache.getOrSet('k3', load, { signal: AbortSignal.abort() }))).toMatchObject({
      name: 'AbortError',
    });
  });

  timed('previous is what the load replaces', async () => {
    const cache = await open({ ...options(), staleIfError: '1m' });
    const seen = [];
    const load = (context) => {
      seen.push(context.previous);
      return { n: (context.previous?.n ?? 0) + 1 };
    };
    const ask = () => cache.getOrSet('k', load, { ttl: '20ms' });
    expect(await ask()).toEqual({ n: 1 });
    await delay(30);
    expect(await ask()).toEqual({ n: 2 });
    await cache.delete('k', { soft: true });
    expect(await ask()).toEqual({ n: 3 });
    await cache.delete('k');
    expect(await ask()).toEqual({ n: 1 });
    expect(seen).toEqual([undefined, { n: 1 }, { n: 2 }, undefined]);
  });

  test('undefined, skip() and cacheIf: for those who wait, and not stored', async () => {
    const cache = await open(options());
    for (const [load, more, answer] of [
      [() => delay(20), {}, undefined],
      [async (context) => (context.skip(), 'skipped'), {}, 'skipped'], // prettier-ignore
      [async () => 'no', { cacheIf: (value) => value !== 'no' }, 'no'],
    ]) {
      const counted = jest.fn(load);
      const ask = () => cache.getOrSet('k', (context) => counted(context), more);
      expect(await Promise.all([ask(), ask(), ask()])).toEqual([answer, answer, answer]);
      expect(counted).toHaveBeenCalledTimes(1);
      expect(await cache.get('k')).toBeUndefined();
      expect(await ask()).toBe(answer);
      expect(counted).toHaveBeenCalledTimes(2);
      await cache.delete('k');
    }
    expect(await cache.getOrSet('k', () => 'yes', { cacheIf: (value) => value !== 'no' })).toBe('yes');
    expect(await cache.get('k')).toBe('yes');
  });

  test('jitter spreads what was stored at once (S8)', async () => {
    const cache = await open({ ...options(), ttl: 100, jitter: 0.5 });
    await cache.setMany(Object.fromEntries(Array.from({ length: 400 }, (_, i) => [`k${i}`, i])));
    const left = await Promise.all(Array.from({ length: 400 }, (_, i) => cache.ttl(`k${i}`)));
    expect(Math.min(...left)).toBeGreaterThanOrEqual(49);
    expect(Math.max(...left)).toBeLessThanOrEqual(100);
    // At any time no more than half again of an even spread over the 50 seconds.
    for (let from = 50; from < 100; from += 10) {
      const here = left.filter((ttl) => ttl >= from && ttl < from + 10).length;
      expect(here).toBeLessThanOrEqual((400 / 5) * 1.5);
    }
  });
});

describe('in all processes', () => {
  timed('staleWhileRevalidate has one refresher (S9)', async () => {
    const agents = await processes(4, { ttl: '50ms', staleWhileRevalidate: '1m' });
    for (let round = 0; round < 5; round++) {
      await agents[0].run(({ cache }, value) => cache.set('k', value), `old ${round}`);
      for (const agent of agents) await agent.run(({ cache }) => cache.get('k'));
      await delay(80);
      const results = await Promise.all(
        agents.map((agent) =>
          agent.run(async ({ cache, delay: wait }) => {
            let loads = 0;
            const load = async () => {
              loads++;
              await wait(100);
              return 'new';
            };
            const ask = () => cache.getOrSet('k', load, { ttl: '1m' });
            const seen = await Promise.all(Array.from({ length: 25 }, ask));
            await wait(150);
            return { loads, seen: [...new Set(seen)], then: await ask() };
          }),
        ),
      );
      expect(results.map(({ loads }) => loads).sort()).toEqual([0, 0, 0, 1]);
      for (const { seen, then } of results) expect([seen, then]).toEqual([[`old ${round}`], 'new']);
    }
  });

  timed('a failing refresh holds all of them off', async () => {
    const agents = await processes(3, { ttl: '30ms', staleWhileRevalidate: '1m', errorBackoff: '400ms' });
    await agents[0].run(({ cache }) => cache.set('k', 'old'));
    await delay(50);
    const loads = await Promise.all(
      agents.map((agent) =>
        agent.run(async ({ cache, delay: wait }) => {
          const times = [];
          const end = performance.now() + 1000;
          while (performance.now() < end) {
            const value = await cache.getOrSet('k', () => (times.push(Date.now()), Promise.reject(new Error('down')))); // prettier-ignore
            if (value !== 'old') throw new Error(`got ${value}`);
            await wait(7);
          }
          return times;
        }),
      ),
    );
    const times = loads.flat().sort((a, b) => a - b);
    expect(times.length).toBeGreaterThanOrEqual(2);
    expect(Math.min(...times.slice(1).map((at, i) => at - times[i]))).toBeGreaterThan(400 * 0.9 - 10);
  });

  test('undefined: those who wait elsewhere load side by side, not one behind the other', async () => {
    const agents = await processes(5);
    const at = Date.now() + 200;
    const took = await Promise.all(
      agents.map((agent) =>
        agent.run(async ({ cache, delay: wait }, start) => {
          await wait(start - Date.now());
          const began = performance.now();
          await Promise.all(Array.from({ length: 20 }, () => cache.getOrSet('k', () => wait(150))));
          return performance.now() - began;
        }, at),
      ),
    );
    // Their own load comes after that of the first.
    expect(Math.max(...took)).toBeLessThan(2 * 150 + 150 * SLACK);
  });
});
