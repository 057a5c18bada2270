'use strict';
const policy = require('../../lib/http/policy');
const { ResponseHead } = require('../../lib/http/response-head');

const NOW = Date.UTC(2026, 0, 1, 12, 0, 0, 700);
const DATE = new Date(NOW).toUTCString();

/** @param {Record<string, any>} fields */
const head = (fields, status = 200) => new ResponseHead(status, Object.entries(fields));
/** @param {Record<string, any>} [headers] */
const get = (headers = {}, method = 'GET') => /** @type {any} */ ({ method, headers });
/** @param {number} seconds */
const at = (seconds) => new Date(NOW + seconds * 1000).toUTCString();

describe('isRequestCacheable', () => {
  test('plain requests are', () => {
    expect(policy.isRequestCacheable(get())).toBe(true);
    expect(policy.isRequestCacheable(get({ cookie: 'a=1', 'if-none-match': '"x"', 'content-length': '0' }))).toBe(true);
  });

  test.each([
    ['authorization', 'Basic x'],
    ['range', 'bytes=0-1'],
    ['if-match', '"x"'],
    ['if-unmodified-since', DATE],
    ['transfer-encoding', 'chunked'],
    ['content-length', '3'],
  ])('one with %s is not', (name, value) => {
    expect(policy.isRequestCacheable(get({ [name]: value }))).toBe(false);
  });
});

test('the answer to a HEAD, and to no-store, is not kept', () => {
  expect(policy.isAnswerKept(get())).toBe(true);
  expect(policy.isAnswerKept(get({ 'cache-control': 'no-cache, max-age=0' }))).toBe(true);
  expect(policy.isAnswerKept(get({ 'cache-control': 'x="no-store"' }))).toBe(true);
  expect(policy.isAnswerKept(get({ 'cache-control': 'x, No-Store' }))).toBe(false);
  expect(policy.isAnswerKept(get({}, 'HEAD'))).toBe(false);
});

test('the answer to a conditional request is kept, but nobody waits for it', () => {
  expect(policy.isAnswerShareable(get())).toBe(true);
  expect(policy.isAnswerShareable(get({ 'if-none-match': '"x"' }))).toBe(false);
  expect(policy.isAnswerShareable(get({ 'if-modified-since': DATE }))).toBe(false);
});

describe('isResponseStorable', () => {
  test.each([{}, { 'cache-control': 'max-age=1' }, { vary: 'accept-encoding, Accept-Encoding' }, { vary: '' }])(
    '%j is',
    (fields) => {
      expect(policy.isResponseStorable(head(fields), get())).toBe(true);
    },
  );

  test.each([
    { 'set-cookie': 'a=1' },
    { 'set-cookie': ['a=1', 'b=2'], 'cache-control': 'public, s-maxage=9' },
    { 'cache-control': 'no-store, max-age=60' },
    { 'cache-control': 'max-age=60, PRIVATE' },
    { 'cache-control': 'private=, max-age=60' },
    { 'cache-control': 'private="x-foo", max-age=60' },
    { 'cache-control': ['max-age=60', 'private'] },
    { 'cache-control': 'no-cache, max-age=60' },
    { 'cache-control': 'no-cache="set-cookie", max-age=60' },
    { vary: '*' },
    { vary: ', *' },
    { vary: ['Accept-Encoding', '*'] },
    { vary: 'Accept-Encoding, Origin' },
    { vary: 'Cookie' },
    { 'content-type': 'text/event-stream; charset=utf-8' },
  ])('%j is not', (fields) => {
    expect(policy.isResponseStorable(head(fields), get())).toBe(false);
  });

  test.each([200, 203, 204, 300, 301, 308, 404, 410])('status %i may be', (status) => {
    expect(policy.isResponseStorable(head({}, status), get())).toBe(true);
  });

  test.each([201, 206, 302, 303, 304, 307, 400, 401, 403, 429, 500, 502, 503, 504, 599])('%i is never', (status) => {
    expect(policy.isResponseStorable(head({ 'cache-control': 'public, max-age=60' }, status), get())).toBe(false);
  });

  test('with a Cookie in the request, only what the app calls shared', () => {
    const withCookie = get({ cookie: 'sid=1' });
    expect(policy.isResponseStorable(head({ 'cache-control': 'max-age=60' }), withCookie)).toBe(false);
    expect(policy.isResponseStorable(head({ 'cache-control': 'public, max-age=60' }), withCookie)).toBe(true);
    expect(policy.isResponseStorable(head({ 'cache-control': 's-maxage=60' }), withCookie)).toBe(true);
    expect(policy.isResponseStorable(head({ 'cache-control': 'x="public"' }), withCookie)).toBe(false);
  });
});

describe('freshness', () => {
  /** @type {Array<[Record<string, any>, number]>} */
  const lifetimes = [
    [{}, 10],
    [{ 'cache-control': 'public' }, 10],
    [{ 'cache-control': 'max-age=60' }, 60],
    [{ 'cache-control': 'max-age=60, s-maxage=5' }, 5],
    [{ 'cache-control': 's-maxage=0, max-age=60' }, 0],
    [{ 'cache-control': 'max-age=0' }, 0],
    [{ 'cache-control': "max-age='60'" }, 0],
    [{ 'cache-control': 's-maxage=x, max-age=60' }, 0],
    [{ 'cache-control': 'max-age=60', expires: '0' }, 60],
    [{ expires: '0' }, 0],
    [{ expires: at(60), date: DATE }, 60],
    [{ expires: DATE, date: DATE }, 0],
    [{ expires: at(-60), date: DATE }, 0],
    [{ expires: [at(60), at(60)], date: DATE }, 0],
    // Against the Date of the response, not our clock: 30 s long, 20 s of them left.
    [{ expires: at(20), date: at(-10) }, 20],
    [{ expires: at(110), date: at(100) }, 10],
    // What is left when others have kept it already.
    [{ 'cache-control': 'max-age=60', age: '20' }, 40],
    [{ 'cache-control': 'max-age=60', age: '20, 50' }, 40],
    [{ 'cache-control': 'max-age=60', age: ['20', '50'] }, 40],
    [{ 'cache-control': 'max-age=60', age: '60' }, 0],
    [{ 'cache-control': 'max-age=60', age: '99999999999' }, 0],
    [{ 'cache-control': 'max-age=60', age: 'abc' }, 60],
    [{ 'cache-control': 'max-age=60', age: '-7200' }, 60],
    [{ 'cache-control': 'max-age=60', age: '50.0' }, 60],
    [{ 'cache-control': 'max-age=60', date: at(-15) }, 45],
    [{ age: '4' }, 6],
  ];
  test.each(lifetimes)('%j: %i s', (fields, seconds) => {
    expect(policy.freshness(head(fields), 10_000, NOW).ttlMs).toBe(seconds * 1000);
  });

  test('a Date of this very second is no age', () => {
    expect(policy.freshness(head({ date: DATE, 'cache-control': 'max-age=1' }), undefined, NOW)).toEqual({
      ttlMs: 1000,
      age: 0,
    });
  });

  test('without the option, only what is explicit', () => {
    expect(policy.freshness(head({}), undefined, NOW).ttlMs).toBe(0);
  });

  test.each([203, 204, 300, 301, 308, 404, 410])('%i needs explicit freshness', (status) => {
    expect(policy.freshness(head({}, status), 10_000, NOW).ttlMs).toBe(0);
    expect(policy.freshness(head({ 'cache-control': 'max-age=5' }, status), 10_000, NOW).ttlMs).toBe(5000);
  });
});

test('selecting fields are compared without regard to case and spaces', () => {
  const fields = policy.selectingFields(head({ vary: 'Accept-Encoding' }), get({ 'accept-encoding': 'GZIP,br' }));
  expect(fields).toEqual([['accept-encoding', 'gzip,br']]);
  expect(policy.isSelectedBy(fields, get({ 'accept-encoding': 'gzip , BR' }))).toBe(true);
  expect(policy.isSelectedBy(fields, get({ 'accept-encoding': 'gzip' }))).toBe(false);
  expect(policy.isSelectedBy(fields, get())).toBe(false);
  expect(policy.isSelectedBy([], get({ 'accept-encoding': 'gzip' }))).toBe(true);
});
