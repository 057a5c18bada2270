'use strict';
// Loads under way in this thread, one per key: whoever asks for the key meanwhile waits for the same load. A key that is
// written or removed in the middle of its load fences it: the load still answers those who wait, but nobody who comes
// later, and its value is not stored.

/**
 * What a load gave.
 * @typedef {object} Landing
 * @property {any} value for whoever began it
 * @property {import('./codecs').Encoded | undefined} encoded for everybody else; undefined: they share the value
 * @property {'memory' | 'redis' | 'loader' | 'stale' | 'none'} source 'none': a refresh that was not for it to make
 * @property {import('./tiers').Hit} [hit] of a tier
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
  /** Its answer is known: it is for those who wait already, and too old for who comes now. */
  over = false;
  /** It loads without a lease, because Redis did not answer. */
  alone = false;
  justBegun = false;
  /** Questions under way whether the lease is still held. */
  doubts = 0;
  /** @type {import('./tiers').Hit | undefined} what may be served if the load fails */
  stale = undefined;
  /** @type {import('./tiers').Hit | undefined} what it found, and that is to be refreshed when it has landed */
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
  /** @type {Map<string, Flight>} */
  #underWay = new Map();
  /** @type {Map<number, Waiter>} */
  #waiting = new Map();
  /** @type {Map<string, Set<Waiter>>} those who wait for a key without a flight */
  #others = new Map();

  /** @param {string} key */
  of(key) {
    return this.#underWay.get(key);
  }

  /** @param {Flight} flight */
  add(flight) {
    this.#underWay.set(flight.key, flight);
  }

  /** @param {Flight} flight that has landed */
  remove(flight) {
    const current = this.#underWay.get(flight.key);
    if (current === flight) this.#underWay.delete(flight.key);
    // What we have just stored is not announced to our own connection.
    else current?.notice();
  }

  /** @param {number} ticket */
  byTicket(ticket) {
    return this.#waiting.get(ticket);
  }

  /**
   * @param {Waiter} waiter that is no flight, until leave()
   */
  join(waiter) {
    const others = this.#others.get(waiter.key);
    if (others === undefined) this.#others.set(waiter.key, new Set([waiter]));
    else others.add(waiter);
  }

  /** @param {Waiter} waiter */
  leave(waiter) {
    const others = this.#others.get(waiter.key);
    if (others?.delete(waiter) && others.size === 0) this.#others.delete(waiter.key);
  }

  /** @param {string} key */
  noticeKey(key) {
    for (const waiter of this.#others.get(key) ?? []) waiter.notice();
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
   * @param {(flight: Flight) => boolean} matches
   * @param {unknown} reason
   */
  fenceIf(matches, reason) {
    for (const flight of [...this.#underWay.values()]) if (matches(flight)) this.fenceOne(flight, reason);
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

  all() {
    return [...this.#underWay.values()];
  }

  get size() {
    return this.#underWay.size;
  }
}

/** @typedef {Flight} FlightInstance */
/** @typedef {Flights} FlightsInstance */

module.exports = { Flight, Flights, Waiter };
