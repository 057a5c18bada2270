'use strict';
const { isNotModified, matchesEtag } = require('../../lib/http/conditional');

test.each([
  ['"a"', '"a"', true],
  ['"a"', '"b"', false],
  ['*', '"a"', true],
  [' * ', '"a"', true],
  ['"x", "a"', '"a"', true],
  ['"x","a","y"', '"a"', true],
  ['W/"a"', '"a"', true],
  ['"a"', 'W/"a"', true],
  ['W/"x", W/"a"', 'W/"a"', true],
  ['"x, "a", y"', '"b"', false],
  ['"a,b"', '"a,b"', true],
  ['"a,b"', '"b"', false],
  ['a', '"a"', false],
  ['"A"', '"a"', false],
  ['', '"a"', false],
])('If-None-Match: %s against %s: %s', (field, etag, expected) => {
  expect(matchesEtag(field, etag)).toBe(expected);
});

const OLD = 'Sun, 06 Nov 1994 08:49:37 GMT';
const NEW = 'Mon, 07 Nov 1994 08:49:37 GMT';
/**
 * @param {Record<string, string>} headers
 * @param {object} [more]
 */
const judge = (headers, more) =>
  isNotModified(
    /** @type {any} */ ({ headers }),
    /** @type {any} */ ({ status: 200, etag: '"a"', modified: OLD, ...more }),
  );

test('If-Modified-Since', () => {
  expect(judge({ 'if-modified-since': OLD })).toBe(true);
  expect(judge({ 'if-modified-since': NEW })).toBe(true);
  expect(judge({ 'if-modified-since': OLD }, { modified: NEW })).toBe(false);
  expect(judge({ 'if-modified-since': 'yesterday' })).toBe(false);
  expect(judge({ 'if-modified-since': NEW }, { modified: '' })).toBe(false);
});

test('If-None-Match wins over If-Modified-Since', () => {
  expect(judge({ 'if-none-match': '"b"', 'if-modified-since': NEW })).toBe(false);
  expect(judge({ 'if-none-match': '"a"', 'if-modified-since': 'x' })).toBe(true);
});

test('only for successful responses', () => {
  expect(judge({ 'if-none-match': '"a"' }, { status: 404 })).toBe(false);
  expect(judge({ 'if-none-match': '"a"' })).toBe(true);
  expect(judge({})).toBe(false);
});
