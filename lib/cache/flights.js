'use strict';
// Loads under way, one per key: whoever asks for the key meanwhile waits for the same load. A key that is written or
// removed in the middle of its load fences it: the load still answers those who wait, but nobody who comes later, and
// its value is not stored.

/**
 * @template T
 * @typedef {object} Flight
 * @property {boolean} fenced
 * @property {Promise<T>} landed
 */

/** @template T */
class Flights {
  /** @type {Map<string, Flight<T>>} */
  #underWay = new Map();

  /** @param {string} key */
  of(key) {
    return this.#underWay.get(key);
  }

  /**
   * @param {string} key without a flight
   * @param {(flight: Flight<T>) => Promise<T>} fly
   * @returns {Promise<T>}
   */
  begin(key, fly) {
    const flight = /** @type {Flight<T>} */ ({ fenced: false });
    this.#underWay.set(key, flight);
    flight.landed = this.#finish(key, flight, fly);
    return flight.landed;
  }

  /** @param {string} key */
  fence(key) {
    const flight = this.#underWay.get(key);
    if (flight === undefined) return;
    flight.fenced = true;
    this.#underWay.delete(key);
  }

  /**
   * @param {string} key
   * @param {Flight<T>} flight
   * @param {(flight: Flight<T>) => Promise<T>} fly
   */
  async #finish(key, flight, fly) {
    try {
      return await fly(flight);
    } finally {
      if (this.#underWay.get(key) === flight) this.#underWay.delete(key);
    }
  }
}

/**
 * @template T
 * @typedef {Flights<T>} FlightsOf
 */

module.exports = { Flights };
