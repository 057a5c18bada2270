'use strict';
// Loads that several callers share, that are given up, that fail in odd ways, or that ask for themselves.
const { createCache } = require('../../lib');
const { RedisServer } = require('../helpers/redis-server');
const { rejection, turns, until } = require('../helpers/until');

let redis;
let caches = [];
beforeAll(async () => {
  redis = await RedisServer.start();
});
afterAll(() => redis.stop());
afterEach(async () => {
  await Promise.all(caches.map((cache) => cache.close()));
  caches = [];
});

let numbers = 0;
const open = (options) => {
  const cache = createCache({ namespace: `loads${++numbers}`, ...options });
  caches.push(cache);
  return cache;
};

/** A promise that a test settles. */
function held() {
  let settle;
  const promise = new Promise((resolve, reject) => {
    settle = { resolve, reject };
  });
  return { promise, ...settle };
}

const modes = [
  ['both tiers', () => ({ redis: redis.url })],
  ['Redis alone', () => ({ redis: redis.url, memory: false })],
  ['memory alone', () => ({ redis: false })],
];

describe.each(modes)('%s: signals', (_mode, options) => {
  test('nobody joins a load that was aborted, nor hears its AbortError', async () => {
    const cache = open(options());
    const controller = new AbortController();
    const [first, second] = [held(), held()];
    let calls = 0;
    const load = async ({ signal }) => {
      const value = await (++calls === 1 ? first : second).promise;
      signal.throwIfAborted();
      return value;
    };
    const leaving = rejection(cache.getOrSet('k', load, { signal: controller.signal, errorBackoff: '10s' }));
    await until('the first load', () => calls === 1);
    controller.abort();
    expect((await leaving).name).toBe('AbortError');
    const staying = cache.getOrSet('k', load, { errorBackoff: '10s' });
    await turns();
    first.resolve('too late');
    second.resolve('value');
    expect(await staying).toBe('value');
    expect(await cache.getOrSet('k', load)).toBe('value');
    expect(calls).toBe(2);
  });

  test('a signal that is aborted already starts no load, and is not ignored on a hit', async () => {
    const cache = open(options());
    const load = jest.fn(() => 1);
    const aborted = { signal: AbortSignal.abort() };
    expect((await rejection(cache.getOrSet('k', load, aborted))).name).toBe('AbortError');
    expect((await rejection(cache.getOrSetMany(['k', 'l'], load, aborted))).name).toBe('AbortError');
    await cache.set('k', 2);
    expect((await rejection(cache.getOrSet('k', load, aborted))).name).toBe('AbortError');
    expect((await rejection(cache.getOrSetMany(['k'], load, aborted))).name).toBe('AbortError');
    expect(load).not.toHaveBeenCalled();
    expect(await cache.getOrSet('k', load)).toBe(2);
  });

  test.each([
    ['set', (cache, key) => cache.set(key, 'new')],
    ['delete', (cache, key) => cache.delete(key)],
  ])('a batch of which one key meets a %s goes on for the others', async (name, change) => {
    const cache = open(options());
    const keys = Array.from({ length: 10 }, (_, i) => `p:${i}`);
    const loading = held();
    const signals = [];
    const all = cache.getOrSetMany(keys, async (missing, { signal }) => {
      signals.push(signal);
      await loading.promise;
      signal.throwIfAborted();
      return missing.map((key) => `loaded ${key}`);
    });
    await until('the load', () => signals.length === 1);
    await change(cache, 'p:3');
    await turns();
    loading.resolve();
    expect(await all).toEqual(keys.map((key) => `loaded ${key}`));
    expect(signals[0].aborted).toBe(false);
    expect(await cache.get('p:3')).toBe(name === 'set' ? 'new' : undefined);
    expect(await cache.get('p:7')).toBe('loaded p:7');
  });

  test('a batch whose keys are all removed is told, and its callers have values all the same', async () => {
    const cache = open(options());
    const signals = [];
    const all = cache.getOrSetMany(['a', 'b'], async (keys, { signal }) => {
      signals.push(signal);
      if (signals.length > 1) return keys.map((key) => `again ${key}`);
      await new Promise((resolve) => {
        signal.addEventListener('abort', resolve);
      });
      throw signal.reason;
    });
    await until('the load', () => signals.length === 1);
    await cache.delete('a');
    await turns(3);
    expect(signals[0].aborted).toBe(false);
    await cache.delete('b');
    expect(await all).toEqual(['again a', 'again b']);
    expect(signals[0].aborted).toBe(true);
  });
});

describe.each(modes)('%s: errors', (_mode, options) => {
  const revoked = Proxy.revocable({}, {});
  revoked.revoke();
  const odd = [
    ['an Error whose message is an object', Object.assign(new Error('x'), { message: { detail: 'of a client' } })],
    ['an Error without a message', Object.assign(new Error('x'), { message: undefined })],
    ['an Error whose message throws', Object.defineProperty(new Error('x'), 'message', { get: () => never() })],
    ['an Error whose code throws', Object.defineProperty(new Error('x'), 'code', { get: () => never() })],
    ['an Error whose name is a symbol', Object.assign(new Error('x'), { name: Symbol('s') })],
    ['an object without a prototype', Object.create(null)],
    ['a revoked proxy', revoked.proxy],
    ['a symbol', Symbol('s')],
    ['null', null],
    ['undefined', undefined],
    ['a BigInt', 5n],
  ];
  function never() {
    throw new TypeError('looked at');
  }

  test.each(odd)('%s arrives as it is, at all who wait, and the next call loads', async (_name, thrown) => {
    const cache = open(options());
    const loading = held();
    const same = (call) =>
      call.then(
        () => 'no rejection',
        (error) => error === thrown,
      );
    const calls = [1, 2].map(() => same(cache.getOrSet('k', () => loading.promise)));
    await turns(3);
    loading.reject(thrown);
    expect(await Promise.all(calls)).toEqual([true, true]);
    expect(await cache.getOrSet('k', () => 'loaded')).toBe('loaded');
  });

  test.each(odd)('%s: the stale value is served instead', async (_name, thrown) => {
    const cache = open(options());
    await cache.set('k', 'stale', { ttl: '1m', staleIfError: '1m' });
    await cache.delete('k', { soft: true });
    expect(await cache.getOrSet('k', () => Promise.reject(thrown), { staleIfError: '1m' })).toBe('stale');
  });

  test.each([
    ['clear()', (cache) => cache.clear()],
    ['delete()', (cache) => cache.delete('k')],
    ['deleteMany()', (cache) => cache.deleteMany(['k'])],
    ['invalidateTag()', (cache) => cache.invalidateTag('t')],
    ['invalidatePattern()', (cache) => cache.invalidatePattern('k*')],
  ])('an error that is remembered is forgotten by %s', async (_name, invalidate) => {
    const ask = (cache, load) => cache.getOrSet('k', load, { tags: ['t'], errorBackoff: '1m' });
    const cache = open(options());
    const other = options().redis === false ? cache : open({ ...options(), namespace: cache.name });
    for (const by of [cache, other]) {
      expect((await rejection(ask(cache, () => Promise.reject(new Error('down'))))).message).toBe('down');
      expect((await rejection(ask(other, () => 'not asked'))).message).toBe('down');
      await invalidate(by);
      // The others hear of it by the same server.
      expect(await ask(cache, () => 'loaded')).toBe('loaded');
      expect(await ask(other, () => 'loaded')).toBe('loaded');
      await cache.delete('k');
    }
  });
});

describe.each(modes)('%s: tags and lifetimes that a loader sets', (_mode, options) => {
  test.each([
    [
      'rest arguments',
      (calls) =>
        (...args) => (calls.push(1), args[0].setTags(['t']), 'v'),
    ],
    [
      'a default',
      (calls) =>
        (context = {}) => (calls.push(1), context.setTags(['t']), 'v'),
    ],
    [
      'no parameter',
      (calls) => jest.fn().mockImplementation((context) => (calls.push(1), context.setTags(['t']), 'v')),
    ],
  ])('a loader of length 0 may set tags: %s', async (_name, make) => {
    const cache = open(options());
    const calls = [];
    const load = make(calls);
    expect(load).toHaveLength(0);
    for (let i = 0; i < 3; i++) expect(await cache.getOrSet('k', load)).toBe('v');
    expect(calls).toHaveLength(1);
    expect((await cache.read('k')).tags).toEqual(['t']);
    await cache.invalidateTag('t');
    expect(await cache.get('k')).toBeUndefined();
  });

  test('tags that are given, and set again, stand once', async () => {
    const cache = open(options());
    await cache.getOrSet('k', ({ setTags }) => (setTags(['a', 'b']), 1), { tags: ['a'] });
    expect((await cache.read('k')).tags.sort()).toEqual(['a', 'b']);
  });

  test.each([
    ['ttl: () => 0', () => 1, { ttl: () => 0 }],
    ['ttl: () => -5', () => 1, { ttl: () => -5 }],
    ['setTtl(0)', ({ setTtl }) => (setTtl(0), 1), undefined],
  ])('%s: the value is returned, and not stored', async (_name, load, call) => {
    const cache = open(options());
    expect(await cache.getOrSet('k', load, call)).toBe(1);
    expect(await cache.has('k')).toBe(false);
    expect(await cache.getOrSet('k', () => 2)).toBe(2);
  });
});

describe.each(modes)('%s: a load that asks for itself', (_mode, options) => {
  const RECURSIVE = { code: 'RECURSIVE_LOAD', name: 'CacheError' };

  test('directly', async () => {
    const cache = open(options());
    const error = await rejection(cache.getOrSet('k', () => cache.getOrSet('k', () => 1)));
    expect(error).toMatchObject(RECURSIVE);
    expect(error.message).toBe("the load of 'k' would wait for itself: its loader asks for 'k'");
    expect(await cache.getOrSet('k', () => 2)).toBe(2);
  });

  test('after it has waited for something', async () => {
    const cache = open(options());
    const load = async () => {
      await turns(2);
      return cache.getOrSet('k', () => 1);
    };
    expect(await rejection(cache.getOrSet('k', load))).toMatchObject(RECURSIVE);
  });

  test('through another load', async () => {
    const cache = open(options());
    const error = await rejection(cache.getOrSet('a', () => cache.getOrSet('b', () => cache.getOrSet('a', () => 1))));
    expect(error.message).toBe(
      "the load of 'a' would wait for itself: its loader asks for 'b', whose loader asks for 'a'",
    );
  });

  test('a stale hit within a loader, whose refresh asks for what is being loaded, is no mistake', async () => {
    const cache = open(options());
    const refreshed = held();
    await cache.set('b', 'stale', { ttl: '1ms', staleWhileRevalidate: '1h' });
    await until('the value to be stale', async () => (await cache.read('b')).status === 'stale');
    const errors = [];
    cache.on('cache:error', (error) => errors.push(error));
    const value = await cache.getOrSet('a', async () => {
      const load = async () => refreshed.resolve(await cache.getOrSet('a', () => 'never'));
      return cache.getOrSet('b', load, { staleWhileRevalidate: '1h' });
    });
    expect(value).toBe('stale');
    expect(await refreshed.promise).toBe('stale');
    expect(errors).toEqual([]);
  });

  test('two loads that ask for a third are no mistake', async () => {
    const cache = open(options());
    const third = held();
    const ask = () => cache.getOrSet('third', () => third.promise);
    const both = Promise.all([cache.getOrSet('one', ask), cache.getOrSet('two', ask)]);
    await turns(3);
    third.resolve(3);
    expect(await both).toEqual([3, 3]);
  });
});

test.each(modes)('%s: a listener that asks for the key joins the load that it hears of', async (_mode, options) => {
  const cache = open(options());
  const heard = [];
  const load = held();
  let loads = 0;
  const loader = () => (loads++, load.promise);
  cache.on('cache:miss', ({ key }) => heard.push(cache.getOrSet(key, loader)));
  const value = cache.getOrSet('k', loader);
  await until('the load', () => loads > 0);
  load.resolve('value');
  expect(await value).toBe('value');
  expect(await Promise.all(heard)).toEqual(['value']);
  expect(loads).toBe(1);
});

test.each(['copy', 'frozen'])(
  '%s: a codec that cannot read what it wrote keeps no value from its callers',
  async (share) => {
    const codec = {
      name: 'one way',
      encode: (value) => JSON.stringify(value),
      decode() {
        throw new Error('unreadable');
      },
    };
    const cache = open({ redis: false, share, codec });
    const loading = held();
    const load = async () => {
      await loading.promise;
      return { a: 1 };
    };
    const all = Promise.all([cache.getOrSet('k', load), cache.getOrSet('k', load), cache.getOrSetMany(['k'], load)]);
    loading.resolve();
    expect(await all).toEqual([{ a: 1 }, { a: 1 }, [{ a: 1 }]]);
    expect(await cache.get('k')).toBeUndefined();
  },
);

test('what is shared frozen is the same object for all who waited', async () => {
  const cache = open({ redis: false, share: 'frozen' });
  const loading = held();
  const all = Promise.all([1, 2, 3].map(() => cache.getOrSet('k', () => loading.promise)));
  await turns(2);
  loading.resolve({ a: 1 });
  const [first, ...others] = await all;
  for (const other of others) expect(other).toBe(first);
  expect(Object.isFrozen(first)).toBe(true);
});

describe('lifetimes as people write them', () => {
  test.each([
    ['set', (cache) => cache.set('k', 1, { ttl: 86_400_000 })],
    ['getOrSet', (cache) => cache.getOrSet('k', () => 1, 3_600_000)],
    ['a function', (cache) => cache.getOrSet('k', () => 1, { ttl: () => 3_600_000 })],
    ['setTtl', (cache) => cache.getOrSet('k', ({ setTtl }) => (setTtl(3_600_000), 1))],
    ['a window', (cache) => cache.set('k', 1, { staleIfError: 3_600_000 })],
    ['the default of a cache', async () => open({ redis: false, ttl: 3_600_000 })],
  ])('milliseconds are an error that says seconds: %s', async (_name, call) => {
    const error = await rejection(call(open({ redis: false })));
    expect(error).toBeInstanceOf(TypeError);
    expect(error.message).toMatch(
      /^(ttl|setTtl|staleIfError): expected seconds, got \d+, which looks like milliseconds: write \d+, or '\d+ms'$/,
    );
  });

  test('a week in seconds is one', async () => {
    const cache = open({ redis: false, maxTtl: '30d' });
    await cache.set('k', 1, 604_800);
    expect(await cache.ttl('k')).toBeGreaterThan(604_700);
    await open({ redis: false }).set('k', 1, 604_800);
  });

  test('a ttl beyond maxTtl is told once', async () => {
    const { runScript } = require('../helpers/run-script');
    const { stdout, stderr, code } = await runScript(`
      const cache = tiercel.createCache({ redis: false, maxTtl: '1h' });
      for (let i = 0; i < 3; i++) await cache.set('k' + i, 1, '7d');
      console.log(await cache.ttl('k0') <= 3600);
      await cache.close();`);
    expect([stdout, code]).toEqual(['true', 0]);
    expect(stderr.match(/TIERCEL_MAX_TTL/g)).toHaveLength(1);
    expect(stderr).toContain("ttl: '7d' is longer than maxTtl, 3600 seconds, which bounds every lifetime");
  });

  test('options are checked on a hit, too', async () => {
    const cache = open({ redis: false });
    await cache.set('k', 1);
    for (const [options, message] of [
      [{ tll: 5 }, /there is no option 'tll'/],
      [{ ttl: 'soon' }, /^ttl: expected a number of seconds/],
      [{ tags: 'x' }, /^tags: expected an array of tags/],
      [{ timeout: -1 }, /^timeout: expected/],
      [{ timeout: 0 }, /^timeout: expected at least a millisecond/],
      [{ ttl: 5, jitter: 2 }, /^jitter: expected/],
      [{ refreshAhead: 5 }, /^refreshAhead: expected/],
      // A value that another option may have.
      [{ cacheIf: '5m' }, /^cacheIf: expected/],
      [{ jitter: '5m' }, /^jitter: expected/],
      [3_600_000, /looks like milliseconds/],
      [null, /^ttl: expected/],
      [true, /^ttl: expected/],
    ]) {
      expect((await rejection(cache.getOrSet('k', () => 2, options))).message).toMatch(message);
    }
    for (const options of [
      60,
      60,
      '5m',
      { errorBackoff: 0, jitter: 0.5, refreshAhead: false, softTimeout: '1s' },
      { ttl: '5m', tags: ['a'] },
      { ttl: () => 5, cacheIf: () => true },
      {},
      undefined,
    ]) {
      expect(await cache.getOrSet('k', () => 2, options)).toBe(1);
    }
  });
});
