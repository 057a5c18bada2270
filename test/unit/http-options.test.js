'use strict';
// Every option of cacheResponse: what is refused, and in which words; what the profiles stand for.
const { createCache } = require('../../lib/cache');
const { cacheResponse } = require('../../lib/http');
const { parseOptions } = require('../../lib/http/options');

const cache = createCache({ redis: false });
afterAll(() => cache.close());

/** @type {Array<[object, RegExp]>} */
const bad = [
  [{ cache: {} }, /^cache: expected a cache made by createCache\(\), got an instance of Object$/],
  [{ cache: null }, /^cache: expected a cache made by createCache\(\), got null$/],
  [{ profile: 'fast' }, /^profile: expected 'safe' or 'standards', got 'fast'$/],
  [{ name: '' }, /^name: expected a string of printable ASCII characters, got ''$/],
  [{ name: 7 }, /^name: expected .* got 7$/],
  [{ name: 'line\nbreak' }, /^name: expected/],
  [{ ttl: 'soon' }, /^ttl: expected .*'soon'/],
  [{ ttl: -1 }, /^ttl: expected .*-1/],
  [{ maxBodyBytes: 'big' }, /^maxBodyBytes: expected .*'big'/],
  [{ key: 'path' }, /^key: expected a function from a request to a string, got 'path'$/],
  [{ query: 'some' }, /^query: expected 'exact', 'sorted', \{ allow: names } or \{ ignore: names }, got 'some'$/],
  [{ vary: 'Cookie' }, /^vary: expected an array of header field names, got 'Cookie'$/],
  [{ vary: ['Acc ept'] }, /^vary: expected an array of header field names, got an array$/],
  [{ identity: 'user' }, /^identity: expected a function .* whose answer it gets, got 'user'$/],
  [{ keyHeaders: [''] }, /^keyHeaders: expected an array of header field names/],
  [{ tags: 'a' }, /^tags: expected an array of tags, got 'a'$/],
  [{ tags: [''] }, /^tags: expected tags of 1 to 1024 bytes, got ''$/],
  [{ targets: [7] }, /^targets: expected an array of header field names/],
  [{ heuristics: 'no' }, /^heuristics: expected true or false, got 'no'$/],
  [{ storeSetCookie: 1 }, /^storeSetCookie: expected true or false, got 1$/],
  [{ partial: 'x' }, /^partial: expected true or false/],
  [{ storePost: 'x' }, /^storePost: expected true or false/],
  [{ requestDirectives: 'x' }, /^requestDirectives: expected true or false/],
  [{ lenientDates: 'x' }, /^lenientDates: expected true or false/],
  [{ staleWhileRevalidate: '1 fortnight' }, /^staleWhileRevalidate: expected/],
  [{ staleIfError: -5 }, /^staleIfError: expected/],
  [{ staleIfDisconnected: true }, /^staleIfDisconnected: expected/],
  [{ retain: 'x' }, /^retain: expected/],
  [{ collapse: 'x' }, /^collapse: expected/],
  [{ leaseTimeout: 0 }, /^leaseTimeout: expected/],
  [{ hitForMiss: 'x' }, /^hitForMiss: expected/],
  [{ compress: 'gzip' }, /^compress: expected true, false or an array of br, gzip, zstd, got 'gzip'$/],
  [{ compress: ['deflate'] }, /^compress: expected true, false or an array of br, gzip, zstd/],
  [{ serverTiming: 'x' }, /^serverTiming: expected true or false/],
  [{ warnings: 'x' }, /^warnings: expected true or false/],
  [{ log: 'x' }, /^log: expected true, or a function of one event, got 'x'$/],
  [{ route: 'x' }, /^route: expected a function from a request to the name of its route/],
  [{ tll: 60 }, /'tll'/],
];
test.each(bad)('%j is refused', (options, message) => {
  const given = /** @type {any} */ ({ cache, ...options });
  expect(() => cacheResponse(given)).toThrow(TypeError);
  expect(() => cacheResponse(given)).toThrow(message);
  expect(() => cacheResponse.front(() => {}, given)).toThrow(message);
});

test.each([null, 'x', 7, []])('options %j are refused', (options) => {
  expect(() => cacheResponse(/** @type {any} */ (options))).toThrow(TypeError);
});

test('front needs an app', () => {
  expect(() => cacheResponse.front(/** @type {any} */ ({}), { cache })).toThrow(
    /^app: expected a \(req, res\) listener/,
  );
});

test('what is documented is accepted', () => {
  const all = {
    cache,
    profile: 'standards',
    name: 'my "cache"',
    ttl: '30s',
    maxBodyBytes: '64kb',
    key: (/** @type {any} */ req) => String(req.url),
    query: { ignore: ['utm_*'] },
    vary: ['Accept-Language'],
    identity: () => 'alice',
    keyHeaders: ['X-Tenant'],
    tags: () => ['a'],
    targets: ['My-Cache-Control'],
    heuristics: false,
    staleWhileRevalidate: 5,
    staleIfError: '1h',
    staleIfDisconnected: 0,
    retain: 0,
    collapse: '2s',
    leaseTimeout: 10,
    hitForMiss: 0,
    compress: ['br', 'gzip'],
    serverTiming: true,
    warnings: false,
    log: () => {},
    route: () => 'r',
  };
  expect(() => cacheResponse(/** @type {any} */ (all))).not.toThrow();
  expect(cacheResponse({ cache })).toHaveLength(3);
  expect(cacheResponse.front(() => {}, { cache })).toHaveLength(2);
});

test('a profile is a preset, which single options override', () => {
  const dangerous = ({ rules }) => [rules.storeSetCookie, rules.partial, rules.lenientDates];
  expect(dangerous(parseOptions({ cache }))).toEqual([false, false, false]);
  expect(dangerous(parseOptions({ cache, profile: 'standards' }))).toEqual([true, true, true]);
  expect(dangerous(parseOptions({ cache, profile: 'standards', storeSetCookie: false }))).toEqual([false, true, true]);
  // Whatever the profile, clients cannot make the cache do work.
  expect(parseOptions({ cache, profile: 'standards' }).rules.requestDirectives).toBe(false);
});

test('durations are seconds or strings, and are kept in milliseconds', () => {
  const { rules, collapse, hitForMiss, leaseFor } = parseOptions({
    cache,
    ttl: 2,
    staleIfError: '1m',
    hitForMiss: '500ms',
  });
  expect([rules.ttl, rules.staleIfError, collapse, hitForMiss, leaseFor]).toEqual([2000, 60_000, 5000, 500, 2000]);
  expect([true, false, 3].map((value) => parseOptions({ cache, collapse: value }).collapse)).toEqual([5000, 0, 3000]);
});

test('field names are compared in lower case', () => {
  const { rules, keyHeaders } = parseOptions({
    cache,
    vary: ['Origin', 'ORIGIN'],
    keyHeaders: ['X-A'],
    targets: ['A-Cc'],
  });
  expect([rules.vary, keyHeaders, rules.targets]).toEqual([['origin'], ['x-a'], ['a-cc']]);
});

test('tags that a function gives are checked when it gives them', () => {
  const { tags } = parseOptions({ cache, tags: (/** @type {any} */ req) => req.tags });
  expect(tags?.(/** @type {any} */ ({ tags: ['a', 'a'] }))).toHaveLength(1);
  expect(() => tags?.(/** @type {any} */ ({ tags: 'a' }))).toThrow(/^tags: expected an array of tags/);
});

/** @type {Array<[any, RegExp]>} */
const badPurges = [
  [undefined, /^purge: expected an object such as \{ url }/],
  ['http://a.test/', /^purge: expected an object such as \{ url }/],
  [{}, /^purge: expected one of url, tag, key and pattern/],
  [{ soft: true }, /^purge: expected one of/],
  [{ url: 7 }, /^url: expected a URL, or an array of them, got 7$/],
  [{ url: '/p' }, /^url: expected a whole URL such as/],
  [{ pattern: 7 }, /^pattern: expected a glob of URLs/],
  [{ key: 7 }, /^key: expected what the key option gave/],
  [{ url: 'http://a.test/', soft: 'yes' }, /^soft: expected true or false/],
  [{ tag: 'a', soft: true }, /^soft: expected false, or a purge by url or key/],
  [{ tag: 7 }, /tag/],
  [{ uri: 'x' }, /'uri'/],
];
test.each(badPurges)('purge(%j) rejects', async (what, message) => {
  const mount = cacheResponse({ cache });
  await expect(mount.purge(what)).rejects.toThrow(TypeError);
  await expect(mount.purge(what)).rejects.toThrow(message);
});
