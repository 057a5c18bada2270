'use strict';
// Lifetimes: a number is of seconds, and one of milliseconds is an error where that can be told.
const { parseTtl, parseWindow, parseComputedTtl } = require('../../lib/options/ttl');

const HOUR = 3600;
const DAY = 24 * HOUR;
const MAX = DAY * 1000; // ms

// Beyond maxTtl something is warned about, once for each process.
beforeAll(() => jest.spyOn(process, 'emitWarning').mockImplementation(() => {}));
afterAll(() => jest.restoreAllMocks());

test.each([
  ['an hour', HOUR],
  ['maxTtl', DAY],
  ['a day and a second as a string', '86401s'],
  ['2 days', 2 * DAY],
  ['a week', 604_800],
  ['30 days', 30 * DAY],
  ['a year', 365 * DAY],
  ['10 years', 3650 * DAY],
  ['for ever', Infinity],
  ['for ever, as an integer', Number.MAX_SAFE_INTEGER],
])('%s is taken as it is said', (_name, value) => {
  for (const parse of [parseTtl, parseWindow, parseComputedTtl]) {
    if (typeof value === 'number' && value < 1e12) expect(parse(value, 'ttl', MAX)).toBe(value * 1000);
    else expect(parse(value, 'ttl', MAX)).toBeGreaterThan(MAX);
  }
});

test.each([5 * 60, HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR, DAY, 2 * DAY, 7 * DAY, 30 * DAY])(
  '%i seconds in milliseconds are an error',
  (seconds) => {
    for (const parse of [parseTtl, parseWindow, parseComputedTtl]) {
      expect(() => parse(seconds * 1000, 'ttl', MAX)).toThrow(
        new TypeError(
          `ttl: expected seconds, got ${seconds * 1000}, which looks like milliseconds: write ${seconds}, or '${seconds * 1000}ms'`,
        ),
      );
    }
  },
);

test('what is within maxTtl is nobody else to say', () => {
  expect(parseTtl(300_000, 'ttl', 1000 * MAX)).toBe(300_000_000);
});

test('nothing is a lifetime of 0, but where it is computed or a window', () => {
  expect(() => parseTtl(0, 'ttl', MAX)).toThrow('at least a millisecond');
  expect([
    parseWindow(0, 'staleIfError', MAX),
    parseComputedTtl(0, 'ttl', MAX),
    parseComputedTtl(-1, 'ttl', MAX),
  ]).toEqual([0, 0, 0]);
});
