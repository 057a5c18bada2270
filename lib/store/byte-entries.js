'use strict';
// Entries of bytes with metadata, for layers that bring their own form of value (HTTP responses): they look, acquire the lease
// of what is missing or stale, and fill it, under the same guarantees as getOrSet.
const { BYTES } = require('./codec-numbers');
const { Lease } = require('./lease');
const { Waiter } = require('./lease-waiters');
const { storeOf } = require('./store');
const { STALE_ERROR } = require('./tiered-store');
const { CacheError } = require('../errors');
const { checkTag } = require('../options/tags');

/** @typedef {import('./types').StoredEntry} StoredEntry */

/** @typedef {import('./types').LeaseOptions} LeaseOptions */

/**
 * An entry, the lease, or why there is neither.
 * @typedef {{ entry: StoredEntry, lease?: undefined } | { lease: import('./lease').LeaseInstance, entry?: undefined }
 *   | { reason: 'busy' | 'gone' | 'uncacheable' | 'unavailable', entry?: undefined, lease?: undefined }} Acquired
 */

/**
 * @param {import('./tiered-store').Hit | undefined} hit
 * @param {'memory' | 'redis'} tier
 * @returns {StoredEntry | undefined}
 */
function stored(hit, tier) {
  if (hit === undefined || hit.codec !== BYTES || hit.metadata === '') return undefined;
  const { payload, age, left, created, metadata, freshness, fill, token, tags } = hit;
  try {
    return {
      payload: /** @type {Buffer} */ (payload),
      metadata: JSON.parse(metadata),
      created,
      age,
      ttl: left,
      softened: freshness === STALE_ERROR,
      tier,
      fill,
      token,
      tags,
    };
  } catch {
    return undefined;
  }
}

class EntryWaiter extends Waiter {
  /**
   * @param {string} key
   * @param {LeaseOptions} options
   * @param {boolean} renewing
   */
  constructor(key, { leaseFor, tags, until = 0 }, renewing) {
    super(key, leaseFor);
    this.tags = tags;
    this.until = until;
    this.renewing = renewing;
  }
}

class ByteEntries {
  #store;
  #tiers;
  #pending;
  #leases;

  /** @param {import('./store').StoreInstance} store */
  constructor(store) {
    this.#store = store;
    this.#tiers = store.tiers;
    this.#pending = store.pending;
    this.#leases = store.leases;
    this.maxTtl = store.maxTtl;
    /** The room for what is kept decoded. */
    this.decodedValues = store.values;
    /** Whether what was found in memory is still there, and fresh. */
    this.still = store.tiers.still;
  }

  /** Whether what is written now would be stored. */
  get available() {
    return this.#tiers.available;
  }

  /** Whether something was invalidated that Redis does not know of yet. */
  get behind() {
    return this.#pending.any;
  }

  /** A hit that was found by still(). */
  countHit() {
    this.#tiers.counters.memoryHits++;
  }

  /**
   * What memory holds, stale or not.
   * @param {string} key
   * @returns {StoredEntry | undefined}
   */
  peek(key) {
    const tiers = this.#tiers;
    if (this.#pending.any && this.#pending.blocks(key)) return undefined;
    const local = stored(tiers.peekWhole(key), 'memory');
    if (local !== undefined) tiers.counters.memoryHits++;
    return local;
  }

  /**
   * What Redis holds, stale or not. Does not reject because of Redis.
   * @param {string} key
   * @returns {Promise<StoredEntry | undefined>}
   */
  async read(key) {
    if (this.#pending.any && !(await this.#pending.flushFor(key))) return undefined;
    const found = await this.#tiers.read(key, true);
    if (found === undefined) return undefined;
    const remote = stored(/** @type {import('./tiered-store').Hit} */ (found), 'redis');
    if (remote !== undefined) this.#tiers.counters.redisHits++;
    return remote;
  }

  /**
   * The entry, fresh or not, or the lease to fill it. Never rejects.
   * @param {string} key
   * @param {LeaseOptions} options
   * @returns {Promise<Acquired>}
   */
  async acquire(key, options) {
    if (this.#pending.any && !(await this.#pending.flushFor(key))) return { reason: 'unavailable' };
    this.#tiers.counters.misses++;
    return this.#seek(new EntryWaiter(key, options, false));
  }

  /**
   * The lease of an entry that stays readable. Never rejects.
   * @param {string} key
   * @param {LeaseOptions} options
   * @returns {Promise<Acquired>}
   */
  async renew(key, options) {
    if (this.#pending.any && this.#pending.blocks(key)) return { reason: 'unavailable' };
    return this.#seek(new EntryWaiter(key, options, true));
  }

  /**
   * @param {EntryWaiter} waiter
   * @returns {Promise<Acquired>}
   */
  async #seek(waiter) {
    const { key, leaseFor } = waiter;
    const { waiters } = this.#leases;
    waiters.enter(waiter);
    try {
      const { entry, leaseId, reason } = await this.#leases.seek(waiter, this.#search);
      if (entry !== undefined) return { entry };
      if (leaseId !== undefined) {
        return { lease: new Lease(key, leaseId, leaseFor, this.#tiers, this.#leases, this.#store.counters) };
      }
      switch (reason) {
        case 'busy':
        case 'gone':
          return { reason };
        case 'uncacheable':
        case 'failed': // the load of a value, under the same key
          return { reason: 'uncacheable' };
        default:
          return { reason: 'unavailable' };
      }
    } finally {
      waiters.leave(waiter);
    }
  }

  /** @type {import('./leases').Search<EntryWaiter, StoredEntry>} */
  #search = {
    ask: ({ key, leaseFor, tags, ticket, renewing }) =>
      renewing
        ? this.#tiers.refresh(key, leaseFor, tags, ticket)
        : this.#tiers.acquire(key, leaseFor, tags, ticket, true),
    accept: (_waiter, found, fromMemory) => {
      const accepted = typeof found.kind === 'number' ? stored(found, fromMemory ? 'memory' : 'redis') : undefined;
      if (accepted !== undefined && !fromMemory) {
        this.#tiers.counters.misses--;
        this.#tiers.counters.redisHits++;
      }
      return accepted;
    },
  };

  /**
   * Stores what nothing can overtake: a key that nobody else knows. Never rejects.
   * @param {string} key
   * @param {{ payload: Buffer, metadata: object, windows: import('./tiered-store').Windows, tags: readonly string[] }} entry
   * @returns {Promise<boolean>}
   */
  async write(key, { payload, metadata, windows, tags }) {
    if (this.#pending.any) this.#pending.passWalks(key);
    try {
      const more = { metadata: JSON.stringify(metadata), tags };
      const kept = await this.#tiers.store(key, { codec: BYTES, payload }, windows, more);
      if (kept) this.#store.counters.sets++;
      return kept;
    } catch (error) {
      this.#tiers.failed(error);
      return false;
    }
  }

  /**
   * @param {string} key
   * @returns {Promise<boolean>} rejects with CacheUnavailableError
   */
  async remove(key) {
    return this.#changed((invalidation) => invalidation.key(key, false));
  }

  /**
   * Leaves a copy that counts as stale.
   * @param {string} key
   * @returns {Promise<boolean>} rejects with CacheUnavailableError
   */
  async soften(key) {
    return this.#changed((invalidation) => invalidation.key(key, true));
  }

  /** @param {readonly string[]} tags as users write them */
  async invalidateTags(tags) {
    for (const tag of tags) checkTag(tag, 'tags');
    await this.#changed((invalidation) => invalidation.tags([...new Set(tags)].map((tag) => `t:${tag}`)));
  }

  /**
   * @param {string} pattern
   * @returns {Promise<number>}
   */
  async invalidatePattern(pattern) {
    return this.#changed((invalidation) => invalidation.pattern(pattern));
  }

  /**
   * @template T
   * @param {(invalidation: import('./invalidation').InvalidationInstance) => Promise<T>} change
   * @returns {Promise<T>}
   */
  #changed(change) {
    if (this.#store.closed) throw new CacheError('CACHE_CLOSED', 'the cache is closed');
    return this.#store.outstanding.track(change(this.#store.invalidation));
  }
}

/** @typedef {ByteEntries} ByteEntriesInstance */

/** @type {WeakMap<object, ByteEntries>} */
const known = new WeakMap();

/**
 * @param {any} cache made by createCache
 * @returns {ByteEntries}
 */
function byteEntriesOf(cache) {
  const store = storeOf(cache);
  let entries = known.get(store);
  if (entries === undefined) {
    entries = new ByteEntries(store);
    known.set(store, entries);
  }
  return entries;
}

module.exports = { byteEntriesOf };
