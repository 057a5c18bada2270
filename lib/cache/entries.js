'use strict';
// The cache as a store of bytes with metadata, for the layers that bring their own form of value (HTTP responses).
const { BYTES } = require('./codecs');
const { invalid } = require('../options/is');

/**
 * @typedef {object} StoredEntry
 * @property {Buffer} payload
 * @property {any} metadata
 * @property {number} created epoch ms
 * @property {number} age ms
 * @property {number} ttl ms until it is stale
 * @property {'memory' | 'redis'} tier
 */

/**
 * @param {import('./tiers').Hit | undefined} hit
 * @param {'memory' | 'redis'} tier
 * @returns {StoredEntry | undefined}
 */
function stored(hit, tier) {
  if (hit === undefined || hit.codec !== BYTES || hit.metadata === '') return undefined;
  const { payload, age, left, created, metadata } = hit;
  try {
    return { payload: /** @type {Buffer} */ (payload), metadata: JSON.parse(metadata), created, age, ttl: left, tier };
  } catch {
    return undefined;
  }
}

class Entries {
  #cache;

  /** @param {import('./cache').CacheInstance} cache */
  constructor(cache) {
    this.#cache = cache;
  }

  /** Whether what is written now would be stored. */
  get available() {
    return this.#cache.internals.tiers.available;
  }

  /**
   * What memory holds.
   * @param {string} key
   */
  peek(key) {
    const { tiers } = this.#cache.internals;
    const local = stored(tiers.peekWhole(key), 'memory');
    if (local !== undefined) tiers.counters.memoryHits++;
    return local;
  }

  /**
   * What memory or Redis holds. Does not reject because of Redis.
   * @param {string} key
   */
  async read(key) {
    const { tiers, outbox } = this.#cache.internals;
    const local = this.peek(key);
    if (local !== undefined) return local;
    if (outbox.pending && !(await outbox.settled(key))) return undefined;
    const { found } = await tiers.read(key, true);
    if (found === undefined) return undefined;
    const remote = stored(/** @type {import('./tiers').Hit} */ (found), 'redis');
    if (remote !== undefined) tiers.counters.redisHits++;
    return remote;
  }

  /**
   * @param {string} key
   * @param {{ payload: Buffer, metadata: object, ttl: number }} entry ttl in seconds
   * @returns {Promise<boolean>}
   */
  async write(key, { payload, metadata, ttl }) {
    const { tiers, maxTtl, outbox } = this.#cache.internals;
    const ms = Math.min(Math.round(ttl * 1000), maxTtl);
    if (ms <= 0) return false;
    const windows = { fresh: ms, stale: ms, keep: ms };
    try {
      return await tiers.store(key, { codec: BYTES, payload }, windows, { metadata: JSON.stringify(metadata) });
    } catch (error) {
      tiers.failed(error);
      if (/** @type {any} */ (error).code !== 'TOO_LARGE') outbox.addKey(key);
      return false;
    }
  }

  /**
   * @param {string} key
   * @returns {Promise<boolean>} rejects with CacheUnavailableError
   */
  async remove(key) {
    return this.#cache.delete(key);
  }
}

/** @type {WeakMap<object, Entries>} */
const known = new WeakMap();

/**
 * @param {any} cache made by createCache
 * @returns {Entries}
 */
function entriesOf(cache) {
  let entries = known.get(cache);
  if (entries === undefined) {
    if (typeof cache?.internals?.tiers?.peekWhole !== 'function') {
      throw invalid('cache', 'a cache made by createCache()', cache);
    }
    entries = new Entries(cache);
    known.set(cache, entries);
  }
  return entries;
}

module.exports = { entriesOf };
