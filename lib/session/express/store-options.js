'use strict';
// The options of SessionStore, checked and with their defaults.
const { parseDuration, parsePositiveDuration } = require('../../options/duration');
const { describe, invalid } = require('../../options/invalid');
const { knownOptions } = require('../../options/known');
const { IN_REDIS } = require('../../redis/options');
const { defaultPrefix } = require('../storage/default-prefix');

const KNOWN_STORE = ['cache', 'redis', 'prefix', 'ttl', 'disableTTL', 'disableTouch', 'touchAfter', 'serializer'];
const KNOWN = [...KNOWN_STORE, 'scanCount', 'onConflict', 'memory', 'keys', 'hashIds'];
const POLICIES = ['merge', 'last-wins', 'reject'];

/** @typedef {import('../types').StoreOptions} StoreOptions */

/**
 * @param {unknown} value
 * @param {string} name
 */
function flag(value, name) {
  if (typeof value !== 'boolean') throw invalid(name, 'true or false', value);
  return value;
}

/** What a function of the user's says: also 0 or less, which ends the session. @param {unknown} value */
function lifetime(value) {
  if (typeof value === 'number' && value <= 0) return 0;
  return parseDuration(value, 'what ttl returned');
}

/** @param {any} serializer */
function checkSerializer(serializer) {
  if (serializer === undefined) return undefined;
  if (typeof serializer?.parse !== 'function' || typeof serializer.stringify !== 'function') {
    throw invalid('serializer', 'an object with methods parse(text) and stringify(session)', serializer);
  }
  return serializer;
}

/**
 * @param {unknown} given
 * @returns {StoreOptions}
 * @throws {TypeError} naming the option that is not valid
 */
function normalizeStoreOptions(given) {
  const options = knownOptions(given ?? {}, 'SessionStore options', KNOWN, IN_REDIS);
  const {
    cache,
    redis,
    prefix = defaultPrefix('session', options.cache),
    ttl = '1d',
    touchAfter = 0,
    scanCount = 500,
    keys,
  } = options;
  const { onConflict = 'merge', disableTTL = false, disableTouch = false, memory = false, hashIds = false } = options;
  if (typeof prefix !== 'string' || prefix === '') throw invalid('prefix', 'a string that is not empty', prefix);
  if (!Number.isInteger(scanCount) || scanCount < 1) throw invalid('scanCount', 'a positive whole number', scanCount);
  if (!POLICIES.includes(onConflict) && typeof onConflict !== 'function') {
    throw new TypeError(
      `onConflict: expected 'merge', 'last-wins', 'reject' or a function of (base, mine, theirs), got ${describe(onConflict)}`,
    );
  }
  const ttlDecides = typeof ttl === 'function';
  const fixed = ttlDecides ? 0 : parsePositiveDuration(ttl, 'ttl');
  return {
    cache,
    redis,
    prefix,
    ttlOf: ttlDecides ? (session) => lifetime(ttl(session)) : () => fixed,
    ttlDecides,
    disableTTL: flag(disableTTL, 'disableTTL'),
    disableTouch: flag(disableTouch, 'disableTouch'),
    touchAfter: parseDuration(touchAfter, 'touchAfter'),
    serializer: checkSerializer(options.serializer),
    scanCount,
    onConflict,
    memory: flag(memory, 'memory'),
    keys,
    hashIds: flag(hashIds, 'hashIds'),
  };
}

module.exports = { normalizeStoreOptions };
