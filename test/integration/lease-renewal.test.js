'use strict';
// Leases are short, and renewed by their holders: one that died or froze is soon replaced, and a load that takes much
// longer than a lease is not run twice. In processes on Redis, and in threads that have memory alone.

const { createCache, createRedis } = require('../../lib');
const { Agent, endAgents } = require('../helpers/agents');
const { RedisServer } = require('../helpers/redis-server');
const { delay, until } = require('../helpers/until');

const KEY = (key) => `tiercel:1:k:${key}`;
// What threads without Redis need to share their memory.
const THREADS = { redis: false, memory: { shared: true } };

let server;
let redis;
beforeAll(async () => {
  server = await RedisServer.start();
  redis = createRedis(server.url);
});
beforeEach(() => redis.call('FLUSHALL'));
afterEach(endAgents);
afterAll(async () => {
  await redis.close();
  await server.stop();
});

const processes = (count, options) =>
  Promise.all(Array.from({ length: count }, () => Agent.process({ redis: server.url, ...options })));
const threads = (count, options) =>
  Promise.all(Array.from({ length: count }, () => Agent.thread({ ...THREADS, ...options })));
const sum = (values) => values.reduce((total, value) => total + value, 0);

/** In an agent: a load that is ended by state.end(value). */
const hold = ({ cache, tell, state }, options) =>
  cache.getOrSet(
    'k',
    ({ signal }) => {
      state.signal = signal;
      tell('began');
      return new Promise((resolve) => (state.end = resolve));
    },
    options,
  );

/** In an agent: callers who load at once, when they may. */
const ask = async ({ cache, tell }, count = 10) => {
  let loads = 0;
  const load = () => {
    loads++;
    return 'new';
  };
  const answers = Promise.all(Array.from({ length: count }, () => cache.getOrSet('k', load)));
  tell('asked');
  return { answers: [...new Set(await answers)], loads };
};

describe.each([{}, { memory: false }])('default options and %j', (options) => {
  test('a holder that was killed after several leases is replaced within 3 s, by one', async () => {
    const [holder, ...others] = await processes(3, options);
    holder.run(hold).catch(() => {});
    await holder.told('began');
    const asked = others.map((agent) => agent.run(ask));
    await delay(5000);
    const killed = performance.now();
    await holder.kill();
    const results = await Promise.all(asked);
    expect(performance.now() - killed).toBeLessThan(3000);
    expect(results.map(({ answers }) => answers)).toEqual([['new'], ['new']]);
    expect(sum(results.map(({ loads }) => loads))).toBe(1);
  });

  test('so is one that is frozen; when it wakes its loader is told, and its value refused', async () => {
    const [holder, other] = await processes(2, options);
    const late = holder.run(hold);
    await holder.told('began');
    holder.pause();
    const frozen = performance.now();
    expect(await other.run(ask)).toEqual({ answers: ['new'], loads: 1 });
    expect(performance.now() - frozen).toBeLessThan(3000);
    holder.resume();
    const aborted = ({ state }) => state.signal.aborted && state.signal.reason.code;
    await until('the signal', () => holder.run(aborted));
    expect(await holder.run(aborted)).toBe('LEASE_LOST');
    await holder.run(({ state }) => state.end('late'));
    expect(await late).toBe('late');
    for (const agent of [holder, other]) expect(await agent.run(({ cache }) => cache.get('k'))).toBe('new');
  });
});

// More renewals than a caller looks at a key that changes all the time.
const LONG_LEASE = 0.45;
const LONG_MS = 9000;

describe('a load that takes twenty leases', () => {
  const longLoad = async (holder, others) => {
    const held = holder.run(hold);
    await holder.told('began');
    const asked = others.map((agent) => agent.run(ask));
    await Promise.all(others.map((agent) => agent.told('asked')));
    await delay(LONG_MS);
    await holder.run(({ state }) => state.end('held'));
    expect(await held).toBe('held');
    expect(await Promise.all(asked)).toEqual(others.map(() => ({ answers: ['held'], loads: 0 })));
    expect(await holder.run(async ({ cache }) => [cache.stats().refused, await cache.get('k')])).toEqual([0, 'held']);
  };

  test('is run once, in processes on Redis', async () => {
    const [holder, ...others] = await processes(3, { leaseTimeout: LONG_LEASE });
    await longLoad(holder, others);
    expect(await redis.call('GET', KEY('k'))).toContain('held');
  });

  test('and in threads that have memory alone', async () => {
    const [holder, ...others] = await threads(3, { leaseTimeout: LONG_LEASE });
    await longLoad(holder, others);
  });

  test('a refresh too: the stale value is served meanwhile, and lives no shorter', async () => {
    const [holder, other] = await processes(2, {
      leaseTimeout: LONG_LEASE,
      ttl: '50ms',
      staleWhileRevalidate: '1m',
    });
    await holder.run(({ cache }) => cache.set('k', 'old'));
    await delay(100);
    expect(await holder.run(hold)).toBe('old');
    await holder.told('began');
    const end = performance.now() + 3000;
    while (performance.now() < end) {
      expect(await other.run(ask)).toEqual({ answers: ['old'], loads: 0 });
      await delay(20);
    }
    await holder.run(({ state }) => state.end('held'));
    const get = ({ cache }) => cache.getOrSet('k', () => 'loaded', { ttl: '1m' });
    await until('the refreshed value', async () => (await other.run(get)) !== 'old');
  });
});

describe('the lease of a load that nobody waits for any more', () => {
  test('runs out, though its loader pays no attention', async () => {
    const [holder, other] = await processes(2);
    const left = holder.run(async ({ cache, tell, state }) => {
      const caller = new AbortController();
      state.leave = () => caller.abort();
      const load = () => (tell('began'), new Promise(() => {})); // prettier-ignore
      return cache.getOrSet('k', load, { signal: caller.signal }).catch(({ name }) => name);
    });
    await holder.told('began');
    const asked = other.run(ask);
    await other.told('asked');
    await holder.run(({ state }) => state.leave());
    const began = performance.now();
    expect(await left).toBe('AbortError');
    expect(await asked).toEqual({ answers: ['new'], loads: 1 });
    expect(performance.now() - began).toBeLessThan(3000);
  });
});

test('a thousand loads at once keep their leases', async () => {
  const cache = createCache({ redis: server.url, leaseTimeout: '3s', commandTimeout: '10s' });
  const ends = [];
  const loads = Array.from({ length: 1000 }, (_, i) =>
    cache.getOrSet(`many:${i}`, () => new Promise((resolve) => ends.push(resolve))),
  );
  await until('every load', () => ends.length === 1000);
  await delay(8000); // more than two leases
  for (const end of ends) end('loaded');
  expect(new Set(await Promise.all(loads))).toEqual(new Set(['loaded']));
  expect(cache.stats().refused).toBe(0);
  await cache.close();
});

test('a thread that blocks for longer than its lease is overtaken, and its value refused', async () => {
  const [holder, other] = await threads(2, { leaseTimeout: '300ms' });
  const held = holder.run(async ({ cache, tell, state }) => {
    const value = await cache.getOrSet('k', () => {
      tell('began');
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1500);
      return 'late';
    });
    state.stats = cache.stats();
    return value;
  });
  await holder.told('began');
  expect(await other.run(ask)).toEqual({ answers: ['new'], loads: 1 });
  expect(await held).toBe('late');
  expect(await holder.run(({ state }) => state.stats.refused)).toBe(1);
  expect(await other.run(({ cache }) => cache.get('k'))).toBe('new');
});
