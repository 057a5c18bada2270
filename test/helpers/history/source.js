'use strict';
// The source of truth of a history: a version per key. One turn of the loop is one step, so that it is linearizable.

class Source {
  /** @type {Map<string, number>} */
  #versions = new Map();
  /** @type {Set<string>} */
  #locked = new Set();
  /** @type {Array<() => boolean>} those who wait for a lock, in their order */
  #waiting = [];

  versionsOf(keys) {
    return Object.fromEntries(keys.map((key) => [key, this.#versions.get(key) ?? 1]));
  }

  /**
   * Answers with the versions: of now, after a change of all the keys, or after one that keeps them locked.
   * @param {'read' | 'commit' | 'lock'} what
   * @param {string[]} keys
   * @param {(versions: Record<string, number>) => void} answer
   */
  ask(what, keys, answer) {
    if (what === 'read') return answer(this.versionsOf(keys));
    const attempt = () => {
      if (keys.some((key) => this.#locked.has(key))) return false;
      for (const key of keys) {
        this.#versions.set(key, (this.#versions.get(key) ?? 1) + 1);
        if (what === 'lock') this.#locked.add(key);
      }
      answer(this.versionsOf(keys));
      return true;
    };
    if (!attempt()) this.#waiting.push(attempt);
  }

  /** @param {string[]} keys */
  unlock(keys) {
    for (const key of keys) this.#locked.delete(key);
    this.#waiting = this.#waiting.filter((attempt) => !attempt());
  }
}

module.exports = { Source };
