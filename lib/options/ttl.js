'use strict';
// Lifetimes as people write them: seconds, or a string with a unit, up to maxTtl.
const { parseDuration, parsePositiveDuration } = require('./duration');

const SECOND = 1000; // ms
const DAY = 86_400; // seconds
const CENTURY = 36_525 * DAY;
/** Whether a lifetime beyond maxTtl was warned about: once is enough. */
let isTold = false;

/**
 * @param {unknown} value
 * @param {string} name of the option, for the error
 * @param {number} maxTtl ms
 * @returns {number} ms, not zero
 */
function parseTtl(value, name, maxTtl) {
  checkUnit(value, name, maxTtl);
  return withWarning(parsePositiveDuration(value, name), value, name, maxTtl);
}

/**
 * A window behind it, such as staleIfError: may be 0.
 * @param {unknown} value
 * @param {string} name
 * @param {number} maxTtl ms
 * @returns {number} ms
 */
function parseWindow(value, name, maxTtl) {
  checkUnit(value, name, maxTtl);
  return withWarning(parseDuration(value, name), value, name, maxTtl);
}

/**
 * One that was computed from the value: 0 or less says that it is not to be stored, as max-age=0 does.
 * @param {unknown} value
 * @param {string} name
 * @param {number} maxTtl ms
 * @returns {number} ms
 */
function parseComputedTtl(value, name, maxTtl) {
  if (typeof value === 'number' && value <= 0) return 0;
  return parseWindow(value, name, maxTtl);
}

/**
 * Tells that maxTtl will bound it; the windows of an entry are where that is done.
 * @param {number} ms
 * @param {unknown} value as it was given
 * @param {string} name
 * @param {number} maxTtl ms
 */
function withWarning(ms, value, name, maxTtl) {
  if (ms > maxTtl && !isTold) {
    isTold = true;
    process.emitWarning(
      `${name}: ${typeof value === 'string' ? `'${value}'` : `${value} seconds`} is longer than maxTtl, ` +
        `${maxTtl / SECOND} seconds, which bounds every lifetime; createCache({ maxTtl }) raises it`,
      { type: 'TiercelWarning', code: 'TIERCEL_MAX_TTL' },
    );
  }
  return ms;
}

/**
 * A number beyond maxTtl that is one of milliseconds. 604800, a week, is none: whole days are meant as they are said, but for
 * those that are a number of hours in milliseconds (3 hours are 125 days of seconds). So is what stands for ever.
 * @param {unknown} value
 * @param {string} name
 * @param {number} maxTtl ms
 */
function checkUnit(value, name, maxTtl) {
  if (typeof value !== 'number' || !(value * SECOND > maxTtl) || value > CENTURY) return;
  const days = value / DAY;
  if (Number.isInteger(days) && days % 125 !== 0) return;
  throw new TypeError(
    `${name}: expected seconds, got ${value}, which looks like milliseconds: write ${value / SECOND}, or '${value}ms'`,
  );
}

module.exports = { parseTtl, parseWindow, parseComputedTtl };
