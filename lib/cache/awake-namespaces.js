'use strict';
// Which namespaces of a cache have their parts: store, loads, decoded objects, the native side, some 20 KB each. There may be a
// namespace for every tenant. Beyond a number of them, those that were not used lately and have nothing under way give their
// parts up, and make them anew when they are used again.
const MOST_AWAKE = 1000;
// Of those that have been awake for longest, so many are looked at for each that wakes.
const LOOKS = 8;

/** @typedef {import('./types').Sleeper} Sleeper */

class AwakeNamespaces {
  /** @type {Set<Sleeper>} */
  #awake = new Set();

  get size() {
    return this.#awake.size;
  }

  /** @param {Sleeper} one that has just made its parts */
  add(one) {
    this.#awake.add(one);
    let looks = 0;
    for (const other of this.#awake) {
      if (this.#awake.size <= MOST_AWAKE || ++looks > LOOKS) return;
      this.#awake.delete(other);
      // Those that stay are asked last.
      if (other === one || !other.sleep()) this.#awake.add(other);
    }
  }

  /** @param {Sleeper} one */
  delete(one) {
    this.#awake.delete(one);
  }
}

/** @typedef {AwakeNamespaces} AwakeNamespacesInstance */

module.exports = { AwakeNamespaces };
