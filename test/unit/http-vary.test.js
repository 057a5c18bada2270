'use strict';
// Which requests the same stored response answers. https://www.rfc-editor.org/rfc/rfc9111.html#section-4.1
const { IDENTITY, selectorOf, varyNames, wantedLanguage } = require('../../lib/http/rfc/vary');

/** @param {Record<string, any>} headers */
const get = (headers) => /** @type {any} */ ({ headers });
/** @param {string} name @param {string} value */
const select = (name, value) => selectorOf([name], get({ [name]: value }), undefined);

test('names are sorted, in lower case, once each', () => {
  expect(varyNames('Origin, accept-encoding,,ORIGIN', ['x-a', 'origin'])).toEqual(['accept-encoding', 'origin', 'x-a']);
  expect(varyNames(undefined, [])).toEqual([]);
});

describe('Accept-Encoding is what the client takes of what servers use', () => {
  test.each([
    ['gzip, br', 'br,gzip'],
    ['GZIP ,BR', 'gzip, br'],
    ['gzip, deflate, br', 'gzip, br'],
    ['gzip;q=1.0, br;q=0.5', 'gzip, br'],
    ['x-gzip', 'gzip'],
    ['gzip, identity', 'gzip'],
    ['identity', ''],
    ['br;q=0, gzip', 'gzip'],
  ])('%j is %j', (one, other) => {
    expect(select('accept-encoding', one)).toBe(select('accept-encoding', other));
  });

  test.each([
    ['gzip', 'br'],
    ['gzip', 'gzip, br'],
    ['gzip', 'identity'],
    ['deflate', 'identity'],
    ['gzip', 'gzip, identity;q=0'],
    ['*', '*, br;q=0'],
    ['gzip', 'gzip;q=0'],
    ['zstd', 'br'],
  ])('%j is not %j', (one, other) => {
    expect(select('accept-encoding', one)).not.toBe(select('accept-encoding', other));
  });
});

describe('Accept-Language is a set of preferences', () => {
  test.each([
    ['de, en;q=0.5', 'en;q=0.5,DE'],
    ['de', ' de '],
    ['de;q=1.0', 'de'],
    ['en;q=0.50', 'en; q=0.5'],
  ])('%j is %j', (one, other) => {
    expect(select('accept-language', one)).toBe(select('accept-language', other));
  });

  test.each([
    ['de, en;q=0.5', 'de;q=0.5, en'],
    ['de', 'de-AT'],
    ['de', ''],
  ])('%j is not %j', (one, other) => {
    expect(select('accept-language', one)).not.toBe(select('accept-language', other));
  });

  test.each([
    ['de, en;q=0.5', 'de'],
    ['en;q=0.5, de', 'de'],
    ['DE', 'de'],
    ['de, en', undefined],
    ['de;q=0', undefined],
    ['', undefined],
    [undefined, undefined],
  ])('wanted most of %j: %s', (value, wanted) => {
    expect(wantedLanguage(value)).toBe(wanted);
  });
});

test('of other fields only white space around commas is nothing', () => {
  expect(select('x-a', 'one , two')).toBe(select('x-a', 'one,two'));
  for (const other of ['two,one', 'ONE,two', 'one', 'one,two,', '']) {
    expect(select('x-a', other)).not.toBe(select('x-a', 'one,two'));
  }
});

test('absent is not empty, and one field is not another', () => {
  const none = selectorOf(['x-a', 'x-b'], get({}), undefined);
  const empty = selectorOf(['x-a', 'x-b'], get({ 'x-a': '' }), undefined);
  const other = selectorOf(['x-a', 'x-b'], get({ 'x-b': '' }), undefined);
  expect(new Set([none, empty, other]).size).toBe(3);
});

test('no value can look like two', () => {
  const forged = selectorOf(['x-a', 'x-b'], get({ 'x-a': '1\nx-b=2' }), undefined);
  const honest = selectorOf(['x-a', 'x-b'], get({ 'x-a': '1', 'x-b': '2' }), undefined);
  expect(forged).not.toBe(honest);
  const escaped = selectorOf(['x-a', 'x-b'], get({ 'x-a': '1\\', 'x-b': '2' }), undefined);
  expect(escaped).not.toBe(honest);
});

test('repeated lines are one list', () => {
  expect(selectorOf(['x-a'], get({ 'x-a': ['1', '2'] }), undefined)).toBe(select('x-a', '1, 2'));
});

describe('what is a secret, or long, is hashed', () => {
  /** @type {Array<[string, string]>} */
  const secrets = [
    ['cookie', 'sid=alice'],
    ['authorization', 'Basic YTpi'],
    ['x-a', 'v'.repeat(300)],
  ];
  test.each(secrets)('%s', (name, value) => {
    const selector = select(name, value);
    expect(selector).toMatch(/^#[\w-]{43}$/);
    expect(select(name, value)).toBe(selector);
    expect(select(name, `${value}2`)).not.toBe(selector);
  });

  test('an identity, which is not to be mistaken for none', () => {
    const names = [IDENTITY];
    const alice = selectorOf(names, get({}), 'alice');
    expect(alice).toMatch(/^#/);
    expect(alice).not.toContain('alice');
    const all = [
      alice,
      selectorOf(names, get({}), 'bob'),
      selectorOf(names, get({}), ''),
      selectorOf(names, get({}), undefined),
    ];
    expect(new Set(all).size).toBe(4);
  });

  test('no header can name an identity', () => {
    const forged = selectorOf([IDENTITY], get({ [IDENTITY]: 'alice' }), undefined);
    expect(forged).toBe(selectorOf([IDENTITY], get({}), undefined));
  });
});
