'use strict';
// The function form of memoize: the key of a call is a name and a hash of its arguments.
const { invalid } = require('../options/invalid');
const { knownOptions } = require('../options/known');
const { hashArgs } = require('../keys/hash-args');
const { LOAD } = require('./call-options');

/**
 * @param {import('./cache').CacheInstance} cache
 * @param {(...args: any[]) => any} fn
 * @param {any} given
 * @returns {import('../../types').Memoized<any[], any>}
 */
function memoizeFunction(cache, fn, given) {
  const { key = fn.name, ...options } = knownOptions(given, 'options', ['key', ...LOAD]);
  if (typeof key !== 'function' && (typeof key !== 'string' || key === '')) {
    const expected = 'a string or a function of the arguments (a function without a name has no key of its own)';
    throw invalid('options.key', expected, key);
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
  return Object.assign(memoized, {
    keyFor,
    /** @param {any[]} args */
    invalidate: async (...args) => cache.delete(keyFor(...args)),
  });
}

module.exports = { memoizeFunction };
