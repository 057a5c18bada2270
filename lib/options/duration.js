'use strict';
// Durations: numbers of seconds, or strings with a unit.
const { invalid } = require('./invalid');

const UNITS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const PATTERN = /^(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)$/;
const EXPECTED = "a number of seconds, not negative, or a string such as '500ms', '30s', '5m', '2h', '1d'";
// What fits the envelope, and a little less than what Redis takes as PX.
const LONGEST = 2 ** 47;

/**
 * @param {unknown} value
 * @param {string} name of the option, for the error
 * @param {string} [expected] where more than a duration is possible
 * @returns {number} whole milliseconds
 */
function parseDuration(value, name, expected = EXPECTED) {
  let ms = Number.NaN;
  if (typeof value === 'number') {
    ms = value * 1000;
  } else if (typeof value === 'string') {
    const match = PATTERN.exec(value);
    if (match !== null) ms = Number(match[1]) * UNITS[/** @type {keyof typeof UNITS} */ (match[2])];
  }
  if (Number.isNaN(ms) || ms < 0) throw invalid(name, expected, value);
  return Math.min(Math.round(ms), LONGEST);
}

/**
 * The same, but zero is no duration either.
 * @param {unknown} value
 * @param {string} name
 */
function parsePositiveDuration(value, name) {
  const ms = parseDuration(value, name);
  if (ms === 0) throw invalid(name, 'at least a millisecond', value);
  return ms;
}

module.exports = { parseDuration, parsePositiveDuration };
