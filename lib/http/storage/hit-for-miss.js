'use strict';
// Hit-for-miss: keys whose response could not be stored a while ago. Bounded in number and in time.
const { BoundedMap } = require('../../util/bounded-map');

const MAX_KEYS = 10_000;

class HitForMiss {
  /** @type {import('../../util/bounded-map').BoundedMapOf<number>} performance.now() until which each counts */
  #until = new BoundedMap(MAX_KEYS);
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
    if (this.#ms > 0) this.#until.set(key, performance.now() + this.#ms);
  }

  /** @param {string} key */
  delete(key) {
    this.#until.delete(key);
  }
}

module.exports = { HitForMiss };
