'use strict';
// A map of bounded size: when the young half is full it becomes the old one, and what nobody asked for since is forgotten.

/** @template T */
class Recent {
  /** @type {Map<string, T>} */
  #young = new Map();
  /** @type {Map<string, T>} */
  #old = new Map();
  #half;

  /** @param {number} most */
  constructor(most) {
    this.#half = Math.ceil(most / 2);
  }

  /**
   * @param {string} key
   * @returns {T | undefined}
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
   * @param {T} value
   */
  set(key, value) {
    if (this.#young.size >= this.#half) {
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
}

/**
 * @template T
 * @typedef {Recent<T>} RecentOf
 */

module.exports = { Recent };
