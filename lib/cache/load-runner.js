'use strict';
// Runs the loader of a load and stores its value: under the lease, with the tags that the load computed, or nowhere when the
// load was overtaken or has no lease. An error of the loader is remembered and told to those who wait.
const { describeError } = require('./load-errors');
const { LoaderContext, runLoader } = require('./run-loader');

// How long others load side by side, after a load has shown that there is nothing to keep.
const UNCACHEABLE_MS = 100;
// For so long an error is there for those who waited for the load.
const FOR_WAITERS_MS = 1000;

/** @typedef {import('./single-flight').LoadResult} LoadResult */
/** @typedef {import('./single-flight').InFlightLoadInstance} InFlightLoad */

class LoadRunner {
  #tiers;
  #outstanding;
  #codec;
  #results;
  #failures;
  #events;
  #counters;
  #onEnding;
  #onTagsSet;
  #again;

  /**
   * @param {object} parts
   * @param {import('../store/tiered-store').TieredStoreInstance} parts.tiers
   * @param {import('../store/outstanding').OutstandingInstance} parts.outstanding
   * @param {import('./codecs').CacheCodec} parts.codec
   * @param {import('./load-results').LoadResultsInstance} parts.results
   * @param {import('./load-errors').FailuresInstance} parts.failures
   * @param {import('../store/events').AnnouncerInstance} parts.events
   * @param {{ loads: number, loadErrors: number, sets: number, refused: number }} parts.counters
   * @param {(load: InFlightLoad) => void} parts.onEnding called when the end of the lease has been sent
   * @param {(load: InFlightLoad) => void} parts.onTagsSet called when tags of a load are known only behind it
   * @param {(load: InFlightLoad) => InFlightLoad} parts.again another load of the key, for the callers of one that was overtaken
   */
  constructor({ tiers, outstanding, codec, results, failures, events, counters, onEnding, onTagsSet, again }) {
    this.#tiers = tiers;
    this.#outstanding = outstanding;
    this.#codec = codec;
    this.#results = results;
    this.#failures = failures;
    this.#events = events;
    this.#counters = counters;
    this.#onEnding = onEnding;
    this.#onTagsSet = onTagsSet;
    this.#again = again;
  }

  /**
   * @param {InFlightLoad} load
   * @returns {Promise<LoadResult>}
   */
  async run(load) {
    const { key, call, leaseId } = load;
    this.#counters.loads++;
    const began = performance.now();
    const context = new LoaderContext(load, this.#results.previous(load));
    let value;
    try {
      value = await runLoader(load, context);
    } catch (error) {
      load.settled = true;
      return this.#failed(load, error);
    }
    load.settled = true;
    const { ttl, skipped } = LoaderContext.saidOf(context);
    let encoded;
    let windows;
    let tags;
    try {
      const lifetime = ttl ?? (typeof call.ttl === 'function' && value !== undefined ? call.ttl(value) : call.ttl);
      const isUnwanted = value === undefined || skipped || lifetime === 0;
      if (isUnwanted || (call.cacheIf !== undefined && !call.cacheIf(value))) {
        await this.#giveUp(load, '', leaseId === 0 ? 0 : UNCACHEABLE_MS);
        return { value, encoded: undefined, source: 'loader' };
      }
      encoded = this.#codec.encode(value, `the value that the loader of '${key}' returned`);
      windows = call.windows(/** @type {number} */ (lifetime));
      tags = LoaderContext.tagsOf(context, value);
    } catch (error) {
      await this.#giveUp(load, undefined, 0);
      throw error;
    }
    const result = this.#results.loaded(value, kept(encoded));
    if (leaseId === 0) return result;
    const loadTime = Math.round(performance.now() - began);
    const filling =
      load.overtaken || tags.length > 0
        ? this.#fillTagged(load, encoded, windows, loadTime, tags)
        : this.#fill(load, encoded, windows, loadTime);
    if (filling !== undefined) await this.#outstanding.track(filling);
    return result;
  }

  /**
   * @param {InFlightLoad} load
   * @param {import('./codecs').Encoded} encoded
   * @param {import('./call-options').Windows} windows
   * @param {number} loadTime
   * @param {readonly string[]} tags that the load computed
   */
  async #fillTagged(load, encoded, windows, loadTime, tags) {
    /** @type {'overtaken' | 'tag' | undefined} */
    let refused;
    try {
      if (load.overtaken) refused = 'overtaken';
      else if (!(await this.#tiers.addTags(load.leaseId, tags))) refused = 'tag';
      if (tags.length > 0) this.#onTagsSet(load);
    } catch (error) {
      return this.#notStored(load.key, 'unavailable', error);
    }
    if (refused === undefined) return this.#fill(load, encoded, windows, loadTime);
    await this.#giveUp(load, undefined, 0);
    this.#notStored(load.key, refused);
  }

  /**
   * @param {InFlightLoad} load
   * @param {import('./codecs').Encoded} encoded
   * @param {import('./call-options').Windows} windows
   * @param {number} loadTime
   * @returns {Promise<void> | undefined} undefined: it is done
   */
  #fill(load, encoded, windows, loadTime) {
    const { key } = load;
    this.#counters.sets++;
    let filled;
    try {
      filled = this.#tiers.fill(load.leaseId, encoded, windows, loadTime);
    } catch (error) {
      this.#notStored(key, 'unavailable', error);
      return undefined;
    }
    this.#onEnding(load);
    if (typeof filled !== 'boolean') {
      return filled.then(
        (done) => this.#filled(key, windows, done),
        (error) => this.#notStored(key, 'unavailable', error),
      );
    }
    this.#filled(key, windows, filled);
    return undefined;
  }

  /**
   * @param {string} key
   * @param {import('./call-options').Windows} windows
   * @param {boolean} done false: the lease was lost, and nothing is stored
   */
  #filled(key, windows, done) {
    if (!done) this.#notStored(key, 'overtaken');
    else if (this.#events.hears('cache:set')) this.#events.tell('cache:set', { key, ttl: windows.fresh / 1000 });
  }

  /**
   * @param {string} key
   * @param {'overtaken' | 'tag' | 'unavailable'} reason
   * @param {unknown} [error] of Redis
   */
  #notStored(key, reason, error) {
    if (error !== undefined) this.#tiers.failed(error);
    this.#counters.refused++;
    this.#events.tell('cache:refused', { key, reason });
  }

  /**
   * @param {InFlightLoad} load
   * @param {unknown} error
   * @returns {Promise<LoadResult>}
   */
  async #failed(load, error) {
    const { key, call } = load;
    this.#counters.loadErrors++;
    // It only did what its signal asked for: its callers are to have a value all the same.
    if (load.overtaken && load.aborted && load.callers > 0) return this.#again(load).result;
    const left = load.aborted && load.callers === 0 && !load.background;
    const holdOff = left ? 0 : Math.round(call.errorBackoff * (0.9 + Math.random() * 0.2));
    if (!load.overtaken) this.#failures.remember(key, error, holdOff);
    // Those who wait in other threads and processes get the error, and nobody who comes later. That this caller's time was
    // over is no error of the source: they load.
    if (holdOff === 0 && !load.aborted && !load.refreshing) {
      await this.#giveUp(load, describeError(error, true), FOR_WAITERS_MS);
    } else {
      await this.#giveUp(load, holdOff > 0 ? describeError(error) : undefined, holdOff);
    }
    const stale = load.background ? undefined : this.insteadOfError(load);
    if (stale !== undefined) {
      this.#events.tell('cache:error', error);
      return stale;
    }
    throw error;
  }

  /**
   * The stale value that a caller gets instead of an error.
   * @param {InFlightLoad} load
   * @returns {LoadResult | undefined}
   */
  insteadOfError(load) {
    return this.#results.stale(load.stale ?? this.#distrusted(load), load.key);
  }

  /**
   * What memory still has of a key that Redis can say nothing about: better than an error, where staleIfError says so.
   * @param {InFlightLoad} load
   */
  #distrusted({ key, call }) {
    return call.staleIfError === 0 || this.#tiers.available ? undefined : this.#tiers.peekDistrusted(key);
  }

  /**
   * Ends the lease without a value.
   * @param {InFlightLoad} load
   * @param {string | undefined} told as of giveUp() of the tiered store
   * @param {number} holdOff ms
   */
  async #giveUp(load, told, holdOff) {
    if (load.leaseId === 0) return;
    try {
      const givenUp = this.#tiers.giveUp(load.leaseId, told, holdOff);
      this.#onEnding(load);
      await givenUp;
    } catch (error) {
      this.#tiers.failed(error);
    }
  }
}

/**
 * The same for callers that come later: bytes of the caller's value may change.
 * @param {import('./codecs').Encoded} encoded
 * @returns {import('./codecs').Encoded}
 */
function kept(encoded) {
  const { codec, payload } = encoded;
  return typeof payload === 'string' ? encoded : { codec, payload: Buffer.from(payload) };
}

module.exports = { LoadRunner };
