'use strict';
// Touches of a store: at most one command for a session is under way, and one waits, with the latest expiry; and, with
// touchAfter, none at all while the stored expiry is recent enough.

const { sameMaxAge } = require('./formats/expiry');
const { BoundedMap } = require('../../util/bounded-map');

const MOST_REMEMBERED = 20_000;
const SLOTS = 1024; // a power of two
const MOST_HASHED = 64;

/** @typedef {import('../types').Touch} Touch */

/** @typedef {(error: any) => void} Done it must not throw */

/** @typedef {import('../types').Running} Running */

/** @type {Done[]} */
const NOBODY = [];

class Touches {
  #send;
  #after;
  // By a hash of the id. Two that share a place are rare, and one of them is then sent as it comes. Not a Map: what comes
  // and goes with every request would be kept by the tables that it outgrows, until the next major collection.
  /** @type {Array<Running | undefined>} */
  #running = new Array(SLOTS).fill(undefined);
  // Of this process, when each session was last given which end.
  /** @type {import('../../util/bounded-map').BoundedMapOf<{ ends: number, maxAge: unknown }>} */
  #recent = new BoundedMap(MOST_REMEMBERED);

  /**
   * @param {(id: string, touch: Touch, done: Done) => void} send
   * @param {number} after ms, 0: every touch is sent
   */
  constructor(send, after) {
    this.#send = send;
    this.#after = after;
  }

  /**
   * @param {string} id
   * @param {Touch} touch
   * @param {Done} done
   */
  touch(id, touch, done) {
    if (this.#after > 0 && this.#isRecent(id, touch)) return process.nextTick(done, null);
    const slot = slotOf(id);
    const running = this.#running[slot];
    if (running === undefined) return this.#start(slot, id, touch, done);
    if (running.id !== id) return this.#send(id, touch, done);
    if (running.next === undefined && isSame(running.touch, touch)) {
      running.others ??= [];
      running.others.push(done);
      return undefined;
    }
    if (running.next === undefined) running.nextDones = [];
    // Ends are about the same; a maxAge that was changed is with nobody else.
    if (running.next === undefined || !isChange(running.next) || isChange(touch)) running.next = touch;
    running.nextDones.push(done);
    return undefined;
  }

  /**
   * What is stored by now, by other means.
   * @param {string} id
   * @param {number} ends
   * @param {unknown} maxAge
   */
  note(id, ends, maxAge) {
    if (this.#after > 0) this.#recent.set(id, { ends, maxAge });
  }

  /** @param {string} id */
  forget(id) {
    if (this.#after > 0) this.#recent.delete(id);
  }

  /**
   * @param {number} slot
   * @param {string} id
   * @param {Touch} touch
   * @param {Done} done
   */
  #start(slot, id, touch, done) {
    /** @type {Running} */
    const running = { id, touch, done, others: undefined, next: undefined, nextDones: NOBODY };
    this.#running[slot] = running;
    try {
      this.#send(id, touch, (error) => this.#ended(slot, running, error));
    } catch (error) {
      // Else its place would be taken for ever.
      this.#ended(slot, running, error);
    }
  }

  /**
   * @param {number} slot
   * @param {Running} running
   * @param {any} error
   */
  #ended(slot, { id, touch, done, others, next, nextDones }, error) {
    if (next === undefined) this.#running[slot] = undefined;
    else this.#start(slot, id, next, (later) => nextDones.forEach((one) => one(later)));
    if (!error) this.note(id, touch.ends, touch.maxAge);
    done(error);
    others?.forEach((one) => one(error));
  }

  /**
   * @param {string} id
   * @param {Touch} touch
   */
  #isRecent(id, { ends, maxAge, loaded }) {
    // Of another store's record the key alone knows when it ends: the cookie says nothing about it.
    const known = loaded !== undefined && !loaded.whole && !Number.isNaN(loaded.ends) ? loaded : undefined;
    const stored = known ?? this.#recent.get(id);
    return stored !== undefined && sameMaxAge(stored.maxAge, maxAge) && Math.abs(ends - stored.ends) < this.#after;
  }
}

/** @param {string} id */
function slotOf(id) {
  let hash = id.length;
  for (let i = Math.max(0, id.length - MOST_HASHED); i < id.length; i++) {
    hash = (Math.imul(hash, 31) + id.charCodeAt(i)) | 0;
  }
  return hash & (SLOTS - 1);
}

/** Whether it does more than move the end. @param {Touch} touch */
function isChange({ maxAge, loaded }) {
  return loaded?.maxAge !== maxAge;
}

/**
 * @param {Touch} one
 * @param {Touch} other
 */
function isSame(one, other) {
  const sameEnd = one.ends === other.ends && one.maxAge === other.maxAge;
  return sameEnd && one.loaded?.maxAge === other.loaded?.maxAge;
}

module.exports = { Touches };
