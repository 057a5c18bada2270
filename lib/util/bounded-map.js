'use strict';
// A map of bounded size. It has two generations: when the young one is full it becomes the old one, and what nobody has asked
// for since then is forgotten. Recency without a list, and nothing that a major collection alone gives back.

/** @template Value */
class BoundedMap {
  /** @type {Map<string, Value>} */
  #young = new Map();
  /** @type {Map<string, Value>} */
  #old = new Map();
  #half;

  /** @param {number} most entries; of those that were used last, half as many are there for certain */
  constructor(most) {
    this.#half = Math.ceil(most / 2);
  }

  /** Whether there may be anything: cheaper than a look at a key. */
  get isEmpty() {
    return this.#young.size === 0 && this.#old.size === 0;
  }

  /**
   * @param {string} key
   * @returns {Value | undefined}
   */
  get(key) {
    const value = this.#young.get(key);
    if (value !== undefined) return value;
    const older = this.#old.get(key);
    if (older !== undefined) this.set(key, older);
    return older;
  }

  /**
   * @param {string} key
   * @param {Value} value not undefined
   */
  set(key, value) {
    if (this.#young.size >= this.#half && !this.#young.has(key)) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(key, value);
  }

  /** @param {string} key */
  delete(key) {
    this.#young.delete(key);
    this.#old.delete(key);
  }

  clear() {
    this.#young.clear();
    this.#old.clear();
  }
}

/**
 * @template Value
 * @typedef {BoundedMap<Value>} BoundedMapOf
 */

module.exports = { BoundedMap };
