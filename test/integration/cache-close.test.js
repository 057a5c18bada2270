'use strict';
// What close() does with what is under way: leases are given back, who waits is let go, and what was called before it is
// waited for, but not for ever.

const { createCache, createRedis } = require('../../lib');
const { storeOf } = require('../../lib/store/store');
const { Agent, endAgents } = require('../helpers/agents');
const { RedisServer } = require('../helpers/redis-server');
const { runScript } = require('../helpers/run-script');
const { delay, rejection, until } = require('../helpers/until');

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

// So long that whoever waited for it would be seen to.
const options = () => ({ redis: server.url, leaseTimeout: '30s' });
const open = async (more) => {
  const cache = createCache({ ...options(), ...more });
  await until('a connection', async () => (await cache.health()).redis === 'ok');
  return cache;
};
const SOON = 5000;
const took = async (work) => {
  const began = performance.now();
  await work();
  return performance.now() - began;
};

/** A load that is ended by end(value). */
const heldLoad = async (cache, key = 'k', more = {}) => {
  let end;
  const answer = cache.getOrSet(key, () => new Promise((resolve) => (end = resolve)), more);
  await until('the load', () => end !== undefined);
  return { answer, end };
};

describe.each([
  ['the cache', (cache) => [cache, cache]],
  ['a namespace, with the cache', (cache) => [cache.namespace('part'), cache]],
  ['a namespace by itself', (cache) => [cache.namespace('part'), cache.namespace('part')]],
])('%s is closed', (_, choose) => {
  test('in mid-load: the caller has its value, and the others load at once', async () => {
    const [first, other] = [await open(), await open()];
    const [used, closed] = choose(first);
    const { answer, end } = await heldLoad(used);
    const [others] = used === first ? [other] : [other.namespace('part')];
    const waiting = others.getOrSet('k', () => 'by another');
    expect(await took(() => closed.close())).toBeLessThan(SOON);
    expect(await waiting).toBe('by another');
    end('by the first');
    expect(await answer).toBe('by the first');
    expect(await others.get('k')).toBe('by another');
    await Promise.all([first.close(), other.close()]);
  });

  test('in a refresh: the next reader refreshes', async () => {
    const refreshing = { ttl: '20ms', staleWhileRevalidate: '1m' };
    const [first, other] = [await open(refreshing), await open(refreshing)];
    const [used, closed] = choose(first);
    const others = used === first ? other : other.namespace('part');
    await used.set('k', 'old');
    await delay(40);
    let began = false;
    const never = () => {
      began = true;
      return new Promise(() => {});
    };
    expect(await used.getOrSet('k', never)).toBe('old');
    await until('the refresh', () => began);
    await closed.close();
    const read = () => others.getOrSet('k', () => 'new', { ttl: '1m' });
    await until('the refreshed value', async () => (await read()) === 'new');
    await Promise.all([first.close(), other.close()]);
  });

  test('while it waits for the load of another process: it loads by itself', async () => {
    const [first, other] = [await open(), await open()];
    const [used, closed] = choose(first);
    const { answer, end } = await heldLoad(used === first ? other : other.namespace('part'));
    let busy = false;
    const { tiers } = storeOf(used);
    const { acquire } = tiers;
    tiers.acquire = async (...args) => {
      const found = await acquire.apply(tiers, args);
      busy = true;
      return found;
    };
    const waiting = used.getOrSet('k', () => 'by itself');
    await until('the wait', () => busy);
    expect(await took(() => closed.close())).toBeLessThan(SOON);
    expect(await took(async () => expect(await waiting).toBe('by itself'))).toBeLessThan(SOON);
    end('held');
    expect(await answer).toBe('held');
    await Promise.all([first.close(), other.close()]);
  });

  test('right after a set, a delete, an invalidation: they are carried out, and acknowledged', async () => {
    const first = await open();
    const [before] = choose(first);
    for (const key of ['set', 'tagged', 'deleted', 'p:1', 't']) await before.set(key, 'old', { tags: [`of ${key}`] });
    await first.close();
    const second = await open();
    const [used, closed] = choose(second);
    const work = [
      used.set('set', 'new'),
      used.set('tagged', 'new', { tags: ['first used here'] }),
      used.setMany({ m1: 1, m2: 2 }),
      used.delete('deleted'),
      used.invalidatePattern('p:*'),
      used.invalidateTag('of t'),
    ];
    await closed.close();
    expect(await Promise.all(work)).toEqual([true, true, true, true, 1, undefined]);
    await second.close();
    const third = await open();
    const [seen] = choose(third);
    const keys = ['set', 'tagged', 'm1', 'm2', 'deleted', 'p:1', 't'];
    expect(await seen.getMany(keys)).toEqual(['new', 'new', 1, 2, undefined, undefined, undefined]);
    await third.close();
  });

  test('right after a load has ended: its value is stored', async () => {
    const first = await open();
    const [used, closed] = choose(first);
    const { answer, end } = await heldLoad(used, 'k', { tags: () => ['computed'] });
    end('loaded');
    await until('the end of the load', () =>
      storeOf(used)
        .leases.waiters.of('k')
        .every(({ settled }) => settled),
    );
    await closed.close();
    expect(await answer).toBe('loaded');
    await first.close();
    const second = await open();
    expect(await choose(second)[0].get('k')).toBe('loaded');
    await second.close();
  });
});

test('a frozen server: close() comes to an end all the same', async () => {
  const frozen = await RedisServer.start();
  const cache = createCache({ redis: frozen.url });
  await cache.set('k', 'old');
  frozen.pause();
  const set = cache.set('k', 'new');
  const gone = rejection(cache.invalidatePattern('*'));
  expect(await took(() => cache.close())).toBeLessThan(2000 + SOON);
  expect(await set).toBe(false);
  expect(await gone).toMatchObject({ code: 'CACHE_UNAVAILABLE' });
  frozen.resume();
  await frozen.stop();
});

test.each(["timeout: '1h'", "timeout: '1h', softTimeout: '1h'"])(
  'a load that never ends, with %s, does not keep the process',
  async (limits) => {
    for (const where of [`'${server.url}'`, 'false']) {
      const began = performance.now();
      const { code, stdout } = await runScript(`
        const { createCache } = require('./lib');
        const cache = createCache({ redis: ${where} });
        cache.getOrSet('k', () => new Promise(() => {}), { ${limits} }).catch(() => {});
        setTimeout(async () => { await cache.close(); console.log('closed'); }, 200);
      `);
      expect([code, stdout.trim()]).toEqual([0, 'closed']);
      expect(performance.now() - began).toBeLessThan(2 * SOON);
    }
  },
);

describe('a worker thread is terminated in mid-load', () => {
  const hold = ({ cache, tell }) => cache.getOrSet('k', () => (tell('began'), new Promise(() => {}))); // prettier-ignore
  const ask = ({ cache, tell }) => {
    const answer = cache.getOrSet('k', () => 'new');
    tell('asked');
    return answer;
  };

  test.each([
    ['memory alone', () => ({ redis: false, memory: { shared: true } })],
    ['Redis', () => ({ redis: server.url })],
  ])('with %s: another loads within 3 s', async (__, given) => {
    const [holder, other] = [await Agent.thread(given()), await Agent.thread(given())];
    holder.run(hold).catch(() => {});
    await holder.told('began');
    const answer = other.run(ask);
    await other.told('asked');
    const ended = performance.now();
    await holder.kill();
    expect(await answer).toBe('new');
    expect(performance.now() - ended).toBeLessThan(3000);
  });
});
