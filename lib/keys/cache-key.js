'use strict';
// Keys of parts: `cacheKey('user', 42)` is `user:42`. Different parts give different keys.
const { invalid } = require('../options/invalid');

/** @param {string} text */
const escape = (text) => text.replaceAll('%', '%25').replaceAll(':', '%3A');

/**
 * @param {...(string | number | bigint | boolean)} parts
 * @returns {string}
 */
function cacheKey(...parts) {
  if (parts.length === 0) throw new TypeError('cacheKey: expected at least one part');
  return parts
    .map((part, index) => {
      switch (typeof part) {
        case 'string':
          if (part === '') throw invalid(`cacheKey: part ${index}`, 'a string that is not empty', part);
          return escape(part);
        case 'number':
        case 'bigint':
        case 'boolean':
          return String(part);
        default:
          throw invalid(`cacheKey: part ${index}`, 'a string, number, bigint or boolean', part);
      }
    })
    .join(':');
}

module.exports = { cacheKey };
