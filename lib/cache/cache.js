'use strict';
// Cache: what createCache() gives. Checks arguments, joins loads, turns payloads into values.
const { EventEmitter } = require('node:events');
const { CacheError } = require('../errors');
const { describe, invalid, isPlainObject } = require('../options/is');
const { knownOptions } = require('../options/known');
const { parsePositiveDuration } = require('../options/duration');
const { RedisClient } = require('../redis/client');
const { encode, decode, detached, JSON_TEXT } = require('./codec');
const { Complaints } = require('./complaints');
const { Flights } = require('./flights');
const { memoizeFunction } = require('./memoize');
const { Tiers } = require('./tiers');

const MAX_KEY_BYTES = 65_536;

/** @typedef {import('../redis/client').Client} Client */
/** @typedef {import('./tiers').Hit} Hit */
/** @typedef {import('./codec').Encoded} Encoded */

/**
 * What a load gave: the value as the loader made it, and its encoded form for everybody else.
 * @typedef {object} Loaded
 * @property {any} value
 * @property {Encoded | undefined} encoded undefined: it was not stored
 */

/** @param {unknown} key */
function checkKey(key) {
  if (typeof key !== 'string' || key === '') throw invalid('key', 'a string that is not empty', key);
  // UTF-8 cannot hold half a surrogate pair: different keys would become the same one.
  if (!(/** @type {any} */ (key).isWellFormed())) throw invalid('key', 'a string without lone surrogates', key);
  // Every character has at least one byte; counting them is for the few that may be too long.
  if (key.length * 3 > MAX_KEY_BYTES && Buffer.byteLength(key) > MAX_KEY_BYTES) {
    throw new TypeError(`key: expected at most ${MAX_KEY_BYTES} bytes, got ${Buffer.byteLength(key)}`);
  }
}

class Cache extends EventEmitter {
  #tiers;
  /** @type {Client | undefined} */
  #client;
  #ownsClient;
  #ttl;
  #maxTtl;
  #complaints;
  #closed = false;
  /** @type {Promise<void> | undefined} */
  #closing;
  /** @type {import('./flights').FlightsOf<Loaded>} */
  #flights = new Flights();
  #counters = { sets: 0, deletes: 0, loads: 0, loadErrors: 0, coalesced: 0 };
  // Listeners are rare, and counting them is not free: kept up to date by EventEmitter's own events.
  #heard = new Set();

  /** @param {import('./options').NormalCacheOptions} options */
  constructor(options) {
    super();
    this.namespace = options.namespace;
    this.#ttl = options.ttl;
    this.#maxTtl = options.maxTtl;
    this.#complaints = new Complaints(options.logger);
    this.#ownsClient = options.redis !== undefined && !(options.redis instanceof RedisClient);
    this.#client = this.#ownsClient
      ? new RedisClient(/** @type {import('../redis/options').NativeRedisOptions} */ (options.redis))
      : /** @type {Client | undefined} */ (options.redis);
    this.#tiers = new Tiers(options, this.#client, (error) => this.#survived(error));
    this.#countListeners();
    this.#client?.on('ready', this.#onReady);
    this.#client?.on('close', this.#onClose);
  }

  #countListeners() {
    this.on('newListener', (name) => this.#heard.add(name));
    this.on('removeListener', (name) => {
      if (this.listenerCount(name) === 0) this.#heard.delete(name);
    });
  }

  /** @param {any[]} names */
  removeAllListeners(...names) {
    for (const name of ['newListener', 'removeListener']) super.removeAllListeners(name);
    super.removeAllListeners(...names);
    this.#heard = new Set(this.eventNames());
    this.#countListeners();
    return this;
  }

  #onReady = () => this.#tell('redis:connect');
  #onClose = (/** @type {{ reason: string }} */ details) => {
    if (!this.#closed) this.#complaints.about('REDIS', `the connection to Redis was lost: ${details.reason}`);
    this.#tell('redis:close', details);
  };

  /**
   * For the layers above (HTTP).
   * @internal
   */
  get internals() {
    this.#checkOpen();
    return { tiers: this.#tiers, maxTtl: this.#maxTtl };
  }

  /**
   * @param {string} key
   * @returns {Promise<any>}
   */
  async get(key) {
    checkKey(key);
    this.#checkOpen();
    return this.#find(key);
  }

  /**
   * @param {string} key
   * @param {unknown} value
   * @param {any} [options]
   */
  async set(key, value, options) {
    checkKey(key);
    this.#checkOpen();
    const ttl = this.#ttlOf(options);
    if (value === undefined) return false;
    return this.#store(key, encode(value, 'value'), ttl);
  }

  /** @param {string} key */
  async delete(key) {
    checkKey(key);
    this.#checkOpen();
    this.#flights.fence(key);
    this.#counters.deletes++;
    const removed = await this.#tiers.remove(key);
    this.#tell('cache:invalidate', { keys: [key] });
    return removed;
  }

  /** @param {string} key */
  async has(key) {
    return (await this.#lifetime(key)) !== undefined;
  }

  /** @param {string} key */
  async ttl(key) {
    const left = await this.#lifetime(key);
    return left === undefined ? undefined : left / 1000;
  }

  /** @param {readonly string[]} keys */
  async getMany(keys) {
    if (!Array.isArray(keys)) throw invalid('keys', 'an array of keys', keys);
    for (const key of keys) checkKey(key);
    this.#checkOpen();
    return Promise.all(keys.map((key) => this.#find(key)));
  }

  /**
   * @param {any} entries
   * @param {any} [options]
   */
  async setMany(entries, options) {
    const pairs = pairsOf(entries);
    this.#checkOpen();
    const ttl = this.#ttlOf(options);
    // All are encoded before any is stored: a value that cannot be is not half a success.
    const encoded = pairs.map(([key, value]) => {
      checkKey(key);
      return value === undefined ? undefined : encode(value, `value of '${key}'`);
    });
    const stored = await Promise.all(
      pairs.map(([key], index) => {
        const one = encoded[index];
        return one === undefined ? false : this.#store(key, one, ttl);
      }),
    );
    return stored.every(Boolean);
  }

  /**
   * @param {string} key
   * @param {any} loader
   * @param {any} [options]
   * @returns {Promise<any>}
   */
  async getOrSet(key, loader, options) {
    checkKey(key);
    if (typeof loader !== 'function') throw invalid('loader', 'a function', loader);
    this.#checkOpen();
    const local = this.#tiers.peek(key);
    if (local !== undefined) {
      const value = this.#valueOf(key, local, 'memory');
      if (value !== undefined) return value;
    }
    const ttl = this.#loadTtl(options);
    const flight = this.#flights.of(key);
    if (flight === undefined) {
      return (await this.#flights.begin(key, (own) => this.#load(key, loader, ttl, own))).value;
    }
    this.#counters.coalesced++;
    const { value, encoded } = await flight.landed;
    if (encoded === undefined) return value;
    const { codec, payload } = detached(encoded);
    return decode(codec, payload);
  }

  /**
   * @param {any} keyOrFunction
   * @param {any} [computeOrOptions]
   * @param {any} [ttl]
   * @returns {any}
   */
  memoize(keyOrFunction, computeOrOptions, ttl) {
    if (typeof keyOrFunction === 'function') return memoizeFunction(this, keyOrFunction, computeOrOptions ?? {});
    return this.getOrSet(keyOrFunction, computeOrOptions, ttl);
  }

  stats() {
    const { memoryHits, redisHits, misses, redisErrors, corrupt } = this.#tiers.counters;
    const hits = memoryHits + redisHits;
    return {
      hits,
      misses,
      hitRatio: hits + misses === 0 ? 0 : hits / (hits + misses),
      ...this.#counters,
      redisErrors,
      corrupt,
      memoryHits,
      redisHits,
      memory: this.#tiers.memoryStats(),
    };
  }

  resetStats() {
    for (const name of Object.keys(this.#counters)) this.#counters[/** @type {'sets'} */ (name)] = 0;
    this.#tiers.resetStats();
  }

  async health() {
    const stats = this.#tiers.memoryStats();
    const memory = stats && { entries: stats.entries, bytes: stats.bytes, maxBytes: stats.maxBytes };
    if (this.#closed) return { status: 'closed', redis: this.#client ? 'unavailable' : 'none', memory };
    if (this.#client === undefined) return { status: 'ok', redis: 'none', memory };
    const began = performance.now();
    try {
      // A connection that is not there would be waited for; the question is how it is now.
      if (this.#client.status !== 'ready') throw new CacheError('UNAVAILABLE', this.#lastError() || 'not connected');
      await this.#client.call('PING');
      return { status: 'ok', redis: 'ok', latency: Math.round((performance.now() - began) * 1000) / 1000, memory };
    } catch (error) {
      const { message } = /** @type {Error} */ (error);
      return { status: 'degraded', redis: 'unavailable', reason: message, memory };
    }
  }

  /** @returns {Promise<void>} */
  close() {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close() {
    this.#closed = true;
    this.#client?.off('ready', this.#onReady);
    if (this.#ownsClient) await this.#client?.close();
    this.#client?.off('close', this.#onClose);
    this.#tiers.close();
  }

  /**
   * @param {string} key
   * @returns {Promise<any>}
   */
  async #find(key) {
    const local = this.#tiers.peek(key);
    if (local !== undefined) {
      const value = this.#valueOf(key, local, 'memory');
      if (value !== undefined) return value;
    }
    const { found } = await this.#tiers.read(key);
    const value = found === undefined ? undefined : this.#valueOf(key, found, 'redis');
    if (value === undefined && found !== undefined) this.#tiers.counters.misses++;
    if (value === undefined && this.#heard.has('cache:miss')) this.#tell('cache:miss', { key });
    return value;
  }

  /**
   * @param {string} key
   * @param {any} loader
   * @param {(value: any) => number} ttl
   * @param {import('./flights').Flight<Loaded>} flight
   * @returns {Promise<Loaded>}
   */
  async #load(key, loader, ttl, flight) {
    const { found, available } = await this.#tiers.read(key);
    if (found !== undefined) {
      const value = this.#valueOf(key, found, 'redis');
      if (value !== undefined) return { value, encoded: detached(encodedOf(found)) };
      this.#tiers.counters.misses++;
    }
    if (this.#heard.has('cache:miss')) this.#tell('cache:miss', { key });

    let chosenTtl = /** @type {number | undefined} */ (undefined);
    let skipped = false;
    const context = {
      key,
      setTtl: (/** @type {any} */ duration) => {
        chosenTtl = parsePositiveDuration(duration, 'setTtl');
      },
      skip: () => {
        skipped = true;
      },
    };
    this.#counters.loads++;
    const began = performance.now();
    let value;
    try {
      value = await loader(context);
    } catch (error) {
      this.#counters.loadErrors++;
      throw error;
    }
    if (value === undefined || skipped) return { value, encoded: undefined };
    const encoded = encode(value, `the value that the loader of '${key}' returned`);
    const loadTime = Math.round(performance.now() - began);
    const lifetime = Math.min(chosenTtl ?? ttl(value), this.#maxTtl);
    const shared = detached(encoded);
    if (!flight.fenced && !this.#closed) {
      // Waited for, so that whoever is told the value finds it stored; unless Redis has just shown that it is not there.
      const stored = this.#write(key, encoded, lifetime, loadTime);
      if (available) await stored;
    }
    return { value, encoded: shared };
  }

  /**
   * @param {string} key
   * @param {Encoded} encoded
   * @param {number} ttl
   */
  #store(key, encoded, ttl) {
    this.#flights.fence(key);
    return this.#write(key, encoded, ttl, 0);
  }

  /**
   * @param {string} key
   * @param {Encoded} encoded
   * @param {number} ttl
   * @param {number} loadTime
   */
  async #write(key, encoded, ttl, loadTime) {
    this.#counters.sets++;
    const stored = await this.#tiers.write(key, encoded, ttl, { loadTime });
    if (stored && this.#heard.has('cache:set')) this.#tell('cache:set', { key, ttl: ttl / 1000 });
    return stored;
  }

  /**
   * Milliseconds until the entry is stale.
   * @param {string} key
   * @returns {Promise<number | undefined>}
   */
  async #lifetime(key) {
    checkKey(key);
    this.#checkOpen();
    const local = this.#tiers.peekWhole(key, true);
    if (local !== undefined) return local.left;
    const { found } = await this.#tiers.read(key, true, true);
    return found === undefined ? undefined : /** @type {Hit} */ (found).left;
  }

  /**
   * The value of what a tier holds; undefined (a miss) when it cannot be read.
   * @param {string} key
   * @param {string | Hit} found
   * @param {'memory' | 'redis'} tier
   */
  #valueOf(key, found, tier) {
    const value = typeof found === 'string' ? decode(JSON_TEXT, found) : decode(found.codec, found.payload);
    if (value === undefined) {
      this.#tiers.corrupt(key);
      return undefined;
    }
    if (tier === 'memory') this.#tiers.counters.memoryHits++;
    else this.#tiers.counters.redisHits++;
    if (this.#heard.has('cache:hit')) this.#tell('cache:hit', { key, tier });
    return value;
  }

  /** @param {any} options of set and setMany */
  #ttlOf(options) {
    if (options === undefined) return Math.min(this.#ttl, this.#maxTtl);
    const { ttl } = isPlainObject(options) ? knownOptions(options, 'options', ['ttl']) : { ttl: options };
    return Math.min(ttl === undefined ? this.#ttl : parsePositiveDuration(ttl, 'ttl'), this.#maxTtl);
  }

  /**
   * Checked before the load, so that a mistake shows before the work is done.
   * @param {any} options of getOrSet
   * @returns {(value: any) => number}
   */
  #loadTtl(options) {
    const given = isPlainObject(options) ? knownOptions(options, 'options', ['ttl']).ttl : options;
    if (given === undefined) return () => this.#ttl;
    if (typeof given === 'function') return (value) => parsePositiveDuration(given(value), 'ttl');
    const ms = parsePositiveDuration(given, 'ttl');
    return () => ms;
  }

  #checkOpen() {
    if (this.#closed) throw new CacheError('CACHE_CLOSED', 'the cache is closed');
  }

  #lastError() {
    return this.#client?.internals.native.state().lastError;
  }

  /** @param {Error} error */
  #survived(error) {
    this.#complaints.about(/** @type {Error & { code?: string }} */ (error).code ?? error.name, error.message);
    this.#tell('cache:error', error);
  }

  /**
   * A listener that throws must not fail the operation that it is told about.
   * @param {string} name
   * @param {unknown[]} details
   */
  #tell(name, ...details) {
    try {
      this.emit(name, ...details);
    } catch (error) {
      process.nextTick(() => {
        throw error;
      });
    }
  }
}

/**
 * @param {string | Hit} found
 * @returns {Encoded}
 */
function encodedOf(found) {
  return typeof found === 'string'
    ? { codec: JSON_TEXT, payload: found }
    : { codec: found.codec, payload: found.payload };
}

/**
 * @param {any} entries
 * @returns {Array<[string, unknown]>}
 */
function pairsOf(entries) {
  if (isPlainObject(entries)) return Object.entries(entries);
  if (typeof entries?.[Symbol.iterator] !== 'function' || typeof entries === 'string') {
    throw invalid('entries', 'an object, a Map, or pairs of key and value', entries);
  }
  return [...entries].map((pair, index) => {
    if (!Array.isArray(pair) || pair.length !== 2) {
      throw new TypeError(`entries: expected pairs of key and value, got ${describe(pair)} at ${index}`);
    }
    return /** @type {[string, unknown]} */ (pair);
  });
}

/** @typedef {Cache} CacheInstance */

module.exports = { Cache };
