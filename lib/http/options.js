'use strict';
// Options of cacheResponse: checked once, when it is mounted, so that a mistake is an error at start and not a slow site.

const { entriesOf } = require('../cache/entries');
const { parseDuration } = require('../options/duration');
const { invalid } = require('../options/is');
const { knownOptions } = require('../options/known');
const { parseSize } = require('../options/size');
const { nameItem } = require('./cache-status');

const KNOWN = ['cache', 'ttl', 'maxBodyBytes', 'key', 'name'];
const DEFAULT_MAX_BODY_BYTES = 1024 * 1024;

/**
 * @typedef {object} HttpCacheOptions
 * @property {object} cache the Tiercel cache itself; fences are kept per cache
 * @property {import('./http-cache').EntryStore} store
 * @property {number | undefined} ttlMs
 * @property {number} maxBodyBytes
 * @property {((req: import('node:http').IncomingMessage) => string) | undefined} key
 * @property {string} name as it is written in Cache-Status
 */

/** @type {object | undefined} */
let sharedCache;

/** One cache for all mounts that name none; made by the first of them. */
function defaultCache() {
  // Required here: lib/cache must not be loaded, nor an environment variable read, by the mere import of lib/http.
  sharedCache ??= require('../cache').createCache();
  return /** @type {object} */ (sharedCache);
}

/**
 * @param {unknown} options
 * @returns {HttpCacheOptions}
 * @throws {TypeError} naming the option that is not valid
 */
function parseOptions(options = {}) {
  const { cache, ttl, maxBodyBytes, key, name = 'tiercel' } = knownOptions(options, 'cacheResponse options', KNOWN);
  if (key !== undefined && typeof key !== 'function') {
    throw invalid('key', 'a function from a request to a string', key);
  }
  const item = typeof name === 'string' ? nameItem(name) : undefined;
  if (item === undefined) throw invalid('name', 'a string of printable ASCII characters', name);
  const ttlMs = ttl === undefined ? undefined : parseDuration(ttl, 'ttl');
  const bytes = maxBodyBytes === undefined ? DEFAULT_MAX_BODY_BYTES : parseSize(maxBodyBytes, 'maxBodyBytes');
  // Last, so that a wrong option never leaves an opened cache behind.
  const target = cache === undefined ? defaultCache() : cache;
  return { cache: target, store: entriesOf(target), ttlMs, maxBodyBytes: bytes, key, name: item };
}

module.exports = { parseOptions };
