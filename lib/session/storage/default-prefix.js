'use strict';
// The prefix of sessions that are given a cache and no prefix: the sessions of one namespace are not those of another.

/**
 * @param {string} name
 * @param {any} cache made by createCache, or one of its namespaces
 * @returns {string}
 */
function defaultPrefix(name, cache) {
  const path = cache?.internals?.path ?? '';
  // Not behind the prefix of the others, which list and clear whatever begins with it.
  return path === '' ? `${name}:` : `${name}.${path}:`;
}

module.exports = { defaultPrefix };
