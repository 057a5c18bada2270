'use strict';
// Lifetimes and ages, in milliseconds. https://www.rfc-editor.org/rfc/rfc9111.html#section-4.2
const { directivesOf, explicitLifetime, heuristicLifetime, initialAge } = require('../../lib/http/rfc/freshness');
const { ResponseHead } = require('../../lib/http/serve/response-head');

const NOW = Date.UTC(2026, 0, 1, 12, 0, 0, 700);
/** @param {number} seconds */
const at = (seconds) => new Date(NOW + seconds * 1000).toUTCString();
const DATE = at(0);
const TARGETS = ['cdn-cache-control'];

/** @param {Record<string, any>} fields */
const head = (fields, status = 200) => new ResponseHead(status, Object.entries(fields));

describe('explicit lifetime', () => {
  /** @type {Array<[Record<string, any>, number | undefined, string]>} */
  const rows = [
    [{}, undefined, '4.2.1'],
    [{ 'cache-control': 'public' }, undefined, '4.2.1'],
    [{ 'cache-control': 'max-age=60' }, 60, '5.2.2.1'],
    [{ 'cache-control': 'MAX-AGE=60' }, 60, '5.2'],
    [{ 'cache-control': 'max-age="60"' }, 60, '5.2: both forms are accepted'],
    [{ 'cache-control': 'max-age=0060' }, 60, '1.2.2'],
    [{ 'cache-control': 'max-age=60, s-maxage=5' }, 5, '5.2.2.10'],
    [{ 'cache-control': 's-maxage=0, max-age=60' }, 0, '5.2.2.10'],
    [{ 'cache-control': 's-maxage=x, max-age=60' }, 0, '4.2.1: invalid is stale'],
    [{ 'cache-control': "max-age='60'" }, 0, '4.2.1'],
    [{ 'cache-control': 'max-age=-60' }, 0, '4.2.1'],
    [{ 'cache-control': 'max-age=+60' }, 0, '4.2.1'],
    [{ 'cache-control': 'max-age=6.0' }, 0, '4.2.1'],
    [{ 'cache-control': 'max-age=60 5' }, 0, '4.2.1'],
    [{ 'cache-control': 'max-age=1, max-age=60' }, 1, '4.2.1: the first'],
    [{ 'cache-control': ['max-age=60', 'public'] }, 60, '5.2'],
    [{ 'cache-control': 'x="max-age=60", max-age=1' }, 1, '5.2: a quoted string is one argument'],
    [{ 'cache-control': 'max-age=99999999999' }, 2147483648, '1.2.2'],
    [{ 'cache-control': 'max-age=60', expires: '0' }, 60, '5.3: max-age wins'],
    [{ expires: '0' }, 0, '5.3'],
    [{ expires: at(60), date: DATE }, 60, '4.2.1'],
    [{ expires: DATE, date: DATE }, 0, '4.2.1'],
    [{ expires: at(-60), date: DATE }, 0, '4.2.1'],
    [{ expires: [at(60), at(60)], date: DATE }, 0, '4.2.1: twice is invalid'],
    [{ expires: at(20), date: at(-10) }, 30, '4.2.1: against its own Date'],
    [{ expires: at(110), date: at(100) }, 10, '4.2.1'],
    [{ expires: at(60), date: 'yesterday' }, 59.3, 'RFC 9110 6.6.1: an invalid Date is none'],
  ];
  test.each(rows)('%j: %s (%s)', (fields, seconds) => {
    const answer = head(fields);
    const lifetime = explicitLifetime(answer, directivesOf(answer, TARGETS), NOW);
    expect(lifetime).toBe(seconds === undefined ? undefined : seconds * 1000);
  });
});

describe('targeted fields: RFC 9213 section 2.2', () => {
  /** @type {Array<[string, Record<string, any>, number | undefined]>} */
  const rows = [
    ['replace Cache-Control', { 'cdn-cache-control': 'max-age=9', 'cache-control': 'max-age=60' }, 9],
    ['replace Expires', { 'cdn-cache-control': 'public', expires: at(60), date: DATE }, undefined],
    ['of the wrong type are stale', { 'cdn-cache-control': 'max-age="9"', 'cache-control': 'max-age=60' }, 0],
    ['that do not parse are ignored', { 'cdn-cache-control': 'max-age=', 'cache-control': 'max-age=60' }, 60],
    ['that are empty are ignored', { 'cdn-cache-control': '', expires: at(60), date: DATE }, 60],
    ['of others are ignored', { 'foo-cache-control': 'max-age=9', 'cache-control': 'max-age=60' }, 60],
    ['in two lines are one', { 'cdn-cache-control': ['max-age=1', 'max-age=9'] }, 9],
  ];
  test.each(rows)('%s', (name, fields, seconds) => {
    const answer = head(fields);
    const lifetime = explicitLifetime(answer, directivesOf(answer, TARGETS), NOW);
    expect(lifetime).toBe(seconds === undefined ? undefined : seconds * 1000);
  });

  test('the first of the list that is there counts', () => {
    const answer = head({ 'cdn-cache-control': 'max-age=1', 'app-cache-control': 'max-age=2' });
    const first = directivesOf(answer, ['app-cache-control', 'cdn-cache-control']);
    expect([first.targeted, first.directives.get('max-age')]).toEqual([true, '2']);
    expect(directivesOf(answer, []).targeted).toBe(false);
  });
});

describe('heuristic lifetime: section 4.2.2', () => {
  /** @param {Record<string, any>} fields @param {number} [status] */
  const guess = (fields, status) => {
    const answer = head({ date: DATE, ...fields }, status);
    return heuristicLifetime(answer, directivesOf(answer, []).directives, NOW);
  };
  const OLD = { 'last-modified': at(-1000) };

  test('a tenth of the time since Last-Modified, a day at most', () => {
    expect(guess(OLD)).toBe(100_000);
    expect(guess({ 'last-modified': at(-100 * 86_400) })).toBe(86_400_000);
  });

  test.each([{}, { 'last-modified': at(10) }, { 'last-modified': 'long ago' }, { 'last-modified': DATE }])(
    '%j: nothing to guess by',
    (fields) => {
      expect(guess(fields)).toBe(0);
    },
  );

  test.each([200, 203, 204, 300, 301, 308, 404, 405, 410, 414, 501])('%i may be guessed (RFC 9110 15.1)', (status) => {
    expect(guess(OLD, status)).toBe(100_000);
  });

  test.each([201, 302, 307, 400, 403, 500, 502, 503, 504, 599])('%i only with public', (status) => {
    expect(guess(OLD, status)).toBe(0);
    expect(guess({ ...OLD, 'cache-control': 'public' }, status)).toBe(100_000);
  });
});

describe('initial age: section 4.2.3', () => {
  /** @type {Array<[Record<string, any>, number]>} */
  const rows = [
    [{}, 0],
    [{ date: DATE }, 0],
    [{ age: '20' }, 20],
    [{ age: ' 20 ' }, 20],
    [{ age: '020' }, 20],
    // 5.1: the first member; what is not delta-seconds is ignored.
    [{ age: '20, 50' }, 20],
    [{ age: ['20', '50'] }, 20],
    [{ age: 'abc, 20' }, 0],
    [{ age: '-7200' }, 0],
    [{ age: '50.0' }, 0],
    [{ age: '"50"' }, 0],
    [{ age: '99999999999' }, 2147483648],
    // The apparent age, when it is greater.
    [{ date: at(-15) }, 15],
    [{ date: at(-15), age: '20' }, 20],
    [{ date: at(-15), age: '2' }, 15],
    [{ date: at(100) }, 0],
    [{ date: 'yesterday' }, 0],
  ];
  test.each(rows)('%j: %i s', (fields, seconds) => {
    expect(initialAge(head(fields), 0, NOW)).toBe(seconds * 1000);
  });

  test('the time since the request was forwarded counts', () => {
    expect(initialAge(head({ age: '20' }), 1500, NOW)).toBe(21_500);
    expect(initialAge(head({ date: at(-15) }), 1500, NOW)).toBe(15_000);
  });
});
