'use strict';
// The prefix of sessions that are given a cache and no prefix: the sessions of one namespace are not those of another.
const { isCache, storeOf } = require('../../store/store');

/**
 * @param {string} name
 * @param {any} cache made by createCache, or one of its namespaces
 * @returns {string}
 */
function defaultPrefix(name, cache) {
  // What is no cache at all is refused by openRecords().
  const path = isCache(cache) ? storeOf(cache).path : '';
  // Not behind the prefix of the others, which list and clear whatever begins with it.
  return path === '' ? `${name}:` : `${name}.${path}:`;
}

module.exports = { defaultPrefix };
