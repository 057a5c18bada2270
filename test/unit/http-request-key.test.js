'use strict';
const { keyMaker } = require('../../lib/http/request-key');

/**
 * @param {string} url
 * @param {Record<string, any>} [more]
 */
const get = (url, more = {}) => /** @type {any} */ ({ method: 'GET', url, headers: { host: 'a.test' }, ...more });
const keyOf = keyMaker('http', undefined);

test('scheme, host, path and query', () => {
  expect(keyOf(get('/p?q=1'), 0)).toBe('http:GET:http://a.test/p?q=1');
  expect(keyOf(get('/p', { socket: { encrypted: true } }), 0)).toBe('http:GET:https://a.test/p');
});

test('HEAD shares the key of GET', () => {
  expect(keyOf(get('/p', { method: 'HEAD' }), 0)).toBe(keyOf(get('/p'), 0));
});

test('the host is compared in lower case, the path and the query as they are', () => {
  expect(keyOf(get('/p', { headers: { host: 'A.TEST:80' } }), 0)).toBe('http:GET:http://a.test:80/p');
  const keys = ['/p?a=1&b=2', '/p?b=2&a=1', '/P?a=1&b=2', '/p?a=1&b=2&', '/p?', '/p'].map((url) => keyOf(get(url), 0));
  expect(new Set(keys).size).toBe(6);
});

test('the whole path, where Express has cut the mount path off', () => {
  expect(keyOf(get('/p', { originalUrl: '/shop/p' }), 0)).toBe('http:GET:http://a.test/shop/p');
});

test('no key for a host that could be part of a path', () => {
  for (const host of ['a.test/x', 'a.test?', 'a.test#', 'a@b', 'a b', 'a\\b', 'é.test']) {
    expect(keyOf(get('/p', { headers: { host } }), 0)).toBeUndefined();
  }
  expect(keyOf(get('/p', { headers: { host: '[::1]:80' } }), 0)).toBe('http:GET:http://[::1]:80/p');
  expect(keyOf(get('/p', { headers: {} }), 0)).toBe('http:GET:http:///p');
});

test('no key for the absolute form', () => {
  expect(keyOf(get('http://b.test/p'), 0)).toBeUndefined();
  expect(keyOf(get('*'), 0)).toBeUndefined();
});

test('a mount inside another has keys of its own, and so has front()', () => {
  const keys = [keyOf(get('/p'), 0), keyOf(get('/p'), 1), keyMaker('front', undefined)(get('/p'), 0)];
  expect(new Set(keys).size).toBe(3);
});

test('long URLs make short keys, and different ones', () => {
  const long = 'x'.repeat(8000);
  const key = String(keyOf(get(`/${long}`), 0));
  expect(key.length).toBeLessThan(200);
  expect(keyOf(get(`/${long}`), 0)).toBe(key);
  expect(keyOf(get(`/${long}y`), 0)).not.toBe(key);
});

test('a key function', () => {
  expect(keyMaker('http', (req) => `k${req.url}`)(get('/p'), 0)).toBe('http:GET:k/p');
  const broken = () => {
    throw new Error('no');
  };
  expect(keyMaker('http', broken)(get('/p'), 0)).toBeUndefined();
  for (const value of [undefined, null, '', 7, {}]) {
    expect(keyMaker('http', () => /** @type {any} */ (value))(get('/p'), 0)).toBeUndefined();
  }
});
