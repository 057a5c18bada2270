'use strict';
// Keys of which something was learned a while ago: bounded in number and in time.

const MAX_KEYS = 10_000;

class RecentKeys {
  /** @type {Map<string, number>} key → performance.now() until which it counts; oldest first */
  #until = new Map();
  #ms;

  /** @param {number} ms for how long they count */
  constructor(ms) {
    this.#ms = ms;
  }

  /** @param {string} key */
  has(key) {
    const until = this.#until.get(key);
    if (until === undefined) return false;
    if (performance.now() < until) return true;
    this.#until.delete(key);
    return false;
  }

  /** @param {string} key */
  add(key) {
    this.#until.delete(key);
    if (this.#ms === 0) return;
    this.#until.set(key, performance.now() + this.#ms);
    if (this.#until.size <= MAX_KEYS) return;
    for (const oldest of this.#until.keys()) {
      this.#until.delete(oldest);
      break;
    }
  }

  /** @param {string} key */
  delete(key) {
    this.#until.delete(key);
  }
}

module.exports = { RecentKeys };
