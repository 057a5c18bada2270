'use strict';
// Loads that failed a moment ago: whoever asks meanwhile gets the same error, and no further load. Here are those of
// this process, as they were thrown; those of others come through Redis, as text.
const { inspect } = require('node:util');
const { CacheError } = require('../errors');
const { BoundedMap } = require('../util/bounded-map');

const MOST = 1000;
const LONGEST_TEXT = 2000;

class Failures {
  /** @type {import('../util/bounded-map').BoundedMapOf<{ error: unknown, until: number }>} */
  #recent = new BoundedMap(MOST);
  #lastUntil = 0;

  /**
   * @param {string} key
   * @returns {{ error: unknown } | undefined}
   */
  of(key) {
    if (this.#recent.isEmpty) return undefined;
    const failure = this.#recent.get(key);
    if (failure === undefined || failure.until > performance.now()) return failure;
    this.#recent.delete(key);
    return undefined;
  }

  /**
   * @param {string} key
   * @param {unknown} error
   * @param {number} ms
   */
  remember(key, error, ms) {
    if (ms <= 0) return;
    const until = performance.now() + ms;
    this.#lastUntil = Math.max(this.#lastUntil, until);
    this.#recent.set(key, { error, until });
  }

  /** Whether none is remembered any more. */
  get areOver() {
    return performance.now() >= this.#lastUntil;
  }

  /** @param {string} key */
  forget(key) {
    if (!this.#recent.isEmpty) this.#recent.delete(key);
  }

  clear() {
    this.#recent.clear();
  }
}

/**
 * An error for other processes: what it says, and nothing else of it. Never throws, whatever was thrown.
 * @param {unknown} error
 * @param {boolean} [forWaiters] only for those who waited for the load; who comes later loads
 */
function describeError(error, forWaiters) {
  const given = /** @type {any} */ (error);
  const isError = safely(() => given instanceof Error || typeof given?.message === 'string') === true;
  if (!isError) return JSON.stringify({ message: textOf(error), forWaiters });
  const code = safely(() => given.code);
  const shown = {
    name: textOf(safely(() => given.name) ?? 'Error'),
    message: textOf(safely(() => given.message) ?? ''),
    code: ['string', 'number'].includes(typeof code) ? code : undefined,
    forWaiters,
  };
  return JSON.stringify(shown);
}

/**
 * @template T
 * @param {() => T} look at something that may have been made to throw
 * @returns {T | undefined}
 */
function safely(look) {
  try {
    return look();
  } catch {
    return undefined;
  }
}

/** @param {unknown} value */
function textOf(value) {
  const text = safely(() =>
    typeof value === 'object' && value !== null ? inspect(value, { depth: 1 }) : String(value),
  );
  return (text ?? 'an error that cannot be described').slice(0, LONGEST_TEXT);
}

/**
 * Whether who has not waited for the load is to load itself.
 * @param {unknown} text of describeError
 */
function isForWaiters(text) {
  // What is told to nobody in particular does not end so: the flag is the last member.
  return typeof text === 'string' && text.endsWith(',"forWaiters":true}');
}

/**
 * What another process's loader threw.
 * @param {string} text
 * @returns {Error}
 */
function revivedError(text) {
  try {
    const { name, message, code } = JSON.parse(text);
    const error = new Error(String(message));
    if (typeof name === 'string' && name !== 'Error') {
      Object.defineProperty(error, 'name', { value: name, configurable: true, writable: true });
    }
    if (code !== undefined) /** @type {any} */ (error).code = code;
    return error;
  } catch {
    return new CacheError('LOAD_FAILED', 'the load failed in another process');
  }
}

/** @typedef {Failures} FailuresInstance */

module.exports = { Failures, describeError, isForWaiters, revivedError };
