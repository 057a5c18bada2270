'use strict';
// Many keys at once: one round trip for all of them, and one call of the loader for all that are missing.
const { invalid, isPlainObject } = require('../options/invalid');

/**
 * @param {Array<[string, unknown]>} pairs
 * @param {import('./codecs').CacheCodec} codec
 * @param {(key: string, encoded: import('./codecs').Encoded) => boolean | Promise<boolean>} store
 * @returns {Promise<boolean>} whether every one was stored
 */
async function setMany(pairs, codec, store) {
  // All are encoded before any is stored: a value that cannot be is not half a success.
  const encoded = pairs.map(([key, value]) =>
    value === undefined ? undefined : codec.encode(value, `value of '${key}'`),
  );
  const stored = await Promise.all(
    pairs.map(([key], index) => {
      const one = encoded[index];
      return one === undefined ? false : store(key, one);
    }),
  );
  return stored.every(Boolean);
}

/**
 * Collects the keys whose loads have begun, until all that could begin have, and loads them with one call.
 */
class Collector {
  /** @type {Map<string, { resolve: (value: any) => void, reject: (error: unknown) => void, context: any }>} */
  #waiting = new Map();
  #undecided;
  #loadMissing;

  /**
   * @param {number} undecided keys of which it is not known yet whether they have to be loaded
   * @param {(keys: string[], context: any) => any} loadMissing
   */
  constructor(undecided, loadMissing) {
    this.#undecided = undecided;
    this.#loadMissing = loadMissing;
  }

  /**
   * The loader of one key.
   * @param {{ key: string, signal: AbortSignal }} context
   */
  load(context) {
    const promise = new Promise((resolve, reject) => this.#waiting.set(context.key, { resolve, reject, context }));
    this.decided();
    return promise;
  }

  /** One key more is a hit, somebody else's load, or about to be loaded. */
  decided() {
    if (--this.#undecided <= 0) void this.#flush();
  }

  async #flush() {
    const batch = this.#waiting;
    if (batch.size === 0) return;
    this.#waiting = new Map();
    const keys = [...batch.keys()];
    try {
      const signal = whenAllAbort([...batch.values()].map(({ context }) => context.signal));
      const values = valuesOf(await this.#loadMissing(keys, { keys, signal }), keys);
      for (const [key, { resolve }] of batch) resolve(values(key));
    } catch (error) {
      for (const { reject } of batch.values()) reject(error);
    }
  }
}

/**
 * A signal for a load of many keys: one that is written or given up by its callers is no reason to stop for the others.
 * @param {AbortSignal[]} signals
 * @returns {AbortSignal} aborted when all of them are
 */
function whenAllAbort(signals) {
  const controller = new AbortController();
  let left = signals.length;
  const onAbort = (/** @type {unknown} */ reason) => {
    if (--left === 0) controller.abort(reason);
  };
  for (const signal of signals) {
    if (signal.aborted) onAbort(signal.reason);
    else signal.addEventListener('abort', () => onAbort(signal.reason), { once: true });
  }
  return controller.signal;
}

/**
 * A Map, an object by key, or an array in the order of the keys.
 * @param {any} loaded
 * @param {string[]} keys
 * @returns {(key: string) => any}
 */
function valuesOf(loaded, keys) {
  if (loaded instanceof Map) return (key) => loaded.get(key);
  if (Array.isArray(loaded)) {
    if (loaded.length !== keys.length) {
      throw new TypeError(`loadMissing: expected ${keys.length} values, one for each key, got ${loaded.length}`);
    }
    return (key) => loaded[keys.indexOf(key)];
  }
  if (isPlainObject(loaded)) {
    return (key) => (Object.hasOwn(loaded, key) ? loaded[key] : undefined);
  }
  throw invalid('loadMissing', 'it to return an array in the order of the keys, a Map, or an object by key', loaded);
}

/**
 * @param {readonly string[]} keys
 * @param {(keys: string[], context: any) => any} loadMissing
 * @param {import('./call-options').CallOptionsInstance} call
 * @param {import('./load-coordinator').LoadCoordinatorInstance} loads
 * @param {(key: string) => { value?: any, local?: import('../store/tiered-store').Hit }} look into memory
 * @param {((keys: readonly string[]) => Promise<any[]>) | undefined} prefetch what can be read together; undefined where it is not there
 * @returns {Promise<any[]>} in the order of the keys
 */
async function getOrSetMany(keys, loadMissing, call, loads, look, prefetch) {
  /** @type {Map<string, any>} */
  const results = new Map();
  if (prefetch !== undefined) {
    const found = await prefetch(keys);
    if (!found.includes(undefined)) return found;
    for (const [at, value] of found.entries()) if (value !== undefined) results.set(keys[at], value);
  }
  /** @type {Array<[string, import('../store/tiered-store').Hit | undefined]>} */
  const missing = [];
  for (const key of new Set(keys)) {
    if (results.has(key)) continue;
    const { value, local } = look(key);
    if (value === undefined) missing.push([key, local]);
    else results.set(key, value);
  }
  const collector = new Collector(missing.length, loadMissing);
  await Promise.all(
    missing.map(async ([key, local]) => {
      let asked = false;
      const loader = (/** @type {any} */ context) => {
        // Loaded once more, because the first load was overtaken: by itself.
        if (asked) return loadOne(loadMissing, context);
        asked = true;
        return collector.load(context);
      };
      const settled = () => {
        if (asked) return;
        asked = true;
        collector.decided();
      };
      try {
        // Whoever waits for somebody else's load must not keep the others waiting.
        results.set(key, (await loads.get(key, loader, call, local, settled)).value);
      } finally {
        settled();
      }
    }),
  );
  return keys.map((key) => results.get(key));
}

/**
 * @param {(keys: string[], context: any) => any} loadMissing
 * @param {{ key: string, signal: AbortSignal }} context
 */
async function loadOne(loadMissing, context) {
  const keys = [context.key];
  return valuesOf(await loadMissing(keys, { keys, signal: context.signal }), keys)(context.key);
}

module.exports = { setMany, getOrSetMany };
