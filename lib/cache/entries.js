'use strict';
// The cache as a store of bytes with metadata, for the layers that bring their own form of value (HTTP responses): they
// look, take the lease of what is missing or stale, and fill it, under the same guarantees as getOrSet.
const { BYTES } = require('./codecs');
const { Waiter } = require('./single-flight');
const { STALE_ERROR, OUTDATED, AGAIN, LEASED, BUSY, isHit } = require('../store/tiered-store');
const { invalid } = require('../options/invalid');

// Where changes are not announced, those who wait look again after so long.
const UNANNOUNCED_MS = 50;
// A key that changes all the time is left alone after so many looks.
const MOST_LOOKS = 50;

/**
 * @typedef {object} StoredEntry
 * @property {Buffer} payload
 * @property {any} metadata
 * @property {number} created epoch ms
 * @property {number} age ms
 * @property {number} ttl ms until it is stale
 * @property {boolean} softened declared stale before its time
 * @property {'memory' | 'redis'} tier
 * @property {number} fill tells this fill of the key from others
 * @property {number} token where memory has it; 0: not there
 * @property {string[]} tags
 */

/**
 * @typedef {object} ClaimOptions
 * @property {number} leaseFor ms
 * @property {readonly string[]} tags whose stamps count from now on, whole names
 * @property {number} [until] performance.now() up to which somebody else's lease is waited for; without it nobody waits
 */

/**
 * An entry, the lease, or why there is neither.
 * @typedef {{ entry: StoredEntry, claim?: undefined } | { claim: Claim, entry?: undefined }
 *   | { reason: 'busy' | 'gone' | 'uncacheable' | 'unavailable', entry?: undefined, claim?: undefined }} Claimed
 */

/**
 * @param {import('../store/tiered-store').Hit | undefined} hit
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

/** A lease: the right to fill one key, until something overtakes it. */
class Claim {
  #tiers;
  #loads;
  #began = performance.now();

  /**
   * @param {string} key
   * @param {number} lease
   * @param {number} leaseFor ms
   * @param {import('../store/tiered-store').TiersInstance} tiers
   * @param {import('./load-coordinator').LoadsInstance} loads
   */
  constructor(key, lease, leaseFor, tiers, loads) {
    this.key = key;
    this.lease = lease;
    this.leaseFor = leaseFor;
    this.#tiers = tiers;
    this.#loads = loads;
    loads.renewals.add(this);
  }

  leaseLost() {
    // The fill finds that out, too; there is nothing to renew any more.
    this.#loads.renewals.delete(this);
  }

  #take() {
    const { lease } = this;
    this.lease = 0;
    this.#loads.renewals.delete(this);
    return lease;
  }

  /** Whether nothing has overtaken it, as far as this process has heard. */
  get current() {
    return this.lease !== 0 && this.#tiers.current(this.lease);
  }

  /**
   * Whether none of these tags, and nothing else, has made it worthless since it was taken. Never rejects.
   * @param {readonly string[]} tags whole names
   */
  async stands(tags) {
    try {
      return this.lease !== 0 && (await this.#tiers.addTags(this.lease, tags)) && (await this.#tiers.held(this.lease));
    } catch {
      return false;
    }
  }

  /**
   * Stores the entry and ends the lease. Never rejects.
   * @param {Buffer} payload
   * @param {object} metadata
   * @param {import('./call-options').Windows} windows
   * @param {readonly string[]} tags whole names that were not known before
   * @returns {Promise<boolean>} false: overtaken, or Redis did not take it
   */
  async fill(payload, metadata, windows, tags) {
    const lease = this.#take();
    if (lease === 0) return false;
    const tiers = this.#tiers;
    try {
      if (tags.length > 0 && !(await tiers.addTags(lease, tags))) {
        await tiers.giveUp(lease, undefined, 0);
        return false;
      }
      const loadTime = Math.round(performance.now() - this.#began);
      return await tiers.fill(lease, { codec: BYTES, payload }, windows, loadTime, JSON.stringify(metadata));
    } catch (error) {
      tiers.failed(error);
      return false;
    } finally {
      tiers.drop(lease);
      this.#loads.onWatched(this.key);
    }
  }

  /**
   * Ends the lease without an entry. Never rejects.
   * @param {number} [apart] ms for which nobody is to wait for anybody else: there is nothing to store
   */
  async giveUp(apart = 0) {
    const lease = this.#take();
    if (lease === 0) return;
    try {
      await this.#tiers.giveUp(lease, apart > 0 ? '' : undefined, apart);
    } catch (error) {
      this.#tiers.failed(error);
    } finally {
      this.#tiers.drop(lease);
      this.#loads.onWatched(this.key);
    }
  }
}

class Entries {
  #cache;
  #tiers;
  #outbox;
  #loads;
  #flights;

  /** @param {import('./cache').CacheInstance} cache */
  constructor(cache) {
    const { tiers, outbox, loads, maxTtl, values } = cache.internals;
    this.#cache = cache;
    this.#tiers = tiers;
    this.#outbox = outbox;
    this.#loads = loads;
    this.#flights = loads.flights;
    this.maxTtl = maxTtl;
    /** The room for what is kept decoded. */
    this.decodedValues = values;
    /** Whether what was found in memory is still there, and fresh. */
    this.still = tiers.still;
  }

  /** Whether what is written now would be stored. */
  get available() {
    return this.#tiers.available;
  }

  /** Whether something was invalidated that Redis does not know of yet. */
  get behind() {
    return this.#outbox.pending;
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
    if (this.#outbox.pending && this.#outbox.concerns(key)) return undefined;
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
    if (this.#outbox.pending && !(await this.#outbox.settled(key))) return undefined;
    const { found } = await this.#tiers.read(key, true);
    if (found === undefined) return undefined;
    const remote = stored(/** @type {import('../store/tiered-store').Hit} */ (found), 'redis');
    if (remote !== undefined) this.#tiers.counters.redisHits++;
    return remote;
  }

  /**
   * The entry, fresh or not, or the lease to fill it. Never rejects.
   * @param {string} key
   * @param {ClaimOptions} options
   * @returns {Promise<Claimed>}
   */
  async claim(key, options) {
    const tiers = this.#tiers;
    const { leaseFor, tags } = options;
    if (this.#outbox.pending && !(await this.#outbox.settled(key))) return { reason: 'unavailable' };
    tiers.counters.misses++;
    return this.#look(key, options, async (ticket) => {
      const found = await tiers.acquire(key, leaseFor, tags, ticket, true);
      const outdated = /** @type {any} */ (found)?.kind === OUTDATED;
      if (outdated) return tiers.takeOver(key, leaseFor, tags, /** @type {any} */ (found).payload);
      return found;
    });
  }

  /**
   * The lease of an entry that stays readable meanwhile. Never rejects.
   * @param {string} key
   * @param {ClaimOptions} options
   * @returns {Promise<Claimed>}
   */
  async renew(key, options) {
    if (this.#outbox.pending) return { reason: 'unavailable' };
    const ask = (/** @type {number} */ ticket) => this.#tiers.refresh(key, options.leaseFor, options.tags, ticket);
    return this.#look(key, options, ask, true);
  }

  /**
   * @param {string} key
   * @param {ClaimOptions} options
   * @param {(ticket: number) => Promise<any>} ask
   * @param {boolean} [renewing] then the entry itself is no answer
   * @returns {Promise<Claimed>}
   */
  async #look(key, { until = 0, leaseFor }, ask, renewing = false) {
    const tiers = this.#tiers;
    const waiter = new Waiter(key);
    this.#flights.enter(waiter);
    try {
      for (let looks = 0; looks < MOST_LOOKS; looks++) {
        waiter.changed = false;
        const found = await ask(waiter.ticket);
        if (found === undefined) return { reason: 'unavailable' };
        if (found === null) tiers.corrupt(key);
        else if (isHit(found)) {
          const entry = typeof found.kind === 'number' ? stored(found, 'redis') : undefined;
          if (entry !== undefined) {
            tiers.counters.misses--;
            tiers.counters.redisHits++;
            return { entry };
          }
        } else if (found.kind === LEASED) {
          return { claim: new Claim(key, found.lease, leaseFor, tiers, this.#loads) };
        } else if (found.kind === BUSY) {
          if (this.#loads.closed) return { reason: 'unavailable' };
          const patience = until - performance.now();
          if (patience <= 0) return { reason: 'busy' };
          const left = Math.min(found.left + 5, patience, tiers.announced ? Infinity : UNANNOUNCED_MS);
          await this.#flights.wait(waiter, Math.max(1, left));
          continue;
        } else if (found.kind === AGAIN || found.kind === OUTDATED) {
          if (renewing) return { reason: 'gone' };
          const local = tiers.peekWhole(key, true);
          const entry = stored(local, 'memory');
          if (entry !== undefined) return { entry };
          if (local === undefined) continue;
        } else return { reason: 'uncacheable' };
        // Whatever it is, it is in the way.
        await tiers.remove(key);
      }
    } catch (error) {
      tiers.failed(error);
    } finally {
      this.#flights.leave(waiter);
    }
    return { reason: 'unavailable' };
  }

  /**
   * Stores what nothing can overtake: a key that nobody else knows. Never rejects.
   * @param {string} key
   * @param {{ payload: Buffer, metadata: object, windows: import('./call-options').Windows, tags: readonly string[] }} entry
   * @returns {Promise<boolean>}
   */
  async write(key, { payload, metadata, windows, tags }) {
    try {
      const more = { metadata: JSON.stringify(metadata), tags };
      return await this.#tiers.store(key, { codec: BYTES, payload }, windows, more);
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
    return this.#cache.delete(key);
  }

  /**
   * Leaves a copy that counts as stale.
   * @param {string} key
   * @returns {Promise<boolean>} rejects with CacheUnavailableError
   */
  async soften(key) {
    return this.#cache.delete(key, { soft: true });
  }

  /** @param {readonly string[]} tags */
  async invalidateTags(tags) {
    await this.#cache.invalidateTags([...tags]);
  }

  /**
   * @param {string} pattern
   * @returns {Promise<number>}
   */
  async invalidatePattern(pattern) {
    return this.#cache.invalidatePattern(pattern);
  }
}

/** @typedef {Entries} EntryStore */
/** @typedef {Claim} ClaimInstance */

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
