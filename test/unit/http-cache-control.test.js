'use strict';
const { parseCacheControl, deltaSeconds, parseTokens } = require('../../lib/http/rfc/cache-control');

/** @param {string | undefined} field */
const parsed = (field) => Object.fromEntries(parseCacheControl(field));

describe('parseCacheControl', () => {
  test.each([
    [undefined, {}],
    ['', {}],
    ['no-store', { 'no-store': true }],
    ['max-age=60', { 'max-age': '60' }],
    ['Public , MAX-AGE=60,, immutable', { public: true, 'max-age': '60', immutable: true }],
    [',\t ,max-age=60', { 'max-age': '60' }],
    ['max-age="60"', { 'max-age': '60' }],
    // What is inside a quoted string is no directive.
    ['extension="max-age=3600", max-age=1', { extension: 'max-age=3600', 'max-age': '1' }],
    ['extension="a, no-store, b"', { extension: 'a, no-store, b' }],
    ['extension="say \\"no-store\\", please", public', { extension: 'say "no-store", please', public: true }],
    ['extension="never closed, no-store', { extension: 'never closed, no-store' }],
    // The first occurrence counts.
    ['max-age=1, max-age=2', { 'max-age': '1' }],
    // Malformed, but named.
    ['private=', { private: '' }],
    ['private=""', { private: '' }],
    ['private="set-cookie"', { private: 'set-cookie' }],
    ['no-cache=', { 'no-cache': '' }],
    ['=60, public', { public: true }],
    ['@@@, public', { public: true }],
  ])('%s', (field, directives) => {
    expect(parsed(field)).toEqual(directives);
  });

  test.each(["max-age='3600'", 'max-age=-3600', 'max-age=3600.0', 'max-age=1 2', 'max-age=3600;x', 'max-age="1" 2'])(
    '%s has no valid number',
    (field) => {
      const argument = parseCacheControl(field).get('max-age');
      expect(argument).toBeDefined();
      expect(deltaSeconds(argument)).toBeNaN();
    },
  );

  test('a long field is read in linear time', () => {
    const started = performance.now();
    parseCacheControl(`${'a="'.repeat(20_000)}`);
    parseCacheControl('x='.repeat(20_000));
    expect(performance.now() - started).toBeLessThan(500);
  });
});

describe('deltaSeconds', () => {
  test('reads digits, with leading zeros', () => {
    expect(deltaSeconds('60')).toBe(60);
    expect(deltaSeconds('003600')).toBe(3600);
    expect(deltaSeconds('0')).toBe(0);
  });

  test('does not overflow', () => {
    expect(deltaSeconds('99999999999999999999')).toBe(2147483648);
  });

  test('tells "none" from "not a number"', () => {
    expect(deltaSeconds(undefined)).toBeUndefined();
    for (const text of [true, '', 'abc', '-1', '1.5', '+1', ' 1']) {
      expect(deltaSeconds(/** @type {any} */ (text))).toBeNaN();
    }
  });
});

test('parseTokens', () => {
  expect(parseTokens(undefined)).toEqual([]);
  expect(parseTokens(' , Accept-Encoding,  X-Foo ,,')).toEqual(['accept-encoding', 'x-foo']);
  expect(parseTokens(', *')).toEqual(['*']);
});
