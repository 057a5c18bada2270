'use strict';
// Fences between handlers and invalidations: an answer whose handler began before an unsafe request of the same URL
// succeeded may show the old state, and is not stored. Shared by all mounts on one cache.

class Fence {
  holds = true;
}

/** @typedef {Fence} RaisedFence */

class Fences {
  /** @type {Map<string, Set<Fence>>} */
  #raised = new Map();

  /**
   * Before the handler runs.
   * @param {string} key
   * @returns {Fence}
   */
  raise(key) {
    const fence = new Fence();
    const set = this.#raised.get(key);
    if (set) set.add(fence);
    else this.#raised.set(key, new Set([fence]));
    return fence;
  }

  /**
   * When its answer is stored, or given up.
   * @param {string} key
   * @param {Fence} fence
   */
  lower(key, fence) {
    const set = this.#raised.get(key);
    if (set?.delete(fence) && set.size === 0) this.#raised.delete(key);
  }

  /** @param {string} key */
  invalidate(key) {
    for (const fence of this.#raised.get(key) ?? []) fence.holds = false;
  }

  get size() {
    return this.#raised.size;
  }
}

/** @type {WeakMap<object, Fences>} */
const byCache = new WeakMap();

/** @param {object} cache */
function fencesOf(cache) {
  let fences = byCache.get(cache);
  if (fences === undefined) byCache.set(cache, (fences = new Fences()));
  return fences;
}

module.exports = { Fences, fencesOf };
