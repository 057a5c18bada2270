'use strict';
// A cache with memory alone: every method, every kind of value, single flight, and what is refused.

const { createCache, CacheError } = require('../../lib');
const { memoryCache } = require('../helpers/memory-cache');
const { runScript } = require('../helpers/run-script');
const { timed } = require('../helpers/timed');
const { delay, rejection } = require('../helpers/until');

let cache;
const make = (options) => (cache = memoryCache(options));
const never = () => {
  throw new Error('this loader must not run');
};

beforeEach(() => make());
afterEach(() => cache.close());

/** A promise and its functions. */
function gate() {
  const made = {};
  made.promise = new Promise((resolve, reject) => Object.assign(made, { resolve, reject }));
  return made;
}

describe('values', () => {
  const values = [
    ...[null, 0, -1.5, false, true, '', 'text', [], {}, [null, 0], { a: { b: [1, 'x', null] } }],
    ...['größe 日本 🙂 \u2028', '\0', 'a\0b', '\ud800 lone', '\udc00', 'é'.normalize('NFD'), '"\\\n'],
    { 'key 🙂': '\ud83d', __proto: 1, constructor: 'x' },
  ];

  test.each(values.map((value) => [value]))('%j comes back from every kind of read', async (value) => {
    expect(await cache.set('k', value)).toBe(true);
    expect(await cache.get('k')).toStrictEqual(value);
    expect(await cache.getMany(['k'])).toStrictEqual([value]);
    expect(await cache.getOrSet('k', never)).toStrictEqual(value);
    expect(await cache.has('k')).toBe(true);
    expect(await cache.getOrSet('loaded', () => value)).toStrictEqual(value);
    expect(await cache.get('loaded')).toStrictEqual(value);
  });

  test('undefined is not stored', async () => {
    expect(await cache.set('k', undefined)).toBe(false);
    expect(await cache.has('k')).toBe(false);
    let loads = 0;
    const load = () => void loads++;
    expect(await cache.getOrSet('k', load)).toBeUndefined();
    expect(await cache.getOrSet('k', load)).toBeUndefined();
    expect(loads).toBe(2);
    expect(await cache.setMany([['a', 1], ['b', undefined]])).toBe(false); // prettier-ignore
    expect(await cache.getMany(['a', 'b'])).toEqual([1, undefined]);
  });

  test('an old value outlives a set of undefined', async () => {
    await cache.set('k', 1);
    expect(await cache.set('k', undefined)).toBe(false);
    expect(await cache.get('k')).toBe(1);
  });

  test('bytes are kept as they are, and every reader has its own', async () => {
    const every = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
    for (const bytes of [every, Buffer.alloc(0), new Uint8Array(every), every.subarray(10, 20)]) {
      await cache.set('k', bytes);
      const [one, two] = await Promise.all([cache.get('k'), cache.get('k')]);
      expect(Buffer.isBuffer(one)).toBe(true);
      expect(one.equals(bytes)).toBe(true);
      one.fill(1);
      expect(two.equals(bytes)).toBe(true);
      expect((await cache.get('k')).equals(bytes)).toBe(true);
    }
  });

  test('what the writer does to its object afterwards does not matter', async () => {
    const [object, bytes] = [{ a: 1 }, Buffer.from('a')];
    await Promise.all([cache.set('object', object), cache.set('bytes', bytes)]);
    object.a = 2;
    bytes[0] = 0;
    expect(await cache.get('object')).toEqual({ a: 1 });
    expect(String(await cache.get('bytes'))).toBe('a');
  });

  test('1 MB values and the longest keys', async () => {
    const key = 'é'.repeat(32_000);
    const value = '日'.repeat(1_000_000);
    expect(await cache.set(key, value)).toBe(true);
    expect(await cache.get(key)).toBe(value);
    const bytes = Buffer.alloc(1 << 20, 7);
    await cache.set(key, bytes);
    expect((await cache.get(key)).equals(bytes)).toBe(true);
  });

  test('keys are told apart byte by byte', async () => {
    const keys = ['a', 'a\0', '\0a', 'A', 'é', 'e\u0301', '🙂', ' ', '  ', '\n', '\ufffd', 'a'.repeat(1019)];
    keys.push(...[1, 2, 3, 4, 5].map((more) => 'a'.repeat(1019 + more)), 'é'.repeat(512), '__proto__');
    await cache.setMany(keys.map((key, index) => [key, index]));
    expect(await cache.getMany(keys)).toEqual(keys.map((_, index) => index));
    for (const key of keys) expect(await cache.delete(key)).toBe(true);
    expect(cache.stats().memory.entries).toBe(0);
  });
});

describe('one key', () => {
  test('set, get, delete, has', async () => {
    expect(await cache.get('k')).toBeUndefined();
    expect(await cache.has('k')).toBe(false);
    expect(await cache.delete('k')).toBe(false);
    await cache.set('k', 1);
    await cache.set('k', 2);
    expect(await cache.get('k')).toBe(2);
    expect(await cache.delete('k')).toBe(true);
    expect(await cache.get('k')).toBeUndefined();
  });

  timed('an entry ends with its ttl', async () => {
    await cache.set('number', 1, 0.03);
    await cache.set('string', 1, '30ms');
    await cache.set('option', 1, { ttl: '30ms' });
    await cache.getOrSet('loaded', () => 1, { ttl: '30ms' });
    await cache.set('long', 1);
    const keys = ['number', 'string', 'option', 'loaded', 'long'];
    expect(await cache.getMany(keys)).toEqual([1, 1, 1, 1, 1]);
    await delay(45);
    expect(await cache.getMany(keys)).toEqual([undefined, undefined, undefined, undefined, 1]);
    expect(await cache.has('number')).toBe(false);
    expect(await cache.ttl('number')).toBeUndefined();
    expect(cache.stats().memory.expirations).toBe(4);
  });

  test('ttl tells the seconds that are left', async () => {
    expect(await cache.ttl('k')).toBeUndefined();
    await cache.set('k', 1, 100);
    expect(await cache.ttl('k')).toBeCloseTo(100, 0);
    await cache.set('k', 1);
    expect(await cache.ttl('k')).toBeCloseTo(300, 0);
    await cache.set('k', 1, { ttl: undefined });
    expect(await cache.ttl('k')).toBeCloseTo(300, 0);
  });

  timed('nothing lives longer than maxTtl', async () => {
    const short = memoryCache({ maxTtl: '40ms', ttl: '1h' });
    await short.set('default', 1);
    await short.set('asked', 1, '1d');
    await short.setMany({ many: 1 }, Infinity);
    await short.getOrSet('loaded', () => 1, '1d');
    await short.getOrSet('context', (context) => (context.setTtl(2 ** 53), 1));
    await short.getOrSet('function', () => 1, { ttl: () => '1d' });
    const keys = ['default', 'asked', 'many', 'loaded', 'context', 'function'];
    for (const key of keys) expect(await short.ttl(key)).toBeLessThanOrEqual(0.04);
    await delay(50);
    expect(await short.getMany(keys)).toEqual(keys.map(() => undefined));
    await short.close();
  });
});

describe('many keys', () => {
  test('setMany takes objects, Maps and pairs; the last of equal keys wins', async () => {
    expect(await cache.setMany({ a: 1, b: null })).toBe(true);
    expect(await cache.setMany(new Map([['c', 3]]), '1h')).toBe(true);
    expect(await cache.setMany([['d', 4], ['d', 5]], { ttl: 10 })).toBe(true); // prettier-ignore
    expect(await cache.getMany(['d', 'x', 'a', 'c', 'b', 'a'])).toEqual([5, undefined, 1, 3, null, 1]);
    expect(await cache.ttl('c')).toBeCloseTo(3600, 0);
    expect(await cache.ttl('d')).toBeCloseTo(10, 0);
    expect(await cache.setMany([])).toBe(true);
    expect(await cache.getMany([])).toEqual([]);
  });

  test('setMany stores none when one cannot be stored', async () => {
    await expect(cache.setMany([['a', 1], ['b', 1n]])).rejects.toThrow("value of 'b'"); // prettier-ignore
    await expect(cache.setMany([['a', 1], ['', 1]])).rejects.toThrow('key'); // prettier-ignore
    expect(await cache.has('a')).toBe(false);
  });
});

describe('getOrSet', () => {
  test('loads once, then answers', async () => {
    let loads = 0;
    const load = async ({ key }) => ({ key, loads: ++loads });
    expect(await cache.getOrSet('k', load)).toEqual({ key: 'k', loads: 1 });
    expect(await cache.getOrSet('k', load)).toEqual({ key: 'k', loads: 1 });
    expect(loads).toBe(1);
  });

  test('500 callers at once: one load, and an object for each', async () => {
    let loads = 0;
    const load = async () => {
      loads++;
      await delay(5);
      return { list: [1] };
    };
    const all = await Promise.all(Array.from({ length: 500 }, () => cache.getOrSet('k', load)));
    expect(loads).toBe(1);
    expect(new Set(all).size).toBe(500);
    expect(new Set(all.map((one) => one.list)).size).toBe(500);
    all[0].list.push(2);
    all[1].list.push(3);
    expect(all[2]).toEqual({ list: [1] });
    expect(await cache.get('k')).toEqual({ list: [1] });
    expect(cache.stats()).toMatchObject({ loads: 1, coalesced: 499, misses: 1, sets: 1 });
  });

  test('the same for bytes, whatever the first caller does to them', async () => {
    const load = async () => Buffer.from('abc');
    const first = cache.getOrSet('k', load).then((bytes) => bytes.fill(0));
    const others = await Promise.all([1, 2, 3].map(() => cache.getOrSet('k', load)));
    await first;
    expect(new Set(others).size).toBe(3);
    others[0].fill(1);
    expect(String(others[1])).toBe('abc');
    expect(String(await cache.get('k'))).toBe('abc');
  });

  test('keys do not wait for each other', async () => {
    const blocked = gate();
    const slow = cache.getOrSet('slow', () => blocked.promise);
    expect(await cache.getOrSet('fast', () => 1)).toBe(1);
    blocked.resolve(2);
    expect(await slow).toBe(2);
  });

  test("the loader's error reaches everybody as it is, and nothing is cached", async () => {
    const failure = Object.assign(new Error('database'), { code: 'DB' });
    let loads = 0;
    const load = async () => {
      loads++;
      await delay(5);
      throw failure;
    };
    const call = () => rejection(cache.getOrSet('k', load, { errorBackoff: 0 }));
    const errors = await Promise.all(Array.from({ length: 100 }, call));
    expect(new Set(errors)).toEqual(new Set([failure]));
    expect(errors.every((error) => error === failure)).toBe(true);
    expect(loads).toBe(1);
    expect(await cache.has('k')).toBe(false);
    expect(await cache.getOrSet('k', () => 'again')).toBe('again');
    expect(cache.stats()).toMatchObject({ loads: 2, loadErrors: 1 });
  });

  test('a loader may throw at once, and anything', async () => {
    for (const thrown of [new RangeError('x'), undefined, null, 'text', 0]) {
      const load = () => {
        throw thrown;
      };
      const outcome = cache.getOrSet('k', load, { errorBackoff: 0 });
      expect(await outcome.then(never, (error) => [error])).toEqual([thrown]);
    }
    expect(await cache.has('k')).toBe(false);
  });

  test.each([
    ['delete', () => cache.delete('k'), undefined],
    ['set', () => cache.set('k', 'written'), 'written'],
    ['setMany', () => cache.setMany({ k: 'written' }), 'written'],
  ])('%s during a load keeps its value out', async (_name, write, after) => {
    const loading = gate();
    const first = cache.getOrSet('k', () => loading.promise);
    const second = cache.getOrSet('k', never);
    await delay(1);
    await write();
    const third = after === undefined ? cache.getOrSet('k', () => 'new') : cache.get('k');
    expect(await third).toBe(after ?? 'new');
    loading.resolve('old');
    expect(await Promise.all([first, second])).toEqual(['old', 'old']);
    expect(await cache.get('k')).toBe(after ?? 'new');
  });

  test('delete during a load, with nobody behind it, leaves nothing', async () => {
    const loading = gate();
    const load = cache.getOrSet('k', () => loading.promise);
    await delay(1);
    expect(await cache.delete('k')).toBe(false);
    loading.resolve('old');
    expect(await load).toBe('old');
    expect(await cache.has('k')).toBe(false);
  });

  test('the ttl: of the call, of the value, of the loader', async () => {
    await cache.getOrSet('call', () => 1, 10);
    await cache.getOrSet('value', () => ({ for: 20 }), { ttl: (value) => value.for });
    await cache.getOrSet('loader', (context) => (context.setTtl('30s'), 1), { ttl: 5 });
    await cache.getOrSet('none', () => 1);
    expect(await cache.ttl('call')).toBeCloseTo(10, 0);
    expect(await cache.ttl('value')).toBeCloseTo(20, 0);
    expect(await cache.ttl('loader')).toBeCloseTo(30, 0);
    expect(await cache.ttl('none')).toBeCloseTo(300, 0);
  });

  test('skip() answers without storing', async () => {
    expect(await cache.getOrSet('k', (context) => (context.skip(), 'value'))).toBe('value');
    expect(await cache.has('k')).toBe(false);
  });

  test('what the loader gives and JSON cannot hold is refused by its key', async () => {
    await expect(cache.getOrSet('k', () => 1n)).rejects.toThrow(/loader of 'k' returned: JSON cannot hold it/);
    await expect(cache.getOrSet('k', () => never)).rejects.toThrow(TypeError);
    expect(await cache.getOrSet('k', () => 1)).toBe(1);
  });
});

describe('memoize', () => {
  test('with a key', async () => {
    let loads = 0;
    expect(await cache.memoize('k', async () => ++loads, '1h')).toBe(1);
    expect(await cache.memoize('k', never)).toBe(1);
    expect(await cache.ttl('k')).toBeCloseTo(3600, 0);
  });

  test('a function, by its arguments', async () => {
    const calls = [];
    const find = cache.memoize(
      async function find(...args) {
        calls.push([this?.name, ...args]);
        return { args };
      },
      { ttl: 60 },
    );
    expect(await find(1, { a: 1, b: 2 })).toEqual({ args: [1, { a: 1, b: 2 }] });
    await find(1, { b: 2, a: 1 });
    await find('1', { a: 1, b: 2 });
    await find.call({ name: 'me' }, 2);
    expect(calls).toEqual([[undefined, 1, { a: 1, b: 2 }], [undefined, '1', { a: 1, b: 2 }], ['me', 2]]); // prettier-ignore
    expect(find.keyFor(1)).toMatch(/^find#[\w-]{8}:[\w-]{27}$/);
    expect(await cache.ttl(find.keyFor(2))).toBeCloseTo(60, 0);
    expect(await find.invalidate(2)).toBe(true);
    expect(await find.invalidate(2)).toBe(false);
    await find(2);
    expect(calls).toHaveLength(4);
  });

  test('a function, by keys of its own', async () => {
    const user = cache.memoize(async (id) => ({ id }), { key: (id) => `user:${id}`, ttl: (value) => value.id });
    await user(7);
    expect(await cache.get('user:7')).toEqual({ id: 7 });
    expect(await cache.ttl('user:7')).toBeCloseTo(7, 0);
    const prefixed = cache.memoize(async () => 1, { key: 'prefix' });
    expect(prefixed.keyFor()).toMatch(/^prefix:/);
  });

  test('the name of a function that is collected is not given to another', async () => {
    const { stdout, stderr } = await runScript(
      `
      const cache = tiercel.createCache({ redis: false });
      const make = (tenant) => cache.memoize(async function settings() { return tenant; });
      console.log(await make('a')());
      for (let i = 0; i < 5; i++) { gc(); await new Promise(setImmediate); }
      try {
        console.log(await make('b')());
      } catch (error) {
        console.log(error.message);
      }
      await cache.close();`,
      { env: { NODE_OPTIONS: '--expose-gc' } },
    );
    expect([stdout.split('\n')[0], stderr]).toEqual(['a', '']);
    expect(stdout).toContain("another function with the name and text of 'settings'");
  });

  test('refuses what could not be keyed', async () => {
    expect(() => cache.memoize(() => 1)).toThrow(/without a name.*key of its own/);
    expect(() => cache.memoize(never, { key: 5 })).toThrow('options.key');
    expect(() => cache.memoize(never, { tll: 5 })).toThrow("no option 'tll'");
    expect(() => cache.memoize(never, 60)).toThrow(TypeError);
    await expect(cache.memoize(never, {})(Symbol('s'))).rejects.toThrow(/hashArgs.*a symbol/);
    await expect(cache.memoize(never, { key: () => 5 })()).rejects.toThrow(/^key: expected a string/);
    expect(() => cache.memoize(never, { ttl: -1 })).toThrow(/^ttl: /);
  });
});

describe('statistics', () => {
  test('count reads by their outcome; has and ttl are no reads', async () => {
    await cache.set('k', 1);
    await cache.get('k');
    await cache.getMany(['k', 'x']);
    await cache.getOrSet('k', never);
    await cache.getOrSet('y', () => 1);
    await Promise.all([cache.has('k'), cache.has('z'), cache.ttl('k'), cache.ttl('z')]);
    await cache.delete('k');
    // Keys that had a value, not calls.
    await Promise.all([cache.delete('k'), cache.deleteMany(['k', 'z']), cache.invalidateKey('z')]);
    const stats = cache.stats();
    expect(stats).toMatchObject({ hits: 3, memoryHits: 3, redisHits: 0, misses: 2, hitRatio: 0.6 });
    expect(stats).toMatchObject({ sets: 2, deletes: 1, loads: 1, loadErrors: 0, redisErrors: 0, corrupt: 0 });
    expect(stats.memory).toMatchObject({ entries: 1, sets: 2, deletes: 1, maxBytes: 64 * 1024 ** 2 });
    cache.resetStats();
    expect(cache.stats()).toMatchObject({ hits: 0, misses: 0, hitRatio: 0, sets: 0, loads: 0, memoryHits: 0 });
    expect(cache.stats().memory).toMatchObject({ entries: 1, bytes: stats.memory.bytes, hits: 0, sets: 0 });
  });

  test('health', async () => {
    await cache.set('k', 1);
    const { bytes, maxBytes } = cache.stats().memory;
    const memory = { entries: 1, bytes, maxBytes };
    expect(await cache.health()).toEqual({ status: 'ok', redis: 'none', pendingInvalidations: 0, memory });
  });
});

describe('the budget', () => {
  test('holds when ten times as much is stored', async () => {
    const small = memoryCache({ memory: { maxBytes: '1mb' } });
    const value = 'x'.repeat(1000);
    for (let i = 0; i < 10_000; i++) {
      await small.set(`key ${i}`, value);
      if (i % 500 === 0) expect(small.stats().memory.bytes).toBeLessThanOrEqual(1024 ** 2);
    }
    const { memory } = small.stats();
    expect(memory.bytes).toBeLessThanOrEqual(1024 ** 2);
    expect(memory.entries).toBeGreaterThan(500);
    expect(memory.evictions).toBe(10_000 - memory.entries);
    await small.close();
  });

  test('what is too large is served and not kept', async () => {
    const small = memoryCache({ memory: { maxBytes: '64kb', maxEntryBytes: '4kb' } });
    const large = 'x'.repeat(5000);
    expect(await small.set('k', large)).toBe(false);
    expect(await small.getOrSet('k', () => large)).toBe(large);
    expect(await small.has('k')).toBe(false);
    expect(small.stats().memory.rejects).toBe(2);
    await small.set('k', 'small');
    expect(await small.set('k', large)).toBe(false);
    expect(await small.get('k')).toBeUndefined();
    await small.close();
  });
});

describe('events', () => {
  const NAMES = ['cache:hit', 'cache:miss', 'cache:set', 'cache:invalidate', 'cache:error'];
  const record = (target) => {
    const seen = [];
    for (const name of NAMES) target.on(name, (details) => seen.push([name, details]));
    return seen;
  };

  test('tell what happened, without values', async () => {
    const seen = record(cache);
    await cache.get('k');
    await cache.set('k', 'value', 10);
    await cache.get('k');
    await cache.getOrSet('l', () => 1, 20);
    await cache.delete('k');
    expect(seen).toEqual([
      ['cache:miss', { key: 'k' }],
      ['cache:set', { key: 'k', ttl: 10 }],
      ['cache:hit', { key: 'k', tier: 'memory' }],
      ['cache:miss', { key: 'l' }],
      ['cache:set', { key: 'l', ttl: 20 }],
      ['cache:invalidate', { keys: ['k'] }],
    ]);
  });

  test('listeners come and go, all at once too', async () => {
    await cache.set('k', 1);
    let hits = 0;
    const count = () => hits++;
    cache.on('cache:hit', count).once('cache:hit', count);
    await cache.get('k');
    await cache.get('k');
    expect(hits).toBe(3);
    cache.off('cache:hit', count);
    await cache.get('k');
    expect(hits).toBe(3);
    cache.on('cache:hit', count).removeAllListeners();
    await cache.get('k');
    expect(hits).toBe(3);
    cache.on('cache:hit', count);
    await cache.get('k');
    expect(hits).toBe(4);
    cache.removeAllListeners('cache:hit').on('cache:hit', count);
    await cache.get('k');
    expect(hits).toBe(5);
  });

  test('a listener that throws does not fail the operation', async () => {
    const { stdout, code } = await runScript(`
      const cache = tiercel.createCache({ redis: false });
      const thrown = [];
      process.on('uncaughtException', (error) => thrown.push(error.message));
      for (const name of ${JSON.stringify(NAMES)}) cache.on(name, () => { throw new Error(name); });
      const answers = [await cache.get('k'), await cache.set('k', 1), await cache.get('k')];
      answers.push(await cache.getOrSet('l', () => 2), await cache.delete('k'), await cache.getMany(['l']));
      await new Promise(setImmediate);
      console.log(JSON.stringify({ answers, thrown }));
      await cache.close();
    `);
    const { answers, thrown } = JSON.parse(stdout);
    expect(answers).toEqual([null, true, 1, 2, true, [2]]);
    expect(thrown).toHaveLength(7);
    expect(code).toBe(0);
  });
});

describe('what is refused', () => {
  const cycle = {};
  cycle.self = cycle;
  const badKeys = [['number', 5], ['empty', ''], ['null', null], ['undefined', undefined], ['object', {}]]; // prettier-ignore
  badKeys.push(['long', 'é'.repeat(32_001)], ['half a surrogate pair', 'a\ud800'], ['a String', Object('k')]);

  test.each(badKeys)('a key that is no key: %s', async (_name, key) => {
    const calls = [
      () => cache.get(key),
      () => cache.set(key, 1),
      () => cache.delete(key),
      () => cache.has(key),
      () => cache.ttl(key),
      () => cache.getMany(['good', key]),
      () => cache.setMany([[key, 1]]),
      () => cache.getOrSet(key, () => 1),
      () => cache.memoize(key, () => 1),
    ];
    for (const call of calls) {
      const error = await rejection(call());
      expect(error).toBeInstanceOf(TypeError);
      expect(error.message).toMatch(/^key: expected /);
    }
  });

  test.each([
    ['set, negative ttl', () => cache.set('k', 1, -1), /^ttl: .* -1$/],
    ['set, zero ttl', () => cache.set('k', 1, 0), /^ttl: /],
    ['set, null ttl', () => cache.set('k', 1, null), /^ttl: /],
    ['set, ttl in an option', () => cache.set('k', 1, { ttl: 'soon' }), /^ttl: .*'soon'/],
    ['set, unknown option', () => cache.set('k', 1, { tll: 1 }), /^options: there is no option 'tll'/],
    ['set, a cycle', () => cache.set('k', cycle), /^value: JSON cannot hold it/],
    ['set, a BigInt', () => cache.set('k', { a: 1n }), /^value: JSON cannot hold it/],
    ['set, a function', () => cache.set('k', () => 1), /^value: JSON cannot hold a function/],
    ['set, a symbol', () => cache.set('k', Symbol('s')), /^value: JSON cannot hold a symbol/],
    ['setMany, a number', () => cache.setMany(5), /^entries: expected/],
    ['setMany, a string', () => cache.setMany('ab'), /^entries: expected/],
    ['setMany, null', () => cache.setMany(null), /^entries: expected/],
    ['setMany, no pairs', () => cache.setMany(['ab']), /^entries: expected pairs.* at 0/],
    ['setMany, bad ttl', () => cache.setMany({ k: 1 }, NaN), /^ttl: /],
    ['setMany, a cycle', () => cache.setMany({ k: cycle }), /^value of 'k': JSON cannot hold it/],
    ['getMany, a string', () => cache.getMany('k'), /^keys: expected an array/],
    ['getMany, nothing', () => cache.getMany(), /^keys: expected an array/],
    ['getMany, holes', () => cache.getMany(new Array(2)), /^key: expected/],
    ['getOrSet, no loader', () => cache.getOrSet('k'), /^loader: expected a function/],
    ['getOrSet, a value', () => cache.getOrSet('k', 5), /^loader: expected a function, got 5/],
    ['getOrSet, bad ttl', () => cache.getOrSet('k', never, -1), /^ttl: /],
    ['getOrSet, unknown option', () => cache.getOrSet('k', never, { staleness: 1 }), /no option 'staleness'/],
    ['getOrSet, bad ttl of a function', () => cache.getOrSet('k', () => 1, { ttl: () => 'soon' }), /^ttl: /],
    ['getOrSet, bad setTtl', () => cache.getOrSet('k', (context) => context.setTtl('soon')), /^setTtl: /],
    ['memoize, no compute', () => cache.memoize('k'), /^loader: expected a function/],
  ])('%s', async (_name, call, message) => {
    const error = await rejection(call());
    expect(error).toBeInstanceOf(TypeError);
    expect(error.message).toMatch(message);
    expect(await cache.has('k')).toBe(false);
    expect(await cache.getOrSet('alive', () => 1)).toBe(1);
  });

  test.each([
    [{ redis: 'nonsense' }, /^redis: /],
    [{ redis: 5 }, /^redis: /],
    [{ redis: null }, /^redis: /],
    [{ redis: true }, /^redis: /],
    [{ redis: { hots: 'x' } }, /^redis: there is no option 'hots'/],
    [{ memory: true }, /^memory: /],
    [{ memory: false }, /^memory: false leaves no tier/],
    [{ memory: { maxBytes: 0 } }, /^memory\.maxBytes: /],
    [{ memory: { maxEntryBytes: '1tb' } }, /^memory\.maxEntryBytes: /],
    [{ memory: { maxStaleness: -1 } }, /^memory\.maxStaleness: /],
    [{ memory: { size: 1 } }, /^memory: there is no option 'size'/],
    [{ namespace: '' }, /^namespace: /],
    [{ namespace: 'a*' }, /^namespace: /],
    [{ namespace: 'a b' }, /^namespace: /],
    [{ namespace: 'x'.repeat(201) }, /^namespace: /],
    [{ namespace: 5 }, /^namespace: /],
    [{ version: '' }, /^version: /],
    [{ version: 1.5 }, /^version: /],
    [{ version: null }, /^version: /],
    [{ ttl: 0 }, /^ttl: /],
    [{ ttl: -1 }, /^ttl: /],
    [{ maxTtl: 'never' }, /^maxTtl: /],
    [{ codec: 'xml' }, /^codec: /],
    [{ redis: 'redis://h', commandTimeout: 0 }, /^commandTimeout: /],
    [{ logger: {} }, /^logger: /],
    [{ ttl: 1, tll: 1 }, /^options: there is no option 'tll'; there are redis, /],
  ])('createCache(%j)', (options, message) => {
    const call = () => createCache('redis' in options ? options : { redis: false, ...options });
    expect(call).toThrow(TypeError);
    expect(call).toThrow(message);
  });
});

describe('a closed cache', () => {
  test('refuses everything, and can be asked how it is', async () => {
    await cache.set('k', 1);
    await Promise.all([cache.close(), cache.close()]);
    await cache.close();
    const calls = [
      () => cache.get('k'),
      () => cache.set('k', 1),
      () => cache.delete('k'),
      () => cache.has('k'),
      () => cache.ttl('k'),
      () => cache.getMany(['k']),
      () => cache.setMany({ k: 1 }),
      () => cache.getOrSet('k', never),
    ];
    for (const call of calls) {
      const error = await rejection(call());
      expect(error).toBeInstanceOf(CacheError);
      expect(error.code).toBe('CACHE_CLOSED');
    }
    expect(await cache.health()).toMatchObject({ status: 'closed', redis: 'none', memory: null });
    expect(cache.stats().memory).toBeNull();
  });

  test('a load under way answers, and keeps no memory', async () => {
    const loading = gate();
    const load = cache.getOrSet('k', () => loading.promise);
    await delay(1);
    await cache.close();
    loading.resolve(1);
    expect(await load).toBe(1);
    expect(cache.stats().memory).toBeNull();
  });
});
