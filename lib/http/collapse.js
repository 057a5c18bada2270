'use strict';
// Collapsing of concurrent misses: one request runs the handler, the others wait for what it stores.
// Sharing is decided by the answer's head: until then nobody knows whether it is one person's page.

/** @typedef {import('./stored-response').StoredResponse} StoredResponse */
/** @typedef {import('./stored-response').ServableEntry} ServableEntry */

/**
 * How a flight ends for those who wait. `stored`: take it. `refused`: everyone on their own. `aborted`: the leader
 * lost its client, somebody else should lead. `late`: it takes too long.
 * @typedef {{ end: 'stored', stored: StoredResponse } | { end: 'found', entry: ServableEntry }
 *   | { end: 'refused' | 'aborted' | 'late' }} Outcome
 */

class Flight {
  /** @type {(outcome: Outcome) => void} */
  #settle = () => {};
  /** @type {Promise<Outcome> | undefined} */
  #promise;
  /** @type {NodeJS.Timeout | undefined} */
  #timer;
  /** @type {Outcome | undefined} */
  #outcome;

  /**
   * @param {import('./fences').RaisedFence} fence
   * @param {number} deadline
   */
  constructor(fence, deadline) {
    this.fence = fence;
    this.deadline = deadline;
  }

  /** @returns {StoredResponse | undefined} what the leader stored, while the cache is still busy writing it */
  get stored() {
    return this.#outcome?.end === 'stored' ? this.#outcome.stored : undefined;
  }

  get isOver() {
    return this.#outcome !== undefined;
  }

  /**
   * A promise and not a callback: what a waiter does next belongs to its own asynchronous context, not to the leader's.
   * @returns {Promise<Outcome>}
   */
  wait() {
    if (this.#outcome !== undefined) return Promise.resolve(this.#outcome);
    if (this.#promise === undefined) {
      this.#promise = new Promise((resolve) => {
        this.#settle = resolve;
      });
      this.#timer = setTimeout(() => this.#settle({ end: 'late' }), Math.max(1, this.deadline - Date.now()));
      this.#timer.unref();
    }
    return this.#promise;
  }

  /**
   * The first call counts.
   * @param {Outcome} outcome
   */
  finish(outcome) {
    if (this.#outcome !== undefined) return;
    this.#outcome = outcome;
    clearTimeout(this.#timer);
    this.#settle(outcome);
  }
}

/** @typedef {Flight} StartedFlight */

class Flights {
  /** @type {Map<string, Flight>} */
  #flights = new Map();
  #timeout;

  /** @param {number} timeout milliseconds that anybody waits for a leader */
  constructor(timeout) {
    this.#timeout = timeout;
  }

  get size() {
    return this.#flights.size;
  }

  /**
   * A flight worth joining: not too old (its handler may hang), and not fenced off by an invalidation.
   * @param {string} key
   * @returns {Flight | undefined}
   */
  find(key) {
    const flight = this.#flights.get(key);
    if (flight === undefined || !flight.fence.holds) return undefined;
    if (flight.stored === undefined && (flight.isOver || Date.now() >= flight.deadline)) return undefined;
    return flight;
  }

  /**
   * Starts a flight, in place of one that is not worth joining.
   * @param {string} key
   * @param {import('./fences').RaisedFence} fence
   * @returns {Flight}
   */
  start(key, fence) {
    const flight = new Flight(fence, Date.now() + this.#timeout);
    this.#flights.set(key, flight);
    return flight;
  }

  /**
   * @param {string} key
   * @param {Flight} flight
   */
  remove(key, flight) {
    if (this.#flights.get(key) === flight) this.#flights.delete(key);
  }
}

module.exports = { Flights };
