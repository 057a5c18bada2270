'use strict';
// Sizes: numbers of bytes, or strings with a unit (powers of 1024).
const { invalid } = require('./invalid');

const UNITS = { b: 1, kb: 1024, mb: 1024 ** 2, gb: 1024 ** 3 };
const PATTERN = /^(\d+(?:\.\d+)?)\s*(b|kb|mb|gb)$/i;

/**
 * @param {unknown} value
 * @param {string} name of the option, for the error
 * @returns {number} bytes
 */
function parseSize(value, name) {
  let bytes = Number.NaN;
  if (typeof value === 'number') {
    bytes = value;
  } else if (typeof value === 'string') {
    const match = PATTERN.exec(value);
    if (match !== null) bytes = Number(match[1]) * UNITS[/** @type {keyof typeof UNITS} */ (match[2].toLowerCase())];
  }
  if (!Number.isFinite(bytes) || bytes < 1 || bytes > Number.MAX_SAFE_INTEGER) {
    throw invalid(name, "a positive number of bytes, or a string such as '512kb', '64mb', '1gb'", value);
  }
  return Math.floor(bytes);
}

module.exports = { parseSize };
