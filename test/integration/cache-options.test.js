'use strict';
// Every option of createCache and of a call: what it does, and what a mistake is told.

const { createCache } = require('../../lib');
const { memoryCache } = require('../helpers/memory-cache');
const { timed } = require('../helpers/timed');
const { delay, rejection } = require('../helpers/until');

let caches = [];
const make = (options) => {
  const cache = memoryCache(options);
  caches.push(cache);
  return cache;
};
afterEach(async () => {
  await Promise.all(caches.map((cache) => cache.close()));
  caches = [];
});

const load = () => 1;
const DURATION =
  /expected a number of seconds, not negative, or a string such as '500ms', '30s', '5m', '2h', '1d', got /;
const SHARE = /expected a share from 0 to 1, got /;
const AHEAD =
  /expected a share of the ttl between 0 and 1, a duration before its end such as '10s', 'xfetch' or false, got /;
const POSITIVE = /expected at least a millisecond, got /;
const SIZE = /expected a positive number of bytes, or a string such as '512kb', '64mb', '1gb', got /;

// What no duration is, wherever one is expected.
const noDurations = [-1, '-1s', 'soon', '5 parsecs', '', null, true, {}, [], Number.NaN];

describe('createCache', () => {
  const positive = ['ttl', 'maxTtl', 'timeout', 'softTimeout', 'leaseTimeout'];
  const mayBeZero = ['staleWhileRevalidate', 'staleIfError', 'errorBackoff'];

  test.each([...positive, ...mayBeZero])('%s must be a duration', (name) => {
    for (const value of noDurations) {
      expect(() => make({ [name]: value })).toThrow(TypeError);
      expect(() => make({ [name]: value })).toThrow(new RegExp(`^${name}: ${DURATION.source}`));
    }
    for (const value of [1, 0.5, '500ms', '1.5h', '1d', Infinity]) expect(() => make({ [name]: value })).not.toThrow();
  });

  test.each(positive)('%s must not be zero', (name) => {
    for (const value of [0, '0s', 0.0001]) {
      expect(() => make({ [name]: value })).toThrow(new RegExp(`^${name}: ${POSITIVE.source}`));
    }
  });

  test.each(mayBeZero)('%s may be zero', (name) => {
    for (const value of [0, '0s']) expect(() => make({ [name]: value })).not.toThrow();
  });

  const RESERVED = "expected no part 'k' between colons, which is reserved, got ";
  const KEY_PART = 'expected 1 to 200 characters, none of';
  const cases = [
    [{ jitter: -0.1 }, `jitter: ${SHARE.source}-0.1`],
    [{ jitter: 1.1 }, `jitter: ${SHARE.source}1.1`],
    [{ jitter: '10%' }, `jitter: ${SHARE.source}'10%'`],
    [{ jitter: Number.NaN }, `jitter: ${SHARE.source}NaN`],
    [{ refreshAhead: true }, `refreshAhead: ${AHEAD.source}true`],
    [{ refreshAhead: 0 }, `refreshAhead: ${AHEAD.source}0`],
    [{ refreshAhead: 1 }, `refreshAhead: ${AHEAD.source}1`],
    [{ refreshAhead: 30 }, `refreshAhead: ${AHEAD.source}30`],
    [{ refreshAhead: 5 }, `refreshAhead: ${AHEAD.source}5`],
    [{ refreshAhead: 'late' }, `refreshAhead: ${AHEAD.source}'late'`],
    [{ refreshAhead: '50%' }, `refreshAhead: ${AHEAD.source}'50%'`],
    [{ refreshAhead: null }, `refreshAhead: ${AHEAD.source}null`],
    [{ codec: 'xml' }, "codec: expected 'json', 'msgpack' or an object { name, encode, decode }, got 'xml'"],
    [{ codec: null }, "codec: expected 'json', .*, got null"],
    [{ codec: {} }, 'codec\\.name: expected a string that is not empty, got undefined'],
    [{ codec: { name: 'n', decode: load } }, 'codec\\.encode: expected a function, got undefined'],
    [{ codec: { name: 'n', encode: load, decode: 5 } }, 'codec\\.decode: expected a function, got 5'],
    [{ share: 'clone' }, "share: expected 'copy' or 'frozen', got 'clone'"],
    [{ share: null }, "share: expected 'copy' or 'frozen', got null"],
    [{ logger: console.warn }, 'logger: expected an object with a method warn\\(message, details\\), such as console'],
    [{ logger: null }, 'logger: expected an object'],
    [{ namespace: 'a:k:b' }, `namespace: ${RESERVED}'a:k:b'`],
    [{ namespace: 'a\tb' }, `namespace: ${KEY_PART}`],
    [{ namespace: '' }, `namespace: ${KEY_PART}`],
    [{ namespace: null }, `namespace: ${KEY_PART} .* got null`],
    [{ version: 'k' }, `version: ${RESERVED}'k'`],
    [{ version: 1.5 }, 'version: expected a string or a whole number, got 1.5'],
    [{ version: {} }, 'version: expected a string or a whole number, got an instance of Object'],
    [{ memory: false }, 'memory: false leaves no tier at all'],
    [{ memory: null }, undefined],
    [{ memory: 5 }, 'memory: expected an object with options, got 5'],
    [{ memory: { maxBytes: 0 } }, `memory\\.maxBytes: ${SIZE.source}0`],
    [{ memory: { maxBytes: '64 apples' } }, `memory\\.maxBytes: ${SIZE.source}'64 apples'`],
    [{ memory: { maxEntryBytes: -1 } }, `memory\\.maxEntryBytes: ${SIZE.source}-1`],
    [{ memory: { maxEntries: 0 } }, 'memory\\.maxEntries: expected a positive whole number, got 0'],
    [{ memory: { maxEntries: 1.5 } }, 'memory\\.maxEntries: expected a positive whole number, got 1.5'],
    [{ memory: { maxEntries: '10' } }, "memory\\.maxEntries: expected a positive whole number, got '10'"],
    [{ memory: { maxStaleness: 'x' } }, `memory\\.maxStaleness: ${DURATION.source}'x'`],
    [{ memory: { maxAge: 5 } }, "memory: there is no option 'maxAge'; there are maxBytes, "],
    [{ tll: 1 }, "options: there is no option 'tll'; there are redis, "],
    [{ url: 'redis://h' }, "options: there is no option 'url' here: write redis: { url }$"],
    [
      { client: {} },
      "options: there is no option 'client' here: write redis: 'redis://…', or a client made by createRedis",
    ],
    [
      { redis: new (class Redis {})() },
      'redis: expected an object with options, got an instance of Redis: a client of another library does not fit here',
    ],
    [{ host: 'h' }, "options: there is no option 'host' here: write redis: { host }$"],
    [{ port: 1 }, "options: there is no option 'port' here: write redis: { port }$"],
    [{ maxEntries: 10 }, "options: there is no option 'maxEntries' here: write memory: { maxEntries }$"],
    [{ commandTimeout: 'x' }, `commandTimeout: ${DURATION.source}'x'`],
    [{ redis: { commandTimeout: '1s' }, commandTimeout: 'x' }, `commandTimeout: ${DURATION.source}'x'`],
    [{ redis: 'redis://h', commandTimeout: 0 }, `commandTimeout: ${POSITIVE.source}0`],
    [{ redis: 'redis://h', commandTimeout: 'x' }, `commandTimeout: ${DURATION.source}'x'`],
  ];

  test.each(cases.filter(([, message]) => message))('%j is refused', (options, message) => {
    expect(() => make(options)).toThrow(TypeError);
    expect(() => make(options)).toThrow(new RegExp(`^${message}`));
  });

  test.each([[5], ['redis://h'], [null], [[]]])('createCache(%j) is refused', (options) => {
    expect(() => createCache(options)).toThrow(/^options: expected an object with options, got /);
  });

  test('the URL of a Redis alone is refused, and told where it goes', () => {
    expect(() => createCache('redis://h')).toThrow(/, got a string: .* { redis: 'redis:\/\/…' }$/);
  });

  test('undefined stands for the default, everywhere', async () => {
    const names = [
      ...positive,
      ...mayBeZero,
      'jitter',
      'refreshAhead',
      'codec',
      'share',
      'version',
      'memory',
      'logger',
    ];
    const cache = make(Object.fromEntries(names.map((name) => [name, undefined])));
    await cache.set('k', 1);
    expect(await cache.ttl('k')).toBeCloseTo(300, 0);
  });
});

describe('options of a call', () => {
  const writes = {
    set: (cache, options) => cache.set('k', 1, options),
    setMany: (cache, options) => cache.setMany({ k: 1 }, options),
  };
  const loads = {
    getOrSet: (cache, options) => cache.getOrSet('k', load, options),
    getOrSetMany: (cache, options) => cache.getOrSetMany(['k'], () => [1], options),
    'memoize with a key': (cache, options) => cache.memoize('k', load, options),
    'memoize of a function': async (cache, options) => cache.memoize(load, { key: 'k', ...options })(),
  };
  const bad = {
    ttl: [...noDurations.filter((value) => value !== null), 0],
    jitter: [-1, 2, '1', null],
    staleWhileRevalidate: noDurations,
    staleIfError: noDurations,
    tags: ['t', [''], [5], ['a\ud800'], ['x'.repeat(1025)], {}, null],
  };
  const badOfLoads = {
    refreshAhead: [true, 0, 1, 60, 'late', null, {}],
    timeout: [0, ...noDurations],
    softTimeout: [0, ...noDurations],
    errorBackoff: noDurations,
    cacheIf: [true, 'x', null],
    signal: [true, {}, null],
  };

  test.each(Object.entries(writes))('%s refuses what is wrong, by its name', async (_name, call) => {
    const cache = make();
    for (const [option, values] of Object.entries(bad)) {
      for (const value of values) {
        const error = await rejection(call(cache, { [option]: value }));
        expect(error).toBeInstanceOf(TypeError);
        expect(error.message).toMatch(new RegExp(`^${option}: expected .*, got `, 's'));
      }
    }
    for (const option of [...Object.keys(badOfLoads), 'tll']) {
      const { message } = await rejection(call(cache, { [option]: 1 }));
      expect(message).toMatch(new RegExp(`^options: there is no option '${option}'; there are ttl, jitter, `));
    }
    expect((await rejection(call(cache, { ttl: () => 1 }))).message).toMatch(/^ttl: expected .*, got a function/);
    expect((await rejection(call(cache, { tags: () => [] }))).message).toMatch(/^tags: expected an array/);
    expect(await cache.has('k')).toBe(false);
  });

  test.each(Object.entries(loads))('%s refuses what is wrong, by its name', async (_name, call) => {
    const cache = make();
    for (const [option, values] of Object.entries({ ...bad, ...badOfLoads })) {
      for (const value of values) {
        const error = await rejection(call(cache, { [option]: value }));
        expect(error).toBeInstanceOf(TypeError);
        expect(error.message).toMatch(new RegExp(`^${option}: expected .*, got `, 's'));
      }
    }
    expect((await rejection(call(cache, { tll: 1 }))).message).toMatch(
      /^options: there is no option 'tll'; there are /,
    );
    expect(cache.stats().loads).toBe(0);
  });

  test.each([
    ['a ttl', { ttl: () => 'soon' }, /^ttl: expected a number of seconds/],
    ['tags', { tags: () => 'x' }, /^tags: expected an array of tags, got 'x'/],
    ['a tag', { tags: () => [5] }, /^tags: expected tags of 1 to 1024 bytes, got 5/],
  ])('what a function gives as %s is checked, and nothing is stored', async (_name, options, message) => {
    const cache = make();
    const error = await rejection(cache.getOrSet('k', load, options));
    expect(error).toBeInstanceOf(TypeError);
    expect(error.message).toMatch(message);
    expect(await cache.has('k')).toBe(false);
    expect(await cache.getOrSet('k', () => 2)).toBe(2);
  });

  test.each([
    ['setTtl', (context) => context.setTtl('soon'), /^setTtl: expected a number of seconds/],
    ['setTags', (context) => context.setTags('x'), /^setTags: expected an array of tags, got 'x'/],
  ])('%s in a loader is checked', async (_name, act, message) => {
    const cache = make();
    const error = await rejection(cache.getOrSet('k', (context) => (act(context), 1), { errorBackoff: 0 }));
    expect(error).toBeInstanceOf(TypeError);
    expect(error.message).toMatch(message);
  });

  test('delete', async () => {
    const cache = make();
    await cache.set('k', 1);
    for (const options of [true, null, { hard: true }, []]) {
      expect((await rejection(cache.delete('k', options))).message).toMatch(/^options: expected { soft: true } or/);
    }
    expect((await rejection(cache.delete('k', { soft: 1 }))).message).toBe('soft: expected true or false, got 1');
    expect(await cache.get('k')).toBe(1);
    expect(await cache.delete('k', { soft: undefined })).toBe(true);
  });

  test.each([
    ['invalidateTag', 5, /^tag: expected tags of 1 to 1024 bytes, got 5/],
    ['invalidateTag', '', /^tag: expected/],
    ['invalidateTags', 't', /^tags: expected an array of tags, got 't'/],
    ['invalidateTags', ['t', ''], /^tags: expected/],
    ['invalidatePattern', '', /^pattern: expected a glob pattern such as user:\*, got ''/],
    ['invalidatePattern', /x/, /^pattern: expected .* got an instance of RegExp/],
  ])('%s(%j)', async (method, given, message) => {
    const error = await rejection(make()[method](given));
    expect(error).toBeInstanceOf(TypeError);
    expect(error.message).toMatch(message);
  });
});

describe('lifetimes', () => {
  test('jitter shortens a ttl by up to its share, and never lengthens it', async () => {
    const cache = make({ jitter: 0.2, ttl: 1000 });
    const left = [];
    for (let i = 0; i < 200; i++) {
      await cache.set(`k${i}`, 1);
      left.push(await cache.ttl(`k${i}`));
    }
    expect(Math.min(...left)).toBeGreaterThan(799);
    expect(Math.max(...left)).toBeLessThanOrEqual(1000);
    expect(Math.max(...left) - Math.min(...left)).toBeGreaterThan(100);
    await cache.set('none', 1, { jitter: 0 });
    expect(await cache.ttl('none')).toBeGreaterThan(999);
    await cache.set('all', 1, { jitter: 1, ttl: '2ms' });
  });

  timed('neither a ttl nor what is stale lives longer than maxTtl', async () => {
    const cache = make({ maxTtl: '60ms', ttl: '1d', staleWhileRevalidate: '1d', staleIfError: '1d' });
    await cache.set('set', 1);
    await cache.set('asked', 1, { ttl: Infinity, staleIfError: Infinity });
    await cache.getOrSet('loaded', (context) => (context.setTtl('2d'), 1), { ttl: '3d' });
    for (const key of ['set', 'asked', 'loaded']) {
      expect(await cache.ttl(key)).toBeLessThanOrEqual(0.06);
      expect(await cache.ttl(key)).toBeGreaterThan(0.02);
    }
    await delay(80);
    for (const key of ['set', 'asked', 'loaded']) expect((await cache.read(key)).status).toBe('miss');
  });

  test('128 tags, and no more; those that come twice are one', async () => {
    const cache = make();
    const tags = Array.from({ length: 128 }, (_, i) => `t${i}`);
    expect(await cache.set('k', 1, { tags: [...tags, ...tags] })).toBe(true);
    expect((await cache.read('k')).tags).toHaveLength(128);
    await cache.invalidateTag('t127');
    expect(await cache.get('k')).toBeUndefined();
    const error = await rejection(cache.set('k', 1, { tags: [...tags, 'more'] }));
    expect(error.message).toBe('tags: expected at most 128 tags, got 129');
    await cache.set('long', 1, { tags: ['é'.repeat(512)] });
    await cache.invalidateTag('é'.repeat(512));
    expect(await cache.get('long')).toBeUndefined();
  });

  timed.each([
    ['a share of the ttl', 0.5, 60],
    ['a duration before its end', '60ms', 60],
  ])('refreshAhead, %s: the value is served, and loaded anew behind it', async (_name, refreshAhead, after) => {
    const cache = make();
    let loads = 0;
    const options = { ttl: '100ms', refreshAhead };
    const get = () => cache.getOrSet('k', () => ++loads, options);
    expect(await get()).toBe(1);
    expect(await get()).toBe(1);
    expect(loads).toBe(1);
    await delay(after);
    expect(await get()).toBe(1);
    await delay(10);
    expect(loads).toBe(2);
    expect(await get()).toBe(2);
    expect(cache.stats().refreshes).toBe(1);
  });

  timed("refreshAhead 'xfetch': the longer the load, the earlier; false: never", async () => {
    const cache = make();
    let loads = 0;
    const slow = async () => {
      await delay(50);
      return ++loads;
    };
    const options = { ttl: '150ms', refreshAhead: 'xfetch' };
    await cache.getOrSet('k', slow, options);
    for (let i = 0; i < 60 && loads < 2; i++) {
      await cache.getOrSet('k', slow, options);
      await delay(2);
    }
    expect(loads).toBe(2);
    expect(cache.stats()).toMatchObject({ refreshes: 1, misses: 1 });
    const never = make({ refreshAhead: 0.5 });
    await never.getOrSet('k', load, { ttl: '60ms' });
    await delay(45);
    await never.getOrSet('k', load, { refreshAhead: false });
    expect(never.stats().refreshes).toBe(0);
  });

  timed('errorBackoff: the same error for that long, and then one more try', async () => {
    const cache = make({ errorBackoff: '100ms' });
    const failure = new Error('database');
    let loads = 0;
    const fail = () => {
      loads++;
      throw failure;
    };
    for (let i = 0; i < 3; i++) expect(await rejection(cache.getOrSet('k', fail))).toBe(failure);
    expect(loads).toBe(1);
    await cache.set('k', 'written');
    expect(await cache.getOrSet('k', fail)).toBe('written');
    await cache.delete('k');
    expect(await rejection(cache.getOrSet('k', fail))).toBe(failure);
    expect(loads).toBe(2);
    await delay(130);
    expect(await cache.getOrSet('k', () => 'loaded')).toBe('loaded');
    for (let i = 0; i < 2; i++) await rejection(cache.getOrSet('now', fail, { errorBackoff: 0 }));
    expect(loads).toBe(4);
  });
});
