'use strict';
// Runs a loader under its time limit, with the context that it is given; and waits for one on behalf of one caller.
const { CacheError } = require('../errors');
const { parsePositiveDuration } = require('../options/duration');
const { parseTags } = require('./call-options');

/** @typedef {import('./single-flight').FlightInstance} FlightInstance */
/** @typedef {import('./single-flight').Landing} Landing */

/** What a loader is given. */
class LoaderContext {
  #flight;
  #previous;
  /** @type {number | undefined} ms */
  #ttl;
  #skipped = false;
  /** @type {string[]} */
  #tags = [];

  /**
   * @param {FlightInstance} flight
   * @param {(() => any) | undefined} previous
   */
  constructor(flight, previous) {
    this.#flight = flight;
    this.#previous = previous;
  }

  get key() {
    return this.#flight.key;
  }

  get signal() {
    return this.#flight.signal;
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
    const { call } = this.#flight;
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
 * @param {FlightInstance} flight
 * @param {(() => any) | undefined} previous
 */
async function runLoader(flight, previous) {
  const { loader, call } = flight;
  const context = new LoaderContext(flight, previous);
  if (call.timeout === undefined) return { value: await loader(context), context: context.settings };
  /** @type {NodeJS.Timeout | undefined} */
  let timer;
  const tooLong = new Promise((_, reject) => {
    timer = setTimeout(() => {
      const error = new CacheError('LOAD_TIMEOUT', `the loader of '${flight.key}' took longer than ${call.timeout} ms`);
      reject(error);
      flight.abort(error);
    }, call.timeout);
    flight.limits.push(timer);
  });
  try {
    return { value: await Promise.race([loader(context), tooLong]), context: context.settings };
  } finally {
    clearTimeout(timer);
  }
}

/**
 * What a flight gives to one caller: its landing, or what is stale when that takes too long for it.
 * @param {FlightInstance} flight
 * @param {import('./call-options').CallOptionsInstance} call
 * @param {() => Landing | undefined} stale
 * @returns {Promise<Landing>}
 */
async function waitFor(flight, call, stale) {
  const { signal, softTimeout } = call;
  if (signal?.aborted) {
    flight.landed.catch(() => {});
    throw signal.reason;
  }
  flight.waiters++;
  if (signal === undefined && softTimeout === undefined) {
    try {
      return await flight.landed;
    } finally {
      flight.waiters--;
    }
  }
  /** @type {NodeJS.Timeout | undefined} */
  let timer;
  /** @type {(() => void) | undefined} */
  let onAbort;
  const early = new Promise((resolve, reject) => {
    if (softTimeout !== undefined) {
      timer = setTimeout(() => {
        const landing = stale();
        if (landing !== undefined) resolve(landing);
      }, softTimeout);
      flight.limits.push(timer);
    }
    onAbort = () => reject(/** @type {AbortSignal} */ (signal).reason);
    signal?.addEventListener('abort', onAbort, { once: true });
  });
  try {
    return /** @type {Landing} */ (await Promise.race([flight.landed, early]));
  } finally {
    clearTimeout(timer);
    if (onAbort !== undefined) signal?.removeEventListener('abort', onAbort);
    flight.landed.catch(() => {}); // whoever left early does not hear of it any more
    // Nobody is left who wants it.
    if (--flight.waiters === 0 && signal?.aborted && !flight.background) flight.abort(signal.reason);
  }
}

module.exports = { runLoader, waitFor };
