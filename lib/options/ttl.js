'use strict';
// Lifetimes as people write them: seconds, or a string with a unit, up to maxTtl.
const { parseDuration, parsePositiveDuration } = require('./duration');

const SECOND = 1000;
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
  return bounded(parsePositiveDuration(value, name), value, name, maxTtl);
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
  checkUnit(value, name, maxTtl);
  return bounded(parseDuration(value, name), value, name, maxTtl);
}

/**
 * @param {number} ms
 * @param {unknown} value as it was given
 * @param {string} name
 * @param {number} maxTtl ms
 */
function bounded(ms, value, name, maxTtl) {
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
 * Milliseconds are taken for seconds nowhere else but here: a number beyond every lifetime, which would be one in seconds.
 * @param {unknown} value
 * @param {string} name
 * @param {number} maxTtl ms
 */
function checkUnit(value, name, maxTtl) {
  if (typeof value !== 'number' || value * SECOND <= maxTtl || value > maxTtl) return;
  throw new TypeError(
    `${name}: expected seconds, got ${value}, which looks like milliseconds: write ${value / SECOND}, or '${value}ms'`,
  );
}

module.exports = { parseTtl, parseComputedTtl };
