'use strict';
// Who waits for a lease that somebody else has, or loads under one of its own. Each of them hears of every change of its
// key, whoever else is interested in it.
const { clearTimeout, setTimeout } = require('../timers');

let lastTicket = 0;
/** @type {readonly string[]} */
const NO_TAGS = [];
/** @type {readonly Waiter[]} */
const NOBODY = [];

/** One caller that asks for the lease of one key. */
class Waiter {
  /** The number of the lease that it was granted; 0: none. */
  leaseId = 0;
  /** Whether the key may have changed since it was last looked at. */
  changed = false;
  /** @type {(() => void) | undefined} set while it waits */
  wake = undefined;
  /** What the native tier names when the lease that it waits for has ended. */
  ticket = ++lastTicket;
  /** The lease is for an entry that stays readable: when that is gone, so is the search. */
  renewing = false;
  /** performance.now() up to which it waits for somebody else's lease. */
  until = Infinity;
  /** Tags whose stamps count from the lease on, whole names. */
  tags = NO_TAGS;

  /**
   * @param {string} key
   * @param {number} leaseFor ms that its lease lasts without being renewed
   */
  constructor(key, leaseFor) {
    this.key = key;
    this.leaseFor = leaseFor;
  }

  /** @returns {boolean} whether nobody wants the lease any more */
  get aborted() {
    return false;
  }

  /** @param {number} leaseId */
  granted(leaseId) {
    this.leaseId = leaseId;
  }

  /** Makes it look at the key again. */
  notice() {
    this.changed = true;
    this.wake?.();
  }

  /** Redis, or the end of a load in this process, says that the key has changed. */
  onKeyChanged() {
    this.notice();
  }
}

class LeaseWaiters {
  /** @type {Map<string, Waiter | Set<Waiter>>} by key; most keys have one */
  #byKey = new Map();
  /** @type {Map<number, Waiter>} those that wait, by ticket */
  #waiting = new Map();

  /**
   * From now on it hears of changes of its key, until leave().
   * @param {Waiter} waiter
   */
  enter(waiter) {
    const there = this.#byKey.get(waiter.key);
    if (there === undefined) this.#byKey.set(waiter.key, waiter);
    else if (there instanceof Set) there.add(waiter);
    else this.#byKey.set(waiter.key, new Set([there, waiter]));
  }

  /** @param {Waiter} waiter */
  leave(waiter) {
    const there = this.#byKey.get(waiter.key);
    if (there === waiter) this.#byKey.delete(waiter.key);
    else if (there instanceof Set && there.delete(waiter) && there.size === 0) this.#byKey.delete(waiter.key);
  }

  /**
   * @param {string} key
   * @returns {readonly Waiter[]}
   */
  of(key) {
    const there = this.#byKey.get(key);
    if (there === undefined) return NOBODY;
    return there instanceof Set ? [...there] : [there];
  }

  /**
   * Whether somebody else is interested in the key of the waiter.
   * @param {Waiter} waiter
   */
  hasOthers(waiter) {
    const there = this.#byKey.get(waiter.key);
    if (there === undefined || there === waiter) return false;
    return !(there instanceof Set && there.size === 1 && there.has(waiter));
  }

  get isEmpty() {
    return this.#byKey.size === 0;
  }

  /** @returns {Waiter[]} of all keys */
  all() {
    return [...this.#byKey.keys()].flatMap((key) => this.of(key));
  }

  /**
   * The key has changed, and is not watched any more: everybody looks at it again, and watches it by that.
   * @param {string} key
   * @param {Waiter} [except]
   */
  keyChanged(key, except) {
    for (const waiter of this.of(key)) if (waiter !== except) waiter.onKeyChanged();
  }

  /**
   * The lease that one of them waits for has ended.
   * @param {number} ticket
   */
  released(ticket) {
    this.#waiting.get(ticket)?.notice();
  }

  /**
   * Until the waiter is noticed, or `ms` have passed.
   * @param {Waiter} waiter
   * @param {number} ms
   * @returns {Promise<void>}
   */
  async wait(waiter, ms) {
    if (waiter.changed || waiter.aborted) return;
    this.#waiting.set(waiter.ticket, waiter);
    await new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      waiter.wake = () => {
        clearTimeout(timer);
        resolve(undefined);
      };
    });
    waiter.wake = undefined;
    this.#waiting.delete(waiter.ticket);
  }
}

/** @typedef {Waiter} WaiterInstance */
/** @typedef {LeaseWaiters} LeaseWaitersInstance */

module.exports = { Waiter, LeaseWaiters };
