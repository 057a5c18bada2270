'use strict';
const { parseHttpDate } = require('../../lib/http/rfc/http-date');

const TIME = Date.UTC(1994, 10, 6, 8, 49, 37);
const NOW = Date.UTC(2026, 0, 1);

test.each([
  'Sun, 06 Nov 1994 08:49:37 GMT',
  'Sunday, 06-Nov-94 08:49:37 GMT',
  'Sun Nov  6 08:49:37 1994',
  'sun, 06 NOV 1994 08:49:37 gmt',
])('%s is a date', (text) => {
  expect(parseHttpDate(text, NOW)).toBe(TIME);
});

test.each([
  '',
  '0',
  '-1',
  'now',
  'Sun, 06 Nov 1994 08:49:37 UTC',
  'Sun, 06 Nov 1994 08:49:37 AEST',
  'Sun, 06 Nov 1994 08:49:37',
  'Sun, 06 Nov 94 08:49:37 GMT',
  'Sun 06 Nov 1994 08:49:37 GMT',
  'Sun,  06 Nov 1994 08:49:37 GMT',
  'Sun, 06  Nov 1994 08:49:37 GMT',
  'Sun, 06-Nov-1994 08:49:37 GMT',
  'Sun, 06 Nov 1994 08.49.37 GMT',
  'Sun, 06 Nov 1994 8:49:37 GMT',
  'Sun, 6 Nov 1994 08:49:37 GMT',
  'Sun, 31 Feb 1994 08:49:37 GMT',
  'Sun, 00 Nov 1994 08:49:37 GMT',
  'Sun, 06 Nov 1994 24:49:37 GMT',
  'Sun, 06 Nov 1994 08:60:37 GMT',
  'Sun, 06 Nov 1994 08:49:37 GMT, Sun, 06 Nov 1994 08:49:37 GMT',
  '1994-11-06T08:49:37Z',
])('%s is no date', (text) => {
  expect(parseHttpDate(text, NOW)).toBeNaN();
});

test('two digits of a year are at most 50 years ahead', () => {
  expect(new Date(parseHttpDate('Sunday, 06-Nov-76 08:49:37 GMT', NOW)).getUTCFullYear()).toBe(2076);
  expect(new Date(parseHttpDate('Sunday, 06-Nov-77 08:49:37 GMT', NOW)).getUTCFullYear()).toBe(1977);
});

test('a leap second is a time', () => {
  expect(parseHttpDate('Sat, 31 Dec 2016 23:59:60 GMT', NOW)).toBe(Date.UTC(2017, 0, 1));
});
