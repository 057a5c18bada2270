'use strict';
// Who waits for the connection: settled when there is one, when the client is closed, or when the time for it is over.
const { clearTimeout, setTimeout } = require('../timers');

/** The longest that a timer takes. */
const LONGEST_MS = 2 ** 31 - 1;

/** @typedef {{ resolve: () => void, reject: (error: Error) => void, timer: NodeJS.Timeout | undefined }} Waiter */

class Readiness {
  /** @type {Set<Waiter>} */
  #waiting = new Set();

  /**
   * @param {number} timeout ms, 0: none
   * @param {() => Error} tooLate why there is no connection
   * @returns {Promise<void>}
   */
  wait(timeout, tooLate) {
    return new Promise((resolve, reject) => {
      /** @type {Waiter} */
      const waiter = { resolve, reject, timer: undefined };
      this.#waiting.add(waiter);
      if (timeout === 0) return;
      waiter.timer = setTimeout(
        () => {
          this.#waiting.delete(waiter);
          reject(tooLate());
        },
        Math.min(timeout, LONGEST_MS),
      );
      // The connection that is being made keeps the process alive, or does not.
      waiter.timer.unref();
    });
  }

  /** @param {Error} [error] none: there is a connection */
  settle(error) {
    for (const { resolve, reject, timer } of this.#waiting) {
      clearTimeout(timer);
      if (error === undefined) resolve();
      else reject(error);
    }
    this.#waiting.clear();
  }
}

/**
 * @param {number} ms
 * @param {boolean} holds whether it keeps the process
 * @returns {Promise<void>}
 */
function pause(ms, holds) {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    if (!holds) timer.unref();
  });
}

module.exports = { Readiness, pause };
