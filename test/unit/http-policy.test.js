'use strict';
// What may be stored. Each row names the section of RFC 9111 that it follows.
const { createCache } = require('../../lib');
const { parseOptions } = require('../../lib/http/options');
const policy = require('../../lib/http/rfc/policy');
const { ResponseHead } = require('../../lib/http/serve/response-head');

const cache = createCache({ redis: false });
afterAll(() => cache.close());

const NOW = Date.UTC(2026, 0, 1, 12);
const OLD = 'Sun, 06 Nov 1994 08:49:37 GMT';
const rulesOf = (options = {}) => parseOptions({ cache, ...options }).rules;

/**
 * @param {Record<string, any>} fields
 * @param {{ status?: number, headers?: Record<string, any>, options?: object, identified?: boolean, vary?: string[] }} [more]
 */
function judge(fields, { status = 200, headers = {}, options = { ttl: 10 }, identified = false, vary = [] } = {}) {
  const context = { now: NOW, delay: 0, identified, vary: new Set(vary) };
  const head = new ResponseHead(status, Object.entries(fields));
  return policy.judge(head, /** @type {any} */ ({ method: 'GET', headers }), rulesOf(options), context);
}
const EXPLICIT = { 'cache-control': 'max-age=60' };

test.each([
  [{ 'if-match': '"x"' }, 'condition'],
  [{ 'if-unmodified-since': OLD }, 'condition'],
  [{ 'transfer-encoding': 'chunked' }, 'body'],
  [{ 'content-length': '3' }, 'body'],
  [{ 'x-http-method-override': 'DELETE' }, 'method-override'],
  [{ 'x-http-method': 'DELETE' }, 'method-override'],
  [{ 'x-method-override': 'DELETE' }, 'method-override'],
  [{ 'content-length': '0', cookie: 'a=1', 'if-none-match': '"x"', range: 'bytes=0-', authorization: 'x' }, undefined],
])('a request with %j: bypass because of %s', (headers, reason) => {
  expect(policy.bypassReason(/** @type {any} */ ({ headers }))).toBe(reason);
});

describe('judge: refused', () => {
  /** @type {Array<[string, Record<string, any>, object, string | undefined]>} */
  const rows = [
    ['3: a ttl of the app', {}, {}, undefined],
    ['3: no freshness at all', {}, { options: {} }, 'no-lifetime'],
    ['3: heuristic', { 'last-modified': OLD }, { options: {} }, undefined],
    ['3: heuristic switched off', { 'last-modified': OLD }, { options: { heuristics: false } }, 'no-lifetime'],
    ['3: ttl is for 200 alone', {}, { status: 404 }, 'no-lifetime'],
    ['3: explicit for any final status', EXPLICIT, { status: 599 }, undefined],
    ['3: interim', EXPLICIT, { status: 103 }, 'status'],
    ['3.3: partial', EXPLICIT, { status: 206 }, 'status'],
    ['3.3: partial, standards', EXPLICIT, { status: 206, options: { profile: 'standards' } }, undefined],
    ['4.3.3: not modified', EXPLICIT, { status: 304 }, 'status'],
    ['3: of a range', EXPLICIT, { status: 416 }, 'status'],
    ['4.2.1: max-age=0 without a validator', { 'cache-control': 'max-age=0' }, {}, 'no-lifetime'],
    ['4.2.3: older than its lifetime', { ...EXPLICIT, age: '60' }, {}, 'no-lifetime'],
    ['4.3.1: the same with a validator', { ...EXPLICIT, age: '60', etag: '"x"' }, {}, undefined],
    ['5.2.2.5: no-store', { 'cache-control': 'no-store, max-age=60' }, {}, 'no-store'],
    ['5.2.2.4: no-cache with a validator', { 'cache-control': 'no-cache', etag: '"x"' }, {}, undefined],
    ['5.2.2.4: no-cache without one', { 'cache-control': 'no-cache, max-age=60' }, {}, 'no-lifetime'],
    ['5.2.2.7: private', { 'cache-control': 'max-age=60, PRIVATE' }, {}, 'private'],
    ['5.2.2.7: private=', { 'cache-control': 'private=, max-age=60' }, {}, 'private'],
    ['5.2.2.7: private=""', { 'cache-control': 'private="", max-age=60' }, {}, 'private'],
    ['5.2.2.7: private="x"', { 'cache-control': 'private="x", max-age=60' }, {}, 'private'],
    ['5.2.2.7: on a second line', { 'cache-control': ['max-age=60', 'private'] }, {}, 'private'],
    ['5.2.2.7: for one identity', { 'cache-control': 'private, max-age=60' }, { identified: true }, undefined],
    ['5.2.2.3: understood', { 'cache-control': 'must-understand, no-store, max-age=60' }, {}, undefined],
    ['5.2.2.3: not', { 'cache-control': 'must-understand, max-age=60' }, { status: 599 }, 'must-understand'],
    ['5.2.1.5: request no-store', EXPLICIT, { headers: { 'cache-control': 'no-store' } }, 'request-no-store'],
    ['5.2.1.5: quoted it is none', EXPLICIT, { headers: { 'cache-control': 'x="no-store"' } }, undefined],
    ['5.2.1: other directives', EXPLICIT, { headers: { 'cache-control': 'no-cache, max-age=0' } }, undefined],
    ['3.5: Authorization', EXPLICIT, { headers: { authorization: 'x' } }, 'authorization'],
    ['3.5: public', { 'cache-control': 'public, max-age=60' }, { headers: { authorization: 'x' } }, undefined],
    ['3.5: s-maxage', { 'cache-control': 's-maxage=60' }, { headers: { authorization: 'x' } }, undefined],
    [
      '3.5: must-revalidate',
      { 'cache-control': 'must-revalidate, max-age=6' },
      { headers: { authorization: 'x' } },
      undefined,
    ],
    ['3.5: in the key', EXPLICIT, { headers: { authorization: 'x' }, vary: ['authorization'] }, undefined],
    ['3.5: identified', EXPLICIT, { headers: { authorization: 'x' }, identified: true }, undefined],
    ['7.1: Cookie', EXPLICIT, { headers: { cookie: 'a=1' } }, 'cookie'],
    ['7.1: Cookie, public', { 'cache-control': 'public, max-age=60' }, { headers: { cookie: 'a=1' } }, undefined],
    [
      '7.1: Cookie, x="public"',
      { 'cache-control': 'x="public", max-age=60' },
      { headers: { cookie: 'a=1' } },
      'cookie',
    ],
    [
      '7.1: Cookie, must-revalidate',
      { 'cache-control': 'must-revalidate, max-age=6' },
      { headers: { cookie: 'a' } },
      'cookie',
    ],
    ['7.1: Vary: Cookie', EXPLICIT, { headers: { cookie: 'a=1' }, vary: ['cookie'] }, undefined],
    ['7.3: Set-Cookie', { ...EXPLICIT, 'set-cookie': 'a=1' }, {}, 'set-cookie'],
    ['7.3: even public', { 'cache-control': 'public, s-maxage=9', 'set-cookie': ['a=1', 'b=2'] }, {}, 'set-cookie'],
    ['7.3: even for one identity', { ...EXPLICIT, 'set-cookie': 'a=1' }, { identified: true }, 'set-cookie'],
    ['7.3: when asked for', { ...EXPLICIT, 'set-cookie': 'a=1' }, { options: { storeSetCookie: true } }, undefined],
    ['4.1: Vary: *', { ...EXPLICIT, vary: '*' }, {}, 'vary'],
    ['4.1: among others', { ...EXPLICIT, vary: ', *' }, {}, 'vary'],
    ['4.1: on a second line', { ...EXPLICIT, vary: ['Accept-Encoding', '*'] }, {}, 'vary'],
    ['4.1: any field', { ...EXPLICIT, vary: 'Origin, Cookie' }, {}, undefined],
    ['an event stream', { ...EXPLICIT, 'content-type': 'text/event-stream; charset=utf-8' }, {}, 'event-stream'],
    ['RFC 9213 2.2', { 'cdn-cache-control': 'max-age=9', 'cache-control': 'no-store' }, {}, undefined],
    ['RFC 9213 2.2', { 'cdn-cache-control': 'no-store', 'cache-control': 'max-age=9' }, {}, 'no-store'],
    [
      'RFC 9213, not ours',
      { 'cdn-cache-control': 'max-age=9', 'cache-control': 'no-store' },
      { options: { targets: [] } },
      'no-store',
    ],
  ];
  test.each(rows)('%s', (section, fields, more, refused) => {
    expect(judge(fields, more).refused).toBe(refused);
  });
});

describe('judge: windows and flags', () => {
  const windows = { ttl: 10, staleWhileRevalidate: 5, staleIfError: 7 };
  /** @type {Array<[string, string, [number, number]]>} */
  const rows = [
    ['RFC 5861 3 and 4', 'max-age=1, stale-while-revalidate=30, stale-if-error=40', [30, 40]],
    ['the options, where the answer is silent', 'max-age=1', [5, 7]],
    ['an invalid window is none of its own', 'max-age=1, stale-if-error=x', [5, 7]],
    ['4.2.4: must-revalidate', 'max-age=1, must-revalidate, stale-while-revalidate=30', [0, 0]],
    ['5.2.2.8: proxy-revalidate', 'max-age=1, proxy-revalidate, stale-if-error=30', [0, 0]],
    ['5.2.2.10: s-maxage', 's-maxage=1, stale-if-error=30', [0, 0]],
    ['5.2.2.4: no-cache', 'no-cache, stale-while-revalidate=30', [0, 0]],
  ];
  test.each(rows)('%s', (section, control, [swr, sie]) => {
    const judgement = judge({ 'cache-control': control, etag: '"x"' }, { options: windows });
    expect([judgement.staleWhileRevalidate, judgement.staleIfError]).toEqual([swr * 1000, sie * 1000]);
    expect(policy.mayServeStale(policy.flagsOf(judgement))).toBe(swr > 0);
  });

  test('explicit comes before the ttl option, which comes before heuristics', () => {
    expect(judge({ 'last-modified': OLD }).lifetime).toBe(10_000);
    expect(judge({ ...EXPLICIT, 'last-modified': OLD }).lifetime).toBe(60_000);
    expect(judge({ 'last-modified': OLD }, { options: {} }).lifetime).toBe(86_400_000);
    expect(judge({ 'cache-control': 'no-cache', etag: '"x"' }).lifetime).toBe(0);
  });
});
