'use strict';
// Keyv on Tiercel: a storage adapter, with which everything that is built on Keyv 5 (cacheable, cache-manager, NestJS's
// CacheModule, got …) has both tiers. Keyv counts in milliseconds, the cache in seconds.
const { EventEmitter } = require('node:events');
const { createCache } = require('../cache');
const { CacheError } = require('../errors');
const { invalid, isPlainObject } = require('../options/invalid');
const { knownOptions } = require('../options/known');
const { entriesIn } = require('./iterate');
const { namespaceOf } = require('./namespace');
const { isCache, storeOf } = require('../store/store');

const KNOWN = ['cache', 'namespace'];
const KNOWN_OF_KEYV = [...KNOWN, 'ttl', 'throwOnErrors'];
// What Keyv has no word for must not come from the defaults of the cache.
const PLAIN = { jitter: 0, staleWhileRevalidate: 0, staleIfError: 0 };

/**
 * @param {unknown} key
 * @returns {string} numbers as @keyv/redis makes them
 */
const keyOf = (key) => /** @type {string} */ (typeof key === 'number' ? String(key) : key);

/** @param {unknown} keys */
function keysOf(keys) {
  if (!Array.isArray(keys)) throw invalid('keys', 'an array of keys', keys);
  return keys.map(keyOf);
}

/** @param {unknown} namespace */
function checkNamespace(namespace) {
  if (namespace !== undefined && typeof namespace !== 'string') {
    throw invalid('namespace', 'a string or undefined', namespace);
  }
  return namespace;
}

class KeyvTiercel extends EventEmitter {
  #cache;
  #owned;
  /** @type {string | undefined} */
  #namespace;
  /** @type {import('../cache/cache').CacheInstance | undefined} */
  #place;
  #onError = (/** @type {Error} */ error) => {
    // A store that nobody listens to must not end the process.
    if (this.listenerCount('error') > 0) this.emit('error', error);
  };

  /**
   * Keyv reads `dialect` to see that there is an iterator; whoever likes may write more here.
   * @type {Record<string, any>}
   */
  opts = { dialect: 'redis' };

  /** @param {any} [options] or the URL of a Redis */
  constructor(options = {}) {
    super();
    const { cache, namespace } =
      typeof options === 'string' ? { cache: { redis: options } } : knownOptions(options, 'options', KNOWN);
    this.#namespace = checkNamespace(namespace);
    this.#owned = cache === undefined || isPlainObject(cache);
    if (!this.#owned && !isCache(cache)) {
      throw invalid('cache', 'a cache made by createCache(), or its options', cache);
    }
    this.#cache = this.#owned ? createCache(cache) : cache;
  }

  /** The cache underneath. */
  get cache() {
    return this.#cache;
  }

  /** Keyv sets it. */
  get namespace() {
    return this.#namespace;
  }

  set namespace(namespace) {
    checkNamespace(namespace);
    if (namespace === this.#namespace) return;
    this.#namespace = namespace;
    this.#leave();
  }

  /**
   * Made with the first operation: Keyv sets a namespace, and then perhaps another.
   * @returns {import('../cache/cache').CacheInstance}
   */
  get #store() {
    if (this.#place === undefined) {
      this.#place = namespaceOf(this.#cache, this.#namespace);
      this.#place.on('cache:error', this.#onError);
    }
    return this.#place;
  }

  #leave() {
    this.#place?.off('cache:error', this.#onError);
    this.#place = undefined;
  }

  /** @param {string} key */
  async get(key) {
    return this.#store.get(keyOf(key));
  }

  /** @param {string[]} keys */
  async getMany(keys) {
    return this.#store.getMany(keysOf(keys));
  }

  /**
   * @param {string} key
   * @param {any} value
   * @param {number} [ttl] milliseconds
   * @returns {Promise<boolean>}
   */
  async set(key, value, ttl) {
    const store = this.#store;
    if (ttl !== undefined && ttl !== null && (typeof ttl !== 'number' || Number.isNaN(ttl))) {
      throw invalid('ttl', 'a number of milliseconds', ttl);
    }
    if (ttl && ttl < 0) {
      // Its time is over already.
      await store.delete(keyOf(key));
      return true;
    }
    const { maxTtl } = storeOf(store);
    const ms = ttl ? Math.min(Math.ceil(ttl), maxTtl) : maxTtl;
    return store.set(keyOf(key), value, { ttl: ms / 1000, ...PLAIN });
  }

  /**
   * @param {Array<{ key: string, value: any, ttl?: number }>} entries
   * @returns {Promise<any>} true or false for each
   */
  async setMany(entries) {
    if (!Array.isArray(entries)) throw invalid('entries', 'an array of { key, value, ttl }', entries);
    return Promise.all(entries.map(({ key, value, ttl }) => this.set(key, value, ttl)));
  }

  /** @param {string} key */
  async has(key) {
    return this.#store.has(keyOf(key));
  }

  /** @param {string[]} keys */
  async hasMany(keys) {
    const store = this.#store;
    return Promise.all(keysOf(keys).map((key) => store.has(key)));
  }

  /** @param {string} key */
  async delete(key) {
    return this.#store.delete(keyOf(key));
  }

  /**
   * @param {string[]} keys
   * @returns {Promise<boolean>} whether there was any of them
   */
  async deleteMany(keys) {
    return (await this.#store.deleteMany(keysOf(keys))) > 0;
  }

  /** Everything in the namespace, in one step. */
  async clear() {
    await this.#store.clear();
  }

  /** @param {string} [namespace] */
  iterator(namespace = this.#namespace) {
    return entriesIn(namespaceOf(this.#cache, checkNamespace(namespace)));
  }

  /** Closes the cache, if it is not one that it was given. */
  async disconnect() {
    this.#leave();
    if (this.#owned) await this.#cache.close();
  }
}

/** @returns {typeof import('keyv').Keyv} */
function requireKeyv() {
  try {
    return require('keyv').Keyv;
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'MODULE_NOT_FOUND') throw error;
    throw new CacheError('MISSING_PACKAGE', 'createKeyv needs the package keyv: npm install keyv', { cause: error });
  }
}

/** @param {any} [options] or the URL of a Redis */
function createKeyv(options = {}) {
  const Keyv = requireKeyv();
  if (typeof options === 'string') return createKeyv({ cache: { redis: options } });
  const { cache, namespace, ttl, throwOnErrors } = knownOptions(options, 'options', KNOWN_OF_KEYV);
  if (ttl !== undefined && ttl !== null && !(typeof ttl === 'number' && ttl >= 0)) {
    throw invalid('ttl', 'a number of milliseconds, as everywhere in Keyv', ttl);
  }
  const store = new KeyvTiercel({ cache, namespace });
  // The store keeps namespaces apart already. `dialect`, since a Keyv of another copy of the package (ES module and
  // CommonJS are two) takes this one for a store, and wants to know of it what it wants to know of stores.
  const settings = /** @type {any} */ ({ namespace, ttl, throwOnErrors, useKeyPrefix: false, ...store.opts });
  const keyv = new Keyv(/** @type {any} */ (store), settings);
  if (namespace === undefined) keyv.namespace = undefined;
  return keyv;
}

module.exports = { KeyvTiercel, createKeyv };
