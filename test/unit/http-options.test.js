'use strict';
const { createCache } = require('../../lib/cache');
const { cacheResponse } = require('../../lib/http');

const cache = createCache({ redis: false });
afterAll(() => cache.close());

test.each([
  [{ cache: {} }, /cache/],
  [{ cache: null }, /cache/],
  [{ ttl: 'soon' }, /ttl/],
  [{ ttl: -1 }, /ttl/],
  [{ maxBodyBytes: 'big' }, /maxBodyBytes/],
  [{ key: 'path' }, /key/],
  [{ name: '' }, /name/],
  [{ name: 7 }, /name/],
  [{ name: 'line\nbreak' }, /name/],
  [{ tll: 60 }, /tll/],
])('%j is refused with its name', (options, message) => {
  const given = /** @type {any} */ ({ cache, ...options });
  expect(() => cacheResponse(given)).toThrow(TypeError);
  expect(() => cacheResponse(given)).toThrow(message);
  expect(() => cacheResponse.front(() => {}, given)).toThrow(message);
});

test.each([null, 'x', 7, []])('options %j are refused', (options) => {
  expect(() => cacheResponse(/** @type {any} */ (options))).toThrow(TypeError);
});

test('front needs an app', () => {
  expect(() => cacheResponse.front(/** @type {any} */ ({}), { cache })).toThrow(/app/);
});

test('what is documented is accepted', () => {
  expect(() =>
    cacheResponse({ cache, ttl: '30s', maxBodyBytes: '64kb', key: (req) => String(req.url), name: 'my "cache"' }),
  ).not.toThrow();
  expect(cacheResponse({ cache })).toHaveLength(3);
  expect(cacheResponse.front(() => {}, { cache })).toHaveLength(2);
});
