'use strict';
// The arguments of the cache's methods, checked.
const { describe, invalid, isPlainObject } = require('../options/invalid');
const { isGlob } = require('../keys/glob');
const { checkTag } = require('../options/tags');

// The memory tier stores its length, and that of the namespaces before it, in 16 bits.
const MAX_KEY_BYTES = 64_000;

/** @param {unknown} key */
function checkKey(key) {
  if (typeof key !== 'string' || key === '') throw invalid('key', 'a string that is not empty', key);
  // UTF-8 cannot hold half a surrogate pair: different keys would become the same one.
  if (!(/** @type {any} */ (key).isWellFormed())) throw invalid('key', 'a string without lone surrogates', key);
  // Every character has at least one byte; counting them is for the few that may be too long.
  if (key.length * 3 > MAX_KEY_BYTES && Buffer.byteLength(key) > MAX_KEY_BYTES) {
    throw new TypeError(`key: expected at most ${MAX_KEY_BYTES} bytes, got ${Buffer.byteLength(key)}`);
  }
}

/** @param {unknown} keys */
function checkKeys(keys) {
  if (!Array.isArray(keys)) throw invalid('keys', 'an array of keys', keys);
  for (const key of keys) checkKey(key);
}

/** @param {any} options of delete */
function isSoft(options) {
  if (options === undefined) return false;
  if (!isPlainObject(options) || Object.keys(options).some((name) => name !== 'soft')) {
    throw invalid('options', '{ soft: true } or nothing', options);
  }
  if (options.soft !== undefined && typeof options.soft !== 'boolean') {
    throw invalid('soft', 'true or false', options.soft);
  }
  return options.soft === true;
}

/**
 * @param {any} entries of setMany
 * @returns {Array<[string, unknown]>}
 */
function pairsOf(entries) {
  if (isPlainObject(entries)) return Object.entries(entries);
  if (typeof entries?.[Symbol.iterator] !== 'function' || typeof entries === 'string') {
    throw invalid('entries', 'an object, a Map, or pairs of key and value', entries);
  }
  return [...entries].map((pair, index) => {
    if (!Array.isArray(pair) || pair.length !== 2) {
      throw new TypeError(`entries: expected pairs of key and value, got ${describe(pair)} at ${index}`);
    }
    return /** @type {[string, unknown]} */ (pair);
  });
}

/**
 * @param {any} related of invalidateRelated
 * @returns {{ keys: string[], patterns: string[], tags: string[] }}
 */
function relatedParts(related) {
  if (!Array.isArray(related)) throw invalid('related', 'an array of keys, patterns and { tag }', related);
  /** @type {{ keys: string[], patterns: string[], tags: string[] }} */
  const parts = { keys: [], patterns: [], tags: [] };
  for (const item of related) {
    if (isPlainObject(item) && Object.keys(item).length === 1 && 'tag' in item) {
      checkTag(item.tag, 'related.tag');
      parts.tags.push(item.tag);
    } else {
      checkKey(item);
      (isGlob(item) ? parts.patterns : parts.keys).push(item);
    }
  }
  return parts;
}

module.exports = { checkKey, checkKeys, isSoft, pairsOf, relatedParts };
