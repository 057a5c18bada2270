'use strict';
// What one process changes, another one stops serving from its memory: how soon, and what happens when the announcement
// cannot arrive. The other one is a real process, and reaches Redis through a proxy with faults.

const { Worker } = require('node:worker_threads');
const { createCache, createRedis } = require('../../lib');
const { PATIENCE } = require('../helpers/patience');
const { FaultProxy } = require('../helpers/fault-proxy');
const { Peer } = require('../helpers/peer');
const { RedisServer } = require('../helpers/redis-server');
const { ROOT } = require('../helpers/run-script');
const { delay, until } = require('../helpers/until');

const HEARTBEAT_MS = 200;
const TIMEOUT_MS = 100;
// How long a connection is believed that says nothing: noticed by the second beat, then asked.
const TRUST_MS = 2 * HEARTBEAT_MS + Math.max(HEARTBEAT_MS / 2, TIMEOUT_MS);
// Of timers on a busy machine.
const LATE_MS = 50;

const now = () => Number(process.hrtime.bigint()) / 1e6;
const p99 = (times) => [...times].sort((a, b) => a - b)[Math.ceil(times.length * 0.99) - 1];

let server;
let admin;
let proxy;
let mine;
let peer;

/** A peer, behind a proxy unless it is to be fast, and a cache here, which is not. */
async function pair(options = {}) {
  if (!options.direct) proxy = await FaultProxy.start(server.port);
  mine = createCache({ redis: server.url, commandTimeout: '1s', ...options.mine });
  const redis = { port: options.direct ? server.port : proxy.port, heartbeat: `${HEARTBEAT_MS}ms`, clientName: 'peer' };
  peer = await Peer.start({ redis, commandTimeout: `${TIMEOUT_MS}ms`, ...options.peer });
  await until('a connection', async () => (await mine.health()).redis === 'ok');
}

/** Its connection is closed by the server. */
async function killPeer() {
  const clients = String(await admin.call('CLIENT', 'LIST')).split('\n');
  const [, id] = /\bid=(\d+)/.exec(clients.find((line) => line.includes('name=peer')));
  await admin.call('CLIENT', 'KILL', 'ID', id);
}

/** The peer reads the key until memory has it. */
const holds = (key, value) =>
  peer.run(
    async ({ cache, delay: pause }, name, wanted) => {
      for (let i = 0; i < 2000; i++) {
        await cache.get(name);
        if (cache.peek(name) === wanted) return;
        await pause(1);
      }
      throw new Error(`${name} is not ${wanted}`);
    },
    key,
    value,
  );

/** The peer looks again and again: when did the last look begin that still gave this value? Ends with another one. */
async function lastSeen(key, value, work, { how = 'get', atLeast = 0 } = {}) {
  const seen = peer.run(
    async ({ cache, now: clock, delay: pause }, name, old, method, least) => {
      const end = clock() + 8000;
      const from = clock();
      let last = from;
      let previous = from;
      let stalled = 0;
      if (cache.listenerCount('redis:close') === 0) cache.on('redis:close', () => (cache.closedAt = clock()));
      for (;;) {
        const start = clock();
        stalled = Math.max(stalled, start - previous);
        previous = start;
        const found = await cache[method](name);
        if (found === old) last = start;
        else if (start > from + least) return { last, found, stalled, closedAt: cache.closedAt };
        if (start > end) throw new Error('it is served for ever');
        await (method === 'peek' ? pause(1) : new Promise(setImmediate));
      }
    },
    key,
    value,
    how,
    atLeast,
  );
  // Answered when the other one has begun.
  await peer.run(() => {});
  const outcome = await work();
  const acknowledged = now();
  const all = { ...(await seen), acknowledged, outcome };
  // Without the time for which the other process did not run at all, because the machine is busy.
  return { ...all, took: Math.max(0, all.last - acknowledged - all.stalled) };
}

beforeEach(async () => {
  server = await RedisServer.start();
  admin = createRedis(server.url);
});
afterEach(async () => {
  const code = await peer?.end();
  peer = undefined;
  await mine?.close();
  mine = undefined;
  await proxy?.close();
  proxy = undefined;
  await admin.close();
  await server.stop();
  expect(code ?? 0).toBe(0);
});

describe('an invalidation reaches another process', () => {
  const kinds = [
    ['of a key', 'k', (cache) => cache.delete('k')],
    ['of a key, which leaves a copy', 'k', (cache) => cache.delete('k', { soft: true })],
    ['by a new value', 'k', (cache) => cache.set('k', 'new')],
    ['of a tag', 'k', (cache) => cache.invalidateTag('t')],
    ['of a pattern', 'k', (cache) => cache.invalidatePattern('k*')],
    ['of everything', 'k', (cache) => cache.clear()],
  ];

  test.each(kinds)(
    '%s, with a p99 under 5 ms',
    async (_name, key, invalidate) => {
      await pair({ direct: true });
      const times = [];
      for (let i = 0; i < 100; i++) {
        await mine.set(key, i, { tags: ['t'] });
        await holds(key, i);
        times.push((await lastSeen(key, i, () => invalidate(mine))).took);
      }
      expect(p99(times)).toBeLessThan(5 * PATIENCE);
    },
    120_000,
  );

  test.each(kinds)(
    '%s, right after its connection was lost and made again',
    async (_name, key, invalidate) => {
      await pair({ direct: true });
      const times = [];
      for (let i = 0; i < 20; i++) {
        await mine.set(key, i, { tags: ['t'] });
        await holds(key, i);
        const connected = peer.run(
          ({ cache }) => new Promise((resolve) => cache.once('redis:connect', () => resolve())),
        );
        await peer.run(() => {});
        await killPeer();
        await connected;
        await holds(key, i);
        times.push((await lastSeen(key, i, () => invalidate(mine))).took);
      }
      expect(p99(times)).toBeLessThan(5 * PATIENCE);
    },
    120_000,
  );
});

describe('an invalidation that cannot be announced', () => {
  const KEYS = Array.from({ length: 100 }, (_, i) => `k${i}`);
  const readAll = () =>
    peer.run(async ({ cache }, keys) => [await cache.getMany(keys), keys.map((key) => cache.peek(key))], KEYS);

  async function allHeld() {
    await mine.setMany(KEYS.map((key) => [key, 'old']));
    for (const key of KEYS) await holds(key, 'old');
  }

  /** Two seconds after the fault nothing of old is left. */
  async function nothingStuck() {
    await delay(2000);
    const [read, peeked] = await readAll();
    for (const value of [...read, ...peeked]) expect([undefined, 'new']).toContain(value);
  }

  test.each([
    ['reset', () => proxy.reset()],
    ['closed', () => proxy.drop()],
  ])('a connection that is %s: nothing old is fresh once that was seen', async (_name, fault) => {
    await pair();
    await allHeld();
    const change = async () => {
      proxy.refuse();
      fault();
      await mine.setMany(KEYS.map((key) => [key, 'new']));
    };
    const { last, closedAt } = await lastSeen('k0', 'old', change, { how: 'peek' });
    expect(last).toBeLessThan(closedAt + 1);
    proxy.pass();
    await nothingStuck();
  });

  test.each([['peek'], ['get']])('a half-open connection is believed for a known time (%s)', async (how) => {
    await pair();
    await allHeld();
    const change = async () => {
      proxy.swallow();
      await mine.setMany(KEYS.map((key) => [key, 'new']));
    };
    const { last, acknowledged } = await lastSeen('k0', 'old', change, { how, atLeast: 3 * TRUST_MS });
    expect(last - acknowledged).toBeLessThan(TRUST_MS + LATE_MS);
    proxy.pass();
    await nothingStuck();
  });

  test('a command that is not answered ends the trust earlier', async () => {
    await pair();
    await allHeld();
    const change = async () => {
      proxy.swallow();
      await mine.setMany(KEYS.map((key) => [key, 'new']));
      void peer.run(({ cache }) => cache.get('other'));
    };
    const { last, acknowledged } = await lastSeen('k0', 'old', change, { how: 'peek', atLeast: 3 * TRUST_MS });
    expect(last - acknowledged).toBeLessThan(TIMEOUT_MS + LATE_MS);
    proxy.pass();
    await nothingStuck();
  });

  test('a server that is killed in the middle of it', async () => {
    await pair({ mine: { commandTimeout: '100ms' } });
    await allHeld();
    const change = async () => {
      const work = Promise.allSettled(KEYS.map((key) => mine.delete(key)));
      await server.kill();
      await work;
    };
    const { last, closedAt } = await lastSeen('k0', 'old', change, { how: 'peek' });
    expect(last).toBeLessThan(closedAt + 1);
    await server.restart();
    await nothingStuck();
    expect((await mine.health()).pendingInvalidations).toBe(0);
  });
});

describe('what the server does by itself', () => {
  // Shared: through a client that others use as well, and which therefore hears of its own writes too.
  const tooSmall = (whose) => async () => {
    await admin.call('CONFIG', 'SET', 'tracking-table-max-keys', '100');
    await pair({ direct: true });
    const keys = Array.from({ length: 500 }, (_, i) => `k${i}`);
    const ask = (work) => peer.run(work, keys, whose);
    await ask(async (state, all, which) => {
      if (which !== 'shared') return;
      const { port } = state.given.redis;
      state.cache = state.tiercel.createCache({ redis: (state.client = state.tiercel.createRedis({ port })) });
    });
    await mine.setMany(keys.map((key) => [key, 'old']));
    // Read one after the other: each command of this connection may make room in the table.
    const held = await ask(async ({ cache }, all) => {
      for (const key of all) await cache.get(key);
      await cache.health();
      return all.filter((key) => cache.peek(key) === 'old').length;
    });
    expect(held).toBeGreaterThan(10);
    await mine.setMany(keys.map((key) => [key, 'new']));
    const stale = await ask(async ({ cache, client }, all) => {
      await cache.health();
      const old = all.filter((key) => cache.peek(key) === 'old');
      await client?.close();
      return old;
    });
    expect(stale).toHaveLength(0);
    expect(held).toBeLessThanOrEqual(110);
  };
  test('a tracking table that is too small is correct', tooSmall('shared'));
  // With NOLOOP, Redis 7 would say nothing of a key that it drops from the table during a command of that connection.
  test('a tracking table that is too small is correct on a connection of its own', tooSmall('own'));

  test.each([['FLUSHALL'], ['FLUSHDB']])('%s takes everything out of memory', async (command) => {
    await pair();
    for (let i = 0; i < 10; i++) {
      await mine.set('k', i, { tags: ['t'] });
      await holds('k', i);
      const { last, found, acknowledged } = await lastSeen('k', i, () => admin.call(command));
      expect(found).toBeUndefined();
      expect(last - acknowledged).toBeLessThan(10 * PATIENCE);
    }
  });

  test('an entry is not in memory for longer than in Redis, however slow the answer was', async () => {
    await pair();
    for (const ttl of [300, 500]) {
      await mine.set('k', ttl, { ttl: `${ttl}ms` });
      proxy.delay(40); // 80 ms for the answer
      await holds('k', ttl);
      const end = Number(await admin.call('PEXPIRETIME', 'tiercel:1:k:k'));
      expect(end).toBeGreaterThan(Date.now());
      const last = await peer.run(async ({ cache, delay: pause }, old) => {
        let seen = 0;
        for (let i = 0; i < 400; i++, await pause(2)) {
          const at = Date.now();
          if (cache.peek('k') !== old) return seen;
          seen = at;
        }
        return Infinity;
      }, ttl);
      expect(last).toBeLessThanOrEqual(end + 1);
      proxy.pass();
    }
  });

  test('nor longer than an expiry that somebody made shorter', async () => {
    await pair();
    await mine.set('k', 'old', { ttl: '1m' });
    await holds('k', 'old');
    const shorten = () => admin.call('PEXPIRE', 'tiercel:1:k:k', '150');
    const { last, acknowledged } = await lastSeen('k', 'old', shorten);
    expect(last - acknowledged).toBeLessThan(155 * PATIENCE);
  });
});

describe('without announcements', () => {
  const cases = [
    ['a server without RESP3', ['--rename-command', 'HELLO', '']],
    ['a server that tracks for nobody', ['--user', 'default', 'on', 'nopass', '~*', '&*', '+@all', '-client|tracking']],
  ];

  test.each(cases)('%s: memory is believed for maxStaleness and no longer', async (_name, args) => {
    await admin.close();
    await server.stop();
    server = await RedisServer.start({ args });
    admin = createRedis(server.url);
    // The server is not at fault here, however long a busy machine keeps it from answering.
    await pair({ mine: { commandTimeout: '10s' }, peer: { commandTimeout: '10s', memory: { maxStaleness: '200ms' } } });
    const gaps = [];
    for (let i = 0; i < 5; i++) {
      await mine.set('k', i);
      await holds('k', i);
      const { last, found, acknowledged, took } = await lastSeen('k', i, () => mine.set('k', 'new'));
      expect(found).toBe('new');
      expect(took).toBeLessThan(201);
      gaps.push(last - acknowledged);
    }
    // And it is used meanwhile.
    expect(Math.max(...gaps)).toBeGreaterThan(50);
  });
});

describe('one process', () => {
  test('two connections that share memory: what one wrote, the other does not read as it was before', async () => {
    const [a, b] = [createCache({ redis: server.url }), createCache({ redis: server.url })];
    try {
      await until('two connections', async () =>
        [await a.health(), await b.health()].every(({ redis }) => redis === 'ok'),
      );
      for (let i = 0; i < 500; i++) {
        const readers = [b.get('k'), a.get('k')];
        const write = i % 3 === 2 ? a.delete('k') : a.set('k', i);
        readers.push(b.get('k'), a.get('k'));
        await write;
        for (const cache of [a, b]) {
          const seen = [cache.peek('k'), await cache.get('k'), cache.peek('k')];
          for (const value of seen) expect([undefined, i % 3 === 2 ? undefined : i]).toContain(value);
        }
        await Promise.all(readers);
      }
    } finally {
      await Promise.all([a.close(), b.close()]);
    }
  });

  test('worker threads that share memory: what one has deleted, the other does not find there', async () => {
    const shared = new Int32Array(new SharedArrayBuffer(8)); // what was deleted; whether it is over
    const start = (script) => {
      const prelude = `
        const { parentPort, workerData } = require('node:worker_threads');
        const tiercel = require(${JSON.stringify(ROOT)});
        (async () => {
          const cache = tiercel.createCache({ redis: ${JSON.stringify(server.url)} });
          while ((await cache.health()).redis !== 'ok') await new Promise((resolve) => setTimeout(resolve, 2));
          const shared = workerData;
          ${script}
          await cache.close();
        })();`;
      const worker = new Worker(prelude, { eval: true, workerData: shared });
      return new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject));
    };
    const reader = start(`
      const result = { wrong: [], found: 0 };
      while (Atomics.load(shared, 1) === 0) {
        const reads = [cache.get('k'), cache.get('k')];
        for (let i = 0; i < 20; i++) {
          const deleted = Atomics.load(shared, 0);
          const value = cache.peek('k');
          if (value === undefined) continue;
          result.found++;
          if (value <= deleted) result.wrong.push([value, deleted]);
        }
        await Promise.all(reads);
      }
      parentPort.postMessage(result);`);
    const writer = start(`
      for (let i = 1; i <= 1500; i++) {
        await cache.set('k', i);
        await cache.get('k');
        await cache.delete('k');
        Atomics.store(shared, 0, i);
        if (i % 10 === 0) await new Promise(setImmediate);
      }
      Atomics.store(shared, 1, 1);
      parentPort.postMessage('done');`);
    expect(await writer).toBe('done');
    const { wrong, found } = await reader;
    expect(wrong).toEqual([]);
    expect(found).toBeGreaterThan(100);
  });
});
