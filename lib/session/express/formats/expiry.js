'use strict';
// When a session ends, as its stored form has it: `expires` and `originalMaxAge` of its cookie, in fields of fixed width,
// so that touch() can change them in place without sending the session. Padded with spaces, which JSON allows.

const EXPIRES_WIDTH = 32;
const BETWEEN = ',"originalMaxAge":';
const MAX_AGE_WIDTH = 24;
/** Of the whole field. */
const EXPIRY_WIDTH = EXPIRES_WIDTH + BETWEEN.length + MAX_AGE_WIDTH;
/** Where the second half begins. */
const MAX_AGE_OFFSET = EXPIRES_WIDTH + BETWEEN.length;
const NEVER = 'null'.padEnd(EXPIRES_WIDTH);
const AFTER_EXPIRES = ' '.repeat(EXPIRES_WIDTH - '"2026-01-01T00:00:00.000Z"'.length);
const MOST_TIME = Date.UTC(9999, 11, 31);
const NO_MAX_AGE = 'null'.padEnd(MAX_AGE_WIDTH);

/**
 * Milliseconds since the epoch; NaN when the cookie does not say.
 * @param {any} expires a Date, or what JSON makes of one
 * @returns {number}
 */
function timeOf(expires) {
  if (expires instanceof Date) return expires.getTime();
  if (typeof expires === 'string') return Date.parse(expires);
  return typeof expires === 'number' ? expires : Number.NaN;
}

// What was written last: sessions of one second, and of one maxAge, share most of their text.
let second = Number.NaN;
let secondText = '';
let lastMaxAge = Number.NaN;
let tail = '';

/**
 * @param {any} cookie
 * @returns {string} of EXPIRY_WIDTH
 */
function expiryField({ expires, originalMaxAge }) {
  const time = timeOf(expires);
  if (originalMaxAge !== lastMaxAge) {
    lastMaxAge = originalMaxAge;
    tail = BETWEEN + maxAgeField(originalMaxAge);
  }
  // Beyond the year 9999 a date is longer.
  if (!(time >= 0 && time <= MOST_TIME)) return NEVER + tail;
  const whole = Math.floor(time / 1000);
  if (whole !== second) {
    second = whole;
    secondText = `"${new Date(whole * 1000).toISOString().slice(0, 20)}`;
  }
  return `${secondText}${String(time % 1000).padStart(3, '0')}Z"${AFTER_EXPIRES}${tail}`;
}

/** @param {unknown} maxAge */
function maxAgeField(maxAge) {
  return typeof maxAge === 'number' && Number.isFinite(maxAge) ? String(maxAge).padEnd(MAX_AGE_WIDTH) : NO_MAX_AGE;
}

// express-session reads maxAge back from the clock whenever it sets it, and may lose a millisecond each time.
const DRIFT_MS = 20;

/**
 * Whether it is the same setting.
 * @param {any} one
 * @param {any} other
 */
function sameMaxAge(one, other) {
  return one === other || (typeof one === 'number' && typeof other === 'number' && Math.abs(one - other) <= DRIFT_MS);
}

const ISO_WIDTH = 24;
let nowMs = 0;
let nowText = '';

/**
 * Whether that time has come. Most often it is text in the one form that is written here, and need not be parsed.
 * @param {any} expires
 * @returns {boolean} false as well when it says nothing
 */
function isPast(expires) {
  const now = Date.now();
  if (typeof expires !== 'string' || expires.length !== ISO_WIDTH || !expires.endsWith('Z')) {
    return timeOf(expires) <= now;
  }
  if (now !== nowMs) {
    nowMs = now;
    nowText = new Date(now).toISOString();
  }
  return expires <= nowText;
}

/**
 * @param {string} field
 * @returns {{ expires: string | null, originalMaxAge: number | null }}
 */
function parseExpiryField(field) {
  return JSON.parse(`{"expires":${field}}`);
}

module.exports = {
  EXPIRY_WIDTH,
  MAX_AGE_OFFSET,
  timeOf,
  expiryField,
  isPast,
  maxAgeField,
  sameMaxAge,
  parseExpiryField,
};
