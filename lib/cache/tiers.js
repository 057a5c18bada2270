'use strict';
// Both tiers as one: looks into memory, asks Redis, writes and removes, counts. What fails in Redis is told and
// survived. Knows keys and entries; nothing of values, loaders or options.
const binding = require('../binding');
const { CacheUnavailableError, RedisError } = require('../errors');

// Flags of peek() and read(), as in src/node/cache_store.cpp.
const WHOLE = 1;
const SILENT = 2;

/**
 * What a tier holds. Lifetimes in milliseconds.
 * @typedef {object} Hit
 * @property {string | Buffer} payload text for JSON
 * @property {number} codec
 * @property {number} freshness 0 fresh, 1 stale, 2 only for errors
 * @property {number} age since the fill
 * @property {number} left until it is stale
 * @property {number} created epoch, by the writer's clock
 * @property {string} metadata JSON, or ''
 */

// The usual hit (fresh JSON, no metadata) is its bare text; this makes the others.
const hit = (
  /** @type {string | Buffer} */ payload,
  /** @type {number} */ codec,
  /** @type {number} */ freshness,
  /** @type {number} */ age,
  /** @type {number} */ left,
  /** @type {number} */ created,
  /** @type {string} */ metadata,
) => ({ payload, codec, freshness, age, left, created, metadata });

// Hits are counted by whoever finds that what a tier holds is a hit.
const zeros = () => ({ memoryHits: 0, redisHits: 0, misses: 0, redisErrors: 0, corrupt: 0 });

class Tiers {
  #native;
  /** @type {import('../redis/client').Client | undefined} */
  client;
  #queue;
  counters = zeros();

  /**
   * @param {{ prefix: string, memory: import('./options').NormalCacheOptions['memory'] }} options
   * @param {import('../redis/client').Client | undefined} client
   * @param {(error: Error) => void} onError told about what was survived
   */
  constructor(options, client, onError) {
    const { memory } = options;
    this.client = client;
    this.onError = onError;
    this.#queue = client?.internals.queue;
    this.#native = binding.createStore(
      { prefix: options.prefix, memory: memory !== undefined, ...memory },
      { hit },
      client?.internals.native,
    );
  }

  /** Whether what is written now would be stored. */
  get available() {
    return this.client === undefined || this.client.status === 'ready';
  }

  /**
   * What memory holds, or undefined.
   * @param {string} key
   * @returns {string | Hit | undefined}
   */
  peek(key) {
    return this.#native.peek(key, 0);
  }

  /**
   * The same as a whole Hit.
   * @param {string} key
   * @param {boolean} [silent] without a trace in the statistics
   * @returns {Hit | undefined}
   */
  peekWhole(key, silent = false) {
    return this.#native.peek(key, silent ? WHOLE | SILENT : WHOLE);
  }

  /**
   * What Redis holds. Never rejects.
   * @param {string} key
   * @param {boolean} [whole]
   * @param {boolean} [silent] without counting a miss
   * @returns {Promise<{ found: string | Hit | undefined, available: boolean }>}
   */
  async read(key, whole = false, silent = false) {
    if (this.#queue === undefined) {
      if (!silent) this.counters.misses++;
      return { found: undefined, available: true };
    }
    try {
      const refused = this.#native.read(key, whole ? WHOLE : 0);
      if (refused !== undefined) throw this.#refusal('GET');
      const found = await this.#queue.next('GET');
      if (found === undefined) {
        if (!silent) this.counters.misses++;
      } else if (found === null) {
        if (!silent) this.counters.misses++;
        this.corrupt(key);
      } else {
        return { found, available: true };
      }
      return { found: undefined, available: true };
    } catch (error) {
      if (!silent) this.counters.misses++;
      this.#failed(error);
      return { found: undefined, available: false };
    }
  }

  /**
   * Stores an entry in every tier. Never rejects: false when it is stored nowhere.
   * @param {string} key
   * @param {import('./codec').Encoded} encoded
   * @param {number} ttl ms
   * @param {{ metadata?: string, loadTime?: number }} [more]
   * @returns {Promise<boolean>}
   */
  async write(key, { codec, payload }, ttl, { metadata, loadTime = 0 } = {}) {
    const outcome = this.#native.write(key, codec, payload, metadata, ttl, ttl, ttl, loadTime);
    if (this.#queue === undefined) return outcome;
    try {
      if (outcome !== undefined) throw this.#refusal('SET');
      await this.#queue.next('SET');
      return true;
    } catch (error) {
      this.#failed(error);
      return false;
    }
  }

  /**
   * @param {string} key
   * @returns {Promise<boolean>} whether there was an entry
   */
  async remove(key) {
    const outcome = this.#native.remove(key);
    if (this.#queue === undefined) return outcome;
    try {
      if (outcome !== undefined) throw this.#refusal('UNLINK');
      return await this.#queue.next('UNLINK');
    } catch (error) {
      this.counters.redisErrors++;
      const { message } = /** @type {Error} */ (error);
      throw new CacheUnavailableError(`the removal of '${key}' was not acknowledged by Redis: ${message}`, {
        cause: error,
      });
    }
  }

  /**
   * Bytes that are no entry of ours.
   * @param {string} key
   */
  corrupt(key) {
    this.counters.corrupt++;
    this.onError(new RedisError('CORRUPT_ENTRY', `what is stored under '${key}' is no entry of this cache`));
  }

  memoryStats() {
    return this.#native.memoryStats();
  }

  resetStats() {
    this.counters = zeros();
    this.#native.resetStats();
  }

  close() {
    this.#native.close();
  }

  /** @param {string} command */
  #refusal(command) {
    const reason = this.client?.internals.native.state().lastError;
    return new RedisError('UNAVAILABLE', `${command}: Redis is not available${reason ? `: ${reason}` : ''}`, command);
  }

  /** @param {unknown} error */
  #failed(error) {
    this.counters.redisErrors++;
    this.onError(/** @type {Error} */ (error));
  }
}

module.exports = { Tiers };
