'use strict';
// Runs a loader under its time limit, with the context that it is given; and waits for one on behalf of one caller.
const { CacheError } = require('../errors');
const { parsePositiveDuration } = require('../options/duration');
const { parseTags } = require('../options/tags');

/** @typedef {import('./single-flight').InFlightLoadInstance} InFlightLoad */
/** @typedef {import('./single-flight').LoadResult} LoadResult */

/** What a loader is given. */
class LoaderContext {
  #load;
  #previous;
  /** @type {number | undefined} ms */
  #ttl;
  #skipped = false;
  /** @type {string[]} */
  #tags = [];

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

  /** @param {any} duration */
  setTtl = (duration) => {
    this.#ttl = parsePositiveDuration(duration, 'setTtl');
  };

  /** @param {any} tags */
  setTags = (tags) => {
    this.#tags = parseTags(tags, 'setTags');
  };

  skip = () => {
    this.#skipped = true;
  };

  /** @internal */
  get settings() {
    const { call } = this.#load;
    return {
      ttl: this.#ttl,
      skipped: this.#skipped,
      tagsOf: (/** @type {any} */ value) => [
        ...this.#tags,
        ...(typeof call.tags === 'function' ? parseTags(call.tags(value, this), 'tags') : []),
      ],
    };
  }
}

/**
 * @param {InFlightLoad} load
 * @param {(() => any) | undefined} previous
 */
async function runLoader(load, previous) {
  const { loader, call } = load;
  const context = new LoaderContext(load, previous);
  if (call.timeout === undefined) return { value: await loader(context), context: context.settings };
  /** @type {NodeJS.Timeout | undefined} */
  let timer;
  const tooLong = new Promise((_, reject) => {
    timer = setTimeout(() => {
      const error = new CacheError('LOAD_TIMEOUT', `the loader of '${load.key}' took longer than ${call.timeout} ms`);
      reject(error);
      load.abort(error);
    }, call.timeout);
    load.limits.push(timer);
  });
  try {
    return { value: await Promise.race([loader(context), tooLong]), context: context.settings };
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
async function waitFor(load, call, stale) {
  const { signal, softTimeout } = call;
  if (signal?.aborted) {
    load.result.catch(() => {});
    throw signal.reason;
  }
  load.callers++;
  if (signal === undefined && softTimeout === undefined) {
    try {
      return await load.result;
    } finally {
      load.callers--;
    }
  }
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
      load.limits.push(timer);
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

module.exports = { runLoader, waitFor };
