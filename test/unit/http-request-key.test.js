'use strict';
const { RequestKeys, queryRule } = require('../../lib/http/storage/request-key');

/**
 * @param {string} url
 * @param {Record<string, any>} [more]
 */
const get = (url, more = {}) => /** @type {any} */ ({ method: 'GET', url, headers: { host: 'a.test' }, ...more });
const keys = new RequestKeys('http', {});
/** @param {any} req @param {number} [depth] */
const keyOf = (req, depth = 0) => keys.of(req, depth);

test('scheme, host, path and query', () => {
  expect(keyOf(get('/p?q=1'))).toBe('http:GET:http://a.test/p?q=1');
  expect(keyOf(get('/p', { socket: { encrypted: true } }))).toBe('http:GET:https://a.test/p');
});

test('HEAD shares the key of GET', () => {
  expect(keyOf(get('/p', { method: 'HEAD' }))).toBe(keyOf(get('/p')));
});

test('the host is compared in lower case, the path and the query as they are', () => {
  expect(keyOf(get('/p', { headers: { host: 'A.TEST:80' } }))).toBe('http:GET:http://a.test:80/p');
  const all = ['/p?a=1&b=2', '/p?b=2&a=1', '/P?a=1&b=2', '/p?a=1&b=2&', '/p?', '/p'].map((url) => keyOf(get(url)));
  expect(new Set(all).size).toBe(6);
});

test('one host after another', () => {
  const hosts = ['a.test', 'b.test', '', 'a.test'].map((host) => keyOf(get('/p', { headers: { host } })));
  expect(hosts).toEqual(['http:GET:http://a.test/p', 'http:GET:http://b.test/p', 'http:GET:http:///p', hosts[0]]);
  const secure = { socket: { encrypted: true } };
  // With and without TLS, in any order.
  expect(keyOf(get('/p', { headers: { host: 'sa.test' } }))).toBe('http:GET:http://sa.test/p');
  expect(keyOf(get('/p', secure))).toBe('http:GET:https://a.test/p');
  expect(keyOf(get('/p', { headers: { host: 'sa.test' } }))).toBe('http:GET:http://sa.test/p');
});

test('the whole path, where Express has cut the mount path off', () => {
  expect(keyOf(get('/p', { originalUrl: '/shop/p' }))).toBe('http:GET:http://a.test/shop/p');
});

test('no key for a host that could be part of a path', () => {
  for (const host of ['a.test/x', 'a.test?', 'a.test#', 'a@b', 'a b', 'a\\b', 'é.test']) {
    expect(keyOf(get('/p', { headers: { host } }))).toBeUndefined();
  }
  expect(keyOf(get('/p', { headers: { host: '[::1]:80' } }))).toBe('http:GET:http://[::1]:80/p');
  expect(keyOf(get('/p', { headers: {} }))).toBe('http:GET:http:///p');
});

test('no key for the absolute form', () => {
  expect(keyOf(get('http://b.test/p'))).toBeUndefined();
  expect(keyOf(get('*'))).toBeUndefined();
});

test('a mount inside another has keys of its own, and so has front()', () => {
  const all = [keyOf(get('/p')), keyOf(get('/p'), 1), new RequestKeys('front', {}).of(get('/p'), 0)];
  expect(new Set(all).size).toBe(3);
});

test('long URLs make short keys, and different ones', () => {
  const long = 'x'.repeat(8000);
  const key = String(keyOf(get(`/${long}`)));
  expect(key.length).toBeLessThan(200);
  expect(keyOf(get(`/${long}`))).toBe(key);
  expect(keyOf(get(`/${long}y`))).not.toBe(key);
});

test('a key function', () => {
  const of = (/** @type {any} */ key) => new RequestKeys('http', { key }).of(get('/p'), 0);
  expect(of((/** @type {any} */ req) => `k${req.url}`)).toBe('http:GET:k/p');
  const broken = () => {
    throw new Error('no');
  };
  expect(of(broken)).toBeUndefined();
  for (const value of [undefined, null, '', 7, {}]) expect(of(() => value)).toBeUndefined();
});

describe('query rules', () => {
  /** @type {Array<[any, string, string]>} */
  const rows = [
    ['exact', '/p?b=2&a=1', '/p?b=2&a=1'],
    ['sorted', '/p?b=2&a=1', '/p?a=1&b=2'],
    // What repeats keeps its order, which an app may go by.
    ['sorted', '/p?b=2&a=2&a=1', '/p?a=2&a=1&b=2'],
    ['sorted', '/p?aa=1&a=2', '/p?a=2&aa=1'],
    ['sorted', '/p', '/p'],
    ['sorted', '/p?%62=1&a=2', '/p?a=2&%62=1'],
    [{ allow: ['page'] }, '/p?page=2&utm_source=x&page=3', '/p?page=2&page=3'],
    [{ allow: ['page'] }, '/p?utm_source=x', '/p'],
    [{ allow: [] }, '/p?a=1', '/p'],
    [{ allow: ['page'] }, '/p?p%61ge=2', '/p?p%61ge=2'],
    [{ ignore: ['utm_*', 'fbclid'] }, '/p?utm_source=x&a=1&fbclid=y&utm_medium=z', '/p?a=1'],
    [{ ignore: ['utm_*'] }, '/p?utmx=1&UTM_source=2', '/p?utmx=1&UTM_source=2'],
    [{ ignore: ['utm_*'] }, '/p?utm%5Fsource=x&a=1', '/p?a=1'],
    [{ ignore: ['a b'] }, '/p?a+b=x&a%20b=y&c', '/p?c'],
    [{ ignore: ['a'] }, '/p?%zz=1&a=2', '/p?%zz=1'],
    [{ ignore: ['a'] }, '/p?a&a=', '/p'],
  ];
  test.each(rows)('%j: %s is %s', (query, url, expected) => {
    const ruled = new RequestKeys('http', { query: queryRule(query) });
    expect(ruled.of(get(url), 0)).toBe(`http:GET:http://a.test${expected}`);
    expect(ruled.ofUrl(`http://a.test${url}`)[0]).toBe(`http:GET:http://a.test${expected}`);
  });

  test.each(['all', 7, null, {}, { allow: 'a' }, { ignore: [1] }, { allow: [], ignore: [] }, { drop: [] }])(
    '%j is no rule',
    (query) => {
      expect(() => queryRule(query)).toThrow(/^query: expected 'exact', 'sorted', \{ allow: names }/);
    },
  );
});

describe('keys of other URLs', () => {
  const from = get('/shop/cart?x=1');
  test.each([
    ['/p?q=1', '/p?q=1'],
    ['items', '/shop/items'],
    ['?y=2', '/shop/cart?y=2'],
    ['http://a.test/p', '/p'],
    ['http://A.test:80/p#top', '/p'],
    ['//a.test/p', '/p'],
  ])('%s is of the same origin', (reference, path) => {
    expect(keys.ofReference(from, reference, 0)).toBe(`http:GET:http://a.test${path}`);
  });

  test.each(['http://b.test/p', 'https://a.test/p', 'http://a.test:81/p', '//b.test/p', 'mailto:a@a.test', 'http://['])(
    '%s is not',
    (reference) => {
      expect(keys.ofReference(from, reference, 0)).toBeUndefined();
    },
  );

  test('with a key function, URLs have none', () => {
    const custom = new RequestKeys('http', { key: () => 'k' });
    expect(custom.ofReference(from, '/p', 0)).toBeUndefined();
    expect(() => custom.ofUrl('http://a.test/p')).toThrow(/^url: expected nothing.*purge by \{ key }/);
    expect(custom.ofKey('k')).toContain(custom.of(from, 0));
  });

  test('a URL to purge is a whole one, and is that of every mount', () => {
    expect(keys.ofUrl('http://A.test/p?q=1#top')).toEqual(
      expect.arrayContaining([keyOf(get('/p?q=1')), keyOf(get('/p?q=1'), 1)]),
    );
    expect(keys.ofUrl('http://a.test')[0]).toBe(keyOf(get('/')));
    expect(keys.ofUrl('http://a.test?q')[0]).toBe(keyOf(get('/?q')));
    // As the client wrote it: an app may tell these apart.
    expect(keys.ofUrl('http://a.test/a/../b%7e')[0]).toBe(keyOf(get('/a/../b%7e')));
    for (const url of ['/p', 'p', '', 'a.test/p']) expect(() => keys.ofUrl(url)).toThrow(/^url: expected a whole URL/);
  });
});
