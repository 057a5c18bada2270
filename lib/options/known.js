'use strict';
// Options that nobody knows are mistakes, most often of spelling: say so, rather than ignore them.
const { invalid, isPlainObject } = require('./invalid');

/**
 * @param {unknown} options
 * @param {string} name of the argument
 * @param {readonly string[]} known
 * @returns {Record<string, any>}
 */
function knownOptions(options, name, known) {
  // A string is most often a URL in the wrong place, and not shown: it may hold a password.
  if (typeof options === 'string') throw new TypeError(`${name}: expected an object with options, got a string`);
  if (!isPlainObject(options)) throw invalid(name, 'an object with options', options);
  for (const key of Object.keys(options)) {
    if (!known.includes(key)) {
      throw new TypeError(`${name}: there is no option '${key}'; there are ${known.join(', ')}`);
    }
  }
  return options;
}

module.exports = { knownOptions };
