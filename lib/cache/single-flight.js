'use strict';
// Loads under way in this thread, one per key: whoever asks for the key meanwhile waits for the same load. A key that is
// written or removed in the middle of its load fences it: the load still answers those who wait, but nobody who comes
// later, and its value is not stored.
const { clearTimeout, setTimeout } = require('../timers');

/**
 * What a load gave.
 * @typedef {object} Landing
 * @property {any} value for whoever began it
 * @property {import('./codecs').Encoded | undefined} encoded for everybody else; undefined: they share the value
 * @property {'memory' | 'redis' | 'loader' | 'stale' | 'none'} source 'none': a refresh that was not for it to make
 * @property {import('../store/tiered-store').Hit} [hit] of a tier
 */

let lastTicket = 0;

/** Somebody who may have to wait for a lease that another has. */
class Waiter {
  /** Something about the key has changed since it was last looked at. */
  changed = false;
  /** @type {(() => void) | undefined} set while it waits */
  wake = undefined;
  ticket = ++lastTicket;

  /** @param {string} key */
  constructor(key) {
    this.key = key;
  }

  get aborted() {
    return false;
  }

  /** It is worth another look. */
  notice() {
    this.changed = true;
    this.wake?.();
  }
}

class Flight extends Waiter {
  fenced = false;
  lease = 0;
  /** It has waited for the load of somebody else: how that failed is told to it, too. */
  waited = false;
  /** Its lease is that of an entry that stays readable. */
  refreshing = false;
  /** @type {(flight: Flight) => void} told that the lease is lost */
  onLeaseLost = () => {};
  /** @type {NodeJS.Timeout[]} the time limits of its loader and of those who wait: they keep the process until close() */
  limits = [];
  /** Its answer is known: it is for those who wait already, and too old for who comes now. */
  over = false;
  /** It loads without a lease, because Redis did not answer. */
  alone = false;
  justBegun = false;
  /** Questions under way whether the lease is still held. */
  doubts = 0;
  /** @type {import('../store/tiered-store').Hit | undefined} what may be served if the load fails */
  stale = undefined;
  /** @type {import('../store/tiered-store').Hit | undefined} what it found, and that is to be refreshed when it has landed */
  due = undefined;
  waiters = 0;
  /** @type {(() => void) | undefined} told when it has to wait for somebody else's load */
  onBusy = undefined;
  /** @type {AbortController | undefined} */
  #controller = undefined;
  /** @type {Promise<Landing>} */
  landed;

  /**
   * @param {string} key
   * @param {import('./call-options').CallOptionsInstance} call
   * @param {(context: any) => any} loader
   * @param {boolean} background nobody waits for it
   */
  constructor(key, call, loader, background) {
    super(key);
    this.call = call;
    this.loader = loader;
    this.background = background;
    this.landed = /** @type {any} */ (undefined);
  }

  get leaseFor() {
    return this.call.lease;
  }

  leaseLost() {
    this.onLeaseLost(this);
  }

  /** @returns {AbortSignal} */
  get signal() {
    this.#controller ??= new AbortController();
    return this.#controller.signal;
  }

  get aborted() {
    return this.#controller?.signal.aborted ?? false;
  }

  /** @param {unknown} reason */
  abort(reason) {
    this.#controller ??= new AbortController();
    this.#controller.abort(reason);
    this.notice();
  }
}

class Flights {
  /** @type {Map<string, Flight>} those that may be joined, one per key */
  #underWay = new Map();
  /** @type {Map<string, Waiter | Set<Waiter>>} everybody who loads a key or waits for it: each hears of every change */
  #interested = new Map();
  /** @type {Map<number, Waiter>} */
  #waiting = new Map();

  /** @param {string} key */
  of(key) {
    return this.#underWay.get(key);
  }

  /** @param {Flight} flight */
  add(flight) {
    this.#underWay.set(flight.key, flight);
    this.enter(flight);
  }

  /**
   * Nobody joins it from now on.
   * @param {Flight} flight
   */
  remove(flight) {
    if (this.#underWay.get(flight.key) === flight) this.#underWay.delete(flight.key);
  }

  /** @param {number} ticket */
  byTicket(ticket) {
    return this.#waiting.get(ticket);
  }

  /**
   * From now on it is among those who hear of the key, until leave().
   * @param {Waiter} waiter
   */
  enter(waiter) {
    const there = this.#interested.get(waiter.key);
    if (there === undefined) this.#interested.set(waiter.key, waiter);
    else if (there instanceof Set) there.add(waiter);
    else this.#interested.set(waiter.key, new Set([there, waiter]));
  }

  /** @param {Waiter} waiter */
  leave(waiter) {
    const there = this.#interested.get(waiter.key);
    if (there === waiter) this.#interested.delete(waiter.key);
    else if (there instanceof Set && there.delete(waiter) && there.size === 0) this.#interested.delete(waiter.key);
  }

  /**
   * Everybody who loads the key or waits for it.
   * @param {string} key
   * @returns {Waiter[]}
   */
  interestedIn(key) {
    const there = this.#interested.get(key);
    if (there === undefined) return [];
    return there instanceof Set ? [...there] : [there];
  }

  /** Everybody who loads or waits. */
  everybody() {
    return [...this.#interested.keys()].flatMap((key) => this.interestedIn(key));
  }

  /**
   * Until it is noticed, or `ms` have passed.
   * @param {Waiter} flight
   * @param {number} ms
   * @returns {Promise<void>}
   */
  async wait(flight, ms) {
    if (flight.changed || flight.aborted) return;
    this.#waiting.set(flight.ticket, flight);
    await new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      flight.wake = () => {
        clearTimeout(timer);
        resolve(undefined);
      };
    });
    flight.wake = undefined;
    this.#waiting.delete(flight.ticket);
  }

  /**
   * Nobody may join it any more, and what it loads is not stored.
   * @param {Flight} flight
   * @param {unknown} [reason] for the loader's signal; undefined: it is not told
   */
  fenceOne(flight, reason) {
    flight.fenced = true;
    if (this.#underWay.get(flight.key) === flight) this.#underWay.delete(flight.key);
    // One that still waits for somebody else's load simply looks again.
    if (flight.lease === 0) flight.notice();
    else if (reason !== undefined) flight.abort(reason);
  }
}

/** @typedef {Flight} FlightInstance */
/** @typedef {Waiter} WaiterInstance */
/** @typedef {Flights} FlightsInstance */

module.exports = { Flight, Flights, Waiter };
