'use strict';
// In which order this process called the writes and removals of one prefix on one server. A write that is made once more
// (one of its tags had changed) must not overtake what was called after it: a newer write of the key, its removal, or an
// invalidation of what it carries, through whatever cache or namespace. Remembered only while writes are under way.

/** So many tags are told apart; then one mark stands for all. */
const MOST_TAGS = 1000;

class WriteOrder {
  #last = 0;
  /** @type {Map<string, { newest: number, underWay: number }>} by key, with its space */
  #keys = new Map();
  /** @type {Map<string, number>} when a tag was last invalidated */
  #tags = new Map();
  // When something was last removed that may have been any key.
  #some = 0;

  /**
   * @param {string} key with its space
   * @returns {number} for isOvertaken()
   */
  begin(key) {
    const number = ++this.#last;
    const known = this.#keys.get(key);
    if (known === undefined) {
      this.#keys.set(key, { newest: number, underWay: 1 });
    } else {
      known.newest = number;
      known.underWay++;
    }
    return number;
  }

  /** @param {string} key of a write that has ended */
  end(key) {
    const known = this.#keys.get(key);
    if (known === undefined || --known.underWay > 0) return;
    this.#keys.delete(key);
    if (this.#keys.size === 0) this.#tags.clear();
  }

  /** @param {string} key with its space */
  removed(key) {
    const known = this.#keys.get(key);
    if (known !== undefined) known.newest = ++this.#last;
  }

  /** @param {readonly string[]} names of tags, whole */
  invalidated(names) {
    if (this.#keys.size === 0) return;
    const number = ++this.#last;
    for (const name of names) this.#tags.set(name, number);
    if (this.#tags.size > MOST_TAGS) this.removedSome();
  }

  /** Whatever a pattern matches. */
  removedSome() {
    this.#some = ++this.#last;
    this.#tags.clear();
  }

  /**
   * Whether something was called since this write that is newer than what it stores.
   * @param {number} number
   * @param {string} key
   * @param {readonly string[]} names of the tags that it carries, whole
   */
  isOvertaken(number, key, names) {
    if (this.#some > number || this.#keys.get(key)?.newest !== number) return true;
    return names.some((name) => (this.#tags.get(name) ?? 0) > number);
  }
}

/** @type {Map<string, { order: WriteOrder, users: number }>} */
const orders = new Map();

/**
 * The one of all stores of this process that have this name.
 * @param {string} name of a server and a prefix
 * @returns {WriteOrder}
 */
function acquireWriteOrder(name) {
  let known = orders.get(name);
  if (known === undefined) orders.set(name, (known = { order: new WriteOrder(), users: 0 }));
  known.users++;
  return known.order;
}

/** @param {string} name */
function releaseWriteOrder(name) {
  const known = orders.get(name);
  if (known !== undefined && --known.users === 0) orders.delete(name);
}

/** @typedef {WriteOrder} WriteOrderInstance */

module.exports = { WriteOrder, acquireWriteOrder, releaseWriteOrder };
