'use strict';
// What a stored response may be used for. Each row names the section of RFC 9111 that it follows.
const { createCache } = require('../../lib');
const { parseOptions } = require('../../lib/http/options');
const policy = require('../../lib/http/rfc/policy');

const cache = createCache({ redis: false });
afterAll(() => cache.close());

const rulesOf = (options = {}) => parseOptions({ cache, ...options }).rules;
const NONE = { noCache: false, mustRevalidate: false, forAuthorized: false };
/** @param {Partial<typeof NONE>} flags */
const flagsOf = (flags) => policy.flagsOf(/** @type {any} */ ({ ...NONE, ...flags }));

/**
 * A response that is fresh for 60 s, then 10 s stale-while-revalidate and 20 s stale-if-error.
 * @param {number} age s
 * @param {{ flags?: object, softened?: boolean, status?: number }} [more]
 */
const stored = (age, { flags = {}, softened = false, status = 200 } = {}) =>
  /** @type {any} */ ({
    payload: Buffer.alloc(0),
    // It was 5 s old when it was stored.
    metadata: { status, age: 5000, life: 60_000, swr: 10_000, sie: 20_000, flags: flagsOf(flags) },
    age: age * 1000 - 5000,
    softened,
  });

describe('useOf', () => {
  const asks = (/** @type {string} */ control) => ({
    headers: { 'cache-control': control },
    options: { requestDirectives: true },
  });
  const login = { headers: { authorization: 'x' } };
  /** @type {Array<[string, number, object, string]>} */
  const rows = [
    ['4.2: younger than its lifetime', 59, {}, 'fresh'],
    ['4.2: as old as its lifetime', 60, {}, 'stale-while-revalidate'],
    ['RFC 5861 3: within the window', 69, {}, 'stale-while-revalidate'],
    ['RFC 5861 3: at its end', 70, {}, 'revalidate'],
    ['5.2.2.4: no-cache', 6, { flags: { noCache: true, mustRevalidate: true } }, 'revalidate'],
    ['5.2.2.2: must-revalidate, fresh', 59, { flags: { mustRevalidate: true } }, 'fresh'],
    ['5.2.2.2: must-revalidate, stale', 60, { flags: { mustRevalidate: true } }, 'revalidate'],
    ['softly purged', 6, { softened: true }, 'revalidate'],
    ['3.5: Authorization', 6, login, 'unusable'],
    ['3.5: allowed by the answer', 6, { ...login, flags: { forAuthorized: true } }, 'fresh'],
    ['3.5: identified', 6, { ...login, identified: true }, 'fresh'],
    ['3.5: in the key', 6, { ...login, options: { vary: ['Authorization'] } }, 'fresh'],
    ['5.2.1: clients are not heard by default', 59, { headers: { 'cache-control': 'no-cache, max-age=0' } }, 'fresh'],
    ['5.2.1.4: no-cache', 6, asks('no-cache'), 'revalidate'],
    ['5.2.1.1: max-age', 30, asks('max-age=29'), 'revalidate'],
    ['5.2.1.1: max-age', 29, asks('max-age=29'), 'fresh'],
    ['5.2.1.3: min-fresh', 50, asks('min-fresh=10'), 'fresh'],
    ['5.2.1.3: min-fresh', 51, asks('min-fresh=10'), 'revalidate'],
    ['5.2.1.2: max-stale', 69, asks('max-stale=10'), 'fresh'],
    ['5.2.1.2: max-stale, more', 71, asks('max-stale=10'), 'revalidate'],
    ['5.2.1.2: max-stale without a limit', 600, asks('max-stale'), 'fresh'],
    [
      '5.2.1.2: must-revalidate is stronger',
      61,
      { ...asks('max-stale'), flags: { mustRevalidate: true } },
      'revalidate',
    ],
    ['5.2.1: what is no number counts for nothing', 59, asks('max-age=x'), 'fresh'],
  ];
  test.each(rows)(
    '%s, %i s',
    (section, age, /** @type {any} */ { headers = {}, options, identified = false, ...more }, use) => {
      const req = /** @type {any} */ ({ method: 'GET', headers });
      expect(policy.useOf(stored(age, more), req, rulesOf(options), identified)).toBe(use);
    },
  );
});

describe('maySpareError', () => {
  const options = { staleIfDisconnected: 100 };
  /** @type {Array<[string, number, number, object, boolean]>} */
  const rows = [
    ...[500, 502, 503, 504].map((status) => /** @type {any} */ (['RFC 5861 4', status, 79, {}, true])),
    ...[500, 503].map((status) => /** @type {any} */ (['RFC 5861 4: behind the window', status, 80, {}, false])),
    ...[502, 504].map((status) => /** @type {any} */ (['4.2.4: disconnected', status, 159, {}, true])),
    ...[502, 504].map((status) => /** @type {any} */ (['4.2.4: for too long', status, 160, {}, false])),
    ...[200, 304, 404, 501, 505].map((status) => /** @type {any} */ (['no such error', status, 61, {}, false])),
    ['4.2.4: must-revalidate', 502, 61, { flags: { mustRevalidate: true } }, false],
    ['4.2.4: no-cache', 500, 61, { flags: { noCache: true } }, false],
    ['an error does not stand in for another', 500, 61, { status: 503 }, false],
    ['softly purged', 500, 10, { softened: true }, true],
  ];
  test.each(rows)('%s: %i at %i s', (section, status, age, more, expected) => {
    expect(policy.maySpareError(stored(age, more), status, rulesOf(options))).toBe(expected);
  });
});

test('only-if-cached and no-store are read from a list', () => {
  const asking = (/** @type {string} */ control) => /** @type {any} */ ({ headers: { 'cache-control': control } });
  expect(policy.isOnlyIfCached(asking('max-age=5, Only-If-Cached'))).toBe(true);
  expect(policy.isOnlyIfCached(asking('x="only-if-cached"'))).toBe(false);
  expect(policy.isNoStore(asking('x, No-Store'))).toBe(true);
  expect(policy.isNoStore(/** @type {any} */ ({ headers: {} }))).toBe(false);
});
