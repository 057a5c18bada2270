'use strict';
// A pattern that is being carried out. That takes many turns, and what is called meanwhile comes after it: a key that
// matches is removed before it is read or written, and is left alone from then on.
const { globMatcher } = require('../keys/glob');

class PatternWalk {
  #matches;
  #remove;
  /** @type {Set<string>} keys that are removed; what is there now is newer */
  #reached = new Set();
  /** @type {Set<Promise<void>>} removals that others asked for */
  #early = new Set();
  /** @type {{ error: unknown } | undefined} of the first of those that failed */
  #failure;
  /** How many keys there were. */
  removed = 0;

  /**
   * @param {string} pattern
   * @param {(key: string) => Promise<boolean>} remove sent in the turn of the call; whether there was an entry
   */
  constructor(pattern, remove) {
    this.#matches = globMatcher(pattern);
    this.#remove = remove;
  }

  /** Whether some keys must not be removed any more although they match. */
  get spares() {
    return this.#reached.size > 0;
  }

  /** @param {string} key */
  matches(key) {
    return this.#matches(key);
  }

  /**
   * Whether the key has still to be removed.
   * @param {string} key
   */
  concerns(key) {
    return !this.#reached.has(key) && this.#matches(key);
  }

  /**
   * Removes a key that matches, unless it was removed.
   * @param {string} key
   * @returns {Promise<void>} rejects when that was not acknowledged
   */
  async reach(key) {
    if (this.#reached.has(key)) return;
    this.#reached.add(key);
    try {
      if (await this.#remove(key)) this.removed++;
    } catch (error) {
      this.#reached.delete(key);
      throw error;
    }
  }

  /**
   * The same for a key that is about to be read or written; what it fails with is for end().
   * @param {string} key
   */
  reachEarly(key) {
    if (!this.concerns(key)) return;
    const removal = this.reach(key)
      .catch((error) => {
        this.#failure ??= { error };
      })
      .finally(() => this.#early.delete(removal));
    this.#early.add(removal);
  }

  /** Rejects when a removal that somebody asked for was not acknowledged. */
  async end() {
    await Promise.all(this.#early);
    if (this.#failure !== undefined) throw this.#failure.error;
  }
}

/** @typedef {PatternWalk} PatternWalkInstance */

module.exports = { PatternWalk };
