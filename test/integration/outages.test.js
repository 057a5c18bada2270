'use strict';
// Redis dies, freezes, is slow, is cut off, in the middle of work: what callers see, how fast, and that nothing which was
// invalidated meanwhile is ever read again.

const { createCache, CacheUnavailableError } = require('../../lib');
const { PendingInvalidations } = require('../../lib/store/pending-invalidations');
const { PATIENCE } = require('../helpers/patience');
const { FaultProxy } = require('../helpers/fault-proxy');
const { RedisServer } = require('../helpers/redis-server');
const { delay, nextEvent, rejection, until } = require('../helpers/until');

const TIMEOUT_MS = 100;
const LOADER_MS = 20;
const BUSY_MS = 200 * PATIENCE; // what a loaded machine may add
const p99 = (times) => [...times].sort((a, b) => a - b)[Math.ceil(times.length * 0.99) - 1];

let server;
let proxy;
let cache;
let other; // another process would be one: it has a memory tier of its own, because its server has another name
let timer; // repeats a fault
/** Until one of them is hit: how many that takes is for the machine to say. */
const PATIENCE_MS = 5000;
// Long enough for what a fault needs to happen, on a machine that is busy.
const REPEAT_MS = 30;
const unhandled = [];
const note = (error) => unhandled.push(error);
const up = (wanted) => until('a connection', async () => (await wanted.health()).redis === 'ok');

beforeEach(async () => {
  process.on('unhandledRejection', note);
  unhandled.length = 0;
  server = await RedisServer.start();
  proxy = await FaultProxy.start(server.port);
  const redis = { port: proxy.port, heartbeat: '200ms' };
  cache = createCache({ redis, commandTimeout: `${TIMEOUT_MS}ms` });
  other = createCache({ redis: server.url, commandTimeout: `${TIMEOUT_MS}ms` });
  await up(cache);
  await up(other);
});
afterEach(async () => {
  clearInterval(timer);
  await cache.close();
  await other.close();
  await proxy.close();
  await server.stop();
  await delay(1);
  process.off('unhandledRejection', note);
  expect(unhandled).toEqual([]);
});

const FAULTS = [
  ['killed', () => server.kill(), () => server.restart()],
  ['frozen', () => server.pause(), () => server.resume()],
  ['slower than commandTimeout', () => proxy.delay(300), () => proxy.pass()],
  ['half-open', () => proxy.swallow(), () => proxy.pass()],
  ['reset again and again', () => proxy.reset(), () => proxy.pass(), () => proxy.reset()],
  ['refused', () => (proxy.refuse(), proxy.reset()), () => proxy.pass()],
  [
    'cut in the middle of an answer',
    () => proxy.cut('toClient', 100),
    () => proxy.pass(),
    () => proxy.cut('toClient', 50),
  ],
];

describe.each(FAULTS)('Redis is %s', (_name, begin, end, again = () => {}) => {
  test('loaders answer in time, memory stays bounded, and hits are back within a second', async () => {
    const busy = 4; // callers at a time: what the machine adds by itself is not measured here
    const times = [];
    let n = 0;
    const caller = async (stop) => {
      while (!stop()) {
        const key = `k${n++ % 50}`;
        const began = performance.now();
        const load = async () => (await delay(LOADER_MS), 'x'.repeat(1000));
        expect(await cache.getOrSet(key, load)).toHaveLength(1000);
        times.push(performance.now() - began);
      }
    };
    await begin();
    const since = performance.now();
    const before = process.memoryUsage().rss;
    const over = () => performance.now() > since + 1500;
    timer = setInterval(again, 50);
    await Promise.all(Array.from({ length: busy }, () => caller(over)));
    clearInterval(timer);
    expect(times.length).toBeGreaterThan(40);
    expect(p99(times)).toBeLessThan((LOADER_MS + TIMEOUT_MS + 20) * PATIENCE);
    expect(process.memoryUsage().rss - before).toBeLessThan(64 << 20);
    await end();
    const back = performance.now();
    let loads = 0;
    const hit = async () => {
      const had = loads;
      await cache.getOrSet('back', () => ++loads);
      return had > 0 && loads === had;
    };
    await until('hits', hit);
    expect(performance.now() - back).toBeLessThan(1000 + BUSY_MS);
  });

  const kinds = [
    ['delete', (c) => c.delete('k')],
    ['soft delete', (c) => c.delete('k', { soft: true })],
    ['deleteMany', (c) => c.deleteMany(['k'])],
    ['invalidateTag', (c) => c.invalidateTag('t')],
    ['invalidatePattern', (c) => c.invalidatePattern('k*')],
    ['clear', (c) => c.clear()],
  ];

  test.each(kinds)(
    '%s rejects, is pending, and is carried out before the key is read again',
    async (_kind, invalidate) => {
      const pending = [];
      cache.on('cache:pending', ({ count }) => pending.push(count));
      await other.set('k', 'old', { tags: ['t'] });
      expect(await cache.get('k')).toBe('old');
      await begin();
      timer = setInterval(again, REPEAT_MS);
      let error;
      for (const end = performance.now() + PATIENCE_MS; error === undefined && performance.now() < end;) {
        // A connection that only was reset may carry it out: then there is nothing to remember.
        error = await invalidate(cache).then(
          () => undefined,
          (reason) => reason,
        );
        if (error === undefined) await other.set('k', 'old', { tags: ['t'] }).catch(() => {});
      }
      expect(error).toBeInstanceOf(CacheUnavailableError);
      expect(error.code).toBe('CACHE_UNAVAILABLE');
      expect(pending).toContain(1);
      expect((await cache.health()).pendingInvalidations).toBe(1);
      expect(cache.stats().pendingInvalidations).toBe(1);
      const replayed = nextEvent(cache, 'cache:replayed');
      // From here on nobody may be given what was invalidated, whatever becomes of the connection.
      const seen = new Set();
      let over = false;
      const reading = (async () => {
        while (!over) {
          seen.add(cache.peek('k')).add(await cache.get('k'));
          seen.add(await cache.getOrSet('k', () => 'new', { tags: ['t'] }));
          await delay(1);
        }
      })();
      await delay(30);
      clearInterval(timer);
      await end();
      expect(await replayed).toEqual([{ count: 1 }]);
      await delay(50);
      over = true;
      await reading;
      expect([...seen].filter((value) => value !== undefined)).toEqual(['new']);
      expect((await cache.health()).pendingInvalidations).toBe(0);
      expect(await other.get('k')).not.toBe('old');
    },
  );

  test('a set() that failed leaves nothing old behind', async () => {
    await other.set('k', 'old');
    expect(await cache.get('k')).toBe('old');
    await begin();
    timer = setInterval(again, REPEAT_MS);
    let stored = true;
    for (const end = performance.now() + PATIENCE_MS; stored && performance.now() < end;) {
      stored = await cache.set('k', 'new');
    }
    expect(stored).toBe(false);
    const seen = [cache.peek('k'), await cache.get('k')];
    clearInterval(timer);
    await end();
    seen.push(cache.peek('k'), await cache.get('k'));
    await until('nothing to be pending', () => cache.stats().pendingInvalidations === 0);
    seen.push(await cache.get('k'), await other.get('k'));
    expect(seen).not.toContain('old');
  });
});

describe('invalidations that wait', () => {
  test('one that was carried out, but not acknowledged, is carried out again, which harms nobody', async () => {
    await cache.set('k', 1);
    proxy.cut('toClient', 0); // the next answer is lost
    expect(await rejection(cache.delete('k'))).toBeInstanceOf(CacheUnavailableError);
    expect(await other.get('k')).toBeUndefined();
    await until('the replay', () => cache.stats().pendingInvalidations === 0);
    expect(await cache.getOrSet('k', () => 2)).toBe(2);
    expect(await other.get('k')).toBe(2);
  });

  test('a namespace within waits for what its parent could not say', async () => {
    const sub = cache.namespace('sub');
    const theirs = other.namespace('sub');
    for (const invalidate of [() => cache.invalidateTag('t'), () => cache.clear(), () => sub.invalidateTag('t')]) {
      await theirs.set('k', 'old', { tags: ['t'] });
      expect(await sub.get('k')).toBe('old');
      server.pause();
      expect(await rejection(invalidate())).toBeInstanceOf(CacheUnavailableError);
      expect(sub.stats().pendingInvalidations).toBe(1);
      const seen = [sub.peek('k'), await sub.get('k')];
      server.resume();
      for (let i = 0; i < 20; i++) seen.push(await sub.get('k'), sub.peek('k'));
      expect(new Set(seen)).toEqual(new Set([undefined]));
      await until('the replay', () => cache.stats().pendingInvalidations === 0);
    }
  });

  test('a load that was under way in a namespace is not joined after the tag was invalidated above it', async () => {
    const sub = cache.namespace('sub');
    let value = 'old';
    const load = async () => {
      const read = value;
      await delay(50);
      return read;
    };
    server.pause();
    const first = sub.getOrSet('k', load, { tags: ['t'] });
    await delay(TIMEOUT_MS + 20);
    value = 'new';
    await rejection(cache.invalidateTag('t'));
    const second = sub.getOrSet('k', load, { tags: ['t'] });
    server.resume();
    expect(await first).toBe('old');
    expect(await second).toBe('new');
  });

  /** A carrier whose work the test settles. */
  function controlled() {
    const calls = [];
    const carry = (kind) => (what) => {
      return new Promise((resolve, reject) => {
        calls.push({ kind, what, resolve, reject });
      });
    };
    return { calls, remove: carry('key'), tags: carry('tags'), pattern: carry('pattern'), clear: carry('all') };
  }

  test('more than there is room for become one change of the namespace', async () => {
    const carrier = controlled();
    const told = [];
    const pending = new PendingInvalidations(carrier, (event, count) => told.push([event, count]), { most: 3 });
    pending.addKey('a');
    pending.addTags(['t:x']);
    pending.addPattern('p*');
    expect([pending.size, pending.blocks('a')]).toEqual([3, true]);
    pending.addKey('b');
    expect(pending.size).toBe(1);
    expect(['a', 'b', 'anything'].map((key) => pending.blocks(key))).toEqual([true, true, true]);
    expect(told.at(-1)).toEqual(['pending', 1]);
    const replayed = pending.flush();
    expect(carrier.calls.map(({ kind }) => kind)).toEqual(['all']);
    carrier.calls[0].resolve();
    expect(await replayed).toBe(true);
    expect([pending.size, pending.blocks('a'), told.at(-1)]).toEqual([0, false, ['replayed', 1]]);
    pending.close();
  });

  test.each([
    ['a key', (pending) => pending.addKey('a')],
    ['a tag', (pending) => pending.addTags(['t:x'])],
    ['a pattern', (pending) => pending.addPattern('a*')],
    ['everything', (pending) => pending.addAll()],
  ])('%s that fails once more while it is carried out stays', async (_name, add) => {
    const carrier = controlled();
    const pending = new PendingInvalidations(carrier, () => {});
    add(pending);
    const first = pending.flush();
    add(pending);
    carrier.calls[0].resolve();
    expect(await first).toBe(false);
    expect(pending.size).toBe(1);
    const second = pending.flush();
    carrier.calls[1].resolve();
    expect(await second).toBe(true);
    pending.close();
  });

  test('a key that fails while everything is carried out stays, as everything', async () => {
    const carrier = controlled();
    const pending = new PendingInvalidations(carrier, () => {});
    pending.addAll();
    const replayed = pending.flush();
    pending.addKey('a');
    carrier.calls[0].resolve();
    expect(await replayed).toBe(false);
    expect(pending.blocks('a')).toBe(true);
    pending.close();
  });
});
