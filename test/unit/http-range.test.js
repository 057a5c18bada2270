'use strict';
// Parts of stored responses. https://www.rfc-editor.org/rfc/rfc9110.html#section-14
const { partOf, sliceFor } = require('../../lib/http/rfc/range');

const MODIFIED = 'Sun, 06 Nov 1994 08:49:37 GMT';
const BODY = '0123456789';

/**
 * The bytes, or the status when there are none.
 * @param {Record<string, string>} headers
 * @param {{ method?: string, metadata?: object, body?: string }} [more]
 */
function slice(headers, { method = 'GET', metadata = {}, body = BODY } = {}) {
  const payload = Buffer.from(body);
  const stored = { payload, metadata: { status: 200, etag: '"v1"', modified: MODIFIED, ...metadata } };
  const found = sliceFor(/** @type {any} */ ({ method, headers }), /** @type {any} */ (stored));
  if (!found) return found === null ? 'not answerable' : 'whole';
  const { status, start, end, contentRange } = found;
  return `${status} ${contentRange} ${payload.subarray(start, end)}`.trim();
}

test.each([
  ['bytes=0-3', '206 bytes 0-3/10 0123'],
  ['bytes=4-4', '206 bytes 4-4/10 4'],
  ['BYTES=4-5', '206 bytes 4-5/10 45'],
  ['bytes= 4-5 ', '206 bytes 4-5/10 45'],
  ['bytes=7-', '206 bytes 7-9/10 789'],
  ['bytes=0-', '206 bytes 0-9/10 0123456789'],
  ['bytes=7-99', '206 bytes 7-9/10 789'],
  ['bytes=7-99999999999999999999999', '206 bytes 7-9/10 789'],
  ['bytes=-3', '206 bytes 7-9/10 789'],
  ['bytes=-99', '206 bytes 0-9/10 0123456789'],
  // 15.5.17: beyond the end.
  ['bytes=10-', '416 bytes */10'],
  ['bytes=10-12', '416 bytes */10'],
  ['bytes=-0', '416 bytes */10'],
  // 14.2: what cannot be read, or is more than one, may be ignored.
  ['bytes=0-1,4-5', 'whole'],
  ['bytes=5-3', 'whole'],
  ['bytes=-', 'whole'],
  ['bytes=a-b', 'whole'],
  ['bytes', 'whole'],
  ['lines=0-1', 'whole'],
  ['bytes=0-1, ', 'whole'],
])('%s: %s', (range, expected) => {
  expect(slice({ range })).toBe(expected);
});

test('without Range, for HEAD, and for anything but 200, it is the whole', () => {
  expect(slice({})).toBe('whole');
  expect(slice({ range: 'bytes=0-1' }, { method: 'HEAD' })).toBe('whole');
  expect(slice({ range: 'bytes=0-1' }, { metadata: { status: 404 } })).toBe('whole');
});

test('of nothing there is no part', () => {
  expect(slice({ range: 'bytes=0-' }, { body: '' })).toBe('416 bytes */0');
});

test.each([
  ['"v1"', true],
  ['"v2"', false],
  // Strong comparison: 13.1.5.
  ['W/"v1"', false],
  [MODIFIED, true],
  ['Mon, 07 Nov 1994 08:49:37 GMT', false],
  ['Sat, 05 Nov 1994 08:49:37 GMT', false],
  ['yesterday', false],
])('If-Range: %s', (condition, isSame) => {
  const expected = isSame ? '206 bytes 0-0/10 0' : 'whole';
  expect(slice({ range: 'bytes=0-0', 'if-range': condition })).toBe(expected);
});

test('a weak ETag of ours is no strong one of theirs', () => {
  expect(slice({ range: 'bytes=0-0', 'if-range': 'W/"v1"' }, { metadata: { etag: 'W/"v1"' } })).toBe('whole');
  expect(slice({ range: 'bytes=0-0', 'if-range': '"v1"' }, { metadata: { etag: 'W/"v1"' } })).toBe('whole');
  expect(slice({ range: 'bytes=0-0', 'if-range': MODIFIED }, { metadata: { modified: '' } })).toBe('whole');
});

describe('of a stored part, bytes 4-6 of 10', () => {
  const part = { metadata: { status: 206, part: [4, 10] }, body: '456' };
  test.each([
    ['bytes=4-6', '206 bytes 4-6/10 456'],
    ['bytes=5-5', '206 bytes 5-5/10 5'],
    ['bytes=5-', '206 bytes 5-6/10 56'],
    ['bytes=3-5', 'not answerable'],
    ['bytes=4-7', 'not answerable'],
    ['bytes=7-', 'not answerable'],
    ['bytes=0-1', 'not answerable'],
    ['bytes=12-', 'not answerable'],
    ['bytes=a', 'not answerable'],
  ])('%s: %s', (range, expected) => {
    expect(slice({ range }, part)).toBe(expected);
  });

  test('it never answers for the whole', () => {
    expect(slice({}, part)).toBe('not answerable');
    expect(slice({ range: 'bytes=4-4' }, { ...part, method: 'HEAD' })).toBe('not answerable');
    expect(slice({ range: 'bytes=4-4', 'if-range': '"v2"' }, part)).toBe('not answerable');
  });
});

test.each([
  ['bytes 4-6/10', [4, 10]],
  ['bytes 4-6/*', undefined],
  ['bytes */10', undefined],
  ['items 4-6/10', undefined],
  ['', undefined],
  [undefined, undefined],
])('Content-Range %s: %j', (field, expected) => {
  expect(partOf(field)).toEqual(expected);
});
