'use strict';
// Tags: stamps that are compared on every read. What is carried, what an invalidation costs and gives back, and why
// nothing that is gone from Redis brings an entry back to life.

const { createCache, createRedis } = require('../../lib');
const { Agent, endAgents } = require('../helpers/agents');
const { RedisServer } = require('../helpers/redis-server');
const { TurnCounter } = require('../helpers/turn-counter');
const { delay, until } = require('../helpers/until');

const P = 'tiercel:1:';
const KEY = (key) => `${P}k:${key}`;

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
const other = (options) => Agent.process({ redis: server.url, ...options });
const get = ({ cache }, key) => cache.get(key);
/** What was sent before this has arrived. */
const settled = (agent) => agent.run(({ cache }) => cache.health().then(() => true));
const swept = (name) =>
  until(`the index of ${name} is gone`, async () => {
    const [, keys] = await redis.call('SCAN', 0, 'MATCH', `${P}i:${name}*`, 'COUNT', 100_000);
    return keys.length === 0;
  });

describe('an invalidation', () => {
  test('reaches the entries of every process, whatever they have in memory, and no others', async () => {
    const cache = await open();
    const agent = await other();
    await cache.set('a', 1, { tags: ['x', 'y'] });
    await cache.set('b', 2, { tags: ['y'] });
    await agent.run(({ cache: its }) => its.set('c', 3, { tags: ['x'] }));
    await cache.set('d', 4);
    for (let i = 0; i < 2; i++) {
      for (const [key, value] of Object.entries({ a: 1, b: 2, c: 3, d: 4 })) {
        expect([await cache.get(key), await agent.run(get, key)]).toEqual([value, value]);
      }
    }
    await cache.invalidateTag('x');
    await settled(agent);
    for (const [key, value] of Object.entries({ a: undefined, b: 2, c: undefined, d: 4 })) {
      expect([key, await cache.get(key), await agent.run(get, key)]).toEqual([key, value, value]);
    }
    await agent.run(({ cache: its }) => its.invalidateTags(['y', 'nobody has this']));
    await cache.health();
    expect([await cache.get('b'), await cache.get('d')]).toEqual([undefined, 4]);
  });

  test('a loaded value keeps its tags, of all three kinds, with names of any bytes (T6)', async () => {
    const cache = await open();
    const names = { before: 'größe:*?[', result: '🙂'.repeat(200), context: ' \0' };
    const load = async (context) => {
      context.setTags([names.context]);
      return { id: 1 };
    };
    for (const [kind, name] of Object.entries(names)) {
      const options = { tags: kind === 'before' ? [name] : () => [names.result] };
      await cache.getOrSet('k', load, options);
      expect((await cache.read('k')).tags).toContain(name);
      expect(await cache.get('k')).toEqual({ id: 1 });
      await cache.invalidateTag(name);
      expect(await cache.get('k')).toBeUndefined();
    }
  });

  test('made before a load computes its tags refuses the value: in this process and in another (F2)', async () => {
    const cache = await open();
    const agent = await other();
    const refused = [];
    cache.on('cache:refused', (details) => refused.push(details));
    for (const invalidate of [
      () => cache.invalidateTag('product:7'),
      () => agent.run(({ cache: its }) => its.invalidateTag('product:7')),
    ]) {
      let source = 'old';
      const load = async () => {
        const value = source;
        await delay(60);
        return value;
      };
      const loading = cache.getOrSet('k', load, { tags: () => ['product:7'] });
      await delay(20);
      source = 'new';
      await invalidate();
      await loading;
      expect(await cache.get('k')).toBeUndefined();
      expect(await cache.getOrSet('k', load, { tags: () => ['product:7'] })).toBe('new');
      await cache.delete('k');
    }
    expect(refused).toHaveLength(2);
  });

  test('made elsewhere: a call that comes after it does not join the load that began before (T1)', async () => {
    const cache = await open();
    const agent = await other();
    for (const tags of [['x'], () => ['x']]) {
      let source = 'old';
      const load = async () => {
        const value = source;
        await delay(100);
        return value;
      };
      const first = cache.getOrSet('k', load, { tags });
      await delay(20);
      source = 'new';
      await agent.run(({ cache: its }) => its.invalidateTag('x'));
      await cache.health();
      expect([await first, await cache.getOrSet('k', load, { tags })].at(-1)).toBe('new');
      await cache.delete('k');
      source = 'old';
      const again = cache.getOrSet('k', load, { tags });
      await delay(20);
      source = 'new';
      await agent.run(({ cache: its }) => its.invalidateTag('x'));
      await cache.health();
      const joined = cache.getOrSet('k', load, { tags });
      expect([await again, await joined]).toEqual(['old', 'new']);
      await cache.delete('k');
    }
  });
});

describe('a stamp that is gone (T2, T5)', () => {
  test.each([
    ['deleted', (key) => redis.call('DEL', key)],
    ['expired', (key) => redis.call('PEXPIRE', key, 0)],
    ['replaced by somebody', (key) => redis.call('SET', key, String(Math.random()).padEnd(16, '0').slice(0, 16))],
  ])('%s: the entry is not served, and is not when a new one is there', async (_name, lose) => {
    const cache = await open();
    const agent = await other({ memory: false });
    await cache.set('k', 'old', { tags: ['x'] });
    await cache.invalidateTag('x');
    await lose(`${P}t:x`);
    await delay(10);
    expect([await cache.get('k'), await agent.run(get, 'k')]).toEqual([undefined, undefined]);
    await cache.set('valid', 1, { tags: ['x'] });
    await lose(`${P}t:x`);
    await delay(10);
    await cache.health();
    expect([await cache.get('valid'), await agent.run(get, 'valid')]).toEqual([undefined, undefined]);
    // A new stamp has been made by now.
    expect([await cache.get('valid'), await agent.run(get, 'valid')]).toEqual([undefined, undefined]);
    expect(await agent.run(({ cache: its }) => its.getOrSet('valid', () => 2, { tags: ['x'] }))).toBe(2);
    expect(await cache.get('valid')).toBe(2);
  });

  test('that of the namespace: everything is a miss, and is stored anew', async () => {
    const cache = await open();
    await cache.set('k', 'old');
    await redis.call('DEL', `${P}n`);
    await cache.health();
    expect(await cache.get('k')).toBeUndefined();
    expect(await cache.getOrSet('k', () => 'new')).toBe('new');
    expect(await cache.get('k')).toBe('new');
  });

  test('evicted by a server that is full', async () => {
    const small = await RedisServer.start({ args: ['--maxmemory', '6mb', '--maxmemory-policy', 'allkeys-random'] });
    const cache = createCache({ redis: small.url, memory: false });
    const client = createRedis(small.url);
    await until('a connection', async () => (await cache.health()).status === 'ok');
    let version = 0;
    for (let round = 0; round < 5; round++) {
      await cache.set('k', ++version, { tags: ['x'] });
      await cache.invalidateTag('x');
      for (let i = 0; i < 400; i++) await client.set(`filler:${round}:${i}`, 'x'.repeat(20_000));
      expect(await cache.get('k')).toBeUndefined();
    }
    expect(Number(/evicted_keys:(\d+)/.exec(await client.call('INFO', 'stats'))[1])).toBeGreaterThan(100);
    await Promise.all([cache.close(), client.close()]);
    await small.stop();
  });

  test('a server that was emptied: nothing of before is served', async () => {
    const cache = await open();
    const agent = await other();
    await cache.set('k', 'old', { tags: ['x'] });
    expect(await agent.run(get, 'k')).toBe('old');
    await redis.call('FLUSHALL');
    await cache.health();
    await settled(agent);
    expect([await cache.get('k'), await agent.run(get, 'k')]).toEqual([undefined, undefined]);
  });
});

describe('two who invalidate at once (T3, T4)', () => {
  test('whoever wins, what was written before both is gone', async () => {
    const cache = await open();
    const agents = await Promise.all([other(), other()]);
    for (let round = 0; round < 50; round++) {
      await cache.set('k', round, { tags: ['x'] });
      await Promise.all(agents.map((agent) => agent.run(({ cache: its }) => its.invalidateTag('x'))));
      await cache.health();
      expect(await cache.get('k')).toBeUndefined();
      for (const agent of agents) expect(await agent.run(get, 'k')).toBeUndefined();
    }
  });

  test('a write that begins after an invalidation is valid, by whatever clock', async () => {
    const cache = await open();
    const agent = await other();
    // Its clock is ten seconds slow.
    await agent.run(() => {
      const now = Date.now;
      Date.now = () => now() - 10_000;
    });
    for (let round = 0; round < 20; round++) {
      await cache.invalidateTag('x');
      await delay(20); // until it has heard of it: what it writes before that is invalid, and so is no harm
      await agent.run(({ cache: its }, value) => its.set('k', value, { tags: ['x'] }), round);
      expect(await cache.get('k')).toBe(round);
    }
  });
});

describe('thousands of entries', () => {
  const MANY = 5000;

  test('are invalid in one round trip, and their memory comes back', async () => {
    const counter = await TurnCounter.start(server.port);
    const cache = await open({ redis: counter.url });
    const agent = await other();
    const keys = Array.from({ length: MANY }, (_, i) => `k${i}`);
    const fill = async (value) => {
      await cache.setMany(new Map(keys.map((key) => [key, value])), { tags: ['many'] });
      await cache.health();
    };
    await cache.set('kept', 'kept', { tags: ['few'] });
    await cache.invalidateTag('warm-up');
    for (let round = 0; round < 2; round++) {
      await fill(`old ${round}`);
      await agent.run(({ cache: its }, some) => its.getMany(some), keys.slice(0, 2500));
      expect(await redis.call('ZCARD', `${P}i:many`)).toBe(MANY);
      expect(await counter.count(() => cache.invalidateTag('many'))).toBe(1);
      await settled(agent);
      expect(new Set(await cache.getMany(keys))).toEqual(new Set([undefined]));
      expect(new Set(await agent.run(({ cache: its }, some) => its.getMany(some), keys))).toEqual(new Set([undefined]));
      await swept('many');
      // The entry that is kept, its index, and the stamps.
      await until('the memory of the last batch is back', async () => (await redis.call('DBSIZE')) < 10);
      expect(await redis.call('EXISTS', `${P}i:many`)).toBe(0);
    }
    expect(await cache.get('kept')).toBe('kept');
    await cache.close();
    await counter.close();
  });

  test('those that were filled again in the meantime are kept, with the tag or without it', async () => {
    const cache = await open();
    const keys = Array.from({ length: 3000 }, (_, i) => `k${i}`);
    const some = (remainder) => keys.filter((_, i) => i % 4 === remainder);
    await cache.setMany(new Map(keys.map((key) => [key, 'old'])), { tags: ['many', 'also'] });
    await cache.invalidateTag('many');
    await Promise.all([
      ...some(0).map((key) => cache.getOrSet(key, () => 'new', { tags: ['many'] })),
      ...some(1).map((key) => cache.set(key, 'new')),
      ...some(2).map((key) => cache.set(key, 'new', { tags: ['another'] })),
    ]);
    await swept('many:'); // not the new index
    await delay(50);
    expect(await redis.call('EXISTS', ...some(3).map(KEY))).toBe(0);
    for (const remainder of [0, 1, 2]) {
      expect(await redis.call('EXISTS', ...some(remainder).map(KEY))).toBe(some(remainder).length);
    }
    expect(new Set(await cache.getMany(keys.filter((_, i) => i % 4 !== 3)))).toEqual(new Set(['new']));
  });

  test('an entry that has lost a tag since does not go with it', async () => {
    const cache = await open();
    await cache.set('k', 1, { tags: ['x', 'y'] });
    await cache.set('k', 2, { tags: ['y'] });
    await cache.invalidateTag('x');
    await swept('x');
    await delay(20);
    expect(await cache.get('k')).toBe(2);
    await cache.invalidateTag('y');
    await swept('y');
    expect(await redis.call('EXISTS', KEY('k'))).toBe(0);
  });

  test('a sweep goes on when the server was away for a moment', async () => {
    const cache = await open({ commandTimeout: '100ms' });
    await cache.setMany(Object.fromEntries(Array.from({ length: 3000 }, (_, i) => [`m${i}`, i])), { tags: ['away'] });
    await cache.health();
    await cache.invalidateTag('away');
    server.pause();
    await delay(500); // more than a command has
    server.resume();
    await swept('away');
    await until('the memory of the entries is back', async () => (await redis.call('KEYS', KEY('m*'))).length < 300);
  });

  test('a cleared namespace gives its memory back, and leaves others alone', async () => {
    const cache = await open();
    const [users, cart] = [cache.namespace('users'), cache.namespace('cart')];
    await users.setMany(Object.fromEntries(Array.from({ length: 2000 }, (_, i) => [`u${i}`, i])));
    await cart.set('c', 1);
    await cache.set('r', 1);
    await users.clear();
    expect(new Set(await users.getMany(['u0', 'u1999']))).toEqual(new Set([undefined]));
    await users.set('u0', 'new');
    const left = async () => (await redis.call('KEYS', `${P}k.users:*`)).length;
    await until('it is swept', async () => (await left()) === 1);
    expect([await users.get('u0'), await cart.get('c'), await cache.get('r')]).toEqual(['new', 1, 1]);
  });
});

test('many clears of a namespace sweep one at a time, and what the last one left is gone, too', async () => {
  const cache = await open();
  const users = cache.namespace('users');
  await redis.call('EVAL', "for i = 1, 20000 do redis.call('SET', 'foreign:' .. i, 'x') end", 0);
  const scans = async () => Number(/cmdstat_scan:calls=(\d+)/.exec(await redis.call('INFO', 'commandstats'))?.[1] ?? 0);
  const before = await scans();
  for (let i = 0; i < 50; i++) {
    await users.set(`u${i}`, i);
    await users.clear();
  }
  const left = async () => (await redis.call('KEYS', `${P}k.users:*`)).length;
  await until('they are swept', async () => (await left()) === 0);
  // One sweep of 20,000 keys takes some 80 scans: not 50 of them.
  expect((await scans()) - before).toBeLessThan(80 * 50 * 0.5);
});

test('an entry with 100 tags: no round trip from memory, one from Redis (T9)', async () => {
  const counter = await TurnCounter.start(server.port);
  const cache = await open({ redis: counter.url });
  const tags = Array.from({ length: 100 }, (_, i) => `tag${i}`);
  await cache.set('k', 1, { tags });
  await cache.get('k');
  expect(await counter.count(() => cache.get('k'))).toBe(0);
  await redis.call('COPY', KEY('k'), KEY('copy'));
  expect(await counter.count(() => cache.get('copy'))).toBe(1);
  await cache.invalidateTag('tag99');
  expect(await cache.get('k')).toBeUndefined();
  await cache.close();
  await counter.close();
});
