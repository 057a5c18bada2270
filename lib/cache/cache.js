'use strict';
// Cache: what createCache() gives. Checks arguments, and leaves the rest to Reader, Writer, LoadCoordinator and
// Invalidation. A namespace has its parts only while it is in use.
const asyncDispose = require('../util/async-dispose');
const { CacheError } = require('../errors');
const { invalid } = require('../options/invalid');
const { checkTag } = require('../options/tags');
const { RedisClient } = require('../redis/client');
const { linkOf } = require('../redis/link');
const { AwakeNamespaces } = require('./awake-namespaces');
const { AnnouncingEmitter } = require('../store/events');
const { checkKey, checkKeys, isSoft, pairsOf, relatedParts } = require('./validate');
const { inspect } = require('./inspect');
const { BatchReader } = require('./batch-read');
const { getOrSetMany, setMany } = require('./many');
const { checkLoadOptions, loadOptions, writeOptions, parseRefreshAhead } = require('./call-options');
const { Complaints } = require('../store/log-throttle');
const { dump, load } = require('../store/snapshot');
const { LoadCoordinator } = require('./load-coordinator');
const { MemoizedNames, memoizeFunction } = require('./memoize');
const { Objects } = require('./decoded-objects');
const { Reader } = require('./reader');
const { Writer } = require('./writer');
const { healthOf, statsOf } = require('../store/stats');
const { ROOT, Store, addStoreOf } = require('../store/store');
const { FRESH, newTierCounters } = require('../store/tiered-store');

const MAX_PATH = 1000;

/** @typedef {import('../redis/client').Client} Client */
/** @typedef {import('../store/store').StoreInstance} StoreInstance */

/** @type {(event: 'ready' | 'close') => void} */
const noClient = () => {};

class Cache extends AnnouncingEmitter {
  #options;
  #place;
  // Its parts, while it is awake (awake-namespaces.js); the cache itself, outside of all namespaces, always is.
  /** @type {StoreInstance} */
  #store = /** @type {any} */ (undefined);
  /** @type {StoreInstance['tiers']} */
  #tiers = /** @type {any} */ (undefined);
  /** @type {StoreInstance['tiers']['still']} */
  #still = /** @type {any} */ (undefined);
  /** @type {StoreInstance['invalidation']} */
  #invalidation = /** @type {any} */ (undefined);
  /** @type {StoreInstance['pending']} */
  #pending = /** @type {any} */ (undefined);
  /** @type {import('./decoded-objects').ObjectsInstance} */
  #objects = /** @type {any} */ (undefined);
  /** @type {import('./reader').ReaderInstance} */
  #reader = /** @type {any} */ (undefined);
  /** @type {import('./writer').WriterInstance} */
  #writer = /** @type {any} */ (undefined);
  /** @type {import('./load-coordinator').LoadCoordinatorInstance} */
  #loads = /** @type {any} */ (undefined);
  /** @type {import('./awake-namespaces').Sleeper | undefined} */
  #sleeper;
  #used = true;
  /** Calls under way that go on with the parts when they are answered. */
  #busy = 0;
  /** @type {Client | undefined} */
  #client;
  #defaults;
  #codec;
  // What calls without options ask for: made once.
  /** @type {import('./call-options').CallOptionsInstance} */
  #plainWrite;
  /** @type {import('./call-options').CallOptionsInstance} */
  #plainLoad;
  /** @type {import('../store/log-throttle').ComplaintsInstance} */
  #complaints;
  /** @type {Map<string, Cache> | undefined} */
  #children;
  /** @type {Set<Promise<void>> | undefined} closes of namespaces that are under way */
  #leaving;
  /** @type {Cache | undefined} whose namespace this one is */
  #parent;
  /** @type {import('./awake-namespaces').AwakeNamespacesInstance} of the cache outside of all namespaces */
  #awake;
  /** @type {import('./memoize').MemoizedNamesInstance | undefined} */
  #memoized;
  #leaveClient = noClient;
  #closed = false;
  /** @type {Promise<void> | undefined} */
  #closing;
  #counters = {
    sets: 0,
    deletes: 0,
    invalidations: 0,
    loads: 0,
    loadErrors: 0,
    coalesced: 0,
    refused: 0,
    refreshes: 0,
    staleHits: 0,
  };
  #tierCounters = newTierCounters();
  #announcer = AnnouncingEmitter.announcerOf(this);

  /**
   * @param {import('./options').NormalCacheOptions} options
   * @param {import('../store/store').Place} [place] in the namespaces
   * @param {Cache} [parent]
   */
  constructor(options, place = ROOT, parent = undefined) {
    super();
    this.name = options.namespace;
    this.#options = options;
    this.#place = place;
    this.#defaults = options.call;
    this.#codec = options.codec;
    this.#parent = parent;
    if (parent === undefined) {
      this.#plainWrite = writeOptions(undefined, options.call);
      this.#plainLoad = loadOptions(undefined, options.call);
      this.#complaints = new Complaints(options.logger);
      this.#awake = new AwakeNamespaces();
      this.#client = clientOf(options);
      try {
        this.#wake();
      } catch (error) {
        if (options.ownsClient) this.#client?.destroy();
        throw error;
      }
      // One listener for each cache is no leak.
      this.#client?.setMaxListeners(0);
      const onReady = () => this.#onReady();
      const onLost = (/** @type {{ reason: string }} */ details) => this.#onLost(details);
      this.#client?.on('ready', onReady);
      this.#client?.on('close', onLost);
      const onUnreachable = (/** @type {Error} */ error) => this.#onUnreachable(error);
      const link = this.#client && linkOf(this.#client);
      link?.onUnreachable.add(onUnreachable);
      this.#leaveClient = (event) => {
        this.#client?.off(event, event === 'ready' ? onReady : onLost);
        link?.onUnreachable.delete(onUnreachable);
      };
    } else {
      this.#plainWrite = parent.#plainWrite;
      this.#plainLoad = parent.#plainLoad;
      this.#complaints = parent.#complaints;
      this.#awake = parent.#awake;
      this.#client = parent.#client;
    }
    addStoreOf(this, () => {
      this.#checkOpen();
      return this.#store;
    });
  }

  // ------------------------------------------------------------------------------------------------------- its parts

  #wake() {
    const parent = this.#parent;
    if (parent !== undefined && parent.#store === undefined) parent.#wake();
    const options = this.#options;
    const counters = this.#counters;
    const tell = (/** @type {string} */ name, /** @type {unknown[]} */ ...details) => this.#tell(name, ...details);
    const store = new Store(options, {
      place: this.#place,
      client: this.#client,
      parent: parent === undefined ? undefined : parent.#store,
      overtake: {
        key: (key) => this.#loads.overtakeKey(key),
        matching: (matches) => this.#loads.overtakeMatching(matches),
        tagged: (names) => this.#loads.overtakeTagged(names),
      },
      counters,
      tierCounters: this.#tierCounters,
      tell,
      onError: (error) => this.#survived(error),
    });
    this.#store = store;
    this.#tiers = store.tiers;
    this.#invalidation = store.invalidation;
    this.#pending = store.pending;
    // On the hot path: no method call in between.
    this.#still = store.tiers.still;
    this.#objects = new Objects(options.codec, options.share, store.values);
    const { codec } = options;
    const parts = { store, objects: this.#objects, events: this.#announcer };
    const batches = new BatchReader(this.#tiers, codec, options.share === 'frozen');
    this.#reader = new Reader({ ...parts, batches });
    this.#loads = new LoadCoordinator({ ...parts, codec, counters });
    this.#writer = new Writer({ ...parts, loads: this.#loads, counters });
    if (parent === undefined) return;
    this.#sleeper = { sleep: () => this.#sleep() };
    this.#awake.add(this.#sleeper);
  }

  /** @returns {boolean} false: it was used since this was called last, or something is under way */
  #sleep() {
    if (this.#used || this.#busy > 0 || !this.#store.isIdle || !this.#loads.isIdle) {
      this.#used = false;
      return false;
    }
    this.#objects.clear();
    this.#store.giveUp();
    const none = /** @type {any} */ (undefined);
    this.#store = this.#tiers = this.#invalidation = this.#pending = none;
    this.#still = this.#objects = this.#reader = this.#writer = this.#loads = none;
    this.#sleeper = undefined;
    return true;
  }

  /**
   * Work that uses the parts after it has waited.
   * @template T
   * @param {Promise<T>} work
   * @returns {Promise<T>}
   */
  #during(work) {
    // Outside of namespaces nothing falls asleep.
    return this.#parent === undefined ? work : this.#counted(work);
  }

  /**
   * @template T
   * @param {Promise<T>} work
   */
  async #counted(work) {
    this.#busy++;
    try {
      return await work;
    } finally {
      this.#busy--;
    }
  }

  /** @param {(cache: Cache) => void} call of this one and all its namespaces */
  #forAll(call) {
    call(this);
    if (this.#children !== undefined) for (const child of this.#children.values()) child.#forAll(call);
  }

  #onReady() {
    this.#forAll((cache) => {
      // In this turn, and so in front of whatever is read from now on. What is asleep has nothing to carry out.
      if (cache.#pending !== undefined) void cache.#pending.flush();
      cache.#tell('redis:connect');
    });
  }

  /** @param {{ reason: string }} details */
  #onLost(details) {
    if (!this.#closed) this.#complaints.about('REDIS', `the connection to Redis was lost: ${details.reason}`);
    this.#forAll((cache) => {
      if (cache.#loads !== undefined) cache.#loads.onLost();
      cache.#tell('redis:close', details);
    });
  }

  /**
   * @param {Error} error
   * @returns {boolean} whether somebody is told: the failures of calls are events
   */
  #onUnreachable(error) {
    this.#complaints.about('UNREACHABLE', `Redis cannot be reached: ${error.message}`);
    let hears = this.#options.logger !== undefined;
    this.#forAll((cache) => {
      hears ||= cache.#announcer.hears('cache:error');
    });
    return hears;
  }

  /** The memory tier by itself. */
  get memory() {
    return { stats: () => this.#memoryStats() };
  }

  // -------------------------------------------------------------------------------------------------------- reading

  /**
   * @param {string} key
   * @returns {Promise<any>}
   */
  async get(key) {
    checkKey(key);
    this.#checkOpen();
    const reader = this.#reader;
    const local = reader.local(key);
    return local === undefined ? await this.#during(reader.fetch(key)) : local;
  }

  /**
   * @param {string} key
   * @returns {any}
   */
  peek(key) {
    checkKey(key);
    this.#checkOpen();
    return this.#reader.local(key);
  }

  /**
   * @param {string} key
   * @returns {Promise<any>}
   */
  async read(key) {
    checkKey(key);
    this.#checkOpen();
    return this.#during(this.#reader.read(key));
  }

  /**
   * @param {string} key
   * @returns {Promise<import('../../types').Inspection>}
   */
  async inspect(key) {
    checkKey(key);
    this.#checkOpen();
    return this.#during(inspect(key, this.#store));
  }

  /** @param {string} key */
  async has(key) {
    checkKey(key);
    this.#checkOpen();
    return (await this.#during(this.#reader.lifetime(key))) !== undefined;
  }

  /** @param {string} key */
  async ttl(key) {
    checkKey(key);
    this.#checkOpen();
    const left = await this.#during(this.#reader.lifetime(key));
    return left === undefined ? undefined : left / 1000;
  }

  /** @param {readonly string[]} keys */
  async getMany(keys) {
    checkKeys(keys);
    this.#checkOpen();
    const values = this.#reader.many(keys);
    return values instanceof Promise ? this.#during(values) : values;
  }

  // -------------------------------------------------------------------------------------------------------- loading

  /**
   * @param {string} key
   * @param {any} loader
   * @param {any} [options]
   * @returns {Promise<any>}
   */
  async getOrSet(key, loader, options) {
    if (typeof loader !== 'function') throw invalid('loader', 'a function', loader);
    if (options !== undefined) checkLoadOptions(options, this.#defaults);
    this.#checkOpen();
    const kept = this.#objects.of(key);
    // The way of nearly every hit, with as little on it as can be: a key that is kept has been checked.
    if (kept !== undefined && !this.#pending.any && this.#still(kept.token, kept.fill, this.#aheadOf(options))) {
      this.#reader.hit(key);
      return this.#objects.valueOf(kept);
    }
    checkKey(key);
    const reader = this.#reader;
    const found = reader.look(key, this.#aheadOf(options), kept);
    if (found === true) {
      reader.hit(key);
      return this.#objects.valueOf(/** @type {import('./decoded-objects').Kept} */ (kept));
    }
    if (typeof found === 'string') {
      reader.hit(key);
      return found;
    }
    if (found !== undefined && found.freshness === FRESH) {
      const value = reader.decode(key, found, 'memory');
      if (value !== undefined) return value;
    }
    const call = options === undefined ? this.#plainLoad : loadOptions(options, this.#defaults);
    const local = found?.freshness === FRESH ? undefined : found;
    const loading = this.#loads.get(key, loader, call, local);
    return (await (loading instanceof Promise ? this.#during(loading) : loading)).value;
  }

  /**
   * @param {readonly string[]} keys
   * @param {any} loadMissing
   * @param {any} [options]
   * @returns {Promise<any[]>}
   */
  async getOrSetMany(keys, loadMissing, options) {
    checkKeys(keys);
    if (typeof loadMissing !== 'function') throw invalid('loadMissing', 'a function of the missing keys', loadMissing);
    this.#checkOpen();
    const call = options === undefined ? this.#plainLoad : loadOptions(options, this.#defaults);
    call.signal?.throwIfAborted();
    const reader = this.#reader;
    const look = (/** @type {string} */ key) => reader.lookForLoad(key, call.ahead);
    // What has to be looked at for more than its value, or is not there, is a load's.
    const prefetch =
      reader.readsBatches && call.ahead === 0
        ? (/** @type {readonly string[]} */ all) => reader.manyPlain(all)
        : undefined;
    return this.#during(getOrSetMany(keys, loadMissing, call, this.#loads, look, prefetch));
  }

  /**
   * @param {any} keyOrFunction
   * @param {any} [computeOrOptions]
   * @param {any} [ttl]
   * @returns {any}
   */
  memoize(keyOrFunction, computeOrOptions, ttl) {
    if (typeof keyOrFunction === 'function') {
      const names = () => (this.#memoized ??= new MemoizedNames());
      const check = (/** @type {any} */ options) => void loadOptions(options, this.#defaults);
      return memoizeFunction(this, names, keyOrFunction, { given: computeOrOptions, check });
    }
    return this.getOrSet(keyOrFunction, computeOrOptions, ttl);
  }

  // -------------------------------------------------------------------------------------------------------- writing

  /**
   * @param {string} key
   * @param {unknown} value
   * @param {any} [options]
   */
  async set(key, value, options) {
    checkKey(key);
    this.#checkOpen();
    const call = options === undefined ? this.#plainWrite : writeOptions(options, this.#defaults);
    return value === undefined ? false : await this.#writer.write(key, this.#codec.encode(value, 'value'), call);
  }

  /**
   * @param {any} entries
   * @param {any} [options]
   */
  async setMany(entries, options) {
    const pairs = pairsOf(entries);
    for (const [key] of pairs) checkKey(key);
    this.#checkOpen();
    const call = options === undefined ? this.#plainWrite : writeOptions(options, this.#defaults);
    return setMany(pairs, this.#codec, (key, encoded) => this.#writer.write(key, encoded, call));
  }

  /**
   * @param {string} key
   * @param {any} [options]
   */
  async delete(key, options) {
    checkKey(key);
    this.#checkOpen();
    this.#objects.drop(key);
    return this.#store.outstanding.track(this.#invalidation.key(key, isSoft(options)));
  }

  /** @param {readonly string[]} keys */
  async deleteMany(keys) {
    checkKeys(keys);
    this.#checkOpen();
    return this.#store.outstanding.track(this.#invalidation.keys([...new Set(keys)]));
  }

  /**
   * @param {string} key
   * @param {any} [options]
   */
  async invalidateKey(key, options) {
    return this.delete(key, options);
  }

  /** @param {string} tag */
  async invalidateTag(tag) {
    checkTag(tag, 'tag');
    return this.invalidateTags([tag]);
  }

  /** @param {readonly string[]} tags */
  async invalidateTags(tags) {
    if (!Array.isArray(tags)) throw invalid('tags', 'an array of tags', tags);
    for (const tag of tags) checkTag(tag, 'tags');
    this.#checkOpen();
    await this.#store.outstanding.track(this.#invalidation.tags([...new Set(tags)].map((tag) => `t:${tag}`)));
  }

  /** @param {string} pattern */
  async invalidatePattern(pattern) {
    if (typeof pattern !== 'string' || pattern === '') {
      throw invalid('pattern', 'a glob pattern such as user:*', pattern);
    }
    this.#checkOpen();
    return this.#store.outstanding.track(this.#invalidation.pattern(pattern));
  }

  /** @param {any} related */
  async invalidateRelated(related) {
    const parts = relatedParts(related);
    this.#checkOpen();
    const work = [];
    if (parts.keys.length > 0) work.push(this.deleteMany(parts.keys));
    if (parts.tags.length > 0) work.push(this.invalidateTags(parts.tags));
    for (const pattern of new Set(parts.patterns)) work.push(this.invalidatePattern(pattern));
    // All of them are begun, whatever becomes of one.
    for (const outcome of await Promise.allSettled(work)) if (outcome.status === 'rejected') throw outcome.reason;
  }

  async clear() {
    this.#checkOpen();
    this.#forgetObjects();
    await this.#store.outstanding.track(this.#invalidation.clear());
  }

  #forgetObjects() {
    if (this.#objects !== undefined) this.#objects.clear();
    if (this.#children !== undefined) for (const child of this.#children.values()) child.#forgetObjects();
  }

  /**
   * @param {string} name
   * @returns {Cache}
   */
  namespace(name) {
    if (typeof name !== 'string' || !/^[A-Za-z0-9_-]{1,64}$/.test(name)) {
      throw invalid('namespace', '1 to 64 letters, digits, _ or -', name);
    }
    this.#checkOpen();
    let child = this.#children?.get(name);
    if (child === undefined) {
      const path = this.#place.path === '' ? name : `${this.#place.path}.${name}`;
      if (path.length > MAX_PATH) {
        throw new TypeError(`namespace: expected names of at most ${MAX_PATH} characters in all, got ${path.length}`);
      }
      const namespaceTag = `n.${path}`;
      const place = { space: `k.${path}:`, namespaces: [...this.#place.namespaces, namespaceTag], namespaceTag, path };
      child = new Cache({ ...this.#options, namespace: `${this.name}.${name}` }, place, this);
      this.#children ??= new Map();
      this.#children.set(name, child);
    }
    return child;
  }

  // ------------------------------------------------------------------------------------------------- the cache itself

  /** @returns {Promise<Buffer>} */
  async dump() {
    this.#checkOpen();
    return this.#during(dump(this.#tiers));
  }

  /** @param {unknown} snapshot */
  async load(snapshot) {
    this.#checkOpen();
    return this.#during(load(this.#tiers, snapshot, this.#defaults.maxTtl));
  }

  stats() {
    return statsOf(this.#tierCounters, this.#counters, this.#memoryStats(), this.#pendingCount());
  }

  resetStats() {
    for (const name of Object.keys(this.#counters)) this.#counters[/** @type {'sets'} */ (name)] = 0;
    Object.assign(this.#tierCounters, newTierCounters());
    if (this.#tiers !== undefined) this.#tiers.resetStats();
  }

  async health() {
    return healthOf(this.#memoryStats(), this.#client, this.#closed, this.#pendingCount());
  }

  /** Of the cache and all its namespaces. @returns {any} */
  #memoryStats() {
    return this.#parent === undefined ? this.#tiers.memoryStats() : this.#parent.#memoryStats();
  }

  /** @returns {number} invalidations that may concern this cache, and that Redis has not acknowledged */
  #pendingCount() {
    if (this.#pending !== undefined) return this.#pending.size;
    return this.#parent === undefined ? 0 : this.#parent.#inheritedCount();
  }

  /** @returns {number} of those, what concerns its namespaces */
  #inheritedCount() {
    if (this.#pending !== undefined) return this.#pending.inherited;
    return this.#parent === undefined ? 0 : this.#parent.#inheritedCount();
  }

  /** @returns {Promise<void>} */
  close() {
    if (this.#closing === undefined) {
      this.#closing = this.#store === undefined ? this.#closeAsleep() : this.#close();
      if (this.#parent !== undefined) this.#parent.#leave(this, this.#closing);
    }
    return this.#closing;
  }

  /** @returns {Promise<void>} */
  [asyncDispose]() {
    return this.close();
  }

  /**
   * From now on namespace() opens another one; close() waits for what this one still does.
   * @param {Cache} child
   * @param {Promise<void>} closing
   */
  #leave(child, closing) {
    // Names have no dots.
    this.#children?.delete(child.#place.path.slice(child.#place.path.lastIndexOf('.') + 1));
    const leaving = (this.#leaving ??= new Set());
    leaving.add(closing);
    void closing.finally(() => leaving.delete(closing)).catch(() => {});
  }

  #closeChildren() {
    if (this.#children !== undefined) for (const child of [...this.#children.values()]) void child.close();
  }

  async #closeAsleep() {
    this.#closed = true;
    this.#closeChildren();
  }

  async #close() {
    this.#closed = true;
    if (this.#sleeper !== undefined) this.#awake.delete(this.#sleeper);
    this.#store.stop();
    this.#loads.close();
    this.#leaveClient('ready');
    this.#closeChildren();
    if (this.#leaving !== undefined) await Promise.all(this.#leaving);
    await this.#store.idle();
    const owner = this.#options.ownsClient && this.#place === ROOT;
    if (owner) await this.#client?.close();
    this.#leaveClient('close');
    this.#objects.clear();
    this.#store.close();
  }

  // -------------------------------------------------------------------------------------------------------- in between

  /** @param {any} options of getOrSet, before they are checked */
  #aheadOf(options) {
    if (options === undefined || options === null || options.refreshAhead === undefined) {
      return this.#defaults.refreshAhead;
    }
    return parseRefreshAhead(options.refreshAhead, 'refreshAhead');
  }

  #checkOpen() {
    if (this.#closed) throw new CacheError('CACHE_CLOSED', 'the cache is closed');
    this.#used = true;
    if (this.#store === undefined) this.#wake();
  }

  /** @param {Error} error */
  #survived(error) {
    this.#complaints.about(/** @type {Error & { code?: string }} */ (error).code ?? error.name, error.message);
    this.#tell('cache:error', error);
  }

  /**
   * @param {string} name
   * @param {unknown[]} details
   */
  #tell(name, ...details) {
    this.#announcer.tell(name, ...details);
  }
}

/**
 * @param {import('./options').NormalCacheOptions} options
 * @returns {Client | undefined}
 */
function clientOf({ redis }) {
  if (redis === undefined || redis instanceof RedisClient) return /** @type {Client | undefined} */ (redis);
  return new RedisClient(/** @type {import('../redis/options').NativeRedisOptions} */ (redis));
}

/** @typedef {Cache} CacheInstance */

module.exports = { Cache };
