'use strict';
// What a cache reads: from memory what is fresh there, else from Redis, behind the invalidations that wait to be carried out.
// Counts hits and misses, and tells the listeners of them.
const { FRESH, STALE, AHEAD } = require('../store/tiered-store');

/** @typedef {import('../store/tiered-store').Hit} Hit */
/** @typedef {import('./decoded-objects').Kept} Kept */

const nothing = () => Promise.resolve(undefined);

class Reader {
  #tiers;
  #pending;
  #objects;
  #batches;
  #announcer;
  // On the hot path: no method call in between.
  #peek;
  #still;

  /**
   * @param {object} parts
   * @param {import('../store/store').StoreInstance} parts.store
   * @param {import('./decoded-objects').ObjectsInstance} parts.objects
   * @param {import('./batch-read').BatchReaderInstance} parts.batches
   * @param {import('../store/events').AnnouncerInstance} parts.events
   */
  constructor({ store, objects, batches, events }) {
    this.#tiers = store.tiers;
    this.#pending = store.pending;
    this.#objects = objects;
    this.#batches = batches;
    this.#announcer = events;
    this.#peek = store.tiers.peek;
    this.#still = store.tiers.still;
  }

  /**
   * The value, and where it came from.
   * @param {string} key
   * @returns {Promise<import('../../types').ReadResult<any>>}
   */
  async read(key) {
    const local = this.#pending.any && this.#pending.blocks(key) ? undefined : this.#tiers.peekWhole(key);
    const found = local ?? (await this.#remote(key));
    if (found === undefined) return { value: undefined, status: 'miss' };
    const tier = found === local ? 'memory' : 'redis';
    const value = this.decode(key, found, tier);
    if (value === undefined) return { value: undefined, status: 'miss' };
    const status = found.freshness === FRESH || found.freshness === AHEAD ? 'hit' : 'stale';
    return { value, status, tier, age: found.age / 1000, ttl: found.left / 1000, tags: found.tags };
  }

  /**
   * What memory has. Nothing of what an invalidation concerns that waits to be carried out: another thread may have read
   * it again meanwhile.
   * @param {string} key
   * @param {number} ahead
   * @param {Kept | undefined} kept
   * @returns {string | Hit | true | undefined} true: the same that is kept
   */
  look(key, ahead, kept) {
    if (this.#pending.any && this.#pending.blocks(key)) return undefined;
    if (kept === undefined) return this.#peek(key, 0, ahead, 0);
    return this.#still(kept.token, kept.fill, ahead) || this.#peek(key, 0, ahead, kept.fill);
  }

  /**
   * What memory has fresh, or undefined.
   * @param {string} key
   */
  local(key) {
    const kept = this.#objects.of(key);
    const found = this.look(key, 0, kept);
    if (found === undefined) return undefined;
    if (found === true) {
      this.hit(key);
      return this.#objects.valueOf(/** @type {Kept} */ (kept));
    }
    if (typeof found !== 'string') return found.freshness === FRESH ? this.decode(key, found, 'memory') : undefined;
    this.hit(key);
    return found;
  }

  /**
   * What memory does not have fresh.
   * @param {string} key
   * @returns {Promise<any>}
   */
  async fetch(key) {
    const found = await this.#remote(key, false, false);
    const fresh = found !== undefined && (found.kind === undefined || found.freshness < STALE);
    const value = fresh ? this.decode(key, found, 'redis') : undefined;
    if (value === undefined && found !== undefined) this.#tiers.counters.misses++;
    if (value === undefined) this.#announcer.tell('cache:miss', { key });
    return value;
  }

  /**
   * The values of many keys, in their order; at once when memory has all of them.
   * @param {readonly string[]} keys
   * @returns {any[] | Promise<any[]>}
   */
  many(keys) {
    if (this.readsBatches) {
      return this.#batch(keys, {
        fetch: (key) => this.fetch(key),
        onMiss: (key) => this.#missed(key),
      });
    }
    const found = new Array(keys.length);
    let waits = false;
    for (let at = 0; at < keys.length; at++) {
      const local = this.local(keys[at]);
      waits ||= local === undefined;
      found[at] = local === undefined ? this.fetch(keys[at]) : local;
    }
    return waits ? Promise.all(found) : found;
  }

  /** Whether many keys can be read together: not behind invalidations that wait, and not what memory is to keep. */
  get readsBatches() {
    return this.#tiers.isRemote && !this.#pending.any;
  }

  /**
   * What Redis has fresh and can give in one answer, before the rest is loaded: undefined for all else, which counts as
   * nothing yet.
   * @param {readonly string[]} keys
   * @returns {Promise<any[]>} in the order of the keys
   */
  manyPlain(keys) {
    return this.#batch(keys, { fetch: nothing, onMiss: () => {} });
  }

  /**
   * What memory has before a load is asked for: the value, or what is there and not fresh.
   * @param {string} key
   * @param {number} ahead
   * @returns {{ value?: any, local?: Hit }}
   */
  lookForLoad(key, ahead) {
    const kept = this.#objects.of(key);
    const found = this.look(key, ahead, kept);
    if (found === true) {
      this.hit(key);
      return { value: this.#objects.valueOf(/** @type {Kept} */ (kept)) };
    }
    if (typeof found === 'string') {
      this.hit(key);
      return { value: found };
    }
    const value = found?.freshness === FRESH ? this.decode(key, found, 'memory') : undefined;
    return { value, local: value === undefined && found?.freshness !== FRESH ? found : undefined };
  }

  /**
   * @param {readonly string[]} keys
   * @param {{ fetch: (key: string) => Promise<any>, onMiss: (key: string) => void }} reading
   */
  #batch(keys, { fetch, onMiss }) {
    const hears = this.#announcer.hears('cache:hit');
    const onHit = hears
      ? (/** @type {string} */ key) => this.#announcer.tell('cache:hit', { key, tier: 'redis' })
      : undefined;
    return this.#batches.read(keys, { fetch, onHit, onMiss });
  }

  /** @param {string} key */
  #missed(key) {
    this.#tiers.counters.misses++;
    if (this.#announcer.hears('cache:miss')) this.#announcer.tell('cache:miss', { key });
  }

  /**
   * What Redis has; nothing while an invalidation that may concern it waits to be carried out.
   * @param {string} key
   * @param {boolean} [silent]
   * @param {boolean} [whole] false: perhaps the payload alone
   * @returns {Promise<any>}
   */
  #remote(key, silent = false, whole = true) {
    return this.#pending.any ? this.#remoteBehind(key, silent, whole) : this.#tiers.read(key, whole, silent);
  }

  /**
   * The same, behind the invalidations that wait to be carried out.
   * @param {string} key
   * @param {boolean} silent
   * @param {boolean} whole
   */
  async #remoteBehind(key, silent, whole) {
    if (await this.#pending.flushFor(key)) return this.#tiers.read(key, whole, silent);
    if (!silent) this.#tiers.counters.misses++;
    return undefined;
  }

  /** @param {string} key */
  hit(key) {
    this.#tiers.counters.memoryHits++;
    if (this.#announcer.hearsHits) this.#announcer.tell('cache:hit', { key, tier: 'memory' });
  }

  /**
   * The value of what a tier holds; undefined (a miss) when it cannot be read.
   * @param {string} key
   * @param {any} found a Hit, or from Redis the payload alone
   * @param {'memory' | 'redis'} tier
   */
  decode(key, found, tier) {
    const value =
      found.kind === undefined ? this.#objects.decodePlain(found) : this.#objects.decode(key, found, tier === 'memory');
    if (value === undefined) {
      this.#tiers.corrupt(key);
      this.#tiers.forget(key);
      return undefined;
    }
    if (tier === 'memory') {
      this.hit(key);
      return value;
    }
    this.#tiers.counters.redisHits++;
    if (this.#announcer.hears('cache:hit')) this.#announcer.tell('cache:hit', { key, tier });
    return value;
  }

  /**
   * Milliseconds until the entry is stale.
   * @param {string} key
   * @returns {Promise<number | undefined>}
   */
  async lifetime(key) {
    const pending = this.#pending.any && this.#pending.blocks(key);
    const local = pending ? undefined : this.#tiers.peekWhole(key, true);
    const found = local ?? (await this.#remote(key, true));
    return found === undefined || (found.freshness >= STALE && found.freshness !== AHEAD) ? undefined : found.left;
  }
}

/** @typedef {Reader} ReaderInstance */

module.exports = { Reader };
