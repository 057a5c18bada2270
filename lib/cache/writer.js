'use strict';
// What a cache writes: into memory at once where that is all there is, else into Redis. Tells the listeners what was stored.

class Writer {
  #tiers;
  #pending;
  #invalidation;
  #outstanding;
  #loads;
  #counters;
  #announcer;

  /**
   * @param {object} parts
   * @param {import('../store/store').StoreInstance} parts.store
   * @param {import('./load-coordinator').LoadCoordinatorInstance} parts.loads
   * @param {{ sets: number }} parts.counters
   * @param {import('../store/events').AnnouncerInstance} parts.events
   */
  constructor({ store, loads, counters, events }) {
    this.#tiers = store.tiers;
    this.#pending = store.pending;
    this.#invalidation = store.invalidation;
    this.#outstanding = store.outstanding;
    this.#loads = loads;
    this.#counters = counters;
    this.#announcer = events;
  }

  /**
   * @param {string} key
   * @param {import('./codecs').Encoded} encoded
   * @param {import('./call-options').CallOptionsInstance} call
   * @returns {boolean | Promise<boolean>} whether it was stored
   */
  write(key, encoded, call) {
    this.#loads.overtakeKey(key);
    if (this.#pending.any) this.#pending.passWalks(key);
    this.#counters.sets++;
    const windows = call.windows(/** @type {number} */ (call.ttl));
    const tags = call.knownTags;
    if (!this.#tiers.local) return this.#send(key, encoded, windows, tags);
    const stored = this.#tiers.storeNow(key, encoded, windows, '', tags);
    if (stored) this.#tellSet(key, windows);
    return stored;
  }

  /**
   * @param {string} key
   * @param {import('./codecs').Encoded} encoded
   * @param {import('./call-options').Windows} windows
   * @param {readonly string[]} tags
   * @returns {Promise<boolean>}
   */
  #send(key, encoded, windows, tags) {
    const outstanding = this.#outstanding;
    outstanding.begin();
    const store = () => this.#tiers.store(key, encoded, windows, { tags });
    // Behind the removal that is pending, and in its place.
    const sent = this.#pending.any && this.#pending.blocks(key) ? this.#pending.writeBehind(key, store) : store();
    return sent.then(
      (stored) => {
        outstanding.end();
        if (stored) this.#tellSet(key, windows);
        return stored;
      },
      (error) => this.#notWritten(key, error).finally(() => outstanding.end()),
    );
  }

  /**
   * @param {string} key
   * @param {unknown} error
   */
  async #notWritten(key, error) {
    this.#tiers.failed(error);
    // Whatever was there before is out of date.
    if (/** @type {any} */ (error).code !== 'TOO_LARGE') this.#invalidation.remember(key);
    else await this.#tiers.remove(key).catch(() => this.#invalidation.remember(key));
    return false;
  }

  /**
   * @param {string} key
   * @param {import('./call-options').Windows} windows
   */
  #tellSet(key, windows) {
    if (this.#announcer.hears('cache:set')) this.#announcer.tell('cache:set', { key, ttl: windows.fresh / 1000 });
  }
}

/** @typedef {Writer} WriterInstance */

module.exports = { Writer };
