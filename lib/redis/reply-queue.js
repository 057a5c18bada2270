'use strict';
// The promises that wait for replies, oldest first, in a ring: the native side settles them by order alone. It calls
// `deliver` once per socket read, with as many values as there were replies.
const { RedisError } = require('../errors');

/** @typedef {(value: any) => void} Settle */

// A promise's functions, on their way out of the executor: one shared function instead of a closure per command.
/** @type {Settle} */
let resolveLast;
/** @type {Settle} */
let rejectLast;
/**
 * @param {Settle} resolve
 * @param {Settle} reject
 */
function capture(resolve, reject) {
  resolveLast = resolve;
  rejectLast = reject;
}

function createReplyQueue() {
  let mask = 63;
  /** @type {Array<Settle | undefined>} */
  let resolves = new Array(mask + 1).fill(undefined);
  /** @type {Array<Settle | undefined>} */
  let rejects = new Array(mask + 1).fill(undefined);
  /** @type {Array<string | undefined>} */
  let names = new Array(mask + 1).fill(undefined);
  let head = 0;
  let size = 0;
  let expired = 0; // of the oldest, those that were rejected and keep their places

  function grow() {
    const next = (mask + 1) * 2;
    const unroll = (/** @type {any[]} */ ring) => {
      const larger = new Array(next).fill(undefined);
      for (let i = 0; i < size; i++) larger[i] = ring[(head + i) & mask];
      return larger;
    };
    resolves = unroll(resolves);
    rejects = unroll(rejects);
    names = unroll(names);
    head = 0;
    mask = next - 1;
  }

  return {
    /**
     * The promise of a command that was just submitted.
     * @param {string} name of the command
     * @returns {Promise<any>}
     */
    next(name) {
      if (size > mask) grow();
      const promise = new Promise(capture);
      const at = (head + size++) & mask;
      resolves[at] = resolveLast;
      rejects[at] = rejectLast;
      names[at] = name;
      return promise;
    },

    get length() {
      return size;
    },

    // What the native side calls. None of these may throw.
    callbacks: {
      /** @param {...any} values */
      deliver(...values) {
        for (let i = 0; i < values.length; i++) {
          const settle = /** @type {Settle} */ (resolves[head]);
          resolves[head] = undefined;
          rejects[head] = undefined;
          head = (head + 1) & mask;
          size--;
          settle(values[i]);
        }
        if (expired > 0) expired = Math.max(0, expired - values.length);
      },

      /**
       * @param {string} code '' when `message` is an error reply
       * @param {string} message
       */
      fail(code, message) {
        const reject = /** @type {Settle} */ (rejects[head]);
        const name = names[head];
        resolves[head] = undefined;
        rejects[head] = undefined;
        head = (head + 1) & mask;
        size--;
        if (expired > 0) expired--;
        reject(code === '' ? RedisError.fromReply(message, name) : new RedisError(code, `${name}: ${message}`, name));
      },

      /** @param {number} count */
      expire(count) {
        for (; count > 0; count--) {
          const at = (head + expired++) & mask;
          const name = names[at];
          const reject = /** @type {Settle} */ (rejects[at]);
          reject(new RedisError('COMMAND_TIMEOUT', `${name}: no answer within the command timeout`, name));
        }
      },
    },
  };
}

module.exports = { createReplyQueue };
