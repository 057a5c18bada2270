'use strict';
// The store of one namespace: entries in both tiers, their leases, invalidation. Values (cache/), HTTP responses (http/),
// Keyv and sessions stand on it, and reach it by storeOf(cache).
const { invalid } = require('../options/invalid');
const { DecodedValues } = require('./decoded-values');
const { startExpiry } = require('./expiry');
const { Invalidation } = require('./invalidation');
const { Leases } = require('./leases');
const { Outstanding } = require('./outstanding');
const { TieredStore } = require('./tiered-store');

// For so long at most close() waits for writes, fills and invalidations that are on their way.
const LONGEST_CLOSE_MS = 5000;
// Of memory.maxBytes: what decoded values may take, which entries then do not have.
const VALUES_SHARE = 1 / 2;

/** @typedef {import('../redis/client').Client} Client */

/** @typedef {import('./types').Place} Place */

/** @type {Place} */
const ROOT = { space: 'k:', namespaces: ['n'], namespaceTag: 'n', path: '' };

class Store {
  tiers;
  leases;
  invalidation;
  /** Invalidations that Redis has not acknowledged. */
  pending;
  /** What is on its way to Redis. */
  outstanding = new Outstanding();
  /**
   * The room for decoded values and parsed responses, of a cache and all its namespaces.
   * @type {import('./decoded-values').DecodedValuesInstance}
   */
  values;
  /** Of every key of this namespace in Redis. */
  prefix;
  /** Of the keys in Redis that hold the stamps of tags. */
  tagPrefix;
  path;
  maxTtl;
  #closed = false;
  #stopExpiry = () => {};
  // Held here alone: what expires by itself ends with the store.
  #swept;
  /** @type {Set<{ close: () => Promise<unknown> }>} */
  #attached = new Set();

  /**
   * @param {import('../cache/options').NormalCacheOptions} options
   * @param {object} parts
   * @param {Place} parts.place
   * @param {Client | undefined} parts.client
   * @param {Store} [parts.parent] of the cache whose namespace this is
   * @param {import('./invalidation').Overtake} parts.overtake the loads of values under way
   * @param {{ sets: number, deletes: number, invalidations: number }} parts.counters
   * @param {import('./tiered-store').TierCounters} parts.tierCounters
   * @param {(name: string, details: any) => void} parts.tell
   * @param {(error: Error) => void} parts.onError told what a read has survived
   */
  constructor(options, { place, client, parent, overtake, counters, tierCounters, tell, onError }) {
    this.prefix = options.prefix + place.space;
    this.tagPrefix = options.prefix;
    this.path = place.path;
    this.maxTtl = options.call.maxTtl;
    this.counters = counters;
    this.tiers = new TieredStore({ ...options, ...place }, client, {
      counters: tierCounters,
      onError,
      onWatched: (key) => this.leases.waiters.keyChanged(key),
      onReleased: (ticket) => this.leases.waiters.released(ticket),
    });
    this.leases = new Leases(this.tiers);
    this.invalidation = new Invalidation({
      tiers: this.tiers,
      overtake,
      tell,
      prefix: options.prefix,
      ...place,
      counters,
      parent: parent?.invalidation,
    });
    this.pending = this.invalidation.pending;
    const maxBytes = options.memory?.maxBytes ?? 0;
    const { tiers } = this;
    this.values = parent?.values ?? new DecodedValues(maxBytes * VALUES_SHARE, (more) => tiers.reserve(more));
    if (parent !== undefined || maxBytes === 0) return;
    const { values } = this;
    /** @type {import('./expiry').Swept} */
    this.#swept = {
      expire: (limit) => tiers.expire(limit),
      sweep: (limit) => values.sweep((token, fill) => tiers.still(token, fill, -1), limit),
    };
    this.#stopExpiry = startExpiry(this.#swept);
  }

  get closed() {
    return this.#closed;
  }

  /**
   * It is closed together with the store.
   * @param {{ close: () => Promise<unknown> }} part
   */
  attach(part) {
    this.#attached.add(part);
  }

  /** Whether nothing is under way, and nothing is remembered that must be carried out. */
  get isIdle() {
    const { leases, outstanding, pending, invalidation } = this;
    return (
      leases.waiters.isEmpty &&
      outstanding.isIdle &&
      !pending.hasOwn &&
      invalidation.isIdle &&
      this.#attached.size === 0 &&
      !this.isHeld
    );
  }

  /** Somebody else keeps it, by storeOf(): it must not be given up. */
  isHeld = false;

  /** An idle one gives up what it has. */
  giveUp() {
    this.stop();
    this.invalidation.leaveParent();
    this.close();
  }

  /** Nobody begins or waits any more; what was called before goes on. */
  stop() {
    this.#closed = true;
    this.#stopExpiry();
    this.leases.close();
  }

  /** What was called before stop() is carried out, with a server that answers. */
  async idle() {
    await Promise.all([...this.#attached].map((part) => part.close()));
    await this.outstanding.idle(LONGEST_CLOSE_MS);
    await this.invalidation.close();
  }

  close() {
    this.#swept = undefined;
    this.tiers.close();
  }
}

/** @typedef {Store} StoreInstance */

/** @type {WeakMap<object, () => Store>} */
const stores = new WeakMap();

/**
 * @param {object} cache
 * @param {() => Store} store throws CacheError CACHE_CLOSED when the cache is closed
 */
function addStoreOf(cache, store) {
  stores.set(cache, store);
}

/** @param {unknown} cache */
const isCache = (cache) => typeof cache === 'object' && cache !== null && stores.has(cache);

/**
 * @param {any} cache made by createCache(), or one of its namespaces
 * @param {string} [expected] what an error says that it had to be
 * @returns {Store} throws CacheError CACHE_CLOSED when it is closed
 */
function storeOf(cache, expected = 'a cache made by createCache()') {
  const find = isCache(cache) ? stores.get(cache) : undefined;
  if (find === undefined) throw invalid('cache', expected, cache);
  const store = find();
  store.isHeld = true;
  return store;
}

module.exports = { Store, ROOT, addStoreOf, isCache, storeOf };
