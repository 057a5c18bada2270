'use strict';
// Tests whose subject is time: what they say holds only when the process ran on time. A try that fails is made again when
// the loop was seen to stand still in it for longer than the test allows; one that fails although it ran on time fails.
//
//   timed('an entry ends with its ttl', async () => { … });

/** Longest time between two timers of 1 ms, less that. */
class StallWatch {
  #longest = 0;
  #last = performance.now();
  #timer = setInterval(() => this.#look(), 1);

  #look() {
    const now = performance.now();
    this.#longest = Math.max(this.#longest, now - this.#last - 1);
    this.#last = now;
  }

  /** @returns {number} ms for which the loop stood still, the longest of them */
  end() {
    this.#look();
    clearInterval(this.#timer);
    return this.#longest;
  }
}

/**
 * @template {any[]} Arguments
 * @param {(...args: Arguments) => Promise<unknown> | unknown} body begins anew in every try
 * @param {{ stall?: number, tries?: number }} [options] stall: ms that the loop may stand still
 * @returns {(...args: Arguments) => Promise<void>}
 */
function onTime(body, { stall = 5, tries = 20 } = {}) {
  const attempt = async (/** @type {Arguments} */ args, /** @type {number} */ left) => {
    const watch = new StallWatch();
    try {
      await body(...args);
      watch.end();
    } catch (error) {
      if (watch.end() <= stall || left <= 1) throw error;
      await attempt(args, left - 1);
    }
  };
  // Jest looks at the number of parameters: a rest parameter counts as none.
  return (...args) => attempt(args, tries);
}

/**
 * Jest's test() and test.each(), for bodies whose subject is time.
 * @param {string} name
 * @param {() => Promise<unknown>} body
 * @param {number} [timeout]
 */
const timed = (name, body, timeout) => test(name, onTime(body), timeout);

timed.each = (/** @type {readonly any[]} */ rows) => {
  const each = test.each(rows);
  return (
    /** @type {string} */ name,
    /** @type {(...row: any[]) => Promise<unknown>} */ body,
    /** @type {number} */ timeout,
  ) => each(name, onTime(body), timeout);
};

module.exports = { onTime, timed };
