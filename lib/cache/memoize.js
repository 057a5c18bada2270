'use strict';
// The function form of memoize: the key of a call is a name and a hash of its arguments. Without a name that the caller gives,
// the function is known by its own name and a hash of its text: two that differ in either never share a result.
const { createHash } = require('node:crypto');
const { describe, invalid } = require('../options/invalid');
const { knownOptions } = require('../options/known');
const { hashArgs } = require('../keys/hash-args');
const { LOAD } = require('./call-options');

const NAMING = "give it a key of its own: memoize(fn, { key: '…' })";

/** The functions of one cache that are known by their own names. */
class MemoizedNames {
  // By name; one that is no more still has its name, as its results are still there.
  /** @type {Map<string, WeakRef<Function>>} */
  #functions = new Map();

  /**
   * @param {Function} fn
   * @returns {string}
   */
  nameOf(fn) {
    const text = Function.prototype.toString.call(fn);
    // A bound function, or one of the engine: neither its name nor its text says which.
    if (fn.name.startsWith('bound ') || /\{\s*\[native code\]\s*\}$/.test(text)) {
      throw new TypeError(
        `memoize: the function '${fn.name}' is bound or built in, and cannot be told from others; ${NAMING}`,
      );
    }
    if (fn.name === '') throw new TypeError(`memoize: a function without a name cannot be told from others; ${NAMING}`);
    const name = `${fn.name}#${createHash('sha256').update(text).digest('base64url').slice(0, 8)}`;
    const known = this.#functions.get(name);
    // They may differ in what they have taken from around them: a tenant, a connection.
    if (known !== undefined && known.deref() !== fn) {
      throw new TypeError(
        `memoize: another function with the name and text of '${fn.name}' is memoized in this cache already; ${NAMING}, ` +
          'or memoize it once',
      );
    }
    this.#functions.set(name, new WeakRef(fn));
    return name;
  }
}

/**
 * @param {import('./cache').CacheInstance} cache
 * @param {() => MemoizedNames} names of the cache
 * @param {(...args: any[]) => any} fn
 * @param {{ given: any, check: (options: any) => void }} options as they were given; what throws when one is not valid
 * @returns {import('../../types').Memoized<any[], any>}
 */
function memoizeFunction(cache, names, fn, { given = {}, check }) {
  if (typeof given === 'string' || typeof given === 'number') {
    throw new TypeError(`options: expected an object, got ${describe(given)}: write memoize(fn, { ttl: '5m' })`);
  }
  const { key: givenKey, ...options } = knownOptions(given, 'options', ['key', ...LOAD]);
  check(options);
  const key = givenKey === undefined ? names().nameOf(fn) : givenKey;
  if (typeof key !== 'function' && (typeof key !== 'string' || key === '')) {
    throw invalid('options.key', 'a string or a function of the arguments', key);
  }
  /** @param {any[]} args */
  const keyFor = (...args) => (typeof key === 'function' ? key(...args) : `${key}:${hashArgs(args)}`);

  /**
   * @this {unknown}
   * @param {any[]} args
   */
  const memoized = async function (...args) {
    return cache.getOrSet(keyFor(...args), () => fn.apply(this, args), options);
  };
  for (const name of ['name', 'length']) {
    const value = /** @type {any} */ (fn)[name];
    Object.defineProperty(memoized, name, { value, configurable: true });
  }
  return Object.assign(memoized, {
    keyFor,
    /** @param {any[]} args */
    invalidate: async (...args) => cache.delete(keyFor(...args)),
  });
}

/** @typedef {MemoizedNames} MemoizedNamesInstance */

module.exports = { MemoizedNames, memoizeFunction };
