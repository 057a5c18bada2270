'use strict';
// Runs a loader under its time limit, with the context that it is given; and waits for one on behalf of one caller.
const { CacheError } = require('../errors');
const { callWithin } = require('./enclosing-loads');
const { parseComputedTtl } = require('../options/ttl');
const { parseTags } = require('../options/tags');

/** @typedef {import('./single-flight').InFlightLoadInstance} InFlightLoad */
/** @typedef {import('./single-flight').LoadResult} LoadResult */

/** @type {readonly string[]} */
const NO_TAGS = [];

/** What a loader is given. Its functions may be taken out of it. */
class LoaderContext {
  #load;
  #previous;
  /** @type {number | undefined} ms; 0: not to be stored */
  #ttl = undefined;
  #skipped = false;
  /** @type {readonly string[]} */
  #tags = NO_TAGS;

  /**
   * @param {InFlightLoad} load
   * @param {(() => any) | undefined} previous
   */
  constructor(load, previous) {
    this.#load = load;
    this.#previous = previous;
  }

  get key() {
    return this.#load.key;
  }

  get signal() {
    return this.#load.signal;
  }

  get previous() {
    return this.#previous?.();
  }

  get setTtl() {
    return (/** @type {any} */ duration) => {
      this.#ttl = parseComputedTtl(duration, 'setTtl', this.#load.call.maxTtl);
    };
  }

  get setTags() {
    return (/** @type {any} */ tags) => {
      this.#tags = parseTags(tags, 'setTags');
    };
  }

  get skip() {
    return () => {
      this.#skipped = true;
    };
  }

  /**
   * What the loader said of its value.
   * @param {LoaderContext} context
   */
  static saidOf(context) {
    return { ttl: context.#ttl, skipped: context.#skipped };
  }

  /**
   * The tags that are known only with the value.
   * @param {LoaderContext} context
   * @param {any} value
   * @returns {readonly string[]}
   */
  static tagsOf(context, value) {
    const { tags } = context.#load.call;
    if (typeof tags !== 'function') {
      return context.#tags.length === 0 ? NO_TAGS : context.#tags.filter((tag) => !tags.includes(tag));
    }
    return [...new Set([...context.#tags, ...parseTags(/** @type {any} */ (tags(value, context)), 'tags')])];
  }
}

/**
 * What the loader gives, within its time limit.
 * @param {InFlightLoad} load
 * @param {LoaderContext} context
 * @returns {any} a value, or a promise of one
 */
function runLoader(load, context) {
  const { loader, call } = load;
  const run = () => loader(context);
  return call.timeout === undefined ? callWithin(load, run) : limited(load, run, call.timeout);
}

/**
 * @param {InFlightLoad} load
 * @param {() => any} run
 * @param {number} timeout ms
 */
async function limited(load, run, timeout) {
  /** @type {NodeJS.Timeout | undefined} */
  let timer;
  const tooLong = new Promise((_, reject) => {
    timer = setTimeout(() => {
      const error = new CacheError('LOAD_TIMEOUT', `the loader of '${load.key}' took longer than ${timeout} ms`);
      reject(error);
      load.abort(error);
    }, timeout);
    load.addLimit(timer);
  });
  try {
    return await Promise.race([callWithin(load, run), tooLong]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * What a load gives to one caller: its result, or a stale value when that takes too long for the caller.
 * @param {InFlightLoad} load
 * @param {import('./call-options').CallOptionsInstance} call
 * @param {() => LoadResult | undefined} stale
 * @returns {Promise<LoadResult>}
 */
function waitFor(load, call, stale) {
  const { signal, softTimeout } = call;
  if (signal !== undefined || softTimeout !== undefined) return waitAtMost(load, signal, softTimeout, stale);
  load.callers++;
  return load.result;
}

/**
 * @param {InFlightLoad} load
 * @param {AbortSignal | undefined} signal of the caller
 * @param {number | undefined} softTimeout ms
 * @param {() => LoadResult | undefined} stale
 * @returns {Promise<LoadResult>}
 */
async function waitAtMost(load, signal, softTimeout, stale) {
  if (signal?.aborted) {
    load.result.catch(() => {});
    throw signal.reason;
  }
  load.callers++;
  /** @type {NodeJS.Timeout | undefined} */
  let timer;
  /** @type {(() => void) | undefined} */
  let onAbort;
  const early = new Promise((resolve, reject) => {
    if (softTimeout !== undefined) {
      timer = setTimeout(() => {
        const result = stale();
        if (result !== undefined) resolve(result);
      }, softTimeout);
      load.addLimit(timer);
    }
    onAbort = () => reject(/** @type {AbortSignal} */ (signal).reason);
    signal?.addEventListener('abort', onAbort, { once: true });
  });
  try {
    return /** @type {LoadResult} */ (await Promise.race([load.result, early]));
  } finally {
    clearTimeout(timer);
    if (onAbort !== undefined) signal?.removeEventListener('abort', onAbort);
    load.result.catch(() => {}); // whoever left early does not hear of it any more
    // Nobody is left who wants it.
    if (--load.callers === 0 && signal?.aborted && !load.background) load.abort(signal.reason);
  }
}

module.exports = { LoaderContext, runLoader, waitFor };
