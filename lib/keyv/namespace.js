'use strict';
// Where the keys of a Keyv namespace are: in a namespace of the cache, so that clear() is one step and reaches nobody
// else's keys, whatever characters the name has.
const { createHash } = require('node:crypto');

const PLAIN = /^[A-Za-z0-9_-]{1,60}$/;

/**
 * Different names give different namespaces.
 * @param {string | undefined} name
 */
function placeOf(name) {
  if (name === undefined || name === '') return 'none';
  if (PLAIN.test(name)) return `n-${name}`;
  // UTF-16, since UTF-8 cannot tell half surrogate pairs apart.
  return `h-${createHash('sha256').update(name, 'utf16le').digest('base64url')}`;
}

/**
 * @param {any} cache made by createCache
 * @param {string | undefined} name as Keyv calls it
 * @returns {import('../cache/cache').CacheInstance}
 */
function namespaceOf(cache, name) {
  const child = cache.namespace('keyv').namespace(placeOf(name));
  // One listener for each adapter is no leak.
  child.setMaxListeners(0);
  return child;
}

module.exports = { namespaceOf };
