'use strict';
// What a load or a tier found, as the result for callers: decoded, counted, told as an event.
const { JSON_TEXT, MSGPACK } = require('./codecs');
const { STALE, AHEAD, STALE_ERROR, FRESH } = require('../store/tiered-store');

/** @typedef {import('./single-flight').LoadResult} LoadResult */
/** @typedef {import('./single-flight').InFlightLoadInstance} InFlightLoad */
/** @typedef {import('../store/tiered-store').Hit} Hit */

class LoadResults {
  #tiers;
  #objects;
  #events;
  #counters;

  /**
   * @param {object} parts
   * @param {import('../store/tiered-store').TieredStoreInstance} parts.tiers
   * @param {import('./decoded-objects').ObjectsInstance} parts.objects
   * @param {import('../store/events').AnnouncerInstance} parts.events
   * @param {{ staleHits: number }} parts.counters
   */
  constructor({ tiers, objects, events, counters }) {
    this.#tiers = tiers;
    this.#objects = objects;
    this.#events = events;
    this.#counters = counters;
  }

  /**
   * What memory has that is not simply fresh, when this call may be served it.
   * @param {string} key
   * @param {import('./call-options').CallOptionsInstance} call
   * @param {Hit} local
   * @returns {LoadResult | undefined}
   */
  ofMemory(key, call, local) {
    if (local.freshness === STALE_ERROR) return undefined;
    if (local.freshness === STALE && call.staleWhileRevalidate === 0) return undefined;
    const value = this.#objects.decode(key, local, true);
    if (value === undefined) {
      this.#tiers.corrupt(key);
      this.#tiers.forget(key);
      return undefined;
    }
    this.#tiers.counters.memoryHits++;
    if (local.freshness === STALE) this.#counters.staleHits++;
    return { value, encoded: undefined, source: 'memory', hit: local };
  }

  /**
   * What a load found in Redis, or in memory behind another thread.
   * @param {InFlightLoad} load
   * @param {string | Buffer | Hit} found
   * @param {boolean} [fromMemory]
   * @returns {LoadResult | undefined} undefined: it cannot be read
   */
  found(load, found, fromMemory = false) {
    const { key } = load;
    const hit = typeof found === 'string' || Buffer.isBuffer(found) ? undefined : found;
    const value =
      hit === undefined
        ? this.#objects.decodePlain(/** @type {string | Buffer} */ (found))
        : this.#objects.decode(key, hit, fromMemory);
    if (value === undefined) {
      this.#tiers.corrupt(key);
      return undefined;
    }
    load.settled = true;
    const source = fromMemory ? 'memory' : 'redis';
    this.#tiers.counters[fromMemory ? 'memoryHits' : 'redisHits']++;
    if (this.#events.hears('cache:hit')) this.#events.tell('cache:hit', { key, tier: source });
    if (hit === undefined) {
      const codec = typeof found === 'string' ? JSON_TEXT : MSGPACK;
      return { value, encoded: { codec, payload: /** @type {string | Buffer} */ (found) }, source };
    }
    if (hit.freshness === STALE) this.#counters.staleHits++;
    // This load ends with this value; the refresh is one of its own.
    if (hit.freshness === STALE || isRefreshDue(hit, load.call.ahead)) load.refreshAfter = hit;
    return { value, encoded: { codec: hit.codec, payload: hit.payload }, source, hit };
  }

  /**
   * A stale value instead of an error, or of a long wait.
   * @param {Hit | undefined} hit
   * @param {string} key
   * @returns {LoadResult | undefined}
   */
  stale(hit, key) {
    if (hit === undefined) return undefined;
    const value = this.#objects.decode(key, hit, false);
    if (value === undefined) return undefined;
    this.#counters.staleHits++;
    return { value, encoded: { codec: hit.codec, payload: hit.payload }, source: 'stale', hit };
  }

  /**
   * The result for a caller that did not begin the load.
   * @param {LoadResult} result
   * @returns {LoadResult}
   */
  shared(result) {
    // What nobody can change is the same for all.
    if (result.encoded === undefined || this.#objects.frozen) return result;
    // A codec that cannot read what it wrote has no copy: then it is the object of the loader.
    const value = this.#objects.decodeShared(result.encoded);
    return value === undefined ? result : { ...result, value };
  }

  /**
   * What a loader returned, for the caller that began the load.
   * @param {any} value
   * @param {import('./codecs').Encoded} encoded
   * @returns {LoadResult}
   */
  loaded(value, encoded) {
    const own = this.#objects.frozen ? this.#objects.decodeShared(encoded) : undefined;
    return { value: own === undefined ? value : own, encoded, source: 'loader' };
  }

  /**
   * The value that the load is to replace, for its loader.
   * @param {InFlightLoad} load
   * @returns {(() => any) | undefined}
   */
  previous({ key, stale }) {
    return stale === undefined ? undefined : () => this.#objects.decode(key, stale, false);
  }
}

/**
 * Whether refreshAhead asks for a refresh; for memory the native tier says so (AHEAD).
 * @param {Hit} hit
 * @param {number} ahead
 */
function isRefreshDue(hit, ahead) {
  if (ahead === 0 || hit.freshness !== FRESH) return false;
  if (Number.isNaN(ahead)) return hit.left <= -hit.loadTime * Math.log(1 - Math.random());
  return ahead > 0 ? hit.left <= ahead : hit.left <= (hit.left + hit.age) * (1 + ahead);
}

/**
 * Whether a value that is served is to be refreshed behind it.
 * @param {Hit | undefined} hit
 */
const wantsRefresh = (hit) => hit !== undefined && (hit.freshness === STALE || hit.freshness === AHEAD);

/** @typedef {LoadResults} LoadResultsInstance */

module.exports = { LoadResults, wantsRefresh };
