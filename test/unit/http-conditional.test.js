'use strict';
const {
  hasConditions,
  isNotModified,
  matchesEtag,
  replaceConditions,
  revalidationConditions,
} = require('../../lib/http/rfc/conditional');

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
    /** @type {any} */ ({ status: 200, etag: '"a"', modified: OLD, date: '', ...more }),
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

test('without an ETag, If-None-Match never matches, not even a star', () => {
  expect(judge({ 'if-none-match': '*' }, { etag: '' })).toBe(false);
  expect(judge({ 'if-none-match': '""' }, { etag: '' })).toBe(false);
});

test('without Last-Modified, Date counts: RFC 9111 section 4.3.2', () => {
  const none = { modified: '' };
  expect(judge({ 'if-modified-since': NEW }, { ...none, date: OLD })).toBe(true);
  expect(judge({ 'if-modified-since': OLD }, { ...none, date: NEW })).toBe(false);
});

test('where dates are to be believed, any valid one does without Last-Modified', () => {
  const response = { status: 200, etag: '', modified: '', date: NEW };
  const since = (/** @type {string} */ value) => /** @type {any} */ ({ headers: { 'if-modified-since': value } });
  expect(isNotModified(since(OLD), response, true)).toBe(true);
  expect(isNotModified(since('yesterday'), response, true)).toBe(false);
  expect(isNotModified(since(OLD), { ...response, modified: NEW }, true)).toBe(false);
});

test('our conditions take the place of the client’s, in objects of their own', () => {
  const headers = {
    host: 'a',
    'if-none-match': '"x"',
    'if-modified-since': OLD,
    range: 'bytes=0-1',
    'if-range': '"x"',
  };
  const rawHeaders = ['Host', 'a', 'IF-NONE-MATCH', '"x"', 'If-Modified-Since', OLD, 'Range', 'bytes=0-1', 'X-A', '1'];
  const before = JSON.stringify([headers, rawHeaders]);
  const req = /** @type {any} */ ({ headers, rawHeaders });
  expect(hasConditions(req)).toBe(true);
  replaceConditions(req, { 'If-None-Match': '"y"' });
  expect(req.headers).toEqual({ host: 'a', 'if-none-match': '"y"' });
  expect(req.rawHeaders).toEqual(['Host', 'a', 'X-A', '1', 'If-None-Match', '"y"']);
  expect(JSON.stringify([headers, rawHeaders])).toBe(before);
  replaceConditions(req, {});
  expect(hasConditions(req)).toBe(false);
});

test('what is stored is revalidated by all its validators: RFC 9111 section 4.3.1', () => {
  const of = (/** @type {any} */ metadata) => revalidationConditions(metadata);
  expect(of({ etag: 'W/"a"', modified: OLD })).toEqual({ 'If-None-Match': 'W/"a"', 'If-Modified-Since': OLD });
  expect(of({ etag: '', modified: OLD })).toEqual({ 'If-Modified-Since': OLD });
  expect(of({ etag: '', modified: '' })).toEqual({});
});
