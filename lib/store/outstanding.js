'use strict';
// Counts what is on its way to Redis, so that close() can wait for what was called before it.
const { clearTimeout, setTimeout } = require('../timers');

class Outstanding {
  #count = 0;
  /** @type {(() => void) | undefined} */
  #onIdle = undefined;

  /**
   * @template T
   * @param {Promise<T>} work
   * @returns {Promise<T>} the same
   */
  track(work) {
    this.begin();
    const end = () => this.end();
    work.then(end, end);
    return work;
  }

  begin() {
    this.#count++;
  }

  end() {
    if (--this.#count === 0) this.#onIdle?.();
  }

  get isIdle() {
    return this.#count === 0;
  }

  /**
   * Until nothing is on its way, or `ms` have passed.
   * @param {number} ms
   * @returns {Promise<void>}
   */
  async idle(ms) {
    if (this.#count === 0) return;
    await new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#onIdle = () => {
        clearTimeout(timer);
        resolve(undefined);
      };
    });
  }
}

/** @typedef {Outstanding} OutstandingInstance */

module.exports = { Outstanding };
