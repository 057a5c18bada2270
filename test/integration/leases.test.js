'use strict';
// One load per key in all processes: callers at once, holders that die, sleep, throw or take too long, and what those
// who wait are given.

const { createCache, createRedis } = require('../../lib');
const { Agent, endAgents } = require('../helpers/agents');
const { RedisServer } = require('../helpers/redis-server');
const { delay, rejection, until } = require('../helpers/until');

// How many times slower than a quiet machine this one may be.
const SLACK = Number(process.env.TIERCEL_TEST_SLACK ?? 1);
const KEY = (key) => `tiercel:1:k:${key}`;

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
const percentile = (values, share) => [...values].sort((a, b) => a - b)[Math.ceil(values.length * share) - 1];
const sum = (values) => values.reduce((total, value) => total + value, 0);

/** In an agent: many callers of one key at once. */
async function callers({ cache, delay: wait }, { key, count, at, loadFor, options }) {
  let loads = 0;
  await wait(at - Date.now());
  const waited = [];
  const answers = await Promise.all(
    Array.from({ length: count }, async () => {
      const began = performance.now();
      const load = async () => {
        loads++;
        await wait(loadFor);
        return { loaded: key };
      };
      const value = await cache.getOrSet(key, load, options);
      waited.push(performance.now() - began);
      return JSON.stringify(value);
    }),
  );
  return { loads, answers: [...new Set(answers)], waited };
}

describe('a cold key (S1, S2, S5)', () => {
  const storm = async (agents, details) => {
    const at = Date.now() + 200;
    const results = await Promise.all(agents.map((agent) => agent.run(callers, { ...details, at })));
    return {
      loads: sum(results.map(({ loads }) => loads)),
      answers: [...new Set(results.flatMap(({ answers }) => answers))],
      waited: results.flatMap(({ waited }) => waited),
    };
  };

  test('4 processes with 500 callers each: one load in all, and nobody waits much longer than it takes', async () => {
    const agents = await processes(4);
    await storm(agents, { key: 'warm-up', count: 50, loadFor: 1 });
    const { loads, answers, waited } = await storm(agents, { key: 'k', count: 500, loadFor: 300 });
    expect(loads).toBe(1);
    expect(answers).toEqual(['{"loaded":"k"}']);
    expect(waited).toHaveLength(2000);
    expect(percentile(waited, 0.99)).toBeLessThan(400 * SLACK);
  });

  test('20 keys one after the other, with no memory tier: one load each', async () => {
    const agents = await processes(3, { memory: false });
    for (let i = 0; i < 20; i++) {
      const { loads, answers } = await storm(agents, { key: `k${i}`, count: 20, loadFor: 20 });
      expect([loads, answers]).toEqual([1, [`{"loaded":"k${i}"}`]]);
    }
  });

  test('a key that is stale, and one that a soft delete left: one load too', async () => {
    const agents = await processes(3);
    const cache = createCache({ redis: server.url });
    for (let i = 0; i < 5; i++) {
      await cache.set('stale', 'old', { ttl: 0.02, staleIfError: 60 });
      await delay(40);
      expect((await storm(agents, { key: 'stale', count: 20, loadFor: 50 })).loads).toBe(1);
      await cache.set('soft', 'old', { ttl: 60, staleIfError: 60 });
      await cache.delete('soft', { soft: true });
      const { loads, answers } = await storm(agents, { key: 'soft', count: 20, loadFor: 50 });
      expect([loads, answers]).toEqual([1, ['{"loaded":"soft"}']]);
    }
    await cache.close();
  });

  test('a server that announces no changes: those who wait look again, and still one loads', async () => {
    await redis.call('ACL', 'SETUSER', 'plain', 'on', 'nopass', '~*', '+@all', '-client|tracking');
    const url = `redis://plain:x@127.0.0.1:${server.port}`;
    const agents = await processes(2, { redis: url });
    const { loads, waited } = await storm(agents, { key: 'k', count: 20, loadFor: 4000 });
    expect(loads).toBe(1);
    expect(Math.max(...waited)).toBeLessThan(4000 + 500 * SLACK);
  });
});

describe('a holder that dies (S6)', () => {
  test('in mid-load: exactly one of the others loads, when the lease has ended', async () => {
    const [holder, ...others] = await processes(4, { leaseTimeout: '1s' });
    holder
      .run(({ cache, tell }) => cache.getOrSet('k', () => (tell('began'), new Promise(() => {})))) // prettier-ignore
      .catch(() => {});
    await holder.told('began');
    const began = performance.now();
    const waiting = others.map((agent) =>
      agent.run(callers, { key: 'k', count: 100, at: Date.now(), loadFor: 50, options: {} }),
    );
    await delay(200);
    await holder.kill();
    const results = await Promise.all(waiting);
    const took = performance.now() - began;
    expect(sum(results.map(({ loads }) => loads))).toBe(1);
    expect(results.map(({ answers }) => answers)).toEqual(others.map(() => ['{"loaded":"k"}']));
    expect(took).toBeGreaterThan(700);
    expect(took).toBeLessThan(1000 + 50 + 250 * SLACK);
  });

  test('in a refresh: the value stays readable, and the next reader after the lease refreshes it', async () => {
    const [holder, other] = await processes(2, { leaseTimeout: '500ms', ttl: '50ms', staleWhileRevalidate: '1m' });
    await holder.run(({ cache }) => cache.set('k', 'old'));
    await delay(100);
    await holder.run(({ cache, tell }) => cache.getOrSet('k', () => (tell('began'), new Promise(() => {})))); // prettier-ignore
    await holder.told('began');
    await holder.kill();
    const { loads, seen } = await other.run(async ({ cache, delay: wait }) => {
      let count = 0;
      const values = [];
      const end = performance.now() + 1500;
      while (performance.now() < end && values.at(-1) !== 'new') {
        values.push(await cache.getOrSet('k', () => (count++, 'new'), { ttl: '1m' })); // prettier-ignore
        await wait(10);
      }
      return { loads: count, seen: [...new Set(values)] };
    });
    expect([loads, seen]).toEqual([1, ['old', 'new']]);
  });
});

describe('a holder that sleeps longer than its lease (S7)', () => {
  test('and wakes: its value is refused, the newer one stays, and its loader is told', async () => {
    const [holder, other] = await processes(2, { leaseTimeout: '500ms' });
    const answer = holder.run(async ({ cache, delay: wait, tell, state }) => {
      state.refused = [];
      cache.on('cache:refused', (details) => state.refused.push(details));
      return cache.getOrSet('k', async ({ signal }) => {
        tell('began');
        // It ends by itself, long after it was told.
        await new Promise((resolve) => signal.addEventListener('abort', resolve));
        state.reason = signal.reason.code;
        await wait(50);
        return 'late';
      });
    });
    await holder.told('began');
    holder.pause();
    const slept = performance.now();
    expect(await other.run(({ cache }) => cache.getOrSet('k', () => 'new'))).toBe('new');
    expect(performance.now() - slept).toBeLessThan(500 + 250 * SLACK);
    await delay(200);
    holder.resume();
    expect(await answer).toBe('late');
    expect(await holder.run(({ state }) => [state.reason, state.refused])).toEqual([
      'LEASE_LOST',
      [{ key: 'k', reason: 'overtaken' }],
    ]);
    for (const agent of [holder, other]) expect(await agent.run(({ cache }) => cache.get('k'))).toBe('new');
  });

  test('and its loader pays no attention: refused by Redis alone', async () => {
    const [holder, other] = await processes(2, { leaseTimeout: '300ms' });
    const answer = holder.run(async ({ cache, tell, state }) => {
      const value = await cache.getOrSet('k', () => {
        tell('began');
        // No timer, no message comes through before the value.
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 900);
        return 'late';
      });
      state.stats = cache.stats();
      return value;
    });
    await holder.told('began');
    expect(await other.run(({ cache }) => cache.getOrSet('k', () => 'new'))).toBe('new');
    expect(await answer).toBe('late');
    expect(await holder.run(({ state }) => state.stats.refused)).toBe(1);
    for (const agent of [holder, other]) expect(await agent.run(({ cache }) => cache.get('k'))).toBe('new');
  });
});

describe('a load that takes too long (F3)', () => {
  test('cannot overwrite a newer value, and its signal is aborted', async () => {
    const cache = createCache({ redis: server.url });
    let signal;
    let finish;
    const slow = (context) => {
      ({ signal } = context);
      return new Promise((resolve) => (finish = resolve));
    };
    const error = await rejection(cache.getOrSet('k', slow, { timeout: 0.05, errorBackoff: 0 }));
    expect(error).toMatchObject({ code: 'LOAD_TIMEOUT' });
    expect(signal.aborted).toBe(true);
    await cache.set('k', 'fresh');
    finish('slow-old');
    await delay(30);
    expect(await cache.get('k')).toBe('fresh');
    expect(await redis.call('GET', KEY('k'))).toContain('fresh');
    await cache.close();
  });

  test('leaves the lease to the next at once', async () => {
    const [slow, other] = await processes(2);
    const late = rejection(
      slow.run(({ cache }) => cache.getOrSet('k', () => new Promise(() => {}), { timeout: 0.1, errorBackoff: 0 })),
    );
    await until('a lease', async () => (await redis.call('EXISTS', KEY('k'))) === 1);
    const began = performance.now();
    expect(await other.run(({ cache }) => cache.getOrSet('k', () => 'new'))).toBe('new');
    expect(performance.now() - began).toBeLessThan(100 + 200 * SLACK);
    expect(await late).toMatchObject({ code: 'LOAD_TIMEOUT' });
  });
});

describe('a loader that throws (S1, S3)', () => {
  /** In an agent: calls all the time, and what became of them. */
  const keepCalling = async ({ cache, delay: wait }, { during, errorBackoff }) => {
    const loads = [];
    const errors = new Set();
    const calls = [];
    let longest = 0;
    const end = performance.now() + during;
    while (performance.now() < end) {
      for (let i = 0; i < 5; i++) {
        const began = performance.now();
        const load = async () => {
          loads.push(Date.now());
          await wait(30);
          throw Object.assign(new RangeError('no such row'), { code: 'E_ROW' });
        };
        const call = cache.getOrSet('k', load, { errorBackoff }).catch(({ name, message, code }) => {
          longest = Math.max(longest, performance.now() - began);
          errors.add(`${name} ${message} ${code}`);
        });
        calls.push(call);
      }
      await wait(10);
    }
    await Promise.all(calls);
    return { loads, errors: [...errors], calls: calls.length, longest };
  };

  test('3 processes over several windows: the same error for everybody, one load per window, no convoy', async () => {
    const agents = await processes(3);
    const results = await Promise.all(
      agents.map((agent) => agent.run(keepCalling, { during: 2000, errorBackoff: '300ms' })),
    );
    const loads = results.flatMap((result) => result.loads).sort((a, b) => a - b);
    const gaps = loads.slice(1).map((at, i) => at - loads[i]);
    expect(Math.min(...gaps)).toBeGreaterThan(300 * 0.9);
    expect(loads.length).toBeGreaterThanOrEqual(4);
    for (const { errors, longest, calls } of results) {
      expect(errors).toEqual(['RangeError no such row E_ROW']);
      expect(calls).toBeGreaterThan(100);
      expect(longest).toBeLessThan(30 + 150 * SLACK);
    }
  });

  test('callers of one process have the error itself; it is over with the window, or with a set', async () => {
    const cache = createCache({ redis: server.url });
    const thrown = Object.assign(new Error('once'), { code: 7 });
    const load = jest.fn(async () => {
      await delay(10);
      throw thrown;
    });
    const errors = await Promise.all(
      Array.from({ length: 50 }, () => rejection(cache.getOrSet('k', load, { errorBackoff: '150ms' }))),
    );
    expect(new Set(errors)).toEqual(new Set([thrown]));
    expect(await rejection(cache.getOrSet('k', () => 'not asked'))).toBe(thrown);
    expect(load).toHaveBeenCalledTimes(1);
    await cache.set('k', 'set');
    expect(await cache.getOrSet('k', load)).toBe('set');
    await cache.delete('k');
    await rejection(cache.getOrSet('k', load, { errorBackoff: '150ms' }));
    await delay(180);
    expect(await cache.getOrSet('k', () => 'well again')).toBe('well again');
    expect(load).toHaveBeenCalledTimes(2);
    await cache.close();
  });

  test('no errorBackoff: the next caller loads again, wherever it is', async () => {
    const [failing, other] = await processes(2, { errorBackoff: 0 });
    const fail = ({ cache }) => cache.getOrSet('k', () => Promise.reject(new Error('down')));
    expect(await rejection(failing.run(fail))).toMatchObject({ message: 'down' });
    expect(await other.run(({ cache }) => cache.getOrSet('k', () => 'up'))).toBe('up');
  });
});
