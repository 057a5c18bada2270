'use strict';
// Options that nobody knows are mistakes, most often of spelling: say so, rather than ignore them.
const { describe, isPlainObject } = require('./invalid');

/**
 * @param {unknown} options
 * @param {string} name of the argument
 * @param {readonly string[]} known
 * @param {Readonly<Record<string, string>>} [elsewhere] options that stand in another place, and how they are written there
 * @returns {Record<string, any>}
 */
function knownOptions(options, name, known, elsewhere = {}) {
  if (!isPlainObject(options)) throw noOptions(options, name, known);
  for (const key of Object.keys(options)) {
    if (known.includes(key)) continue;
    throw new TypeError(
      Object.hasOwn(elsewhere, key)
        ? `${name}: there is no option '${key}' here: write ${elsewhere[key]}`
        : `${name}: there is no option '${key}'; there are ${known.join(', ')}`,
    );
  }
  return options;
}

/**
 * What takes a cache, or a Redis, is often given it alone.
 * @param {unknown} given
 * @param {string} name
 * @param {readonly string[]} known
 */
function noOptions(given, name, known) {
  const expected = 'an object with options';
  // Not shown: most often it is a URL, which may hold a password.
  if (typeof given === 'string' || given instanceof URL) {
    const hint = known.includes('redis') ? ": the URL of a Redis is given as { redis: 'redis://…' }" : '';
    return new TypeError(`${name}: expected ${expected}, got a ${typeof given === 'string' ? 'string' : 'URL'}${hint}`);
  }
  const isInstance = typeof given === 'object' && given !== null && !Array.isArray(given);
  let hint = '';
  if (isInstance && known.includes('cache')) hint = ': a cache is given as { cache }';
  if (isInstance && known.includes('host')) hint = ': a client of another library does not fit here, give its URL';
  return new TypeError(`${name}: expected ${expected}, got ${describe(given)}${hint}`);
}

module.exports = { knownOptions };
